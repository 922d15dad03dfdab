# LesionBridge. A fresh machine needs Python 3.11 or later with its venv module, and make; all else comes from the lock files.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
UV_COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --fork-strategy fewest
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Editable, so that what runs is what is in the folder: a change needs no new set-up, and nothing runs stale.
INSTALL_SELF := PYTHONWARNINGS=ignore $(PIP) install --no-deps --no-build-isolation --editable .

.PHONY: help setup demo run test lint bench compiled matrix oracles lock clean
.DELETE_ON_ERROR:

help:  ## say what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements.lock
	$(INSTALL_SELF)
	@touch $@

# Holds the run time in the same versions, so it may stand on it or come first.
$(DEV): requirements-dev.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(INSTALL_SELF)
	@touch $@

setup: $(DEV)  ## .venv with all that development needs

demo: $(RUNTIME)  ## send every report of examples/ through the service, write out/
	$(BIN)/python examples/run_demo.py

run: $(RUNTIME)  ## the service on 127.0.0.1:8080 until stopped
	$(BIN)/lesionbridge serve --host 127.0.0.1 --port 8080

test: $(DEV)  ## run the tests; oracles that are not installed are skipped by name
	$(BIN)/python -m pytest $(ARGS)

lint: $(DEV)  ## style, types and the arrows between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(DEV)  ## the benchmarks, one JSON object a line
	$(BIN)/python -m benchmarks

# A wheel, never a build in place: what is compiled must not hide the sources that are worked on.
compiled: $(DEV)  ## the hot modules as native code, in build/compiled; needs a C compiler and Python's headers
	rm -rf build/lib* build/bdist* build/temp* build/service build/wheel build/compiled
	LESIONBRIDGE_COMPILE=1 $(PIP) wheel --no-deps --no-build-isolation --wheel-dir build/wheel .
	$(PIP) install --no-deps --no-index --target build/compiled build/wheel/lesionbridge-*.whl
	PYTHONSAFEPATH=1 PYTHONPATH=build/compiled $(BIN)/python -m service.cli --version

matrix: $(DEV)  ## what each pair of formats carries: into README.md and docs/matrix.md
	$(BIN)/python -m tests.matrix

oracles:  ## install the third-party judges (Debian, PyPI, npm and Maven packages)
	bash tests/oracles/install

lock: $(DEV)  ## write both lock files anew from pyproject.toml
	$(UV_COMPILE) --upgrade --group build --output-file requirements.lock
	$(UV_COMPILE) --upgrade --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean:  ## remove what the other targets made
	rm -rf $(VENV) out build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
