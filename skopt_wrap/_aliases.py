"""Names that people bring from other libraries, and what they are called here.

SciKeras, keras.wrappers, Keras Tuner, scikit-learn's MLP, skorch and Optuna. The table decides what
an error suggests before the spelling does: ``nb_epoch`` is far from ``epochs`` by its letters only.
"""

from __future__ import annotations

from collections.abc import Iterable

# Foreign name -> names here, in the order in which they are tried: the first that is legal counts.
ALIASES: dict[str, tuple[str, ...]] = {
    # the network
    "build_fn": ("model",),
    "build_model": ("model",),
    "model_fn": ("model",),
    "hypermodel": ("model",),
    "hyper_model": ("model",),
    "module": ("model",),
    "network": ("model",),
    "estimator": ("model",),
    "base_estimator": ("model",),
    "hidden_layer_sizes": ("model__units", "model__filters"),
    "hidden_units": ("model__units", "model__filters"),
    "hidden_size": ("model__units", "model__filters"),
    "n_units": ("model__units", "model__filters"),
    "num_units": ("model__units", "model__filters"),
    "neurons": ("model__units", "model__filters"),
    "n_hidden_layers": ("model__n_layers",),
    "num_layers": ("model__n_layers",),
    "dropout_rate": ("model__dropout",),
    "alpha": ("model__l2",),
    "kernel_regularizer": ("model__l2",),
    # training
    "nb_epoch": ("epochs",),
    "nb_epochs": ("epochs",),
    "n_epochs": ("epochs",),
    "num_epochs": ("epochs",),
    "max_epochs": ("epochs",),
    "max_iter": ("epochs",),
    "n_iter": ("max_trials", "epochs"),
    "learning_rate": ("optimizer__learning_rate",),
    "learning_rate_init": ("optimizer__learning_rate",),
    "lr": ("optimizer__learning_rate",),
    "eta0": ("optimizer__learning_rate",),
    "momentum": ("optimizer__momentum",),
    "beta_1": ("optimizer__beta_1",),
    "beta_2": ("optimizer__beta_2",),
    "weight_decay": ("optimizer__weight_decay",),
    "clipnorm": ("optimizer__clipnorm",),
    "solver": ("optimizer",),
    "optimiser": ("optimizer",),
    "optimizer_kwargs": ("optimizer",),
    "criterion": ("loss",),
    "loss_function": ("loss",),
    "loss_fn": ("loss",),
    "metric": ("metrics", "scoring"),
    "batch": ("batch_size",),
    "iterator_train__batch_size": ("batch_size",),
    "iterator_valid__batch_size": ("fit__validation_batch_size",),
    "shuffle": ("shuffle", "fit__shuffle"),
    "validation_batch_size": ("fit__validation_batch_size",),
    "validation_freq": ("fit__validation_freq",),
    "validation_fraction": ("validation_split",),
    "train_split": ("validation_split",),
    "val_split": ("validation_split",),
    "test_size": ("validation_split",),
    "validation_data": ("X_val",),
    "eval_set": ("X_val",),
    "val_data": ("X_val",),
    "x": ("X",),
    "sample_weights": ("sample_weight",),
    "patience": ("early_stopping",),
    "n_iter_no_change": ("early_stopping",),
    "early_stop": ("early_stopping",),
    "lr_scheduler": ("learning_rate_schedule",),
    "lr_schedule": ("learning_rate_schedule",),
    "scheduler": ("learning_rate_schedule",),
    "callback": ("callbacks",),
    "fit__callbacks": ("callbacks",),
    "run_eagerly": ("compile__run_eagerly",),
    "jit_compile": ("compile__jit_compile",),
    "weighted_metrics": ("compile__weighted_metrics",),
    "loss_weights": ("compile__loss_weights",),
    "class_weights": ("class_weight",),
    "seed": ("random_state",),
    "random_seed": ("random_state",),
    "rng": ("random_state",),
    "verbosity": ("verbose",),
    # searches
    "objective": ("scoring", "loss"),
    "metric_name": ("scoring",),
    "score": ("scoring",),
    "scorer": ("scoring",),
    "n_trials": ("max_trials",),
    "num_trials": ("max_trials",),
    "max_evals": ("max_trials",),
    "n_candidates": ("max_trials",),
    "timeout": ("max_time",),
    "time_limit": ("max_time",),
    "trial_timeout_s": ("trial_timeout",),
    "param_distributions": ("space",),
    "param_grid": ("space",),
    "params": ("space",),
    "search_space": ("space",),
    "search_spaces": ("space",),
    "hyperparameters": ("space",),
    "tune_new_entries": ("space",),
    "allow_new_entries": ("space",),
    "distribution_strategy": ("n_jobs",),
    "max_model_size": ("objectives",),
    "max_retries_per_trial": ("error_score",),
    "max_consecutive_failed_trials": ("error_score",),
    "oracle": ("tuner",),
    "strategy": ("tuner",),
    "algorithm": ("tuner",),
    "algo": ("tuner",),
    "directory": ("storage",),
    "project_name": ("study",),
    "study_name": ("study",),
    "overwrite": ("resume",),
    "load_if_exists": ("resume",),
    "executions_per_trial": ("cv",),
    "n_splits": ("cv",),
    "num_workers": ("n_jobs",),
    "n_workers": ("n_jobs",),
    # values
    "randomsearch": ("random",),
    "random_search": ("random",),
    "randomizedsearchcv": ("random",),
    "gridsearch": ("grid",),
    "grid_search": ("grid",),
    "gridsearchcv": ("grid",),
    "bayesianoptimization": ("bayesian",),
    "bayesian_optimization": ("bayesian",),
    "gridsampler": ("grid",),
    "tpesampler": ("tpe",),
    "randomsampler": ("random",),
    "cmaessampler": ("cmaes",),
    "gpsampler": ("gp",),
    "val_accuracy": ("accuracy",),
    "val_auc": ("roc_auc",),
    "val_loss": ("neg_log_loss", "neg_mean_squared_error"),
    "acc": ("accuracy",),
    "mlp": ("dense",),
    "conv": ("cnn",),
    "rnn": ("lstm",),
    "gru": ("lstm",),
}

# Foreign name -> what to do, where no single name takes its place. Tried for arguments of methods.
HINTS: dict[str, str] = {
    "validation_data": "Validation data are given as X_val=..., y_val=... to fit.",
    "eval_set": "Validation data are given as X_val=..., y_val=... to fit.",
    "val_data": "Validation data are given as X_val=..., y_val=... to fit.",
    "class_weight": (
        "class_weight is a parameter of the classifier: KerasClassifier(class_weight=...)."
    ),
    "initial_epoch": "It is a parameter of the estimator: fit__initial_epoch=...",
    "steps_per_epoch": "It is a parameter of the estimator: fit__steps_per_epoch=...",
    "validation_batch_size": "It is a parameter of the estimator: fit__validation_batch_size=...",
    "validation_freq": "It is a parameter of the estimator: fit__validation_freq=...",
    "steps": "All samples are predicted; give a part of X for less.",
    "fit_kwargs": "Each argument of fit is a parameter of its own: fit__shuffle=False.",
    "fit_args": "Each argument of fit is a parameter of its own: fit__shuffle=False.",
    "model_kwargs": "Each argument of the builder is a parameter of its own: model__units=64.",
    "model_args": "Each argument of the builder is a parameter of its own: model__units=64.",
    "direction": "Scores are as in scikit-learn: greater is better.",
    "tol": "Training stops by early_stopping, which counts epochs without an improvement.",
    "workers": "Batches are made in this process; KerasClassifier.fit_dataset takes a PyDataset.",
}


def known_as(name: str, choices: Iterable[str]) -> str | None:
    """Return the legal name that stands for a name of another library, or None.

    Parameters
    ----------
    name : str
        What the caller wrote; a prefix such as ``model__`` is tried with and without.
    choices : iterable of str
        Legal names. A name with a prefix is legal as well where its part is one of them:
        ``optimizer__momentum`` where there is ``optimizer``.

    Examples
    --------
    >>> from skopt_wrap._aliases import known_as
    >>> known_as("nb_epoch", ["epochs", "epsilon"]), known_as("lr", ["optimizer"])
    ('epochs', 'optimizer__learning_rate')
    """
    legal = set(choices)
    prefix, separator, rest = name.partition("__")
    found = ALIASES.get(name.lower(), ())
    if separator and not found:
        found = tuple(
            item if "__" in item else f"{prefix}__{item}" for item in ALIASES.get(rest.lower(), ())
        )
        found = tuple(item for item in found if item.startswith(f"{prefix}__"))
    for item in found:
        part, dotted, _ = item.partition("__")
        routed = dotted and part in ("optimizer", "compile", "fit") and "optimizer" in legal
        if item in legal or routed:
            return item
    return None


def hint_for(name: str, choices: Iterable[str]) -> str | None:
    """Return the sentence for a foreign name of an estimator or search, or None.

    Parameters
    ----------
    name : str
        What the caller wrote.
    choices : iterable of str
        Legal names; the sentences are for those of estimators.
    """
    estimator = {"epochs", "batch_size", "scoring"} & set(choices)
    return HINTS.get(name) if estimator else None
