"""Run the tests of SciKeras against this package, and say why the others fail.

The renames of the migration page are applied to a copy of SciKeras' repository: its package is
replaced by our estimators under its names, and the tests get our names of parameters. A test that
fails must fail for a difference that the page names; the table counts the tests by it. The script
ends with an error when a test fails for another reason.

    git clone https://github.com/adriangb/scikeras
    python benchmarks/scikeras_tests.py --source scikeras [--out docs/_tables]

It takes about five minutes. Without a connection, the five tests that download data fail.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

PACKAGE = {
    "__init__.py": "",
    "wrappers.py": """
from skopt_wrap import KerasClassifier, KerasRegressor

BaseWrapper = KerasRegressor
""",
    "utils/__init__.py": """
def loss_name(loss):
    raise NotImplementedError("keras.losses.get")

def metric_name(metric):
    raise NotImplementedError("keras.metrics.get")
""",
    "utils/random_state.py": """
def tensorflow_random_state(seed):
    raise NotImplementedError("random_state=")
""",
    "utils/transformers.py": """
class ClassifierLabelEncoder:
    def __init__(self, *args, **kwargs):
        raise NotImplementedError("target_encoder_")

class TargetReshaper:
    def __init__(self, *args, **kwargs):
        raise NotImplementedError("target_encoder_")
""",
}
MULTI_OUTPUT = "from scikeras.wrappers import KerasClassifier as MultiOutputClassifier\n"
RENAMES = [
    (
        r"from keras\.src\.backend\.common\.variables import KerasVariable",
        "from keras import Variable as KerasVariable",
    ),
    (r"\bcurrent_epoch\b", "n_iter_"),
    (r",\s*split=True", ""),
    (r"build_fn=dynamic_classifier", "model=dynamic_classifier"),
    (r"(?<![\w_])run_eagerly=True", "compile__run_eagerly=True"),
]

# What the page says, and the tests that fail for it: their names with the first line of the error.
DIFFERENCES = {
    "The message has other words, or the input is refused earlier": (
        r"Regex pattern did not match|unknown parameter 'model__bar'"
    ),
    "Later rows of another dtype are taken; a loss is inferred": r"DID NOT (RAISE|WARN)",
    "Hooks of a subclass are refused": (
        r"_keras_build_fn|feature_encoder|target_encoder|inherit_class"
    ),
    "Predictions are float64; labels keep the dtype of y": (r"== dtype\(|'float64' == 'float32'"),
    "One-hot y: predictions are labels, not rows of 0 and 1": (
        r"\(500,\) ==|inconsistent numbers of samples"
    ),
    "Functions and encoders of scikeras.utils have no counterpart": r"NotImplementedError",
    "The test replaces or reads parts inside of SciKeras": (
        r"_kwargs'|'sample_weight'|assert \[\] ==|test_kwargs|partial_fit_epoch_kwargs"
        r"|isinstance\(\) arg 2|no attribute '__name__'"
    ),
    "A builder takes its arguments by name, not as `params`": r"\['params'\]|\*\*kwargs passed",
    "Arguments of an object inside an object: give the object": (
        r"param1__foo|should_not_pass|param__precedence"
    ),
    "A setting without effect is refused": (
        r"validation_batch_size|cannot reach the network|did not reach the network"
    ),
    "The name of a setting is another one": r"'fit__callbacks'|'fit__class_weight'",
    "Defaults: 50 epochs; ``n_iter_`` counts all epochs": r"50 == 1|current_epoch_property",
    "A metric is recorded under the name that it was given by": (
        r"mean_squared_error|shorthand_metric_name|history_metric_names"
    ),
    "A Keras model is copied, not trained itself": r"test_prebuilt_model",
    "A RandomState goes on from fit to fit, as in scikit-learn": r"test_random_states\[",
    "A classifier needs two classes, and all of them in each part of a split": (
        r"only one class|both hold every class|classes needs 3"
    ),
    "Few steps train a network badly, and no tag says so": (
        r"check_(classifiers|regressors)_train|worse than random"
    ),
    "In batches, a repeated row is not a weight of two": (
        r"sample_weight_equivalence|check_class_weight_classifiers"
    ),
    "Keras asks for a loss of every output": r"Expected keys .* in loss dict",
    "The test downloads data": r"URLError|URL fetch",
}


def prepared(source: Path, folder: Path) -> None:
    """Copy SciKeras' tests into `folder`, with our names."""
    shutil.copytree(source / "tests", folder / "tests")
    for name, text in PACKAGE.items():
        path = folder / "scikeras" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path in (folder / "tests").glob("*.py"):
        text = path.read_text()
        for pattern, new in RENAMES:
            text = re.sub(pattern, new, text)
        path.write_text(text)
    (folder / "tests" / "multi_output_models.py").write_text(MULTI_OUTPUT)


def outcomes(folder: Path) -> tuple[Counter[str], list[str]]:
    """Run the tests; return counts, and names with the reasons of those that failed."""
    report = folder / "report.xml"
    root = Path(__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{folder}"}
    environment |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    options = ["-q", "-o", "addopts=", "-p", "no:cacheprovider", "--tb=short"]
    options += ["--continue-on-collection-errors", f"--junitxml={report}"]
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, "tests"],
        cwd=folder,
        env=environment,
        check=False,
    )
    counts: Counter[str] = Counter()
    failed = []
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        name = f"{case.get('classname')}::{case.get('name')}"
        problem = next((child for child in case if child.tag in ("failure", "error")), None)
        if problem is not None:
            counts["failed"] += 1
            failed.append(f"{name} {problem.get('message') or ''} {problem.text or ''}")
        else:
            counts["skipped" if "skipped" in kinds else "passed"] += 1
    return counts, failed


def table(counts: Counter[str], reasons: Counter[str]) -> str:
    """Return the counts as a table for the page."""
    rows = [("Passed", counts["passed"]), ("Skipped by SciKeras", counts["skipped"])]
    rows += reasons.most_common()
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - Outcome, or difference",
        "     - Tests",
    ]
    for name, number in rows:
        lines += [f"   * - {name}", f"     - {number}"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        prepared(arguments.source, Path(name))
        counts, failed = outcomes(Path(name))
    reasons: Counter[str] = Counter()
    unknown = []
    for text in failed:
        for reason, pattern in DIFFERENCES.items():
            if re.search(pattern, text):
                reasons[reason] += 1
                break
        else:
            unknown.append(text)
    text = table(counts, reasons)
    print(text)
    if arguments.out:
        (arguments.out / "scikeras_tests.txt").write_text(text)
    for item in unknown:
        print("NOT EXPLAINED", item[:2000], "\n")
    sys.exit(bool(unknown))


if __name__ == "__main__":
    main()
