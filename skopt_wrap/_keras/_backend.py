"""Load Keras and TensorFlow, and say clearly when the backend cannot be used."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any

from ..exceptions import BackendError

_state = {"forked": False, "watching": False}


def _note_fork() -> None:
    """Note, in a forked process, whether TensorFlow had run in the one that it comes from."""
    context = getattr(sys.modules.get("tensorflow.python.eager.context"), "context_safe", None)
    running = context() if context is not None else None
    _state["forked"] = _state["forked"] or bool(getattr(running, "_initialized", False))


def _watch_forks() -> None:
    """Let every process that is forked from this one note it, from the first use of Keras on."""
    if not _state["watching"] and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_note_fork)
    _state["watching"] = True


def load_keras() -> Any:
    """Return the ``keras`` module, checked to run on TensorFlow.

    Raises
    ------
    BackendError
        When Keras runs on another backend: the epoch graphs and the converters need TensorFlow. And
        in a process forked from one that had used TensorFlow, where it would wait for ever.
    """
    if _state["forked"]:
        raise BackendError(
            "This process was forked from one that had used TensorFlow already. TensorFlow's "
            "threads do not exist here, and it would wait for them for ever. Start processes by "
            "'spawn', multiprocessing.get_context('spawn'), or load the model in each worker after "
            "the fork (gunicorn without --preload). Predictions from a LiteRT file work here."
        )
    _watch_forks()
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise BackendError(
            "skopt_wrap needs Keras on the TensorFlow backend; Keras runs on "
            f"{backend!r}. Set KERAS_BACKEND=tensorflow before keras is imported."
        )
    return keras


def load_tensorflow() -> Any:
    """Return the ``tensorflow`` module, after checking the Keras backend."""
    load_keras()
    import tensorflow

    return tensorflow


def traced(function: Callable[..., Any], signature: Any = None) -> Any:
    """Return `function` as a ``tf.function`` that is traced once per kind of arguments.

    With a `signature` (nested ``tf.TensorSpec``, one per argument) it is traced once.

    TensorFlow counts traces by source line and would warn of "retracing" when several networks
    are traced by the same line of ours, once each.
    """
    compiled = load_tensorflow().function(
        function, input_signature=signature, autograph=False, reduce_retracing=True
    )
    compiled._omit_frequent_tracing_warning = True
    return compiled


def plain_executor() -> Any:
    """Return a context in which a traced function runs its operations one after the other.

    Handing each of many small operations to a pool of threads costs more than computing it; large
    ones still use all threads inside. A function must be traced in the context that it runs in.
    Where there is a GPU, nothing changes.
    """
    tf = load_tensorflow()
    if tf.config.list_physical_devices("GPU"):
        return contextlib.nullcontext()
    return tf.experimental.function_executor_type("SINGLE_THREADED_EXECUTOR")


def keras_model_problem(model: object) -> str | None:
    """Say why `model` is not a Keras 3 model, or return None when it is one."""
    keras = load_keras()
    if isinstance(model, keras.Model):
        return None
    roots = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    if "tf_keras" in roots:
        return (
            "it is a Keras 2 (tf_keras) model; build it with Keras 3, that is `import keras` "
            "instead of `tf_keras` or a tf.keras switched by TF_USE_LEGACY_KERAS"
        )
    return f"it is {type(model).__name__!r}, not a keras.Model"
