"""AugmentingSampler: one ``fit_resample`` for images, tables, time series and texts."""

from __future__ import annotations

import copy
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.utils import check_consistent_length, check_random_state

from .._sklearn import HasMethods, Interval, fit_context
from ..exceptions import DataError, ParameterError
from ._columns import numeric_part
from ._containers import Data, give_back, read, stack, take
from ._flow_mixin import FlowMixin
from ._images._annotations import ANNOTATIONS, read_annotations
from ._over_samplers import Interpolation
from ._policies import (
    bind,
    check_annotations_can_move,
    check_labels_can_mix,
    check_value_range,
    copy_transforms,
    makes_soft_labels,
    resolve,
)
from ._resampled import mixed_target, new_data
from ._row_blocks import Job
from ._strategy import Target, choose_sources, one_hot, plan_rows, read_target
from ._tabular import integer_grid
from ._transform import Policy, Step


class AugmentingSampler(FlowMixin, BaseOverSampler):
    """Balance and grow training data with changed copies of their samples.

    An over-sampler of imbalanced-learn for images, time series, tables and texts. New samples are
    copies of existing ones, changed by transforms that suit the kind of data. In tables they may
    also be interpolations made by imbalanced-learn. In an :class:`imblearn.pipeline.Pipeline` the
    sampler acts while fitting only: validation and test data pass through unchanged.

    The originals come first, unchanged; new samples follow, class by class. Every original of a
    class is copied equally often. No original is lost, except with "smote_enn" and "smote_tomek".

    Parameters
    ----------
    kind : {"auto", "image", "tabular", "series", "text"}, default="auto"
        What X holds. "auto" goes by the shape: (n,) of str is text, 2-D a table, 4-D images. 3-D
        is taken for grey images if it is uint8 or square (at least 8 x 8), for series otherwise,
        with a warning that says so. Series of shape (n, time) need ``kind="series"``.
    transforms : "default", str, transform, callable or list of these, default="default"
        What changes the copies, in this order. Names are listed by
        :func:`~skopt_wrap.sampling.available_transforms`. A callable receives a batch in the
        dtype of X (of tables, the numeric columns) and returns one of the same shape; if it has a
        parameter called ``rng``, it also receives a :class:`numpy.random.Generator`. Keras
        preprocessing layers and albumentations transforms serve as well, seeded by
        `random_state`. In tables, the first may be an over-sampler: "smote", "adasyn",
        "borderline_smote", "svm_smote", "smotenc" (for tables with columns of both sorts),
        "smoten", or an instance of one of imbalanced-learn's. "smote_enn" and "smote_tomek" also
        drop rows, originals among them, that lie among other classes.

        "default" stands for small rotations, zooms, shifts and changes of light (images); jitter,
        scaling and time warping (series); Gaussian noise (tables); swapped words and typos
        (texts, after a synonym replaced). It contains no flip. An empty list makes plain copies.
    sampling_strategy : {"auto", "minority", "not minority", "not majority", "all"}, float, dict \
            or callable, default="auto"
        Which classes grow, and up to how many rows, as in imbalanced-learn: "auto" and "all"
        bring every class to the size of the largest; a float is the ratio of the minority to
        the majority in binary problems; a dict gives numbers of rows after resampling. With
        `factor` given, "auto" balances nothing.
    factor : float, default=None
        Every class grows to this multiple, at least 1. With a `sampling_strategy` other than
        "auto", classes are balanced first and grown then. Regression targets and multilabel
        indicators need a factor, and are grown without balancing.
    keep_original : bool, default=True
        Whether the originals are part of the result. If False, changed copies take their place:
        the result has as many rows per class.
    magnitude : float, default=1.0
        Multiplies the magnitude of every transform, within its legal range; 0 switches all off
        but flips and callables. Over-samplers have none.
    clip : bool, default=True
        Whether integer columns of tables stay within the values observed: between the smallest
        and the largest value of the column, and on its steps (a column of 10, 20 and 40 gets
        multiples of 10). If False, they are only rounded. It has no effect on float columns.
    value_range : (float, float), default=None
        Smallest and largest value that a pixel of an image can have. Changes of light stay in it;
        Keras layers and albumentations transforms, which expect a range of their own, get the
        pixels mapped to theirs, and the result is mapped back. None: (0, 255) for uint8, (0, 1)
        for floats that all lie there, otherwise the smallest and the largest pixel of X.
    random_state : int, RandomState instance or None, default=None
        Seed. The same seed gives the same result; NumPy's global state is never touched.
    n_jobs : int, default=None
        Threads that change rows; -1 for one per core, None for one unless a
        :func:`joblib.parallel_config` context says otherwise; small data use fewer. The result
        does not depend on it.
        Callables of your own must bear being called from several threads.
    verbose : int, default=0
        1 prints what was made.

    Attributes
    ----------
    kind_ : str
        Kind of data: "image", "tabular", "series" or "text".
    transforms_ : list
        Transforms in use, with their final magnitudes.
    sampling_strategy_ : dict
        Number of new rows asked for in each class; under the key None where y has no classes.
    sample_indices_ : ndarray of shape (n_samples_new,)
        Source row of each row of the result. For rows interpolated by an over-sampler that does
        not tell its sources, the nearest original of the class.
    classes_ : ndarray of shape (n_classes,)
        Class labels, if y has classes; the order of the columns of soft labels.
    n_features_in_ : int
        ``X.shape[1]``; not set for texts.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of a DataFrame, if all are str.

    Raises
    ------
    ParameterError
        Unknown kind or transform, a transform of another kind of data, hard labels to be mixed,
        or a strategy that asks for fewer rows than there are.
    DataError
        NaN, ragged rows, a shape that fits no kind, or labels that a strategy cannot balance.

    See Also
    --------
    available_transforms : Names of the transforms.
    imblearn.over_sampling.RandomOverSampler : Plain copies, of tables only.

    References
    ----------
    .. [1] C. Shorten, T. M. Khoshgoftaar, "A survey on image data augmentation for deep
       learning", Journal of Big Data, 6:60, 2019.
    .. [2] B. K. Iwana, S. Uchida, "An empirical survey of data augmentation for time series
       classification with neural networks", PLOS ONE, 16(7), 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import AugmentingSampler
    >>> rng = np.random.default_rng(0)
    >>> images = rng.integers(0, 256, size=(12, 8, 8, 3), dtype=np.uint8)
    >>> labels = np.array([0] * 9 + [1] * 3)
    >>> sampler = AugmentingSampler(random_state=0)
    >>> X, y = sampler.fit_resample(images, labels)
    >>> X.shape, X.dtype, np.bincount(y).tolist()
    ((18, 8, 8, 3), dtype('uint8'), [9, 9])
    >>> sampler.kind_, sampler.sample_indices_[12:].tolist()
    ('image', [9, 10, 11, 9, 10, 11])
    """

    #: What may be passed to `fit_resample`; scikit-learn makes ``set_fit_resample_request`` of it.
    __metadata_request__fit_resample: ClassVar[dict[str, None]] = dict.fromkeys(
        ("sample_weight", "groups", *ANNOTATIONS)
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "kind": [str],
        "transforms": [str, list, tuple, callable, HasMethods(["fit_resample"])],
        **BaseOverSampler._parameter_constraints,
        "factor": [Interval(Real, 1, None, closed="left"), None],
        "keep_original": ["boolean"],
        "magnitude": [Interval(Real, 0, None, closed="left")],
        "clip": ["boolean"],
        "value_range": [tuple, list, None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        kind: str = "auto",
        transforms: Any = "default",
        *,
        sampling_strategy: Any = "auto",
        factor: float | None = None,
        keep_original: bool = True,
        magnitude: float = 1.0,
        clip: bool = True,
        value_range: tuple[float, float] | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.kind = kind
        self.transforms = transforms
        self.factor = factor
        self.keep_original = keep_original
        self.magnitude = magnitude
        self.clip = clip
        self.value_range = value_range
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Check the data, and decide on the kind, the transforms and the numbers of new samples.

        Use `fit_resample` to get the new samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Data; see `kind` for the shapes.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target.
        **params : array-like of shape (n_samples, ...)
            Aligned arrays; only their lengths are checked.

        Returns
        -------
        self : AugmentingSampler
            The sampler.
        """
        self._prepare(X, y, params)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_resample(self, X: Any, y: Any, **aligned: Any) -> tuple[Any, ...]:
        """Return the balanced and grown data.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Data: array, list, DataFrame, sparse matrix, or texts; see `kind` for the shapes.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels (plain or one-vs-all), a multilabel indicator, or numbers.
        **aligned : array-like of shape (n_samples, ...)
            Further arrays with one entry per row, such as ``sample_weight`` or ``groups``.
            With images, three names stand for what moves along with the pixels: ``masks`` of
            shape (n_samples, height, width) or (n_samples, height, width, channels); ``boxes``,
            for each image an array of x_min, y_min, x_max, y_max in rows; ``keypoints``, for each
            image an array of x, y in rows. Further columns of boxes and key points are kept.

        Returns
        -------
        X_resampled : same container and dtype as X, of shape (n_samples_new, ...)
            Data.
        y_resampled : same container as y, of shape (n_samples_new,) or (n_samples_new, n_outputs)
            Target; a float array of shape (n_samples_new, n_classes) with ``soft_labels=True``.
        *aligned_resampled : same containers
            The further arrays in the order given; each new row has the entry of its source,
            moved with the pixels if it is a mask, a box or a key point.
        """
        return self._fit_resample(X, y, **aligned)

    def _fit_resample(self, X: Any, y: Any, **aligned: Any) -> tuple[Any, ...]:
        """Do the work of `fit_resample`; imbalanced-learn asks for this method."""
        data, target, generator, steps = self._prepare(X, y, aligned)
        plan_seed, inner_seed, block_seed = self._seed().spawn(3)
        base, chosen, sources, codes, kept = self._base_rows(
            data, target, generator, plan_seed, inner_seed
        )
        self.sample_indices_ = np.concatenate([kept, sources])

        labels = one_hot(target)[sources] if makes_soft_labels(steps) else None
        annotations = read_annotations(aligned, data.values) if data.kind == "image" else None
        job = Job(data.kind, base, chosen, Policy(steps), labels, codes, annotations)
        if annotations is not None:
            annotations.start(job.n_new)
        X_new = new_data(data, job, block_seed, kept, self.n_jobs)
        y_new = take(y, self.sample_indices_)
        if labels is not None:
            y_new = mixed_target(y, y_new, target, labels, kept)
        if self.verbose:
            print(
                f"[AugmentingSampler] kind={self.kind_}: {len(kept)} originals and {len(sources)} "
                f"new rows"
            )
        extras = tuple(
            annotations.result(name, array, kept)
            if annotations is not None and name in annotations.given
            else take(array, self.sample_indices_)
            for name, array in aligned.items()
        )
        return (give_back(X_new, data), y_new, *extras)

    def _prepare(
        self, X: Any, y: Any, aligned: dict[str, Any]
    ) -> tuple[Data, Target, Interpolation | None, list[Step]]:
        """Check all inputs, and set the fitted attributes except `sample_indices_`."""
        data = read(self, X, self.kind)
        target = read_target(self, y)
        check_consistent_length(data.values, target.values)
        for name, array in aligned.items():
            if array is not None and len(array) != data.n:
                raise DataError(
                    f"{name} has {len(array)} entries; X has {data.n} rows. Aligned arrays need "
                    f"one entry per row."
                )
        if not self.clip and data.kind != "tabular":
            raise ParameterError(
                f"clip=False is for the integer columns of tables, and the data are "
                f"kind={data.kind!r}. Leave it at True."
            )
        generator, steps = resolve(self.transforms, data.kind, self.magnitude)
        check_labels_can_mix(steps, target.hard)
        check_annotations_can_move(steps, data, aligned)
        self.sampling_strategy_ = plan_rows(
            target, self.sampling_strategy, self.factor, self.keep_original
        )
        if generator is not None and target.labels is None:
            raise DataError(
                f"{type(generator.sampler).__name__} needs classes; use 'gaussian_noise' "
                f"for other targets."
            )
        self.kind_ = data.kind
        learn_from = numeric_part(data.values) if data.kind == "tabular" else data.values
        value_range = check_value_range(self.value_range, data)
        steps = [bind(step, learn_from, value_range) for step in steps]
        first = [] if generator is None else [generator.sampler]
        self.transforms_ = first + steps
        if data.kind == "tabular" and self.clip and (steps or generator is not None):
            grid = integer_grid(data.values)
            steps = steps if grid is None else [*steps, grid]
        if target.codes is not None:
            self.classes_ = target.classes
        elif hasattr(self, "classes_"):
            del self.classes_
        return data, target, generator, steps

    def _seed(self) -> np.random.SeedSequence:
        """Return the seed of all random numbers. ``None`` never uses NumPy's global state."""
        if self.random_state is None:
            return np.random.SeedSequence()
        if isinstance(self.random_state, np.random.RandomState):
            draws = check_random_state(self.random_state).randint(2**31 - 1, size=4)
            return np.random.SeedSequence(draws.tolist())
        return np.random.SeedSequence(int(self.random_state))

    def _base_rows(
        self,
        data: Data,
        target: Target,
        generator: Interpolation | None,
        plan_seed: np.random.SeedSequence,
        inner_seed: np.random.SeedSequence,
    ) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
        """Return what the new samples are made of, before the transforms.

        Returns
        -------
        values : ndarray, sparse matrix or DataFrame
            Samples: the originals, or those that an over-sampler made.
        chosen : ndarray of int
            Position in `values` of the sample that each new one is made of.
        sources : ndarray of int
            Position of the original that each new sample comes from.
        codes : ndarray of int or None
            Class of each new sample.
        kept : ndarray of int
            Positions of the originals that are kept.
        """
        values = data.values
        kept = np.arange(data.n if self.keep_original else 0)
        if generator is None or target.codes is None:
            rng = np.random.default_rng(plan_seed)
            sources = choose_sources(target, self.sampling_strategy_, data.n, rng)
            codes = None if target.codes is None else target.codes[sources]
            return values, sources, sources, codes, kept
        place = {label: code for code, label in enumerate(target.classes.tolist())}
        wanted = {place[label]: number for label, number in self.sampling_strategy_.items()}
        seed = int(inner_seed.generate_state(1)[0])
        new, codes, origins = generator.new_rows(values, target.codes, wanted, seed, sources=True)
        assert origins is not None  # they were asked for
        sources = origins
        if generator.cleaner is not None:
            rows = generator.kept_rows(stack(values, new), np.concatenate([target.codes, codes]))
            kept, stay = rows[rows < data.n][: len(kept)], rows[rows >= data.n] - data.n
            new, sources, codes = take(new, stay), sources[stay], codes[stay]
        return new, np.arange(len(sources)), sources, codes, kept

    def __sklearn_clone__(self) -> Self:
        """Return a clone.

        scikit-learn's own clone calls ``get_params`` of everything that has it. Some transforms of
        other libraries have a ``get_params`` with another meaning, so they are copied here.
        """
        shallow = copy.copy(self)
        shallow.transforms = []
        cloned: Self = BaseOverSampler.__sklearn_clone__(shallow)
        cloned.transforms = copy_transforms(self.transforms)
        return cloned

    def __sklearn_tags__(self) -> Any:
        """Return the tags: it takes tables, nD arrays and texts, and has `sample_indices_`."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True  # in tables
        tags.sampler_tags.sample_indices = True
        return tags
