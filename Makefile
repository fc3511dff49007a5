# Everything a newcomer needs: make demo, make ui, make test, make docs. Nothing is installed twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NEWEST := .venv-newest
LOCK := .venv-lock
# Both distributions of this repository, from its folders, at the locked versions.
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable core --editable
DECLARED := pyproject.toml core/pyproject.toml xingu/version.py constraints.txt
STOCK_TESTS := tests/e2e/test_commands.py tests/graph/test_runs.py \
	--deselect tests/e2e/test_commands.py::test_phases_run_in_workers_and_not_in_the_process_of_the_run
# What is tested at the upper end of Dagster's range: commands, graph, probes and storage of the engine,
# and of its pool what depends most on Dagster; `make test` runs all of the engine at the lower end.
POOL_TESTS := $(addprefix tests/engine/test_pool.py::, \
	test_dynamic_steps_and_skipped_steps_are_those_of_dagster test_a_terminated_run_is_canceled \
	test_steps_are_retried_also_after_the_death_of_their_worker)
CORE_TESTS := tests/e2e/test_commands.py tests/graph/test_runs.py tests/engine/test_storage.py \
	tests/engine/test_compat.py $(POOL_TESTS) \
	-k 'not a_project_trains and not a_command_without_the_engine'
# Tests often wait for processes that they start, so there is one worker more than cores. Files are
# tested in their order: by default those with the most tests begin, and slow files of few tests end.
PYTEST := -m pytest -n $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )) --dist loadfile --no-loadscope-reorder
export DAGSTER_HOME := $(CURDIR)

.PHONY: demo ui test check lint docs test-stock newest test-newest lock clean

demo: $(VENV)/.demo .env
	$(BIN)/python -m demo.warehouse build
	$(BIN)/xingu train --dps departure_delay,arrival_late
	@echo "Open the Dagster UI with: make ui   (http://127.0.0.1:3000)"

ui: $(VENV)/.demo .env
	$(BIN)/dagster dev --host 127.0.0.1 --port 3000

test: $(VENV)/.dev
	$(BIN)/python $(PYTEST)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

check: lint test

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Runs and commands with every probe of xingu_dagster/engine failing: Dagster's own parts.
test-stock: $(VENV)/.dev
	XINGU_ENGINE=stock $(BIN)/python $(PYTEST) $(STOCK_TESTS)

# The newest releases that the declared ranges allow.
newest:
	$(PYTHON) -m venv --clear $(NEWEST)
	$(NEWEST)/bin/python -m pip install --quiet --upgrade pip
	$(NEWEST)/bin/python -m pip install --quiet --no-compile --editable core --editable '.[excel]' pytest pytest-xdist hypothesis psutil
	$(NEWEST)/bin/python -m pip check

# A core of the suite in the environment of `make newest`.
test-newest:
	$(NEWEST)/bin/python -m pip list | grep '^dagster'
	$(NEWEST)/bin/python $(PYTEST) $(CORE_TESTS)

# Write constraints.txt anew: everything as new as possible, Dagster as it is locked.
lock:
	$(PYTHON) -m venv --clear $(LOCK)
	grep '^dagster' constraints.txt > $(LOCK)/dagster.txt
	$(LOCK)/bin/python -m pip install --quiet --upgrade pip
	$(LOCK)/bin/python -m pip install --quiet --constraint $(LOCK)/dagster.txt --editable core --editable '.[dev]'
	$(LOCK)/bin/python -m pip check
	(grep '^#' constraints.txt; $(LOCK)/bin/python -m pip freeze --exclude-editable) > $(LOCK)/locked.txt
	mv $(LOCK)/locked.txt constraints.txt
	rm -rf $(LOCK)

clean:
	rm -rf .dagster .xingu data models plots site

.env:
	cp .env.example .env

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: $(DECLARED) | $(VENV)/bin/python
	$(INSTALL) '.[demo]'
	touch $@

$(VENV)/.dev: $(DECLARED) | $(VENV)/bin/python
	$(INSTALL) '.[dev]'
	touch $@ $(VENV)/.demo $(VENV)/.docs

$(VENV)/.docs: $(DECLARED) | $(VENV)/bin/python
	$(INSTALL) '.[docs]'
	touch $@
