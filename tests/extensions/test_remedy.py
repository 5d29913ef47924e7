"""A remedy made outside the package is tried, tabulated and applied like one of the package."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.tree import DecisionTreeClassifier

from skopt_wrap.diagnostics import diagnose
from skopt_wrap.exceptions import ParameterError


class Shallow:
    """A remedy with no base class: a name and a change are enough."""

    name = "a shallow tree"

    def apply(self, estimator):
        return clone(estimator).set_params(max_depth=1)


class Deep(Shallow):
    name, finding, params = "a deep tree", "underfitting", {"max_depth": 30}

    def apply(self, estimator):
        return clone(estimator).set_params(**self.params)


class AskSomebody(Shallow):
    name, runnable = "ask a colleague", False


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 20))
    y = (X[:, 0] + 0.7 * rng.normal(size=300) > 0).astype(int)
    return diagnose(DecisionTreeClassifier(random_state=0), X, y, train_sizes=(), baselines=False)


def test_it_is_tried_and_tabulated_and_applied(found):
    results = found.try_remedies(remedies=[Deep(), Shallow(), AskSomebody()])
    table = results.to_dict()
    assert table["remedy"] == ["a shallow tree", "a deep tree"]  # the best one first
    assert table["finding"] == ["", "underfitting"]
    assert table["params"] == [{}, {"max_depth": 30}]
    assert table["gain"][0] > 0.02 and table["gain"][1] == pytest.approx(0, abs=1e-9)
    assert results.skipped == ["ask a colleague"]
    assert "a shallow tree" in str(results) and "not tried: ask a colleague" in str(results)
    best = found.best_remedy()
    assert best.max_depth == 1 and not hasattr(best, "tree_")


def test_what_is_no_remedy_is_named(found):
    with pytest.raises(ParameterError, match="a name and a method apply"):
        found.try_remedies(remedies=["dropout"])
