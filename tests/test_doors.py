"""Private names of other libraries are used behind one door for each library, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import skopt_wrap

PACKAGE = Path(skopt_wrap.__file__).parent

# Library -> the files or folders, relative to the package, that may import its private names.
DOORS = {
    "ai_edge_litert": ("compression/_litert/_runtime.py",),
    "imblearn": (),
    "joblib": ("tuning/_execution/_make_workers.py",),
    "keras": ("_keras/",),
    "keras_tuner": ("tuning/_keras_tuner.py",),
    "optuna": ("tuning/_optuna.py",),
    "sklearn": ("_sklearn.py",),
    "tensorflow": ("_keras/",),
    "tensorflow_model_optimization": ("compression/_conversion/_tfmot.py",),
    "tf_keras": ("compression/_conversion/_tf_keras.py", "compression/_conversion/_tfmot.py"),
}
ANY_DOOR = {door for doors in DOORS.values() for door in doors}

# (file, private attribute) -> why it is used outside a door.
ALLOWED = {
    ("compression/_conversion/_worker.py", "_exit"): "os._exit is documented by Python",
    ("tuning/_execution/_worker_process.py", "_exit"): "os._exit is documented by Python",
}


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def is_private_module(module: str) -> bool:
    parts = module.split(".")
    generated = ("tensorflow.python", "tensorflow_model_optimization.python")
    return "src" in parts or module.startswith(generated) or any(map(is_private, parts))


def trees() -> dict[str, ast.Module]:
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def names_of_our_own(modules: dict[str, ast.Module]) -> set[str]:
    """Return every private name that this package defines itself."""
    own = set()
    for tree in modules.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                own.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
                    own.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                own.add(node.id)
            elif isinstance(node, ast.ImportFrom) and node.level:
                own |= {alias.name for alias in node.names}
    return own


def private_imports(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """Yield (library, line, name) of each import of a private name of another library."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            library = node.module.partition(".")[0]
            for alias in node.names:
                if is_private(alias.name) or is_private_module(node.module):
                    yield library, node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if is_private_module(alias.name):
                    yield alias.name.partition(".")[0], node.lineno, alias.name


def private_attributes(tree: ast.Module, own: set[str]) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of each private attribute that is not defined in this package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            yield node.lineno, node.attr
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("getattr", "hasattr", "setattr", "delattr")
            and len(node.args) > 1
            and isinstance(node.args[1], ast.Constant)
            and is_private(str(node.args[1].value))
            and node.args[1].value not in own
        ):
            yield node.lineno, str(node.args[1].value)


def behind(file: str, doors: tuple[str, ...] | set[str]) -> bool:
    return any(file == door or (door.endswith("/") and file.startswith(door)) for door in doors)


def test_private_names_are_imported_by_doors_only():
    wrong = [
        f"{file}:{line} imports {name}"
        for file, tree in trees().items()
        for library, line, name in private_imports(tree)
        if library != "skopt_wrap" and not behind(file, DOORS.get(library, ()))
    ]
    assert wrong == []


def test_private_attributes_are_read_by_doors_only():
    modules = trees()
    own = names_of_our_own(modules)
    wrong = [
        f"{file}:{line} uses {name}"
        for file, tree in modules.items()
        if not behind(file, ANY_DOOR)
        for line, name in private_attributes(tree, own)
        if (file, name) not in ALLOWED
    ]
    assert wrong == []


def test_table_of_exceptions_names_only_what_is_used():
    modules = trees()
    own = names_of_our_own(modules)
    used = {
        (file, name) for file, tree in modules.items() for _, name in private_attributes(tree, own)
    }
    assert set(ALLOWED) - used == set()
    assert all(ALLOWED.values()), "each exception needs its reason"


@pytest.mark.parametrize(
    "code",
    [
        "model._flatten_layers()",
        "optimizer._iterations.assign(0)",
        "study._storage",
        "getattr(layer, '_inbound_nodes', ())",
        "hasattr(model, '_functional')",
    ],
)
def test_attributes_of_other_libraries_are_found(code):
    assert list(private_attributes(ast.parse(code), {"_own"}))
    assert not list(private_attributes(ast.parse("self._own; getattr(x, '_own')"), {"_own"}))


@pytest.mark.parametrize(
    "code",
    [
        "from sklearn.base import _fit_context",
        "from sklearn.utils._param_validation import Interval",
        "import keras.src.models",
        "from tensorflow.python.eager import context",
    ],
)
def test_imports_of_private_names_are_found(code):
    assert list(private_imports(ast.parse(code)))
    assert not list(private_imports(ast.parse("from sklearn.base import clone\nimport keras")))
