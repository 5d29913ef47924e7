"""The input of a network: X validated as `fit` saw it, and the raw outputs for it."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import check_is_fitted, validate_data

from .._keras import predict_raw
from .._params import PrefixedParamsMixin
from .._sklearn import check_sample_weight
from ..exceptions import DataError, ParameterError
from ._network import first_embedding


class RowsMixin(PrefixedParamsMixin):
    """Validate rows as `fit` saw them, and compute the network's outputs for them."""

    dtype: str | None
    # Learned by `fit`.
    model_: Any
    X_shape_: tuple[int, ...]
    input_dtype_: str

    @property
    def _floatx(self) -> str:
        return "float64" if self.dtype == "float64" else "float32"

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        """Return X validated: numbers, finite, at least two dimensions, CSR when sparse."""
        X = validate_data(self, X, reset=reset, accept_sparse="csr", dtype="numeric", allow_nd=True)
        if reset:
            self.X_shape_ = tuple(X.shape)
        else:
            fitted = self.X_shape_[1:]
            if tuple(X.shape[1:]) != tuple(fitted):
                raise DataError(
                    f"X has rows of shape {tuple(X.shape[1:])}, but {type(self).__name__} was "
                    f"fitted on rows of shape {tuple(fitted)}."
                )
        values = X.data if sp.issparse(X) else X
        if values.dtype.kind == "f" and self._floatx == "float32" and values.dtype.itemsize > 4:
            with np.errstate(over="ignore"):
                if not np.isfinite(np.abs(values).max(initial=0).astype("float32")):
                    raise DataError(
                        "Input X contains infinity or a value too large for dtype('float32')."
                    )
        if values.dtype.kind == "c":
            raise DataError("Complex data not supported by a Keras network.")
        return X

    def _check_tokens(self, X: Any, network: Any) -> None:
        embedding = first_embedding(network)
        if embedding is None or not X.shape[0]:
            return
        low, high = X.min(), X.max()
        if low < 0 or high >= embedding.input_dim:
            raise DataError(
                f"X holds token ids in [{low}, {high}], but the embedding knows ids in "
                f"[0, {embedding.input_dim - 1}]; set model__vocabulary_size."
            )

    def network_input(self, X: Any) -> np.ndarray:
        """Return `X` as the network takes it.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...)
            Rows, validated as `predict` does.

        Returns
        -------
        rows : ndarray of shape (n_samples, ...)
            Dense rows in the network's input dtype.

        Raises
        ------
        DataError
            When the rows have another shape than those of `fit`.
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        self._check_tokens(X, self.model_)
        return dense_rows(X).astype(self.input_dtype_, copy=False)

    def network_output(self, X: Any) -> np.ndarray:
        """Return the network's raw outputs for `X`.

        The architectures that come with skopt_wrap end in linear units: their outputs are
        logits or values. ``target_encoder_`` turns outputs into predictions.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...)
            Rows; sparse ones are made dense block by block.

        Returns
        -------
        outputs : ndarray of shape (n_samples, n_units)
            Raw outputs. A row's outputs do not depend on the rows beside it.
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        self._check_tokens(X, self.model_)
        rows = self._routed("predict").get("batch_size")
        if rows is not None:
            if not isinstance(rows, Integral) or int(rows) < 1:
                raise ParameterError(
                    f"predict__batch_size must be an int >= 1 or None, got {rows!r}."
                )
            rows = int(rows)
        if not sp.issparse(X):
            return predict_raw(self.model_, X.astype(self.input_dtype_, copy=False), rows=rows)
        step = max(1, 2**22 // max(1, X.shape[1]))
        parts = [
            predict_raw(self.model_, X[i : i + step].toarray().astype(self.input_dtype_), rows=rows)
            for i in range(0, X.shape[0], step)
        ]
        return np.concatenate(parts)


def check_weights(sample_weight: Any, X: Any, dtype: str) -> np.ndarray:
    """Return sample weights, ones for None; not negative, not all zero."""
    return check_sample_weight(sample_weight, X, dtype=dtype, ensure_non_negative=True)


def dense_rows(X: Any) -> np.ndarray:
    """Return rows as an array."""
    return X.toarray() if sp.issparse(X) else X
