"""The kinds of findings: what each means in plain words, what to do, and where the rule is from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of finding.

    Parameters
    ----------
    name : str
        Such as "overfitting".
    meaning : str
        What it means, for somebody who is new to the field.
    action : str
        What to do.
    source : str
        Where the rule comes from.
    """

    name: str
    meaning: str
    action: str
    source: str


_BOOK = "Goodfellow, Bengio, Courville, Deep Learning, 2016"

# In the order in which they are reported: what hides everything else comes first.
_ALL = (
    Kind(
        "diverged",
        "The training went wrong: the network's numbers grew without limit.",
        "Use a smaller learning rate, and scale the features.",
        f"{_BOOK}, sec. 8.2.4 and 11.4",
    ),
    Kind(
        "leakage",
        "The data tell the network the answer. It will look good here and fail on new data.",
        "Find out where the feature comes from. Remove it unless it is known before the answer is.",
        "Kaufman, Rosset, Perlich, Stitelman, Leakage in data mining, ACM TKDD 2012",
    ),
    Kind(
        "duplicates",
        "The same rows are in training and in the test. The network can remember their answers, so "
        "the scores are too good.",
        "Remove repeated rows, or keep all copies of a row in one fold (GroupKFold).",
        "Kapoor, Narayanan, Leakage and the reproducibility crisis, Patterns 2023",
    ),
    Kind(
        "time_order",
        "Neighbouring rows are alike, and shuffled folds put neighbours on both sides. On new "
        "data, which come later, the scores will be lower.",
        "Validate with folds in order: cv=TimeSeriesSplit().",
        "Bergmeir, Benitez, On the use of cross-validation for time series, Inf. Sciences 2012",
    ),
    Kind(
        "no_signal",
        "Nothing was found in the features that helps to predict the target. A larger network will "
        "not change that.",
        "Look for other features, or check that features and labels belong together row by row.",
        "Ojala, Garriga, Permutation tests for studying classifier performance, JMLR 2010",
    ),
    Kind(
        "label_noise",
        "Many labels contradict what the features say, even where the answer seems clear. Some of "
        "the labels are probably wrong.",
        "Look at the rows where model and label disagree, and correct the labels.",
        "Northcutt, Jiang, Chuang, Confident learning, JAIR 2021",
    ),
    Kind(
        "imbalance",
        "One class is rare. A network can ignore it and still be right most of the time.",
        "Use class weights, a sampler, or another decision threshold; score with a metric that "
        "sees the rare class.",
        "He, Garcia, Learning from imbalanced data, IEEE TKDE 2009",
    ),
    Kind(
        "overfitting",
        "The network remembers its training rows instead of learning a rule. It does worse on new "
        "rows.",
        "Stop earlier, or use dropout, a penalty, a smaller network or more rows.",
        "Prechelt, Early stopping - but when?, in Neural Networks: Tricks of the Trade, 1998",
    ),
    Kind(
        "underfitting",
        "The network has not learned what can be learned from these data.",
        "Use a larger network, more epochs, or a larger learning rate.",
        f"{_BOOK}, sec. 5.2 and 11.3",
    ),
    Kind(
        "plateau",
        "The training stands still although little was learned.",
        "Try another learning rate.",
        f"{_BOOK}, sec. 8.2",
    ),
    Kind(
        "unfinished",
        "The network was still getting better when the training ended.",
        "Train for more epochs.",
        "Hoffer, Hubara, Soudry, Train longer, generalize better, NeurIPS 2017",
    ),
    Kind(
        "batch_too_large",
        "The network is changed only a few times in each pass over the data.",
        "Use smaller batches.",
        "Keskar et al., On large-batch training for deep learning, ICLR 2017",
    ),
    Kind(
        "batch_too_small",
        "Each step of the training looks at so few rows that the steps contradict each other.",
        "Use larger batches, or a smaller learning rate.",
        "Masters, Luschi, Revisiting small batch training, 2018",
    ),
    Kind(
        "noisy_validation",
        "The score on new rows jumps up and down from epoch to epoch.",
        "Use a smaller learning rate, or more rows for validation.",
        "Bengio, Practical recommendations for gradient-based training, 2012",
    ),
    Kind(
        "too_few_rows",
        "More rows would probably help.",
        "Collect more rows. Until then trust wide intervals, not single scores.",
        "Viering, Loog, The shape of learning curves: a review, IEEE TPAMI 2023",
    ),
    Kind(
        "baseline_wins",
        "A simpler model does better than the network.",
        "Use the simpler model, or tune the network.",
        "Grinsztajn, Oyallon, Varoquaux, Why do tree-based models still outperform deep learning "
        "on tabular data?, NeurIPS 2022",
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}


def importance(name: str) -> int:
    """Return the place of a kind in the order of the report."""
    return list(KINDS).index(name)
