"""The tuned regressor."""

from __future__ import annotations

from typing import Any

from sklearn.base import RegressorMixin

from ._base import BaseTuned
from ._best_estimator import DelegatingMixin


class TunedRegressor(DelegatingMixin, RegressorMixin, BaseTuned):
    """Regressor whose hyperparameters are searched with cross-validation.

    It differs from :class:`TunedClassifier` in the networks and in the folds, which are not
    stratified. One target or several.

    Parameters
    ----------
    model : str, estimator, callable or HyperModel, default="dense"
        What is tuned: the name of an architecture (``"dense"``, ``"cnn"``, ``"lstm"``), or
        ``"auto"``, those that the shape of the data allows, each with `max_trials` trials (see
        ``families_``);
        a KerasRegressor with the settings that are not searched;
        an existing Keras Tuner ``build_model(hp)`` function (its only argument is called `hp`)
        or ``HyperModel``; or anything else that KerasRegressor takes as its `model`.
    tuner : str, Strategy, keras_tuner.Oracle or optuna sampler, default="auto"
        Strategy. ``"random"``, ``"grid"``, ``"bayesian"`` (Gaussian process) and
        ``"hyperband"`` are Keras Tuner's; ``"tpe"``, ``"gp"`` (Gaussian process; extra ``gp``),
        ``"cmaes"`` (extra ``cmaes``) and ``"genetic"`` (evolution, :class:`Genetic`) are
        Optuna's; ``"halving"`` is successive halving (:class:`Halving`), ``"screen"`` trains
        many for one epoch (:class:`Screen`), and ``"auto"`` begins with the untuned network and
        goes on with TPE. An oracle or a sampler is copied, never changed, and its objective is
        replaced by the score of this search, which is maximized. A :class:`Strategy` of your
        own, or an object with ``start``, ``ask`` and ``tell``, serves as well.
    max_trials : int or None, default=20
        Number of candidates. Hyperband trains many candidates for few epochs: it makes as many
        whole sweeps as fit into ``max_trials * epochs`` epochs, and at least one. Halving starts
        with so many candidates that all rounds cost as much as `max_trials` full trainings. None
        is for the whole grid, one sweep of Hyperband, or a halving that costs as much as 20.
    cv : int, float, None, splitter or iterable, default=5
        Cross-validation, the same splits for every trial. An int is a number of folds,
        taken in order; a float in (0, 1) is the share of the samples in a
        single validation set; None is 0.2.
    scoring : str, callable, list, tuple, dict or None, default=None
        What scikit-learn's searches take; None is the estimator's own score.
    refit : bool, str or callable, default=True
        Whether to train the best candidate on all samples. With several metrics, the name of the
        one that decides, or a callable that gets ``cv_results_`` and returns an index. With
        `objectives`, True takes, of the trials on the Pareto front whose first score is within one
        standard error of the highest, the one with the smallest first minimized objective; the
        name of an objective takes the trial that is best in it.
    space : dict, "compact", "full" or None, default=None
        Parameter names mapped to lists, constants, frozen scipy distributions, Optuna
        distributions, :class:`Conditional` or :class:`PerLayer`: ``model__units``,
        ``optimizer__learning_rate``, ``batch_size``, ``epochs``,
        ``preprocessor__...``, ``sampler__...``, ``augment__...``. "compact" and "full" are presets
        of the architecture (see :func:`default_space`); ``{"preset": "full", "model__l1": 0.0,
        "optimizer": REMOVE}`` changes one by name. None is "compact"; a Keras Tuner model function
        needs none.
    epochs : int or "auto", default="auto"
        Passes over the data; "auto" is what the architecture's recipe says, 50 where there is
        none. This parameter and the next four are for a `model` that is not
        an estimator yet; an estimator keeps its own, and a warning tells which say nothing.
    batch_size : int or "auto", default="auto"
        Rows of a training step; -1 is all of them. "auto" is what the recipe says, or 32.
    early_stopping : "auto", bool, int or EarlyStopping, default="auto"
        See KerasRegressor.
    learning_rate_schedule : object, default=None
        See KerasRegressor.
    callbacks : callback, class, list or dict of them, default=None
        Keras callbacks of every fit; see KerasRegressor.
    preprocessor : transformer or None, default=None
        Fitted on the training samples of each split, never on validation samples.
    sampler : imbalanced-learn sampler or None, default=None
        Applied, after the preprocessor, to the training samples of each split only.
    pruner : str, optuna pruner or None, default=None
        Stops trials that score too low after some of the epochs, by the mean validation score over
        the splits: ``"median"`` (worse than half of the trials before),
        ``"successive_halving"`` (not among the best third at epochs that grow threefold; ASHA),
        ``"hyperband"`` (the same in several brackets) or an Optuna pruner. A trial that was stopped
        has the state ``"PRUNED"`` and the scores of that epoch, and is never the best.
    objectives : list of str or None, default=None
        Several objectives: ``"score"``, or names out of `scoring`, which are maximized, and
        ``"parameters"`` (weights of the network), ``"latency"`` (median seconds that ``predict``
        takes for one row, measured), ``"size"`` (bytes of its float32 weights), which are
        minimized. ``"bayesian"`` then stands for ``"genetic"``; ``"auto"``, ``"tpe"``, ``"gp"``,
        ``"random"`` and ``"grid"`` serve too. See `refit` and ``pareto_front_``.
    max_time : float or None, default=None
        Seconds from the start of the first trial. After them no trial starts, and the running ones
        are ended; a SearchError is raised when none has finished.
    trial_timeout : float or None, default=None
        Seconds that a trial may take. One that takes longer is ended and has failed: a worker at
        once, together with its process; in this process as soon as Python gets to it, which is
        after a running operation of TensorFlow.
    error_score : "raise" or float, default=nan
        Score of the splits of a trial that failed, in ``cv_results_``. Such a trial is never
        the best.
    storage : str, path or None, default=None
        Where trials are kept: a file, a folder, or the URL of a database that Optuna knows
        (``"sqlite:///trials.db"``, ``"postgresql://user@host/name"``). The same call goes on
        with what is there, and several processes that name the same storage share the search.
        None writes nothing.
    study : str or None, default=None
        Name of the search inside `storage`; None is "search".
    resume : bool, default=True
        Whether to go on with the search that is in `storage`. False raises when there is one.
    n_jobs : int or None, default=None
        Trials that run at the same time, in worker processes, or on a Dask cluster under
        ``joblib.parallel_config("dask")``.
    max_trials_per_worker : int or None, default=None
        Trials after which a worker process is replaced by a new one, since TensorFlow gives back
        no memory of networks that it has trained. Trials run in worker processes then, with
        ``n_jobs=1`` too. None never replaces them.
    max_joint_bytes : float or None, default=0
        Most memory, in bytes and estimated, of networks of several trials that are trained
        together; measure whether that is faster. Trials are trained together in one process
        (``n_jobs=None``) where the strategy proposes several before it hears of a result, and
        without `pruner` and `trial_timeout`; each ends as it would alone. 0 trains the networks of
        one trial at a time, None sets no limit.
    random_state : int, RandomState or None, default=None
        Seed of the strategy and of every part whose own seed is None. All trials and splits
        start from the same seed.
    verbose : int, default=0
        1 shows a progress bar with the best score so far.

    Attributes
    ----------
    best_estimator_ : estimator
        The best candidate, trained on all samples: a KerasRegressor, or a pipeline that ends in
        one. Absent with ``refit=False``, as what follows from it.
    best_params_ : dict
        Parameters of the best trial, by the names of `space`.
    best_score_ : float
        Its mean score over the splits.
    best_index_ : int
        Its position.
    cv_results_ : dict of str to array
        One row for each trial, as in scikit-learn's searches, with a column ``state``.
    pareto_front_ : dict of str to array
        With `objectives`: the trials that no other one beats in all of them, best score first;
        columns ``index``, ``params`` and ``objective_<name>``, which ``cv_results_`` has too.
    families_ : dict of str to array
        With ``model="auto"``: one row for each architecture, the best first, with ``model``,
        ``best_score``, ``std_score``, ``n_parameters``, ``fit_seconds``, ``best_index``,
        ``n_trials`` and ``total_seconds``. ``oracle_`` is then a dict, and ``space_`` and
        ``best_params_`` name the ``model``.
    trials_ : list of TrialResult
        The trials, with the tracebacks of those that failed.
    space_ : dict of str to list of str
        What was searched, one row for each parameter and condition: ``name``, ``kind``,
        ``values``, ``condition``.
    oracle_ : keras_tuner.Oracle
        The strategy at its end; not kept by pickle and copy.
    scorer_ : callable or dict
        The scorer, or one for each metric.
    multimetric_ : bool
        Whether there are several metrics.
    n_splits_ : int
        Number of splits.
    refit_time_ : float
        Seconds that the last training took.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when the data had names.
    model_ : keras.Model
        The best network.
    history_ : dict of str to list
        Its training history.
    target_encoder_ : object
        Turns its raw outputs into predictions.

    See Also
    --------
    TunedClassifier : The same for classes; says more about failures and interruption.
    SearchDisplay : Plot of the scores by trial.

    References
    ----------
    .. [1] L. Li et al., "Hyperband: a novel bandit-based approach to hyperparameter
       optimization", JMLR 18, 2018.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from skopt_wrap.tuning import TunedRegressor
    >>> X, y = make_regression(60, 3, random_state=0)
    >>> reg = TunedRegressor(
    ...     tuner="grid", cv=2, space={"model__units": [4, 8]}, epochs=3, random_state=0
    ... )
    >>> reg.fit(X, y).predict(X).shape
    (60,)
    >>> reg.cv_results_["params"]
    [{'model__units': 4}, {'model__units': 8}]
    """

    @staticmethod
    def _network_class() -> Any:
        from ..estimators import KerasRegressor

        return KerasRegressor
