"""Where things lie: sizes of files and folders, circular imports, the picture, stray binaries."""

from __future__ import annotations

import ast
import graphlib
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import skopt_wrap

PACKAGE = Path(skopt_wrap.__file__).parent
ROOT = PACKAGE.parent
MOST_LINES = 400
MOST_FILES = 20


# -- Sizes ---------------------------------------------------------------------------------------


def too_long(package: Path) -> dict[str, int]:
    """Return the files of more than MOST_LINES lines, with their numbers of lines."""
    lines = {
        path.relative_to(package).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in sorted(package.rglob("*.py"))
    }
    return {name: count for name, count in lines.items() if count > MOST_LINES}


def too_full(package: Path) -> dict[str, int]:
    """Return the folders of more than MOST_FILES Python files, with their numbers of files."""
    folders = {path.parent for path in package.rglob("*.py")}
    counts = {
        folder.relative_to(package).as_posix(): len(list(folder.glob("*.py"))) for folder in folders
    }
    return {name: count for name, count in sorted(counts.items()) if count > MOST_FILES}


def test_no_file_grows_beyond_its_topic():
    assert too_long(PACKAGE) == {}


def test_no_folder_holds_too_many_files():
    assert too_full(PACKAGE) == {}


def test_sizes_are_counted(tmp_path):
    (tmp_path / "_long.py").write_text("\n" * (MOST_LINES + 1))
    (tmp_path / "_short.py").write_text("\n" * MOST_LINES)
    (tmp_path / "full").mkdir()
    for number in range(MOST_FILES + 1):
        (tmp_path / "full" / f"_{number}.py").touch()
    assert too_long(tmp_path) == {"_long.py": MOST_LINES + 1}
    assert too_full(tmp_path) == {"full": MOST_FILES + 1}


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/design.rst"])
def test_sizes_are_those_that_the_pages_name(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert set(re.findall(r"at most\s+(\d+)\s+lines", text)) == {str(MOST_LINES)}
    assert set(re.findall(r"at most\s+(\d+)\s+files", text)) == {str(MOST_FILES)}


def not_only_a_docstring(package: Path) -> list[str]:
    """Return each private folder below a package whose ``__init__.py`` is not one docstring."""
    wrong = []
    for path in sorted(package.glob("*/**/_*/__init__.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if len(tree.body) != 1 or not ast.get_docstring(tree):
            wrong.append(path.relative_to(package).as_posix())
    return wrong


def test_private_folders_have_a_docstring_and_import_nothing():
    """An import there would load every file of the folder, and TensorFlow with some of them."""
    assert not_only_a_docstring(PACKAGE) == []


@pytest.mark.parametrize(
    ("text", "fits"),
    [('"""What the files share."""', True), ("", False), ('"""Files."""\nfrom . import _a', False)],
)
def test_private_folders_are_read(tmp_path, text, fits):
    (tmp_path / "stage" / "_files").mkdir(parents=True)
    (tmp_path / "stage" / "_files" / "__init__.py").write_text(text)
    assert (not_only_a_docstring(tmp_path) == []) is fits


# -- Circular imports ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Import:
    """One imported name: the two files, and where the statement is."""

    source: str
    target: str
    line: int
    inside: bool  # in a function, so that it runs when the function is called

    def __str__(self) -> str:
        where = "in a function" if self.inside else "at module level"
        return f"{self.source}:{self.line} imports {self.target} {where}"


class ImportGraph:
    """The imports between the files of a package, read from their syntax trees.

    A name that comes from a package counts as an import of the file that defines it: the
    ``__init__.py`` files are looked through, whether they import or export lazily. Blocks under
    ``TYPE_CHECKING`` count like any other.
    """

    def __init__(self, package: Path) -> None:
        self.trees = {}
        self.packages = set()
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(package.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self.trees[name] = ast.parse(path.read_text(encoding="utf-8"))
            if parts[-1] == "__init__":
                self.packages.add(name)
        self.exports = {
            name: {
                alias.asname or alias.name: (self._module(name, node), alias.name)
                for node in ast.walk(self.trees[name])
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
            }
            for name in self.packages
        }
        self.imports = [
            found
            for name, tree in self.trees.items()
            if name not in self.packages
            for found in self._imports(name, tree, inside=False)
        ]

    def _module(self, name: str, node: ast.ImportFrom) -> str:
        """Return the dotted name of the module that a statement `node` of file `name` names."""
        if not node.level:
            return node.module or ""
        parts = name.split(".") if name in self.packages else name.split(".")[:-1]
        parts = parts[: len(parts) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def _defining_file(self, module: str, name: str) -> str:
        """Return the file that defines `name` of `module`, looking through ``__init__.py``."""
        if f"{module}.{name}" in self.trees:
            return f"{module}.{name}"
        if name in self.exports.get(module, {}):
            return self._defining_file(*self.exports[module][name])
        return module

    def _imports(self, name: str, tree: ast.AST, *, inside: bool) -> Iterator[Import]:
        for node in ast.iter_child_nodes(tree):
            targets = []
            if isinstance(node, ast.ImportFrom):
                module = self._module(name, node)
                targets = [self._defining_file(module, alias.name) for alias in node.names]
            elif isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            for target in targets:
                if target in self.trees:
                    yield Import(name, target, node.lineno, inside)
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from self._imports(name, node, inside=inside or function)

    def circular(self, *, functions: bool) -> list[str]:
        """Return the imports that are part of a circle, with or without those in functions."""
        counted = [found for found in self.imports if functions or not found.inside]
        index = {name: number for number, name in enumerate(self.trees)}
        pairs = np.array([(index[i.source], index[i.target]) for i in counted]).reshape(-1, 2)
        shape = (len(index), len(index))
        graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=shape)
        _, group = connected_components(graph, directed=True, connection="strong")
        circles = (i for i in counted if group[index[i.source]] == group[index[i.target]])
        return list(dict.fromkeys(map(str, circles)))


@pytest.mark.parametrize("functions", [False, True], ids=["module level", "with functions"])
def test_no_import_is_circular(functions):
    graph = ImportGraph(PACKAGE)
    assert len(graph.imports) > 100, "no imports were found"
    assert graph.circular(functions=functions) == []


CIRCLES = {
    "none": ({"_a": "from ._b import f", "_b": "from ._c import f", "_c": ""}, False, False),
    "plain": ({"_a": "from ._b import f", "_b": "from ._a import g"}, True, True),
    "of three": (
        {"_a": "from ._b import f", "_b": "from . import _c", "_c": "import toy._a"}, True, True,
    ),
    "in a function": (
        {"_a": "from ._b import f", "_b": "def f():\n    from ._a import g"}, False, True,
    ),
    "in a method": (
        {"_a": "from ._b import f", "_b": "class B:\n  def f(self):\n    import toy._a"},
        False,
        True,
    ),
    "in a class": ({"_a": "from ._b import B", "_b": "class B:\n  from ._a import g"}, True, True),
    "type checking": (
        {"_a": "from ._b import f", "_b": "if TYPE_CHECKING:\n    from ._a import g"}, True, True,
    ),
    "through the package": (
        {"__init__": "from ._a import g", "_a": "from ._b import f", "_b": "from . import g"},
        True,
        True,
    ),
    "through a lazy table": (
        {
            "__init__": "if TYPE_CHECKING:\n    from ._a import g as g",
            "_a": "from ._b import f",
            "_b": "def f():\n    from toy import g",
        },
        False,
        True,
    ),
    "package and file": (
        {"__init__": "from ._a import f", "_a": "from ._b import f"}, False, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CIRCLES)
def test_circles_are_found(name, tmp_path):
    files, at_module_level, with_functions = CIRCLES[name]
    (tmp_path / "toy").mkdir()
    for file, text in {"__init__": "", "_b": "", **files}.items():
        (tmp_path / "toy" / f"{file}.py").write_text(text)
    graph = ImportGraph(tmp_path / "toy")
    assert bool(graph.circular(functions=False)) is at_module_level
    assert bool(graph.circular(functions=True)) is with_functions


# -- The design page -----------------------------------------------------------------------------


def drawn(picture: Path) -> tuple[set[str], set[tuple[str, str]]]:
    """Return the packages in a picture and its arrows between them, without planned ones.

    A box or an arrow says what it is about in ``data-package``, or ``data-from`` and ``data-to``.
    """
    boxes, planned, arrows = set(), set(), set()
    for element in ElementTree.parse(picture).iter():
        if name := element.get("data-package"):
            (planned if "plan" in element.get("class", "").split() else boxes).add(name)
        if start := element.get("data-from"):
            arrows |= {(start, end) for end in element.get("data-to", "").split()}
    return boxes, {arrow for arrow in arrows if not planned.intersection(arrow)}


def reachable(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return every pair that a path along `arrows` joins."""
    pairs = set(arrows)
    while more := {(a, d) for a, b in pairs for c, d in pairs if b == c} - pairs:
        pairs |= more
    return pairs


def test_picture_and_table_show_the_same_packages_and_arrows():
    from tests.test_public_api import ARROWS, FOUNDATIONS

    boxes, arrows = drawn(ROOT / "docs" / "images" / "packages.svg")
    allowed = {
        (package, target)
        for package, targets in ARROWS.items()
        for target in targets - FOUNDATIONS
        if package not in FOUNDATIONS
    }
    assert boxes == set(ARROWS)
    assert arrows - allowed == set(), "an arrow is drawn that the table does not allow"
    assert allowed - reachable(arrows) == set(), "an arrow of the table is not drawn"


def test_table_of_arrows_runs_one_way_and_names_only_what_is_used():
    from tests.test_public_api import ARROWS, FOUNDATIONS, imports_of

    tuple(graphlib.TopologicalSorter(ARROWS).static_order())  # raises CycleError on a circle
    used = {
        (path.relative_to(PACKAGE).with_suffix("").parts[0], target.partition(".")[0])
        for path in PACKAGE.rglob("*.py")
        for target in imports_of(path)
    }
    table = {(name, end) for name, ends in ARROWS.items() for end in ends - FOUNDATIONS}
    assert table - used == set()


def test_reachable_follows_paths():
    assert reachable({("a", "b"), ("b", "c")}) == {("a", "b"), ("b", "c"), ("a", "c")}


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/design.rst"])
def test_pages_name_only_files_that_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    names = set(re.findall(r"`((?:[\w.]+/)*[\w.]+(?:\.(?:py|rst|md|txt|toml|cfg)|/))`", text))
    assert len(names) > 10, "no names of files were found"
    missing = {n for n in names if not (ROOT / n).exists() and not (PACKAGE / n).exists()}
    assert sorted(missing) == []


# -- Binaries ------------------------------------------------------------------------------------


def stray_binaries(root: Path, patterns: list[str]) -> list[str]:
    """Return the binary files that git tracks in `root` and that are not data of the package.

    A binary holds a zero byte, or bytes that are not UTF-8. `patterns` are those of package data.
    """
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    stray = []
    for name in sorted(filter(None, listed.stdout.decode().split("\0"))):
        path = root / name
        if not path.is_file() or path.is_symlink():
            continue
        declared = name.startswith("skopt_wrap/") and any(fnmatch(path.name, p) for p in patterns)
        content = path.read_bytes()
        try:
            binary = "\0" in content.decode()
        except UnicodeDecodeError:
            binary = True
        if binary and not declared:
            stray.append(name)
    return stray


def git(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True)


@pytest.fixture
def _git() -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")


@pytest.mark.usefixtures("_git")
def test_only_declared_binaries_are_tracked():
    top = git("rev-parse", "--show-toplevel", cwd=ROOT)
    if top.returncode or Path(top.stdout.strip()).resolve() != ROOT.resolve():
        pytest.skip("this is not a checkout")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["*"]
    assert stray_binaries(ROOT, patterns) == []


@pytest.mark.usefixtures("_git")
def test_stray_binaries_are_found(tmp_path):
    assert git("init", "--quiet", cwd=tmp_path).returncode == 0
    (tmp_path / "skopt_wrap").mkdir()
    binary = b"PK\x03\x04\xff\x00"
    for name in ("nothing-0.0.3.whl", "skopt_wrap/data.xz", "skopt_wrap/model.tflite", "data.xz"):
        (tmp_path / name).write_bytes(binary)
    (tmp_path / "plain.txt").write_text("déjà vu", encoding="utf-8")
    (tmp_path / "untracked.bin").write_bytes(binary)
    tracked = ["nothing-0.0.3.whl", "skopt_wrap", "data.xz", "plain.txt"]
    assert git("add", *tracked, cwd=tmp_path).returncode == 0
    assert stray_binaries(tmp_path, ["*.xz"]) == [
        "data.xz",
        "nothing-0.0.3.whl",
        "skopt_wrap/model.tflite",
    ]
