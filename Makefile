# Works on a machine that has Python 3.11+, git and make. Everything lives in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# How many processes share the tests; 0 is this one alone, as for `--pdb`.
JOBS   ?= auto
# Each file stays with one process, which makes what its tests share only once.
SHARED := -n $(JOBS) --maxprocesses 8 --dist loadfile

PROMPT ?= How many Python files are in the folder actors?

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types imports bench wheel try-model clean

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(READY) ## Run a system of agents, offline
	$(BIN)/wasmind check example_configs/offline_assistant.toml
	$(BIN)/wasmind run example_configs/offline_assistant.toml --prompt "$(PROMPT)"

test: $(READY) ## Run all tests
	$(BIN)/python -m pytest $(SHARED)

check: lint types imports ## Lint, types, import contract, tests with coverage
	$(BIN)/python -m pytest $(SHARED) --cov --cov-report=term:skip-covered

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Every actor folder is an import root of its own, as it is in the guest.
types: $(READY)
	$(BIN)/mypy
	@for manifest in actors/*/Wasmind.toml; do \
	    ( cd $$(dirname $$manifest) && MYPYPATH=../sdk:. \
	      $(CURDIR)/$(BIN)/mypy --config-file ../../pyproject.toml --cache-dir ../../.mypy_cache/$$(basename $$PWD) *.py ) || exit 1; \
	done

imports: $(READY)
	$(BIN)/lint-imports

bench: $(READY) ## Measure speed and size, as ratios
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev,bench]"
	$(BIN)/python -m benchmarks

wheel: $(READY) ## Build a release into dist/, the Python interpreter included
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

try-model: $(READY) ## Talk to a real, small model on this machine (compiles for minutes first)
	$(BIN)/python -m tests.models.try_model

clean: ## Remove everything made here
	rm -rf $(VENV) .venv-* bundle build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed; set PYTHON=... to one" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=23.2"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@
