"""Scopes that change a global setting of Keras or TensorFlow and put it back."""

from __future__ import annotations

import collections
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ._backend import load_keras

# Python's and NumPy's generators, the TensorFlow seed and Keras' floatx are process-wide:
# two threads that fit at the same time must not swap each other's.
_GLOBAL_STATE_LOCK = threading.RLock()


class _LazySeed(int):
    """The global seed of TensorFlow; it clears TensorFlow's kernel cache when it is first used.

    A stateful random operation keeps its stream in a cached kernel. A seed that is set again must
    therefore clear the cache, as ``tf.random.set_seed`` does. That slows down every operation which
    follows, and for nothing: Keras draws with stateless operations. So the cache is cleared when
    the first stateful operation takes the seed. TensorFlow has no hook for that moment, and the
    remainder (``seed % 2**63``) is the first thing that it computes of the seed: hence ``__mod__``.
    """

    cleared = False

    def __mod__(self, other: int) -> int:
        if not self.cleared:
            from tensorflow.python import pywrap_tfe
            from tensorflow.python.eager import context

            self.cleared = True
            pywrap_tfe.TFE_ContextClearCaches(context.context()._handle)
        return int(self) % other


@contextmanager
def seed_scope(seed: int) -> Iterator[None]:
    """Seed Python, NumPy, TensorFlow and Keras inside the block; restore all four after it.

    Parameters
    ----------
    seed : int
        Seed in [0, 2**32).
    """
    load_keras()
    from keras.src.backend.common import global_state
    from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR
    from tensorflow.python.eager import context

    with _GLOBAL_STATE_LOCK:
        tf_context = context.context()
        python_state, numpy_state = random.getstate(), np.random.get_state()
        # The generator exists from the first global seed on.
        tf_seed, tf_rng = tf_context._seed, getattr(tf_context, "_rng", None)
        keras_generator = global_state.get_global_attribute(GLOBAL_SEED_GENERATOR)
        try:
            random.seed(seed)
            np.random.seed(seed)
            # As `set_global_seed` does, but for the kernels, which are forgotten when one is used.
            tf_context._seed, tf_context._rng = _LazySeed(seed), random.Random(seed)
            global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, None)
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)
            tf_context._seed, tf_context._rng = tf_seed, tf_rng
            global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, keras_generator)


@contextmanager
def name_scope() -> Iterator[None]:
    """Name layers built inside the block as in a fresh session; restore the counters after it.

    Automatic names (``dense``, ``dense_1``) then depend on the network alone, so that two
    networks of equal architecture have equal configurations.
    """
    load_keras()
    from keras.src.backend.common import global_state

    before = global_state.get_global_attribute("object_name_uids")
    global_state.set_global_attribute("object_name_uids", collections.defaultdict(int))
    try:
        yield
    finally:
        global_state.set_global_attribute("object_name_uids", before)


@contextmanager
def trusted_config_scope() -> Iterator[None]:
    """Let ``from_config`` build Lambda layers inside the block.

    Only for configurations that come from a living model of the same user, never from a file.
    """
    load_keras()
    from keras.src.saving.serialization_lib import SafeModeScope

    with SafeModeScope(safe_mode=False):
        yield


@contextmanager
def dtype_scope(dtype: str | None) -> Iterator[None]:
    """Build layers, losses and metrics in `dtype` inside the block.

    Parameters
    ----------
    dtype : str or None
        A float dtype ("float32", "float64") or a Keras policy ("mixed_float16"); None leaves
        the global policy as it is.
    """
    if dtype is None:
        yield
        return
    keras = load_keras()
    with _GLOBAL_STATE_LOCK:
        policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
        try:
            keras.config.set_dtype_policy(dtype)
            if dtype in ("float32", "float64"):
                keras.config.set_floatx(dtype)
            yield
        finally:
            keras.config.set_floatx(floatx)
            keras.config.set_dtype_policy(policy)
