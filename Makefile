# Every target makes the environment it needs: `make demo` and `make test` work in a fresh clone.
# POSIX make. Use another interpreter or folder with `make test PYTHON=python3.12 VENV=.venv-312`.

PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check
# Exact versions, those that the suite passed with. `make update` renews the file.
INSTALL = $(PIP) install --quiet --constraint constraints.txt
WORKERS = 2
PYTESTFLAGS =
SPHINXOPTS =
# `make update UPGRADE=` keeps the versions that are pinned, and adds what is missing.
UPGRADE = --upgrade
PRERELEASES = keras optuna scikit-learn

.PHONY: help demo test lint docs bench minimum latest prerelease update dist coverage clean

help:
	@echo "demo        run the whole flow on real data (examples/plot_00_whole_flow.py)"
	@echo "test        run the whole test suite"
	@echo "lint        ruff, mypy, codespell"
	@echo "docs        build the documentation in docs/_build/html"
	@echo "bench       run every benchmark"
	@echo "coverage    run the suite and print which lines it missed"
	@echo "minimum     run the suite with the lowest declared versions, in .venv-minimum"
	@echo "latest      run the suite with the newest versions, in .venv-latest"
	@echo "prerelease  the same with pre-releases of Keras, Optuna and scikit-learn"
	@echo "update      renew the exact versions in constraints.txt"
	@echo "dist        build wheel and sdist in dist, and use both in empty environments"
	@echo "clean       remove what builds and tests made; the environments (.venv*) stay"

# The stamps keep a second run from installing again; a changed list of versions does.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing skopt_wrap and TensorFlow into $(VENV); the first time takes minutes."
	$(INSTALL) --editable ".[plot,pandas]"
	@touch $@

$(VENV)/.test: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable ".[test]"
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable ".[dev]"
	@touch $@

$(VENV)/.docs: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable ".[docs]"
	@touch $@

$(VENV)/.bench: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable ".[bench]"
	@touch $@

demo: $(VENV)/.demo
	TF_CPP_MIN_LOG_LEVEL=2 $(BIN)/python examples/plot_00_whole_flow.py

test: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS) $(PYTESTFLAGS)

coverage: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term $(PYTESTFLAGS)

lint: $(VENV)/.dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m codespell_lib

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -b html $(SPHINXOPTS) docs docs/_build/html

bench: $(VENV)/.bench
	for script in benchmarks/*.py; do $(BIN)/python "$$script" || exit 1; done

minimum:
	test -x .venv-minimum/bin/python || $(PYTHON) -m venv .venv-minimum
	.venv-minimum/bin/python -m pip install --quiet "packaging>=25"
	.venv-minimum/bin/python tools/minimum_versions.py test > .venv-minimum/pins.txt
	.venv-minimum/bin/python -m pip install --quiet --requirement .venv-minimum/pins.txt
	.venv-minimum/bin/python -m pip install --quiet --no-deps --editable .
	.venv-minimum/bin/python -m pytest -n $(WORKERS) $(PYTESTFLAGS)

latest:
	test -x .venv-latest/bin/python || $(PYTHON) -m venv .venv-latest
	.venv-latest/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager \
		--editable ".[test]"
	.venv-latest/bin/python -m pytest -n $(WORKERS) $(PYTESTFLAGS)

# Only the named libraries are taken as pre-releases, and what they themselves need of others.
prerelease:
	test -x .venv-prerelease/bin/python || $(PYTHON) -m venv .venv-prerelease
	.venv-prerelease/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager \
		--editable ".[test]"
	.venv-prerelease/bin/python -m pip install --quiet --upgrade --pre $(PRERELEASES)
	.venv-prerelease/bin/python -m pip list | grep -i -E "^($$(echo $(PRERELEASES) | tr ' ' '|')) "
	.venv-prerelease/bin/python -m pytest -n $(WORKERS) $(PYTESTFLAGS)

update:
	test -x .venv-update/bin/python || $(PYTHON) -m venv .venv-update
	.venv-update/bin/python -m pip install --quiet --upgrade uv "packaging>=25"
	.venv-update/bin/python tools/update_constraints.py $(UPGRADE)

dist:
	test -x .venv-dist/bin/python || $(PYTHON) -m venv .venv-dist
	.venv-dist/bin/python -m pip install --quiet --upgrade "build>=1.2.2"
	rm -rf dist
	.venv-dist/bin/python -m build --outdir dist
	.venv-dist/bin/python tools/check_dist.py dist

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.coverage .coverage.* htmlcov demo_output docs/_build docs/auto_examples \
		docs/api/generated docs/sg_execution_times.rst
	find skopt_wrap tests examples benchmarks docs tools -name __pycache__ -type d -prune \
		-exec rm -rf {} +
