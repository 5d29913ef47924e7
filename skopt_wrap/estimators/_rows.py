"""The input of a network: X validated as `fit` saw it, and the raw outputs for it."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import check_is_fitted, validate_data

from .._aliases import HINTS
from .._keras import all_finite, predict_raw
from .._params import PrefixedParamsMixin
from .._sklearn import check_sample_weight
from ..exceptions import DataError, DivergedError, ParameterError, UnknownParameterError
from ._network import first_embedding
from ._tables._check import check_table, is_table, prepares_tables
from ._targets._arrays import check_range
from ._targets._kinds import check_container, check_kind, explained


class RowsMixin(PrefixedParamsMixin):
    """Validate rows as `fit` saw them, and compute the network's outputs for them."""

    dtype: str | None
    # Learned by `fit`.
    model_: Any
    X_shape_: tuple[int, ...]
    input_dtype_: str
    table_: Any = None
    table_encoder_: Any = None

    @property
    def _floatx(self) -> str:
        return "float64" if self.dtype == "float64" else "float32"

    def _check_X(self, X: Any, *, reset: bool, tables: bool = True) -> Any:
        """Return X validated: numbers, finite, at least two dimensions, CSR when sparse.

        Tables that the network prepares may have gaps, and categories, which become codes; unless
        `tables` is False, such rows are recognized at a first fit.
        """
        check_container(X)
        if reset:
            self.table_ = self.table_encoder_ = None
        new = reset and tables and prepares_tables(self) and is_table(X)
        if new or self.table_encoder_ is not None:
            X = check_table(self, X, reset=reset)
        else:
            X = self._check_numbers(X, reset)
        return self._check_shape(X, reset)

    def _check_numbers(self, X: Any, reset: bool) -> Any:
        check_kind(X, "X")
        try:
            checked = validate_data(
                self, X, reset=reset, accept_sparse="csr", dtype="numeric", allow_nd=True
            )
        except ValueError as error:
            better = explained(error, X, "X")
            if better is None:
                raise
            raise better from error
        check_range(checked.data if sp.issparse(checked) else checked, "X", self._floatx)
        return checked

    def _check_shape(self, X: Any, reset: bool) -> Any:
        if reset:
            self.X_shape_ = tuple(X.shape)
        else:
            fitted = self.X_shape_[1:]
            if tuple(X.shape[1:]) != tuple(fitted):
                raise DataError(
                    f"X has rows of shape {tuple(X.shape[1:])}, but {type(self).__name__} was "
                    f"fitted on rows of shape {tuple(fitted)}."
                )
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
            Dense rows in the network's input dtype. Of a table with gaps and categories: numbers,
            NaN where they are missing, and codes, which the network itself prepares.

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
            outputs = predict_raw(self.model_, X.astype(self.input_dtype_, copy=False), rows=rows)
            return _finite(outputs, self.model_)
        step = max(1, 2**22 // max(1, X.shape[1]))
        parts = [
            predict_raw(self.model_, X[i : i + step].toarray().astype(self.input_dtype_), rows=rows)
            for i in range(0, X.shape[0], step)
        ]
        return _finite(np.concatenate(parts), self.model_)


def _finite(outputs: np.ndarray, network: Any) -> np.ndarray:
    """Return `outputs`; raise when a NaN among them could become a label."""
    bad = ~np.isfinite(outputs).reshape(len(outputs), -1).all(axis=1)
    if bad.any():
        cause = (
            "X holds values far from those of the training data; scale them in the same way."
            if all_finite(network)
            else "the network's weights are not finite; fit it again."
        )
        raise DivergedError(
            f"The network's outputs are not finite for {int(bad.sum())} of {len(bad)} samples, "
            f"the first in row {int(bad.argmax())}: {cause}"
        )
    return outputs


def refuse_arguments(method: str, unknown: Mapping[str, Any]) -> None:
    """Raise for arguments of ``keras.Model.predict`` that a method does not take."""
    for name in unknown:
        instead = {
            "batch_size": "predict__batch_size is a parameter of the estimator.",
            "verbose": "Predictions show no progress.",
        }.get(name) or HINTS.get(name, "It takes X alone.")
        raise UnknownParameterError(f"{method}() got an unexpected argument {name!r}. {instead}")


def check_weights(sample_weight: Any, X: Any, dtype: str) -> np.ndarray:
    """Return sample weights, ones for None; not negative, not all zero."""
    return check_sample_weight(sample_weight, X, dtype=dtype, ensure_non_negative=True)


def dense_rows(X: Any) -> np.ndarray:
    """Return rows as an array."""
    return X.toarray() if sp.issparse(X) else X
