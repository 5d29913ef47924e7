"""The input of a network: X validated as `fit` saw it, and the raw outputs for it."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from types import MappingProxyType
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from .._aliases import HINTS
from .._keras import OutputForm, all_finite, fixed_batch, predict_rows
from .._params import PrefixedParamsMixin, builder_parameters
from .._sklearn import check_sample_weight
from ..exceptions import DataError, DivergedError, ParameterError, UnknownParameterError
from ._inputs._network_inputs import free_lengths
from ._inputs._rows import InputRows, as_network_input
from ._inputs._select import check_batch_rows, select_inputs
from ._inputs._sequences import special_rows
from ._inputs._texts import check_texts, reads_texts
from ._network import first_embedding
from ._outputs._form import ONE_OUTPUT, checked_parts, flat_outputs
from ._tables._check import check_table, is_table, prepares_tables
from ._targets._arrays import check_range
from ._targets._kinds import check_container, check_kind, explained


class RowsMixin(PrefixedParamsMixin):
    """Validate rows as `fit` saw them, and compute the network's outputs for them."""

    model: Any
    dtype: str | None
    inputs: Any
    # Learned by `fit`.
    model_: Any
    X_shape_: tuple[int, ...]
    X_dtype_: np.dtype[Any]
    input_dtype_: Any
    # Networks saved by an earlier version take rows of one length.
    free_lengths_: Mapping[str, bool] | None = MappingProxyType({})
    output_form_: OutputForm = ONE_OUTPUT
    target_encoder_: Any
    table_: Any = None
    table_encoder_: Any = None
    text_encoder_: Any = None

    @property
    def _floatx(self) -> str:
        return "float64" if self.dtype == "float64" else "float32"

    def _check_X(self, X: Any, *, reset: bool, tables: bool = True) -> Any:
        """Return X validated: numbers, finite, at least two dimensions, CSR when sparse.

        Tables that the network prepares may have gaps, and categories, which become codes; unless
        `tables` is False, such rows are recognized at a first fit.
        """
        if reset:
            self._forget_rows()
            self.table_ = self.table_encoder_ = self.text_encoder_ = None
        elif _as_at_fit(self, X):
            return X
        if isinstance(X, InputRows):  # of a dataset
            return check_batch_rows(self, X, reset=reset)
        if self.inputs is not None:
            return select_inputs(self, X, reset=reset)
        check_container(X)
        if reads_texts(self):
            ids = check_texts(self, X, reset=reset, dataset=not tables)
            return self._check_row_shape(ids, reset=reset)
        new = reset and tables and prepares_tables(self) and is_table(X)
        if new or self.table_encoder_ is not None:
            return self._check_row_shape(check_table(self, X, reset=reset), reset=reset)
        return self._check_numbers(X, reset)

    def _check_numbers(self, X: Any, reset: bool) -> Any:
        check_kind(X, "X")
        special = special_rows(self, X, reset=reset)
        if special is not None:
            return self._check_row_shape(special, reset=reset)
        try:
            if not reset and self._takes_any_length() and not hasattr(X, "columns"):
                checked = check_array(X, dtype="numeric", allow_nd=True, input_name="X")
            else:
                checked = validate_data(
                    self, X, reset=reset, accept_sparse="csr", dtype="numeric", allow_nd=True
                )
        except ValueError as error:
            better = explained(error, X, "X")
            if better is None:
                raise
            raise better from error
        X = self._check_row_shape(checked, reset=reset)
        check_range(X.data if sp.issparse(X) else X, "X", self._floatx)
        return X

    def _forget_rows(self) -> None:
        """Forget what an earlier fit learned of rows of another kind."""
        for name in ("feature_names_in_", "input_columns_", "input_shapes_", "sequence_length_"):
            vars(self).pop(name, None)
        model = self.model if hasattr(self.model, "get_weights") else None
        # None: a builder's network is not known yet, and tells when it is built.
        own = isinstance(self.model, str)
        self.free_lengths_ = {} if own else None if model is None else free_lengths(model, None)

    def _takes_any_length(self, name: str = "") -> bool:
        """Return whether rows may have another length than those of `fit`."""
        free = self.free_lengths_
        return free is None or free.get(name, False)

    def _check_row_shape(self, X: Any, *, reset: bool) -> Any:
        """Return X; raise for rows of another shape than those of `fit`."""
        if reset:
            self.X_shape_, self.X_dtype_ = tuple(X.shape), np.dtype(X.dtype)
            return X
        fitted, given = tuple(self.X_shape_[1:]), tuple(X.shape[1:])
        if self._takes_any_length() and len(given) == len(fitted):
            fitted, given = fitted[1:], given[1:]
        if given != fitted:
            raise DataError(
                f"X has rows of shape {tuple(X.shape[1:])}, but {type(self).__name__} was "
                f"fitted on rows of shape {tuple(self.X_shape_[1:])}."
            )
        return X

    def _builder_parameters(self) -> dict[str, Any]:
        """Return the parameters that the builder of the network takes."""
        builder = self._builder()
        return {} if builder is None else builder_parameters(builder)[0]

    def _check_tokens(self, X: Any, network: Any) -> None:
        embedding = None if self.table_ is not None else first_embedding(network)
        if embedding is None or not X.shape[0] or X.dtype == object:
            return
        low, high = X.min(), X.max()
        if low < 0 or high >= embedding.input_dim:
            raise DataError(
                f"X holds token ids in [{low}, {high}], but the embedding knows ids in "
                f"[0, {embedding.input_dim - 1}]; set model__vocabulary_size."
            )

    def network_input(self, X: Any) -> Any:
        """Return `X` as the network takes it.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n_samples, ...)
            Rows, validated as `predict` does.

        Returns
        -------
        rows : ndarray of shape (n_samples, ...), or dict of str to ndarray
            Dense rows in the dtype of the network's input, or of each of its inputs by name. Of a
            table with gaps and categories: numbers, NaN where they are missing, and codes, which
            the network itself prepares.

        Raises
        ------
        DataError
            When the rows have another shape than those of `fit`.
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        self._check_tokens(X, self.model_)
        return as_network_input(dense_rows(X), self.input_dtype_)

    def network_output(self, X: Any) -> Any:
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
            Raw outputs. How many rows there are changes the outputs of a row by less than 1e-6 of
            the largest, because NumPy computes few rows and TensorFlow many. A list of such arrays
            where the network has several outputs.
        """
        if "model_" not in vars(self):
            check_is_fitted(self)
        X = self._check_X(X, reset=False)
        self._check_tokens(X, self.model_)
        rows = self._prediction_rows(X.shape[0])
        if not sp.issparse(X):
            outputs = self._raw_outputs(as_network_input(X, self.input_dtype_), rows)
        else:
            step = max(1, 2**22 // max(1, X.shape[1]))
            outputs = np.concatenate(
                [
                    self._raw_outputs(X[i : i + step].toarray().astype(self.input_dtype_), rows)
                    for i in range(0, X.shape[0], step)
                ]
            )
        return checked_parts(lambda part: _finite(part, self.model_), outputs)

    def _prediction_rows(self, n_samples: int) -> int | None:
        """Return how many rows are computed together; None for what suits them."""
        rows = self._routed("predict").get("batch_size")
        if rows is None:
            return fixed_batch(self.model_)
        whole = isinstance(rows, Integral) and not isinstance(rows, bool)
        if not whole or (int(rows) < 1 and rows != -1):
            raise ParameterError(
                f"predict__batch_size must be an int >= 1, -1 for all rows, or None, got {rows!r}."
            )
        fixed = fixed_batch(self.model_)
        if fixed is not None and rows != fixed:
            raise ParameterError(
                f"predict__batch_size={rows} has no effect: the network takes batches of {fixed} "
                "rows."
            )
        return n_samples if rows == -1 else int(rows)

    def _raw_outputs(self, x: Any, rows: int | None) -> Any:
        form, target = self.output_form_, self.target_encoder_
        plain = isinstance(x, np.ndarray) and x.dtype != object and form.kind == "one"
        # Rows are None where the network takes batches of any size.
        if plain and (rows is None or fixed_batch(self.model_) is None):
            return predict_rows(self.model_, x, rows=rows)
        return flat_outputs(target, form, predict_rows(self.model_, x, rows=rows, nested=True))


def _as_at_fit(estimator: Any, X: Any) -> bool:
    """Return whether `X` is a plain array of finite numbers, of rows such as those of `fit`.

    The whole validation would return it as it is, and takes longer than a small network.
    """
    learned = vars(estimator)
    if type(X) is not np.ndarray or X.dtype.kind not in "fiu" or not X.size:
        return False
    if "X_shape_" not in learned or X.shape[1:] != tuple(estimator.X_shape_[1:]):
        return False
    if "feature_names_in_" in learned or "sequence_length_" in learned:
        return False  # warnings about names; lengths that are filled up
    if estimator.inputs is not None or estimator._takes_any_length():
        return False
    if learned.get("text_encoder_") is not None:
        return False  # numbers are no texts
    encoder = estimator.table_encoder_
    if (encoder is not None and encoder.categories) or estimator.X_dtype_.kind == "O":
        return False
    largest = _LARGEST[estimator._floatx]
    return bool(X.max() <= largest and X.min() >= -largest)  # False for NaN


_LARGEST = {name: np.float64(np.finfo(name).max) for name in ("float32", "float64")}


def _finite(outputs: np.ndarray, network: Any) -> np.ndarray:
    """Return `outputs`; raise when a NaN among them could become a label."""
    finite = np.isfinite(outputs)
    if not finite.all():
        bad = ~finite.reshape(len(outputs), -1).all(axis=1)
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
