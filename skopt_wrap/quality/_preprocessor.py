"""make_preprocessor: a pipeline of scikit-learn's parts, chosen from the data and with reasons."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from .._sklearn import target_type
from ..exceptions import ParameterError, suggest
from ._cleaner import DataCleaner
from ._features._sorts import ColumnsOfSort, column_sort, join_texts, joined_name
from ._tables._read import open_table

_CHOICES = {
    "estimator": ("network", "linear", "trees"),
    "scaling": ("auto", "standard", "robust", "quantile", "none"),
    "encoding": ("auto", "onehot", "ordinal", "target"),
    "selection": ("auto", "mutual_info", "l1"),
    "reduction": ("pca", "svd", "target"),
}


class TargetDirections(PLSRegression):
    """Partial least squares whose `fit_transform` returns the features alone."""

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Learn the directions and return the features along them."""
        return self.fit(X, y).transform(X)


class Preprocessor(Pipeline):
    """A pipeline that knows why each of its parts was chosen. Made by :func:`make_preprocessor`."""

    def __init__(
        self,
        steps: Any,
        *,
        reasons: Any = (),
        transform_input: Any = None,
        memory: Any = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(steps, transform_input=transform_input, memory=memory, verbose=verbose)
        self.reasons = reasons

    def explain(self) -> str:
        """Return the reason for each choice, one line a column or step.

        Returns
        -------
        text : str
            The reasons, as of the data that were given to :func:`make_preprocessor`.
        """
        return "\n".join(f"{what}: {why}" for what, why in self.reasons)


def make_preprocessor(
    X: Any,
    y: Any = None,
    *,
    estimator: str = "network",
    scaling: str = "auto",
    encoding: str = "auto",
    selection: Any = None,
    reduction: Any = None,
    random_state: Any = 0,
) -> Any:
    """Return a preprocessor for these data and for what follows it.

    The result is a :class:`sklearn.pipeline.Pipeline` of a :class:`DataCleaner`, a
    :class:`~sklearn.compose.ColumnTransformer` with a part for each sort of column, and, where
    asked for, selection and reduction. All parts are scikit-learn's: read them, change them with
    ``set_params``, search over them. Which columns are of which sort is decided on the rows of
    each ``fit``, so nothing leaks from rows that are scored.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, n_features)
        Data that the choice is explained with; not changed.
    y : array-like of shape (n_samples,), default=None
        Target. Without it, no part that needs a target is chosen.
    estimator : {"network", "linear", "trees"}, default="network"
        What follows. Networks and linear models get scaled numbers and indicators of categories;
        trees get numbers as they are and categories as numbers.
    scaling : {"auto", "standard", "robust", "quantile", "none"}, default="auto"
        "auto" standardizes numbers and maps skewed or heavy-tailed ones to a normal distribution
        by their ranks; for trees, it leaves numbers as they are.
    encoding : {"auto", "onehot", "ordinal", "target"}, default="auto"
        "auto" makes indicators of up to 30 categories and encodes more by the mean target of the
        other folds; for trees, it numbers up to 30 categories.
    selection : {"auto", "mutual_info", "l1"}, int or None, default=None
        Which features stay: an int for so many, by mutual information; "mutual_info" for the half
        that tells the most; "l1" for those of a linear model with an L1 penalty; "auto" for the
        number of features whose cross-validated score is best.
    reduction : {"pca", "svd", "target"} or None, default=None
        "pca" keeps 95 % of the variance; "svd" is truncated SVD to half of the features (at most
        50);
        "target" projects to the directions that tell the target (linear discriminants, or partial
        least squares for numbers as target).
    random_state : int, RandomState instance or None, default=0
        Seed of the parts that draw.

    Returns
    -------
    preprocessor : Pipeline
        Not fitted. ``explain()`` returns the reason for each choice.

    Raises
    ------
    ParameterError
        For an unknown value, or a part that needs y where there is none.

    See Also
    --------
    DataCleaner : The first step.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from skopt_wrap import make_preprocessor
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"size": rng.normal(size=60), "city": ["Oslo", "Rome", "Bonn"] * 20})
    >>> preprocessor = make_preprocessor(X)
    >>> preprocessor.fit_transform(X).shape
    (60, 4)
    >>> print(preprocessor.explain().splitlines()[-1])
    city: category (3 categories), made indicators
    """
    given = {"estimator": estimator, "scaling": scaling, "encoding": encoding}
    for name, value in given.items():
        if value not in _CHOICES[name]:
            raise ParameterError(
                f"{name}={value!r} is unknown. {suggest(str(value), _CHOICES[name])}"
            )
    for name, value in (("selection", selection), ("reduction", reduction)):
        number = name == "selection" and isinstance(value, Integral) and int(value) > 0
        if value is not None and not number and value not in _CHOICES[name]:
            raise ParameterError(
                f"{name}={value!r} is unknown. {suggest(str(value), _CHOICES[name])}"
                + (" Or a number of features, at least 1." if name == "selection" else "")
            )
    needs = [f"{n}={v!r}" for n, v, t in (
        ("encoding", encoding, encoding == "target"),
        ("selection", selection, selection is not None),
        ("reduction", reduction, reduction == "target")) if t]  # fmt: skip
    if y is None and needs:
        raise ParameterError(f"{needs[0]} needs a target: pass y.")
    classes = y is not None and _has_classes(y)
    parts = _parts(estimator, scaling, encoding, y is not None, random_state)
    steps: list[tuple[str, Any]] = [
        ("clean", DataCleaner()),
        (
            "encode",
            ColumnTransformer(
                [(name, part, ColumnsOfSort(sorts)) for name, part, sorts, _ in parts],
                sparse_threshold=0,
                verbose_feature_names_out=False,
            ),
        ),
    ]
    reasons = _reasons(X, steps[0][1], parts, estimator)
    if selection is not None:
        steps.append(("select", _selection(selection, classes, random_state)))
        reasons.append(("selection", f"{selection!r} was asked for"))
    if reduction is not None:
        n_svd = 1
        if reduction == "svd":
            n_features = Pipeline([(n, clone(s)) for n, s in steps]).fit_transform(X, y).shape[1]
            n_svd = min(50, max(1, n_features // 2))
        steps.append(("reduce", _reduction(reduction, classes, n_svd, random_state)))
        reasons.append(("reduction", f"{reduction!r} was asked for"))
    return Preprocessor(steps, reasons=tuple(reasons))


def _has_classes(y: Any) -> bool:
    values = np.asarray(y)
    kind = target_type(values, input_name="y")
    few = values.dtype.kind not in "iuf" or len(np.unique(values)) <= max(30, 0.2 * len(values))
    return kind in ("binary", "multiclass") and few


def _parts(
    estimator: str, scaling: str, encoding: str, with_target: bool, random_state: Any
) -> list[tuple[str, Any, tuple[str, ...], str]]:
    """Return name, transformer, sorts of columns and what it does, for each part."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    quantile = QuantileTransformer(
        n_quantiles=200, output_distribution="normal", random_state=random_state
    )
    scalers: dict[str, Any] = {
        "standard": StandardScaler(), "robust": RobustScaler(), "quantile": quantile,
        "none": "passthrough",
    }  # fmt: skip
    told = {"standard": "standardized", "robust": "scaled by quartiles",
            "quantile": "mapped to a normal distribution", "none": "left as it is"}  # fmt: skip
    trees = estimator == "trees"
    plain = scaling if scaling != "auto" else ("none" if trees else "standard")
    skewed = scaling if scaling != "auto" else ("none" if trees else "quantile")
    onehot = OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False,
                           drop="if_binary", min_frequency=2)  # fmt: skip
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encoders: dict[str, tuple[Any, str]] = {
        "onehot": (onehot, "made indicators"),
        "ordinal": (ordinal, "numbered"),
        "target": (
            TargetEncoder(random_state=random_state),
            "encoded by the target of other folds",
        ),
    }
    most = OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False,
                         max_categories=30)  # fmt: skip
    few = encoders[encoding if encoding != "auto" else ("ordinal" if trees else "onehot")]
    many = (
        encoders[encoding]
        if encoding != "auto"
        else (
            encoders["target"] if with_target else (most, "made indicators of the 29 most frequent")
        )
    )
    texts = Pipeline([
        ("join", FunctionTransformer(join_texts, feature_names_out=joined_name)),
        ("words", TfidfVectorizer(max_features=2000)),
        ("reduce", TruncatedSVD(10, random_state=random_state)),
    ])  # fmt: skip
    return [
        ("binary", "passthrough", ("binary",), "left as it is"),
        ("number", clone_part(scalers[plain]), ("number",), told[plain]),
        ("skewed", clone_part(scalers[skewed]), ("skewed",), told[skewed]),
        ("category", clone_part(few[0]), ("category",), few[1]),
        ("many_categories", clone_part(many[0]), ("many_categories",), many[1]),
        ("free_text", texts, ("free_text",), "words weighted and reduced to 10 numbers"),
    ]


def clone_part(part: Any) -> Any:
    """Return a transformer of its own; words such as "passthrough" as they are."""
    return part if isinstance(part, str) else clone(part)


def _reasons(X: Any, cleaner: DataCleaner, parts: Any, estimator: str) -> list[tuple[str, str]]:
    """Return what is done with each column of these data, and why."""
    fitted = clone(cleaner)
    source = open_table(fitted.fit_transform(X))
    reasons = [("estimator", f"{estimator!r} follows")]
    reasons += [
        (row.column, f"dropped: {row.found}") for row in fitted.report_.rows if not row.becomes
    ]
    done = {sort: text for _, _, sorts, text in parts for sort in sorts}
    names = fitted.get_feature_names_out().tolist()
    for place, name in enumerate(names):
        sort, why = column_sort(source.column(place))
        reasons.append((name, f"{sort.replace('_', ' ')} ({why}), {done[sort]}"))
    return reasons


def _selection(selection: Any, classes: bool, random_state: Any) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
    from sklearn.feature_selection import (
        RFECV,
        SelectFromModel,
        SelectKBest,
        SelectPercentile,
        mutual_info_classif,
        mutual_info_regression,
    )
    from sklearn.linear_model import Lasso, LogisticRegression

    score = mutual_info_classif if classes else mutual_info_regression
    if isinstance(selection, Integral):
        return SelectKBest(score, k=int(selection))
    if selection == "mutual_info":
        return SelectPercentile(score, percentile=50)
    if selection == "l1":
        model = (
            LogisticRegression(l1_ratio=1.0, solver="saga", C=0.3, max_iter=300)
            if classes
            else Lasso(0.01)
        )
        return SelectFromModel(model)
    kind = ExtraTreesClassifier if classes else ExtraTreesRegressor
    trees = kind(50, min_samples_leaf=3, random_state=random_state)
    return RFECV(trees, step=0.2, cv=3, min_features_to_select=1)


def _reduction(reduction: str, classes: bool, n_svd: int, random_state: Any) -> Any:
    from sklearn.decomposition import PCA, TruncatedSVD
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    if reduction == "pca":
        return PCA(0.95, random_state=random_state)
    if reduction == "svd":
        return TruncatedSVD(n_svd, random_state=random_state)
    return LinearDiscriminantAnalysis() if classes else TargetDirections(2)
