"""Mode sizes of a Tensor-Train: what is compared, and that the right ones are found."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import linalg
from sklearn.datasets import load_digits

from skopt_wrap import TensorTrain, TensorTrainDense, factorize
from skopt_wrap.exceptions import ParameterError
from skopt_wrap.factorization import _modes as modes
from skopt_wrap.factorization import _tensor_train as tt
from skopt_wrap.factorization._forms import Problem, TensorTrainForm
from skopt_wrap.factorization._low_rank import regularized, weighted_loss, whitened_svd

M, N = 36, 48
BALANCED = modes.balanced_modes(M, N, 2)
EXTREME = ((1, M), (N, 1))
BETWEEN = ((2, M // 2), (N // 2, 2))


def metric(n, seed):
    x = np.random.default_rng(seed).normal(size=(3 * n, n)) @ np.diag(np.geomspace(1, 0.05, n))
    x = x @ np.random.default_rng(seed + 1).normal(size=(n, n))
    return regularized(x.T @ x / len(x), 1e-3)


METRICS = {"plain": (None, None), "weighted": (metric(M, 5), metric(N, 7))}


def train(inputs, outputs):
    """Return a kernel that is a train of rank 3."""
    noise = np.random.default_rng(1).normal(size=(M, N))
    return tt.contract(tt.tt_svd(noise, inputs, outputs, (3,)))


@pytest.mark.parametrize("own", [EXTREME, BETWEEN, BALANCED], ids=str)
@pytest.mark.parametrize("metrics", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize(
    "goal",
    [(3, None, 0.0), (None, 0.999, 0.0), (None, None, 0.16)],
    ids=["rank", "energy", "share"],
)
def test_mode_sizes_are_those_of_the_kernel(own, metrics, goal):
    problem = Problem("dense", train(*own), *metrics)
    form = TensorTrainForm(problem, 2, "auto")
    form.settle(problem, *goal)
    assert form.modes == own
    assert form.limit() == max(tt.full_ranks(*own))
    assert problem.loss(form.fit(problem, (3,), 4).kernel) < 1e-9
    assert ("low-rank" in form.note) == (own == EXTREME)


def test_balanced_mode_sizes_are_left_alone():
    problem = Problem("dense", train(*EXTREME))
    form = TensorTrainForm(problem, 2, "balanced")
    form.settle(problem, 3, None, 0.0)
    assert form.modes == BALANCED


@pytest.mark.parametrize("sizes", [(36, 48), (7, 12), (1, 5), (13, 17), (784, 1000)], ids=str)
def test_candidates_reach_from_a_low_rank_product_to_balanced(sizes):
    found = modes.mode_candidates(*sizes)
    assert found[0] == ((1, sizes[0]), (sizes[1], 1))
    assert modes.balanced_modes(*sizes, 2) in found
    assert len(found) == len(set(found)) <= 6
    assert all((np.prod(i), np.prod(o)) == sizes for i, o in found)


def test_most_skewed_train_is_the_whitened_low_rank_product():
    kernel, (c, m) = np.random.default_rng(2).normal(size=(M, N)), METRICS["weighted"]
    left, right, _ = whitened_svd(kernel, c, m)
    cores = modes.Whitened(kernel, *EXTREME, c, m).start((5,))
    assert np.allclose(tt.contract(cores), left[:, :5] @ right[:5])
    norms = [np.square(core).sum() for core in cores]
    assert norms[0] == pytest.approx(norms[1])  # training sees one scale


@pytest.mark.parametrize("split", modes.mode_candidates(M, N), ids=str)
def test_whitened_coordinates_keep_the_loss(split):
    kernel, (c, m) = np.random.default_rng(2).normal(size=(M, N)), METRICS["weighted"]
    white = modes.Whitened(kernel, *split, c, m)
    assert np.allclose(white.back(white.matrix), kernel)
    cores = white.start((4,))
    assert np.allclose(tt.contract(white.out_of(white.into(cores))), tt.contract(cores))
    # Without an output metric errors weigh the same in both coordinates.
    white = modes.Whitened(kernel, *split, c)
    inside = weighted_loss(white.matrix, tt.contract(white.into(cores)), white.covariance(c))
    assert inside == pytest.approx(weighted_loss(kernel, tt.contract(cores), c))
    cores = modes.Whitened(kernel, *split, c, m).start((4,))
    screened = modes.screened_loss(kernel, split, 4, c, m)
    assert screened == pytest.approx(weighted_loss(kernel, tt.contract(cores), c, m), rel=1e-3)


def test_kronecker_parts_are_partial_traces():
    c = metric(12, 0)
    first, second = modes.kronecker_parts(c, (3, 4))
    by_hand = [[np.trace(c[4 * i : 4 * i + 4, 4 * j : 4 * j + 4]) for j in range(3)]
               for i in range(3)]  # fmt: skip
    assert np.allclose(first, by_hand)
    assert np.trace(np.kron(first, second)) == pytest.approx(np.trace(c))
    assert np.allclose(linalg.block_diag(*modes.kronecker_parts(c, (1, 12))[1:]) * np.trace(c), c)


def test_fit_is_never_worse_than_its_start():
    problem = Problem("dense", np.random.default_rng(4).normal(size=(M, N)), *METRICS["weighted"])
    for split in modes.mode_candidates(M, N):
        form = TensorTrainForm(problem, 2)
        form._take(split)
        losses = [problem.loss(form.fit(problem, (4,), sweeps).kernel) for sweeps in (0, 5)]
        assert losses[1] <= losses[0]


@pytest.mark.keras
def test_factorize_reports_mode_sizes():
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((M,)), keras.layers.Dense(N, name="dense")])
    model.set_weights([train(*EXTREME), np.ones(N)])
    x = np.random.default_rng(0).normal(size=(200, M)).astype("float32")
    result = factorize(model, x, method="tensor-train", target_params=0.2, random_state=0)
    layer = result.model.layers[-1]
    assert isinstance(layer, TensorTrainDense)
    assert (layer.input_factors_, layer.output_factors_) == EXTREME
    assert result.notes[0] == "dense: mode sizes 1 x 36 and 48 x 1: a low-rank product"
    assert np.allclose(result.model(x), model(x), atol=1e-3)
    balanced = TensorTrain(target_params=0.2, mode_sizes="balanced")
    result = factorize(model, x, method=balanced, random_state=0)
    layer = result.model.layers[-1]
    assert (layer.input_factors_, layer.output_factors_) == BALANCED


@pytest.mark.keras
def test_balanced_mode_sizes_are_taken_where_low_rank_products_lose_too_much():
    keras = pytest.importorskip("keras")
    X, y = load_digits(return_X_y=True)
    X = (X[:600] / 16).astype("float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, y[:600], epochs=20, verbose=0)

    def divergence(share, mode_sizes):
        method = TensorTrain(target_params=share, mode_sizes=mode_sizes)
        result = factorize(model, X, method=method, random_state=0)
        return result.candidates[1].divergence, " ".join(result.notes)

    best, notes = divergence(0.1, "auto")
    assert best == divergence(0.1, "balanced")[0]
    moved = re.search(r"outputs move by (\S+); by (\S+) with", notes)
    assert float(moved[1]) < float(moved[2])
    large, notes = divergence(0.6, "auto")
    assert large < best
    assert "low-rank product" in notes
    assert "outputs move" not in notes


def test_mode_sizes_are_checked():
    with pytest.raises(ParameterError, match="Did you mean 'balanced'"):
        TensorTrain(mode_sizes="balancd")
