# Every target sets itself up: a machine needs only Python 3.11 or later with pip, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CASE ?= cases/jiangxi
OUT ?= plan
HOST ?=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help plan test app e2e campaign bench bench-quick bench-app clean distclean

help:
	@echo "make plan      solve $(CASE) into $(OUT)/ and print the plan (CASE=folder, OUT=folder)"
	@echo "make test      format, lint, types, tests"
	@echo "make app       open the app in a browser (HOST=lan: also for others on the local network)"
	@echo "make e2e       tests in a real browser (as root it installs Chromium and a Chinese font where they are missing)"
	@echo "make campaign  the long campaign of random cases"
	@echo "make bench     every demand on speed, all sizes (a quarter of an hour); make bench-quick: under a minute"
	@echo "make bench-app  from the move of a lever to the last chart, in a real browser"
	@echo "make clean     remove what was computed; make distclean removes the environment, too"

plan: $(VENV)/.installed
	$(BIN)/planner solve $(CASE) --out $(OUT)

test: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto

app: $(VENV)/.installed
	$(BIN)/streamlit run app.py --server.showEmailPrompt false $(if $(filter lan,$(HOST)),--server.address 0.0.0.0)

e2e: $(VENV)/.installed-e2e
	@sh tests/e2e/browser.sh
	$(BIN)/python -m pytest tests/e2e -o addopts="-q --strict-markers" -rs --durations=5

campaign: $(VENV)/.installed-dev
	$(BIN)/python -m tests.campaign

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks.bench

bench-quick: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks.bench --quick

bench-app: $(VENV)/.installed-e2e
	@sh tests/e2e/browser.sh
	$(BIN)/python -m benchmarks.app

clean:
	rm -rf $(OUT) build dist .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable ".[dev]"
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable ".[bench]"
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-e2e: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable ".[e2e]"
	@touch $@ $(VENV)/.installed
