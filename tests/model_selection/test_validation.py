"""The stand-ins for scikit-learn's functions give scikit-learn's results."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from scipy import sparse
from sklearn import config_context, model_selection
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning, UnsetMetadataPassedError
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import DataError
from skopt_wrap.model_selection import cross_val_predict, cross_val_score, cross_validate

TIMES = {"fit_time", "score_time"}


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    rows = np.random.RandomState(0).permutation(150)[:91]  # folds of unequal size
    return X[rows], np.array(["a", "b", "c"])[y[rows]]


def net(**params):
    settings = {"epochs": 4, "batch_size": 16, "random_state": 0, "optimizer__learning_rate": 0.02}
    return KerasClassifier("dense", **{**settings, **params})


def oversampled():
    inner = make_sampling_pipeline(RandomOverSampler(random_state=3), net())
    return Pipeline([("scale", StandardScaler()), ("rest", inner)])  # as TunedClassifier nests them


CANDIDATES = {
    "network": net,
    "network with validation": lambda: net(early_stopping=1, validation_split=0.2, epochs=6),
    "regression on codes": lambda: KerasRegressor("dense", epochs=3, random_state=1),
    "pipeline": lambda: make_pipeline(StandardScaler(), net()),
    "passthrough": lambda: make_pipeline("passthrough", SelectKBest(k=2), net()),
    "sampler": lambda: make_sampling_pipeline(StandardScaler(), RandomOverSampler(), net()),
    "nested": oversampled,
}


@pytest.mark.parametrize("name", CANDIDATES)
def test_cross_validate_gives_the_results_of_scikit_learn(name, iris):
    X, y = iris
    if name == "regression on codes":
        y = np.unique(y, return_inverse=True)[1].astype(float)
    if name == "sampler":  # without a seed of its own: NumPy's global state decides
        np.random.seed(0)
    estimator = CANDIDATES[name]()
    options = {
        "cv": 3,
        "return_train_score": True,
        "return_indices": True,
        "return_estimator": True,
    }
    theirs = model_selection.cross_validate(estimator, X, y, **options)
    if name == "sampler":
        np.random.seed(0)
    ours = cross_validate(estimator, X, y, **options)
    assert list(ours) == list(theirs)
    for key in set(theirs) - TIMES - {"estimator", "indices"}:
        np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-4, atol=1e-5)
        assert ours[key].dtype == theirs[key].dtype
    for side in ("train", "test"):
        for a, b in zip(ours["indices"][side], theirs["indices"][side], strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(ours["estimator"], theirs["estimator"], strict=True):
        assert type(a) is type(b) and "fit" not in vars(a)
        kind = "predict" if name == "regression on codes" else "predict_proba"
        same = [getattr(fitted, kind)(X) for fitted in (a, b)]
        np.testing.assert_allclose(*same, rtol=1e-3, atol=1e-4)
    assert (ours["fit_time"] > 0).all() and ours["fit_time"].shape == (3,)
    assert len(ours.fit_path) == 3


@pytest.mark.parametrize("name", ["cross_validate", "cross_val_score", "cross_val_predict"])
def test_signatures_are_those_of_scikit_learn(name):
    ours = inspect.signature(globals()[name])
    theirs = inspect.signature(getattr(model_selection, name))
    assert list(ours.parameters) == list(theirs.parameters)
    for a, b in zip(ours.parameters.values(), theirs.parameters.values(), strict=True):
        same = a.default == b.default or (a.default is np.nan and b.default is np.nan)
        assert same and a.kind == b.kind


def test_cross_validate_with_several_metrics_groups_and_weights(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=list("abcd"))
    options = {
        "scoring": {"acc": "accuracy", "f1": make_scorer(accuracy_score)},
        "cv": GroupKFold(3),
        "groups": np.arange(91) % 7,
        "params": {"sample_weight": np.linspace(0.1, 2, 91)},
    }
    for data in (frame, X.tolist()):
        ours = cross_validate(net(), data, y, **options)
        theirs = model_selection.cross_validate(net(), data, y, **options)
        assert list(ours) == list(theirs)
        np.testing.assert_allclose(ours["test_acc"], theirs["test_acc"])
    assert cross_val_score(net(), X, y, cv=KFold(4)).shape == (4,)


def test_cross_val_score_with_splits_drawn_anew_and_a_callable(iris):
    X, y = iris
    cv = ShuffleSplit(3, random_state=5)
    options = {"scoring": lambda e, X, y: float(e.predict_proba(X)[:, 0].mean()), "cv": cv}
    pipe = make_pipeline(StandardScaler(), net())
    theirs = model_selection.cross_val_score(pipe, X, y, **options)
    np.testing.assert_allclose(cross_val_score(pipe, X, y, **options), theirs, rtol=1e-4)
    generated = cross_val_score(pipe, X, y, **{**options, "cv": cv.split(X)})
    np.testing.assert_allclose(generated, theirs, rtol=1e-4)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_cross_val_predict_gives_the_predictions_of_scikit_learn(method, iris):
    X, y = iris
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    theirs = model_selection.cross_val_predict(net(), X, y, cv=cv, method=method)
    ours = cross_val_predict(net(), X, y, cv=cv, method=method)
    if method == "predict":
        np.testing.assert_array_equal(ours, theirs)
    else:
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    with pytest.raises(ValueError, match="partitions"):
        cross_val_predict(net(), X, y, cv=ShuffleSplit(2))


class Fragile(TransformerMixin, BaseEstimator):
    """Cannot be fitted on rows whose first value is `forbidden`."""

    def __init__(self, forbidden=None):
        self.forbidden = forbidden

    def fit(self, X, y=None):
        if self.forbidden is not None and self.forbidden in X[:, 0]:
            raise ZeroDivisionError("forbidden row")
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


def test_failing_fold_gets_error_score_and_a_warning(iris):
    X, y = iris
    X = X.copy()
    X[0, 0] = 99.0  # in the training rows of two folds out of three
    pipe = make_pipeline(Fragile(99.0), net(epochs=1))
    with pytest.warns(FitFailedWarning, match=r"(?s)2 fits failed out of.*forbidden row"):
        results = cross_validate(pipe, X, y, cv=KFold(3), error_score=-1.0)
    assert (results["test_score"] == -1.0).sum() == 2
    with pytest.raises(ZeroDivisionError, match="forbidden row"):
        cross_val_score(pipe, X, y, cv=KFold(3), error_score="raise")
    with pytest.raises(ValueError, match="All the 3 fits failed"):
        cross_val_score(net(epochs=1), X, np.full(91, "a"), cv=KFold(3))


def test_scorer_that_fails_warns_as_in_scikit_learn(iris):
    def broken(estimator, X, y):
        raise ZeroDivisionError("no score")

    with pytest.warns(UserWarning, match="Scoring failed"):
        assert np.isnan(cross_val_score(net(epochs=1), *iris, cv=2, scoring=broken)).all()


def test_metadata_follows_the_requests(iris):
    X, y = iris
    weights = np.linspace(0, 1, 91)
    params = {"sample_weight": weights, "groups": np.arange(91) % 5}
    with config_context(enable_metadata_routing=True):
        pipe = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False),
            net().set_fit_request(sample_weight=True).set_score_request(sample_weight=True),
        )
        ours = cross_val_score(pipe, X, y, cv=GroupKFold(2), params=params)
        theirs = model_selection.cross_val_score(pipe, X, y, cv=GroupKFold(2), params=params)
        with pytest.raises(UnsetMetadataPassedError, match="cross_validate"):
            cross_validate(net(), X, y, params={"sample_weight": weights})
        with pytest.raises(ValueError, match="groups"):
            cross_validate(pipe, X, y, groups=params["groups"])
    np.testing.assert_allclose(ours, theirs)


def test_cached_steps_are_read_from_the_cache(iris, tmp_path):
    X, y = iris
    pipe = Pipeline([("pick", SelectKBest(k=2)), ("net", net())], memory=str(tmp_path))
    first = cross_val_score(pipe, X, y, cv=3)
    again = cross_val_score(pipe, X, y, cv=3)
    np.testing.assert_array_equal(first, again)
    assert any(tmp_path.rglob("*.pkl"))
    np.testing.assert_allclose(first, model_selection.cross_val_score(pipe, X, y, cv=3))


def test_two_processes_give_the_scores_of_one(iris):
    one, two = (cross_validate(net(), *iris, cv=3, n_jobs=n, return_estimator=True) for n in (1, 2))
    np.testing.assert_allclose(one["test_score"], two["test_score"], rtol=1e-4)
    assert two["estimator"][2].predict(iris[0]).shape == (91,)


def test_what_is_no_keras_estimator_goes_to_scikit_learn(iris):
    model = LogisticRegression(max_iter=300)
    ours = cross_validate(model, *iris)
    np.testing.assert_array_equal(ours["test_score"], cross_val_score(model, *iris))
    assert ours.fit_path == ["fit: no Keras estimator"] * 5
    assert (cross_val_predict(model, *iris) == iris[1]).mean() > 0.9


class Counting(KerasClassifier):
    n_fits = 0

    def fit(self, X, y, **options):
        Counting.n_fits += 1
        return super().fit(X, y, **options)


def test_what_must_stay_whole_says_why(iris, capsys):
    class Own(Pipeline):
        pass

    results = cross_validate(Counting(epochs=1), *iris, cv=2)
    assert results.fit_path == ["fit: Counting has a fit of its own"] * 2 and Counting.n_fits == 2
    own = Own([("scale", StandardScaler()), ("net", net(epochs=1))])
    assert "Own" in cross_validate(own, *iris, cv=2).fit_path[0]
    loud = make_pipeline(StandardScaler(), net(epochs=1), verbose=True)
    assert "prints" in cross_validate(loud, *iris, cv=2).fit_path[0]
    assert "Processing kerasclassifier" in capsys.readouterr().out


def test_wrong_arguments_are_named_before_training(iris):
    for options in ({"cv": "many"}, {"error_score": "ignore"}, {"scoring": "nonsense"}):
        with pytest.raises(InvalidParameterError, match=next(iter(options))):
            cross_validate(net(), *iris, **options)
    with pytest.raises(InvalidParameterError, match="'scoring' parameter of cross_val_score"):
        cross_val_score(net(), *iris, scoring=["accuracy"])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        cross_validate(net(), iris[0], iris[1][:-1])


def test_callers_data_and_estimator_are_left_alone(iris):
    X, y = iris[0].copy(), iris[1].copy()
    pipe = make_pipeline(StandardScaler(copy=False), net(epochs=1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cross_val_score(pipe, X, y, cv=2)
    np.testing.assert_array_equal(X, iris[0])
    assert "fit" not in vars(pipe[-1]) and not hasattr(pipe[-1], "model_")


def test_supervised_selection_on_noise_scores_at_chance():
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(80, 400)), rng.permutation(np.repeat([0, 1], 40))
    pipe = make_pipeline(SelectKBest(k=10), StandardScaler(), net(epochs=15))
    honest = cross_val_score(pipe, X, y, cv=4).mean()
    leaky = cross_val_score(net(epochs=15), SelectKBest(k=10).fit_transform(X, y), y, cv=4).mean()
    assert honest < 0.65 < leaky  # the leak is there to be found, and is not


def test_error_of_the_network_names_the_parameter(iris):
    with pytest.raises(DataError, match=r"two classes|one class"):
        cross_val_score(net(), iris[0], np.full(91, "a"), cv=KFold(2), error_score="raise")


def test_sparse_rows_and_several_labels_score_as_in_scikit_learn(iris):
    X, y = iris
    several = np.stack([y == "a", y != "b"], axis=1).astype(int)
    for data, target in ((sparse.csr_matrix(X), y), (X, several)):
        theirs = model_selection.cross_val_score(net(epochs=2), data, target, cv=KFold(2))
        ours = cross_val_score(net(epochs=2), data, target, cv=KFold(2))
        np.testing.assert_allclose(ours, theirs)
