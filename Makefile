# Everything a newcomer needs: make demo, make ui, make test. Nothing is installed twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_HOME := $(CURDIR)

.PHONY: demo ui test check lint clean

demo: $(VENV)/.demo .env
	$(BIN)/python -m demo.warehouse build
	$(BIN)/dagster asset materialize -m xingu_dagster.definitions --select 'key:"departure_delay/*" or key:"arrival_late/*"'
	$(BIN)/python -m demo.summary

ui: $(VENV)/.demo .env
	$(BIN)/dagster dev --host 127.0.0.1 --port 3000

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

check: lint test

clean:
	rm -rf .dagster .xingu data models plots

.env:
	cp .env.example .env

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.demo
