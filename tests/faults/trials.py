"""Classifiers that misbehave while they are fitted, for searches that must survive them."""

from __future__ import annotations

import ctypes
import os
import signal
import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Misbehaves(ClassifierMixin, BaseEstimator):
    """Does what `how` says in `fit`; "ok" and names that begin with it train in microseconds."""

    def __init__(self, how="ok", seconds=0.0):
        self.how = how
        self.seconds = seconds

    def fit(self, X, y):
        time.sleep(self.seconds)
        if self.how == "hang":
            time.sleep(1e6)
        if self.how == "loop":
            while True:
                pass
        if self.how == "stubborn":  # swallows every exception it may
            while True:
                try:
                    time.sleep(1e6)
                except Exception:
                    continue
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "segfault":
            ctypes.string_at(0)
        if self.how == "exit":
            os._exit(7)
        if self.how == "SystemExit":
            raise SystemExit(3)
        if self.how == "KeyboardInterrupt":
            raise KeyboardInterrupt
        if self.how == "GeneratorExit":
            raise GeneratorExit("enough")
        self.n_features_in_ = np.shape(X)[1]
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[(X[:, 2] > 2.5).astype(int) + (X[:, 2] > 4.9)]
