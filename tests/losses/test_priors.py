"""Prior-shift correction and estimation."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from scipy.stats import norm
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import parametrize_with_checks

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.losses import PriorCorrectedClassifier, correct_prior, estimate_prior


def posterior(x, share):
    """Exact probabilities of two unit normals around 0 and 2."""
    joint = np.column_stack([(1 - share) * norm.pdf(x), share * norm.pdf(x - 2)])
    return joint / joint.sum(axis=1, keepdims=True)


def gaussians(share, n=4000, seed=0):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < share).astype(int)
    return rng.normal(2 * y), y


def test_correction_gives_the_exact_posterior():
    x = np.linspace(-2, 4, 31)
    corrected = correct_prior(posterior(x, 0.5), [0.5, 0.5], [0.97, 0.03])
    np.testing.assert_allclose(corrected, posterior(x, 0.03), atol=1e-12)
    back = correct_prior(corrected, [0.97, 0.03], [0.5, 0.5])
    np.testing.assert_allclose(back, posterior(x, 0.5), atol=1e-12)


def test_estimation_finds_the_share_of_rows_without_labels():
    x, y = gaussians(0.1)
    found = estimate_prior(posterior(x, 0.5), [0.5, 0.5])
    assert found[1] == pytest.approx(y.mean(), abs=0.015)
    # the maximum of the likelihood is a fixed point: the mean of the corrected probabilities
    fixed = correct_prior(posterior(x, 0.5), [0.5, 0.5], found).mean(axis=0)
    np.testing.assert_allclose(fixed, found, atol=1e-6)


def test_resampled_classifier_is_calibrated_again():
    x, y = gaussians(0.05)
    new, truth = gaussians(0.05, seed=1)
    x, new = x[:, None], new[:, None]
    plain = make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    corrected = PriorCorrectedClassifier(plain).fit(x, y)
    stated = plain.fit(x, y).predict_proba(new)
    assert log_loss(truth, corrected.predict_proba(new)) < 0.6 * log_loss(truth, stated)
    assert corrected.predict_proba(new)[:, 1].mean() == pytest.approx(0.05, abs=0.015)
    order = np.argsort(stated[:, 1], kind="stable")
    assert (np.diff(corrected.predict_proba(new)[order, 1]) >= 0).all()
    assert corrected.predict(new).mean() < plain.predict(new).mean()


def test_fitted_classifier_takes_given_shares():
    x, y = gaussians(0.5)
    fitted = FrozenEstimator(LogisticRegression().fit(x[:, None], y))
    moved = PriorCorrectedClassifier(fitted, resampled_prior=[0.5, 0.5], prior=[0.9, 0.1])
    stated = fitted.predict_proba(x[:5, None])
    moved.fit(x[:50, None], y[:50])
    np.testing.assert_allclose(
        moved.predict_proba(x[:5, None]), correct_prior(stated, [0.5, 0.5], [0.9, 0.1])
    )


def test_sample_weight_is_routed():
    x, y = gaussians(0.3, n=200)
    with sklearn.config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight=True)
        weights = 1.0 + y
        found = PriorCorrectedClassifier(inner).fit(x[:, None], y, sample_weight=weights)
    direct = LogisticRegression().fit(x[:, None], y, sample_weight=weights)
    np.testing.assert_allclose(found.estimator_.coef_, direct.coef_)


@pytest.mark.parametrize(
    "call,error,message",
    [
        (lambda: correct_prior([0.5, 0.5], [0.5, 0.5], [0.5, 0.5]), DataError, "one row"),
        (lambda: correct_prior([[np.nan, 1]], [0.5, 0.5], [0.5, 0.5]), DataError, "finite"),
        (
            lambda: correct_prior([[0.5, 0.5]], [1.0, 0.0], [0.5, 0.5]),
            ParameterError,
            "train_prior",
        ),
        (lambda: correct_prior([[0.5, 0.5]], [0.5, 0.5], [1.0]), ParameterError, "2 classes"),
        (lambda: estimate_prior([[0.5, 0.5]], [0.5, 0.5], max_iter=0), ParameterError, "max_iter"),
        (lambda: estimate_prior([[0.5, 0.5]], [0.5, 0.5], tol=0), ParameterError, "tol"),
        (
            lambda: PriorCorrectedClassifier(LogisticRegression(), prior=[0.2, 0.2]).fit(
                [[0.0], [1.0]], [0, 1]
            ),
            ParameterError,
            "prior must be positive and sum to 1",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@parametrize_with_checks([PriorCorrectedClassifier(LogisticRegression())])
def test_sklearn_checks(estimator, check):
    check(estimator)
