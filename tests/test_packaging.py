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
from tools.update_constraints import extras_without, uv_command

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
USER_EXTRAS = ("plot", "pandas", "dask", "opencv", "translation", "int4", "onnx", "quality", "ray")
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
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (\S+)$", citation, re.M) == [version]


def changelog_problems(text):
    """Return what is against the form of Keep a Changelog, as sentences."""
    kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
    head, *releases = re.split(r"^## ", text, flags=re.M)
    if not head.startswith("# Changelog\n"):
        yield "the first line is not '# Changelog'"
    if not releases or not releases[0].startswith("[Unreleased]\n"):
        yield "the first section is not [Unreleased]"
    dates = []
    for release in releases[1:]:
        title = release.partition("\n")[0]
        found = re.fullmatch(r"\[(\d+\.\d+\.\d+\S*)\] - (\d{4}-\d\d-\d\d)", title)
        if found is None:
            yield f"no number and date: {title}"
        else:
            dates.append(found[2])
    if dates != sorted(dates, reverse=True):
        yield "the newest release does not come first"
    for release in releases:
        title, _, body = release.partition("\n")
        intro, *sections = re.split(r"^### ", body, flags=re.M)
        if re.search(r"^- ", intro, re.M):
            yield f"{title}: a line before the first section"
        names = [section.partition("\n")[0] for section in sections]
        if names != [kind for kind in kinds if kind in names]:
            yield f"{title}: the sections are {names}"
        for name, section in zip(names, sections, strict=True):
            lines = section.partition("\n")[2].splitlines()
            if not any(line.startswith("- ") for line in lines):
                yield f"{title}: {name} is empty"
            if strange := [line for line in lines if line and not line.startswith(("- ", "  "))]:
                yield f"{title}: {name} holds {strange[0]!r}"


def test_changelog_has_the_form_of_keep_a_changelog():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert list(changelog_problems(text)) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("### Added", "### New"), "sections are"),
        (("- one", "one"), "Added is empty"),
        (("- two\n", "- two\n### Added\n- three\n"), "sections are"),
        (("- two\n", "- two\nthree\n"), "holds 'three'"),
        ((" - 2027-01-31", ""), "no number and date"),
        (("2026-12-01", "2027-12-01"), "newest"),
        (("[Unreleased]", "[0.3.0] - 2027-02-01"), "not [Unreleased]"),
    ],
)
def test_changelog_problems_are_found(change, problem):
    text = (
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- one\n\n### Fixed\n\n- two\n"
        "\n## [0.2.0] - 2027-01-31\n\n### Fixed\n\n- four\n\n## [0.1.0] - 2026-12-01\n"
    )
    assert list(changelog_problems(text)) == []
    assert any(problem in found for found in changelog_problems(text.replace(*change, 1)))


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


def pinned():
    """Return the requirements in constraints.txt, by name; a name may have one for each Python."""
    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            requirement = Requirement(line)
            pins.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return pins


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_constraints_pin_every_requirement(python):
    environment = {"python_version": python, "python_full_version": f"{python}.9", "extra": ""}
    pins = pinned()
    extras = extras_without(PROJECT, "torch")
    assert {"test", "dev", "docs", "bench", "plot"} <= set(extras)
    texts = [*PROJECT["dependencies"]]
    texts += [text for extra in extras for text in PROJECT["optional-dependencies"][extra]]
    for requirement in map(Requirement, texts):
        if canonicalize_name(requirement.name) == "skopt-wrap":
            continue
        found = [
            pin
            for pin in pins.get(canonicalize_name(requirement.name), [])
            if pin.marker is None or pin.marker.evaluate(environment)
        ]
        assert len(found) == 1, f"{requirement}: run `make update UPGRADE=`"
        (exact,) = found[0].specifier
        assert exact.operator == "=="
        assert requirement.specifier.contains(exact.version, prereleases=True), f"{requirement}"


def test_constraints_hold_exact_versions_and_nothing_of_a_machine():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "make update" in text.partition("==")[0]
    pins = pinned()
    assert len(pins) > 100
    assert "torch" not in pins
    assert all(
        pin.url is None and not pin.extras and [s.operator for s in pin.specifier] == ["=="]
        for found in pins.values()
        for pin in found
    )


def test_extras_that_need_a_distribution_by_way_of_others_are_left_out():
    project = {
        "name": "toy",
        "requires-python": ">=3.11",
        "optional-dependencies": {
            "gp": ["Torch>=2"],
            "far": ["toy[near]"],
            "near": ["toy[gp,plot]"],
            "plot": ["matplotlib"],
        },
    }
    assert extras_without(project, "torch") == ["plot"]
    command = " ".join(uv_command(project, upgrade=False))
    assert "--extra plot" in command and "gp" not in command and "--upgrade" not in command
    assert "--upgrade" in uv_command(project, upgrade=True)


def make_plan(*targets, **variables):
    """Return the commands that make would run, or skip."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    settings = [f"{name}={value}" for name, value in variables.items()]
    # Settings of the make that runs this test are none of this one's.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    run = subprocess.run(
        [make, "-n", "-B", *targets, *settings],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


TARGETS = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[0]


@pytest.mark.parametrize("target", TARGETS.split())
def test_make_targets_expand_and_are_explained(target):
    assert make_plan(target)
    if target != "help":
        help_text = make_plan("help")
        assert re.search(rf'^echo "{target} +\w', help_text, re.M)


@pytest.mark.parametrize("target", ["demo", "test", "coverage", "docs", "lint", "bench"])
def test_make_installs_what_is_pinned(target):
    plan = make_plan(target, VENV="venv-that-is-not-there")
    installs = [line for line in plan.splitlines() if "pip" in line and " install " in line]
    assert installs
    assert all("--constraint constraints.txt" in line for line in installs)


@pytest.mark.parametrize("target", ["minimum", "latest", "prerelease"])
def test_make_leaves_the_pins_out_where_other_versions_are_tried(target):
    plan = make_plan(target)
    assert "constraints.txt" not in plan
    assert f".venv-{target}/bin/python -m pytest" in plan


def test_demo_runs_the_example():
    assert "examples/plot_00_whole_flow.py" in make_plan("demo")


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.skipif(not WORKFLOWS, reason="the workflows are not in an sdist")
def test_each_job_is_one_target_of_make():
    yaml = pytest.importorskip("yaml")
    seen = set()
    for path in WORKFLOWS:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert content["permissions"] == {"contents": "read"}
        for name, job in content["jobs"].items():
            (command,) = (step["run"] for step in job["steps"] if "run" in step)
            assert re.fullmatch(r"make [a-z]+", command), f"{path.name}, {name}: {command}"
            target = command.split()[1]
            assert target in TARGETS.split()
            seen.add(target)
            if target == "test":
                supported = [
                    line.rpartition(" ")[2]
                    for line in PROJECT["classifiers"]
                    if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", line)
                ]
                assert job["strategy"]["matrix"]["python"] == supported
    assert seen == {"test", "lint", "docs", "dist", "minimum", "latest", "prerelease"}


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
    wanted = "LICENSE README.md CHANGELOG.md CITATION.cff SECURITY.md constraints.txt Makefile"
    for name in (*wanted.split(), "setup.cfg", "docs/conf.py"):
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
