"""What a stranger installs: declared dependencies, one version, complete wheel and sdist."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import version as installed_version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import skopt_wrap
from tools.minimum_versions import minimum_pins

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "skopt_wrap"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Import name -> distribution, where they differ by more than "-" against "_".
DISTRIBUTIONS = {
    "cv2": "opencv-python-headless",
    "imblearn": "imbalanced-learn",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
USER_EXTRAS = ("plot", "pandas", "dask", "opencv", "translation", "int4", "quality")
# Imported only to answer a caller who passed a frame of that library.
CALLERS_OWN = {"polars"}


def declared(*extras):
    requirements = [*PROJECT["dependencies"]]
    for extra in extras:
        requirements += PROJECT["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(r).name) for r in requirements}


def third_party_imports(path):
    """Yield (distribution, line) of every absolute import of a foreign package."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        for name in names:
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names and top != "skopt_wrap":
                yield canonicalize_name(DISTRIBUTIONS.get(top, top)), node.lineno


def test_version_is_that_of_changelog_readme_and_installation():
    version = PROJECT["version"]
    assert skopt_wrap.__version__ == installed_version("skopt_wrap") == version
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if Version(version).is_devrelease:
        unreleased = changelog.partition("## [Unreleased]")[2].partition("\n## [")[0]
        assert f"Version {version}." in unreleased
    else:
        assert re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.M)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"this is version (\S+?)\. ", readme.replace("\n", " ")) == [version]


def test_setup_cfg_holds_no_metadata():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    assert config.sections(), "setup.cfg was not read"
    assert not {"metadata", "options"}.intersection(config.sections())
    assert not any(name.startswith(("options.", "tool:pytest")) for name in config.sections())


def test_every_import_is_a_declared_dependency():
    found = [
        (name, f"{path.relative_to(ROOT)}:{line}")
        for path in sorted(PACKAGE.rglob("*.py"))
        for name, line in third_party_imports(path)
    ]
    assert found, "no import was found"
    known = declared(*USER_EXTRAS) | CALLERS_OWN
    assert [item for item in found if item[0] not in known] == []


def test_keras_tuner_undeclared_imports_are_declared_here():
    assert {"keras-tuner", "tensorboard", "six"} <= declared()


@pytest.mark.parametrize("extra", sorted(PROJECT["optional-dependencies"]))
def test_minimum_pins_cover_every_requirement_of(extra):
    pins = minimum_pins(PROJECT, (extra,))
    assert declared() <= {canonicalize_name(name) for name in pins}
    own = {
        canonicalize_name(Requirement(r).name) for r in PROJECT["optional-dependencies"][extra]
    } - {"skopt-wrap"}
    assert own <= {canonicalize_name(name) for name in pins}
    assert all(Version(pin) for pin in pins.values())


def test_make_targets_expand():
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    targets = ["demo", "test", "lint", "docs", "bench", "minimum", "clean"]
    run = subprocess.run([make, "-n", *targets], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "examples/plot_00_whole_flow.py" in run.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build sdist and, from it, wheel, out of a copy of the tree; return both paths."""
    pytest.importorskip("build", reason="the distribution `build` is not installed")
    if Version(installed_version("setuptools")) < Version("77.0.3"):
        pytest.skip("setuptools is older than [build-system] asks for")
    folder = tmp_path_factory.mktemp("packaging")
    ignore = shutil.ignore_patterns(
        ".*", "*.egg-info", "build", "dist", "_build", "auto_examples", "generated", "__pycache__",
        "demo_output",
    )  # fmt: skip
    shutil.copytree(ROOT, folder / "source", ignore=ignore)
    run = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist"],
        cwd=folder / "source",
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    return wheel, sdist


@pytest.mark.slow
def test_wheel_holds_the_package_its_data_and_nothing_else(built):
    with zipfile.ZipFile(built[0]) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "skopt_wrap/py.typed" in expected
    information = f"skopt_wrap-{PROJECT['version']}.dist-info"
    assert {name for name in names if not name.startswith(information)} == expected
    assert f"{information}/licenses/LICENSE" in names
    assert f"Version: {PROJECT['version']}\n" in text
    assert "License-Expression: BSD-3-Clause AND LicenseRef-WordNet-3.0\n" in text
    assert any(name.endswith("WORDNET_LICENSE.txt") and "licenses/" in name for name in names)
    extras = set(re.findall(r"^Provides-Extra: (\S+)$", text, re.M))
    assert {"plot", "pandas", "dask", "docs", "test", "dev", "all"} <= extras


@pytest.mark.slow
def test_sdist_holds_what_is_needed_to_test_and_document(built):
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("LICENSE", "README.md", "CHANGELOG.md", "Makefile", "setup.cfg", "docs/conf.py"):
        assert name in names
    assert "tests/test_packaging.py" in names
    assert "skopt_wrap/py.typed" in names


@pytest.mark.slow
def test_wheel_imports_away_from_the_source_tree(built, tmp_path):
    with zipfile.ZipFile(built[0]) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        "import importlib, skopt_wrap\n"
        "for name in sorted(set(skopt_wrap._EXPORTS.values())):\n"
        "    importlib.import_module(f'skopt_wrap.{name}')\n"
        "print(skopt_wrap.__file__, skopt_wrap.__version__)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    where, version = run.stdout.split()
    assert Path(where).is_relative_to(tmp_path / "site")
    assert version == PROJECT["version"]
