"""Bayesian search with a Gaussian process."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from keras_tuner import oracles
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from .. import _keras_tuner
from ._protocol import SearchRequest

_ACQUISITION_POINTS = 2000
_ACQUISITION_STARTS = 3
_GP_RESTARTS = 3


class BayesianOracle(_keras_tuner.QuietMixin, oracles.BayesianOptimizationOracle):
    """Keras Tuner's Gaussian-process search, with a quick acquisition step.

    The confidence bound is evaluated on many random points in one call and refined from the best
    few, where the parent refines from 50 points by one-row predictions and takes seconds. A
    point that was tried before is never proposed again.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the values of a trial."""
        completed = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        bounds = _keras_tuner.bounds(self)
        if len(completed) < self.num_initial_points or not len(bounds):
            return _keras_tuner.random_proposal(self)
        # A few dozen trials: more BLAS threads than one cost far more time than they save.
        with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
            # A kernel's length scale at its bound is a finding about the scores, not a fault.
            warnings.simplefilter("ignore", ConvergenceWarning)
            values = _keras_tuner.values_of_vector(self, self._proposal(bounds))
        if _keras_tuner.is_repeated(self, values):
            return _keras_tuner.random_proposal(self)
        return {"status": "RUNNING", "values": values}

    def _make_gpr(self) -> Any:
        return super()._make_gpr().set_params(n_restarts_optimizer=_GP_RESTARTS)

    def _proposal(self, bounds: np.ndarray) -> np.ndarray:
        """Fit the process to the trials and return the point of the lowest bound."""
        self.gpr.fit(*_keras_tuner.trial_vectors(self))
        points = _keras_tuner.random_state(self).uniform(size=(_ACQUISITION_POINTS, len(bounds)))
        starts = points[np.argsort(self._bound(points))[:_ACQUISITION_STARTS]]
        ends = [
            minimize(lambda x: self._bound(x[None])[0], start, bounds=bounds, method="L-BFGS-B")
            for start in starts
        ]
        return min(ends, key=lambda end: float(end.fun)).x

    def _bound(self, points: np.ndarray) -> np.ndarray:
        """Return the lower confidence bound of the loss at each point."""
        mean, deviation = self.gpr.predict(points, return_std=True)
        return mean - self.beta * deviation


class Bayesian:
    """Gaussian process of the scores, asked where they may be highest."""

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        # Keras Tuner starts with 3 random trials a dimension, often more than all of them.
        wanted = max(3, 3 * len(search.hyperparameters.space))
        limit = search.max_trials
        points = max(2, min(wanted, math.ceil(limit / 2))) if limit else wanted
        oracle: Any = BayesianOracle(
            num_initial_points=points, max_trials=limit, **search.oracle_arguments()
        )
        oracle.n_independent = points
        return oracle
