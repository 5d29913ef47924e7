"""Sphinx configuration: everything is built from the source tree, offline."""

from __future__ import annotations

import configparser
import dataclasses
import importlib
import inspect
import os
import re
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

# TensorFlow's start-up messages would end up in the log of every build.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import skopt_wrap  # noqa: E402

project = "skopt_wrap"
author = "The skopt_wrap developers"
copyright = author
release = skopt_wrap.__version__
version = release

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "sphinx_design",
    "myst_parser",  # CHANGELOG.md and CONTRIBUTING.md are included as they are
]
exclude_patterns = ["_build", "auto_examples/**.ipynb", "auto_examples/**.py"]
templates_path = ["_templates"]
default_role = "literal"
# A reference to a name of ours that does not exist is an error; other projects' names stay plain.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!skopt_wrap\.).*")]
suppress_warnings = ["config.cache"]

# -- API reference: one page for each subpackage, written from the table of public names --------

autosummary_generate = True
autodoc_typehints = "none"  # types are in the docstrings, with shapes
numpydoc_show_class_members = False  # the class template lists them
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False

_setup = configparser.ConfigParser()
_setup.read(ROOT / "setup.cfg", encoding="utf-8")


def _listed(option: str) -> set[str]:
    """Return the comma-separated values that setup.cfg gives for numpydoc validation."""
    raw = _setup["tool:numpydoc_validation"][option]
    return {value.strip() for value in raw.split(",") if value.strip()}


numpydoc_validation_checks = _listed("checks")
# Complete sections are asked of every public class and function, and of the methods of the classes
# that skopt_wrap itself exports; other methods need a docstring, in the form that suits them.
_exported = "|".join(skopt_wrap._EXPORTS)
numpydoc_validation_exclude = {
    *_listed("exclude"),
    rf"^skopt_wrap\.\w+\.(?!(?:{_exported})\.)\w+\.\w+$",
}


def _write_api_pages() -> None:
    """Write ``api/generated/skopt_wrap.<subpackage>.rst`` for every public subpackage.

    Dataclasses are left out of the validation: their fields are documented as attributes.
    """
    folder = HERE / "api" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = set()
    for package in skopt_wrap._SUBPACKAGES:
        name = f"skopt_wrap.{package}"
        module = importlib.import_module(name)
        lines = [name, "=" * len(name), "", f".. automodule:: {name}", "   :no-members:", ""]
        lines += [f".. currentmodule:: {name}", ""]
        public = sorted(module.__all__)
        records = [n for n in public if dataclasses.is_dataclass(getattr(module, n))]
        numpydoc_validation_exclude.update(rf"^{re.escape(f'{name}.{n}')}$" for n in records)
        for title, wants_class in (("Classes", True), ("Functions and data", False)):
            names = [n for n in public if inspect.isclass(getattr(module, n)) is wants_class]
            if names:
                lines += [f".. rubric:: {title}", ""]
                lines += [".. autosummary::", "   :toctree: objects", ""]
                lines += [*(f"   {n}" for n in names), ""]
        page = folder / f"{name}.rst"
        wanted.add(page)
        text = "\n".join(lines)
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
    for stale in set(folder.glob("skopt_wrap.*.rst")) - wanted:
        stale.unlink()


_write_api_pages()

# What scikit-learn gives to every estimator is documented there.
_COMMON_MEMBER = re.compile(r"set_\w+_request|get_metadata_routing|set_output")
_FOREIGN_ROLE = re.compile(r":(?:ref|term):`([^`<]+?)(?:\s*<[^`]*>)?`")


def _skip_common_members(app, what, name, obj, skip, options):
    """Leave the members out that scikit-learn generates for every class."""
    return True if _COMMON_MEMBER.fullmatch(name) else None


def _skip_members_of_keras(app, what, name, obj, skip, options):
    """Leave out what classes inherit from Keras, whose docstrings are written in Markdown."""
    module = getattr(obj, "__module__", None) or ""
    return True if module.startswith("keras.") else None


def _unlink_inherited_docstrings(app, what, name, obj, options, lines):
    """Turn links into the pages of other projects to plain text: the build is offline."""
    if getattr(obj, "__module__", None) and not obj.__module__.startswith("skopt_wrap"):
        lines[:] = [_FOREIGN_ROLE.sub(r"\1", line) for line in lines]


def _quote_attribute_names(app, what, name, obj, options, lines):
    """Quote ``n_features_in_`` in the type of a parameter: reST takes a bare one for a link."""
    for i, line in enumerate(lines):
        head, colon, kind = line.partition(" : ")
        if colon and re.fullmatch(r"\s*[\w*, ]+", head):
            lines[i] = head + colon + re.sub(r"(?<![`\w])(\w+_)(?![`\w])", r"`\1`", kind)


def _resolve_top_level_name(app, env, node, contnode):
    """Let ``skopt_wrap.KerasClassifier`` mean the page of the subpackage that defines it."""
    parts = node.get("reftarget", "").split(".")
    if node.get("refdomain") != "py" or parts[0] != "skopt_wrap" or len(parts) < 2:
        return None
    if parts[1] not in skopt_wrap._EXPORTS:
        return None
    target = ".".join([parts[0], skopt_wrap._EXPORTS[parts[1]], *parts[1:]])
    domain = env.get_domain("py")
    return domain.resolve_xref(
        env, node["refdoc"], app.builder, node["reftype"], target, node, contnode
    )


def setup(app):
    """Connect the handlers above, before numpydoc's own."""
    app.connect("autodoc-skip-member", _skip_common_members)
    app.connect("autodoc-skip-member", _skip_members_of_keras)
    app.connect("autodoc-process-docstring", _unlink_inherited_docstrings, priority=100)
    app.connect("autodoc-skip-member", _skip_members_of_keras)
    app.connect("autodoc-process-docstring", _quote_attribute_names, priority=110)
    app.connect("missing-reference", _resolve_top_level_name)


# -- Gallery ------------------------------------------------------------------------------------

sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"__init__\.py",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "backreferences_dir": None,
    "reset_modules": ("matplotlib",),
}
warnings.filterwarnings("ignore", message=".*non-interactive.*", category=UserWarning)

# -- HTML ---------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = f"skopt_wrap {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("index", "design", "contributing", "whats_new")}
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
