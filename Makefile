# Everything a fresh machine needs is installed by `install`; every other target calls it.
.PHONY: help install demo demo-reset test test-slow style types imports tests bench schemas
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Workers of the test run; 2 cores are what CI has. BENCH are options of the bench: `make bench BENCH=--quick`.
TEST_WORKERS ?= 2
BENCH ?=

help:
	@echo "make demo        set up and serve the demo landlord (Ctrl-C stops it, the data stays)"
	@echo "make demo-reset  the same, from the beginning"
	@echo "make test        set up, then style, types, imports and tests"
	@echo "make test-slow   the longer hunts"
	@echo "make bench       measure the solver in half an hour (BENCH=--quick: two minutes); see bench/results/"

$(VENV)/.installed: constraints.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check --disable-pip-version-check
	$(BIN)/python -m solver.engine.annealing.compiled
	touch $@

install: $(VENV)/.installed

demo: install
	@$(BIN)/berth demo

demo-reset: install
	@$(BIN)/berth demo --reset

test: style types imports tests

style: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

tests: install
	$(BIN)/python -m pytest -q -n $(TEST_WORKERS) --dist worksteal -m "not slow"

test-slow: install
	$(BIN)/python -m pytest -q -n $(TEST_WORKERS) -m slow

bench: install
	$(BIN)/python -m bench $(BENCH)

schemas: install
	$(BIN)/python -m solver.schema
