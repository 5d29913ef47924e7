"""The package as a whole: what importing costs, which names there are, which way arrows point."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import skopt_wrap
from skopt_wrap import exceptions

PACKAGE = Path(skopt_wrap.__file__).parent
PUBLIC = [name for name in skopt_wrap._SUBPACKAGES if name != "exceptions"]

# Package -> packages that it may import. What is not named here may not be imported.
FOUNDATIONS = {
    "_aliases",
    "_copying",
    "exceptions",
    "_keras",
    "_params",
    "_pareto",
    "_pipelines",
    "_sklearn",
    "_tables",
    "_texts",
}
ARROWS = {
    "_aliases": set(),
    "_copying": {"_keras", "_sklearn"},
    "exceptions": {"_aliases"},
    "_keras": {"exceptions"},
    "_params": {"exceptions"},
    "_pareto": set(),
    "_pipelines": set(),
    "_sklearn": {"exceptions"},
    "_tables": set(),
    "_texts": {"exceptions"},
    "architectures": {"exceptions", "_keras"},
    "factorization": {"exceptions", "_keras", "training"},
    "losses": {"exceptions", "_keras", "_sklearn"},
    "training": {"exceptions", "_keras"},
    "estimators": {*FOUNDATIONS, "architectures", "losses", "training"},
    "model_selection": {*FOUNDATIONS, "estimators"},
    "tuning": {*FOUNDATIONS, "architectures", "estimators", "model_selection"},
    "compression": {*FOUNDATIONS, "distillation", "estimators", "factorization", "training"},
    "distillation": {"exceptions", "_keras", "architectures", "losses", "training"},
    "diagnostics": {*FOUNDATIONS, "model_selection", "sampling", "scoring"},
    "quality": {"exceptions", "_sklearn", "_tables"},
    "monitoring": {"exceptions", "_keras", "_sklearn", "_tables"},
    "__main__": {"exceptions", "persistence"},
    "persistence": {"exceptions", "_keras", "_pipelines", "scoring"},
    "sampling": {"exceptions", "_keras", "_sklearn"},
    "scoring": {"exceptions", "_pipelines", "_sklearn", "_tables"},
}

HEAVY = "tensorflow keras tf_keras keras_tuner tensorflow_model_optimization optuna matplotlib"


def in_new_process(code, cwd):
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=cwd
    )


def imports_of(path):
    """Yield the modules of this package that a file imports, as dotted names without the root."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = parts[: len(parts) - node.level]
            yield ".".join([*base, *(node.module.split(".") if node.module else [])])
            if not node.module:
                yield from (".".join([*base, alias.name]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skopt_wrap"):
            yield (node.module or "").partition(".")[2]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("skopt_wrap"):
                    yield alias.name.partition(".")[2]


@pytest.mark.parametrize("module", ["skopt_wrap", *(f"skopt_wrap.{name}" for name in PUBLIC)])
def test_import_loads_nothing_heavy_and_changes_nothing(module, tmp_path):
    code = (
        "import os, sys; before = dict(os.environ); modules = set(sys.modules);"
        f"import {module};"
        "assert dict(os.environ) == before, 'os.environ was changed';"
        f"print(sorted(m for m in {HEAVY.split()} if m in sys.modules))"
    )
    done = in_new_process(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    assert list(tmp_path.iterdir()) == []


def test_import_of_the_package_loads_neither_sklearn_nor_numpy(tmp_path):
    code = "import sys, skopt_wrap; print([m for m in ('sklearn', 'numpy') if m in sys.modules])"
    assert in_new_process(code, tmp_path).stdout.strip() == "[]"


def test_every_public_name_resolves_and_is_listed():
    assert set(skopt_wrap._EXPORTS) <= set(skopt_wrap.__all__) <= set(dir(skopt_wrap))
    for name, package in skopt_wrap._EXPORTS.items():
        module = importlib.import_module(f"skopt_wrap.{package}")
        assert getattr(skopt_wrap, name) is getattr(module, name)
        assert name in module.__all__
    with pytest.raises(AttributeError, match="no attribute 'KerasClasifier'"):
        skopt_wrap.KerasClasifier  # noqa: B018


def test_editors_see_every_lazy_name():
    source = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    block = source.split("if TYPE_CHECKING:")[1].split("\n\n")[0]
    pairs = re.findall(r"from \.(\w+) import (\w+) as \2\n", block + "\n")
    assert {name: package for package, name in pairs} == skopt_wrap._EXPORTS


def test_subpackages_are_those_on_disk():
    on_disk = {p.name for p in PACKAGE.iterdir() if (p / "__init__.py").exists()}
    assert {name for name in on_disk if not name.startswith("_")} == set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_subpackages_export_what_they_say(name):
    module = importlib.import_module(f"skopt_wrap.{name}")
    assert module.__doc__ and module.__all__
    for public in module.__all__:
        assert inspect.getdoc(getattr(module, public)), f"{name}.{public} has no docstring"


def test_no_arrow_points_the_wrong_way():
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts == ("__init__",):
            continue
        for target in imports_of(path):
            head, _, rest = target.partition(".")
            if not head or head == parts[0]:
                continue
            private = rest.startswith("_") and head not in FOUNDATIONS
            if head not in ARROWS[parts[0]] or private:
                wrong.append(f"{'/'.join(parts)} imports {target}")
    assert wrong == []


def test_exceptions_stand_in_the_tree_of_the_docstring():
    tree = exceptions.__doc__.partition("::")[2]
    errors = [getattr(exceptions, name) for name in exceptions.__all__ if name != "suggest"]
    for error in errors:
        assert error.__name__ in tree
        root = exceptions.SkoptWrapWarning if issubclass(error, Warning) else None
        assert issubclass(error, root or exceptions.SkoptWrapError)
        builtins = [base for base in error.__bases__ if base.__module__ == "builtins"]
        line = next(row for row in tree.splitlines() if re.search(rf"\b{error.__name__}\b", row))
        assert all(base.__name__ in line for base in builtins)
