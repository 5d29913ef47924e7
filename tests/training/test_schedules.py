from __future__ import annotations

import keras
import numpy as np
import pytest

from skopt_wrap._params import SCHEDULE_OPTIONS
from skopt_wrap.exceptions import ParameterError, UnknownParameterError
from skopt_wrap.training import schedule_options, schedule_rates
from skopt_wrap.training._schedules import _RULES, SCHEDULES

pytestmark = pytest.mark.keras

cos = np.cos
PI = np.pi


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("constant", {}, [1, 1, 1, 1, 1, 1, 1, 1]),
        ("constant", {"warmup": 0.5}, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]),
        ("step", {"n_drops": 1, "decay_rate": 0.5}, [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]),
        # Drops at 8/3 and 16/3: the first steps after them are 3 and 6.
        ("step", {}, [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01]),
        ("exponential", {"final": 1 / 256}, [2.0**-i for i in range(8)]),
        ("polynomial", {}, [1 - i / 8 for i in range(8)]),
        (
            "polynomial",
            {"final": 0.2, "power": 2},
            [0.8 * (1 - i / 8) ** 2 + 0.2 for i in range(8)],
        ),
        ("cosine", {}, [(1 + cos(PI * i / 8)) / 2 for i in range(8)]),
        ("cosine", {"final": 0.5}, [0.5 + (1 + cos(PI * i / 8)) / 4 for i in range(8)]),
        (
            "warmup_cosine",
            {"warmup": 0.25},
            [0.5, 1, *((1 + cos(PI * i / 6)) / 2 for i in range(6))],
        ),
        (
            "cosine_restarts",
            {"n_cycles": 2, "t_mul": 3.0, "m_mul": 0.5},
            [1, 0.5, *((1 + cos(PI * i / 6)) / 4 for i in range(6))],
        ),
        (
            "one_cycle",
            {"warmup": 0.5, "start": 0.1},
            [
                *(0.1 + 0.9 * (1 + cos(PI * i / 4)) / 2 for i in (3, 2, 1, 0)),
                *((1 + cos(PI * i / 4)) / 2 for i in range(4)),
            ],
        ),
        ("reduce_on_plateau", {}, [1] * 8),
    ],
)
def test_rates_are_those_computed_by_hand(name, options, expected):
    rates = schedule_rates(name, 0.2, 8, **options)
    assert rates.dtype == np.float32
    np.testing.assert_allclose(rates, 0.2 * np.array(expected), rtol=2e-6, atol=1e-8)


def test_restarts_follow_those_of_keras():
    keras_schedule = keras.optimizers.schedules.CosineDecayRestarts(0.1, 100, 2.0, 0.8)
    rates = schedule_rates("cosine_restarts", 0.1, 700, n_cycles=3, m_mul=0.8)
    steps = np.delete(np.arange(700), [99, 100, 101, 299, 300, 301])  # see CosineDecayRestarts
    np.testing.assert_allclose(rates[steps], keras_schedule(steps), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(rates[[100, 300]], [0.08, 0.064], rtol=1e-6)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("n_steps", [1, 2, 3, 1000])
def test_rates_of_any_number_of_steps_stay_between_zero_and_the_base(name, n_steps):
    for warmup in (0.0, 0.5, 0.99):
        rates = schedule_rates(name, 0.1, n_steps, warmup=warmup)
        assert rates.shape == (n_steps,)
        assert (rates > 0).all() and rates.max() <= np.float32(0.1) * (1 + 1e-6)


def test_options_of_other_schedules_are_ignored_and_checked():
    assert schedule_options("cosine", {"patience": 3}) == {"warmup": 0.0, "final": 0.0}
    with pytest.raises(ParameterError, match=r"patience must be an int in \[1, inf\), got 0"):
        schedule_options("cosine", {"patience": 0})


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("warmup", 1.0), ("warmup", -0.1), ("decay_rate", 1), ("final", 2), ("power", 0),
        ("n_drops", 1.5), ("t_mul", 0.5), ("m_mul", 0.0), ("start", "0"), ("n_cycles", True),
    ],
)  # fmt: skip
def test_a_value_that_breaks_its_rule_is_refused(option, value):
    with pytest.raises(ParameterError, match=rf"learning_rate_schedule__{option} must be an?"):
        schedule_options("cosine", {option: value})


def test_unknown_names_are_answered_by_the_nearest():
    with pytest.raises(ParameterError, match="Did you mean 'cosine'"):
        schedule_rates("cosin", 0.1, 10)
    with pytest.raises(UnknownParameterError, match="Did you mean 'warmup'"):
        schedule_rates("cosine", 0.1, 10, warm_up=0.1)


def test_every_option_is_listed_once():
    used = {option for options in SCHEDULES.values() for option in options}
    assert used == set(_RULES) == set(SCHEDULE_OPTIONS)
