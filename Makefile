# Two commands on a fresh machine: `make run` starts the app, `make test` runs every check.
# Where nobody names a Python, the first that is new enough; one can be on the PATH and yet not run, as with pyenv.
IS_NEW := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell unset PYTHONHOME PYTHONPATH; for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c '$(IS_NEW)' 2> /dev/null && echo "$$name" && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TOOLS  := $(VENV)/.release-tools
SITE   := build/zipapp

# Without bytecode every process of the tests would compile what it imports, and with options of pytest that somebody
# has in their environment not every test would be run. The others send Python or pip to other folders than the environment's.
unexport PYTHONDONTWRITEBYTECODE PYTEST_ADDOPTS PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_VIRTUALENV

# With LC_ALL=C, or one that the machine lacks, Python before 3.13 could not read a path with other letters that leads to
# this folder. Without it, Python itself takes UTF-8 for C.
ifdef LC_ALL
export LC_CTYPE := $(LC_ALL)
endif
unexport LC_ALL

.DEFAULT_GOAL := help
.PHONY: help run test check week bounds format bench torture mutate corpus steps published demo knowledge schema docs dist zipapp lock sbom audit clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# An environment of another Python, or half of one, is made anew. Python 2 says its version on stderr.
$(STAMP): pyproject.toml
	@if $(BIN)/python -c '$(IS_NEW)' 2> /dev/null; then exit; fi; python='$(PYTHON)'; rm -rf $(VENV); \
	if [ -n "$$python" ] && "$$python" -c '$(IS_NEW)' 2> /dev/null; then set -- "$$python" -m venv; \
	elif command -v uv > /dev/null; then set -- uv venv --quiet --seed --python '>=3.11'; \
	else version=$$("$${python:-python3}" --version 2>&1) || version=missing; \
		echo "ekstui needs Python 3.11 or newer with its venv module, or uv; $${python:-python3} is" \
		"$$version. Name another: make run PYTHON=/path/to/python3" >&2; exit 1; fi; \
	echo "Setting up $(VENV), which takes up to half a minute the first time:" >&2; \
	echo "  a virtual environment" >&2; \
	"$$@" $(VENV) || { rm -rf $(VENV); exit 1; }
	@echo "  ekstui and what it needs" >&2
	@# uv takes seconds for what takes pip a minute; where it cannot be had, pip does it.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv \
		&& $(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[dev]' \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

run: $(STAMP) ## set up and start the app (ARGS="AmazonEKSClusterPolicy" opens it there)
	@$(BIN)/ekstui $(ARGS)

check: $(STAMP) ## format, lint, types, layer contracts, workflows and whether the schema is made
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m assets.build_schema --check
	$(BIN)/zizmor --offline --quiet .github action.yml

# Half as many again as processors: a fifth of the tests' time is waiting for a terminal.
WORKERS = $(shell $(BIN)/python -c 'import os; print(max((os.cpu_count() or 2) * 3 // 2, 2))')

test: $(STAMP) ## set up and run every check and every test
	@# While one processor checks the types, the other compiles what the tests import: else each worker would.
	@$(BIN)/python -m pytest --collect-only --quiet --quiet > /dev/null 2>&1 & $(MAKE) --no-print-directory check; \
		checked=$$?; wait; exit $$checked
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --junitxml=build/tests.xml

week: $(STAMP) ## run every test on a made-up week of newer data, in a copy of the tree (ARGS="--folder DIR" keeps it)
	$(BIN)/python -m tests.week -n $(WORKERS) $(ARGS)

bounds: $(STAMP) ## run every test with the lowest, then with the newest dependencies that are allowed
	@for end in lowest-direct highest; do \
		echo "== dependencies: $$end"; \
		$(BIN)/python -m venv --clear build/$$end || exit 1; \
		$(BIN)/uv pip compile --quiet --no-header --resolution $$end --output-file build/$$end.txt pyproject.toml || exit 1; \
		$(BIN)/uv pip install --quiet --python build/$$end/bin/python --constraint build/$$end.txt --editable '.[dev]' || exit 1; \
		build/$$end/bin/python -m pytest -n $(WORKERS) --dist worksteal || exit 1; \
	done

format: $(STAMP) ## rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## measure start-up, bytes and latency against a blank Textual app
	$(BIN)/python -m tests.tools.bench $(ARGS)

torture: $(STAMP) ## hostile text, killed processes, damaged caches, broken networks, signals: a table of figures
	$(BIN)/python -m tests.torture $(ARGS)

mutate: $(STAMP) ## make 400 small faults in what policies mean, library and store, and count how many the tests catch (ARGS="--seed 1")
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,mutate]'
	$(BIN)/python -m tests.tools.mutate $(ARGS)

corpus: $(STAMP) ## add the newest npm package and moto to assets/corpus.jsonl.xz (PACKAGES="FILE..." has them)
	$(BIN)/python assets/build_corpus.py $(PACKAGES)
	$(BIN)/python -m assets.build_steps

steps: $(STAMP) ## judge again what each step of the corpus changed (assets/steps.json.xz)
	$(BIN)/python -m assets.build_steps

published: $(STAMP) ## rebuild assets/published.jsonl.xz from the projects (CLONES=DIR has clones of them)
	$(BIN)/python assets/build_published.py $(CLONES)

demo: $(STAMP) ## rebuild assets/demo*.json.xz, the account of `ekstui --demo`
	$(BIN)/python -m assets.build_demo

knowledge: $(STAMP) ## compile assets/eks.toml after a change to it
	$(BIN)/python assets/compile_knowledge.py

schema: $(STAMP) ## make assets/schema.json, the schema of the answers, from the classes
	$(BIN)/python -m assets.build_schema

$(TOOLS): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,release]'
	@touch $@

# Builds say when the last commit was made instead of when they ran, so that two of them are the same. Only builds:
# where this is set pip compiles to bytecode that is slower to load.
dist zipapp: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1577836800)

dist: docs ## build the wheel and the sdist, byte for byte the same each time
	$(BIN)/python -m build --no-isolation --outdir dist .

# The services that ekstui asks, and those through which credentials are found.
SDK = $(shell sed -n 's/^ *"\([a-z0-9]*\):.*/\1/p' ekstui/sources/aws/connection.py | sort -u | tr '\n' '|')sso|sso-oidc|signin

# shiv takes ekstui.cli:main for the module ekstui.cli.main, hence the other name of the same function.
# botocore reads its data through the file system, so the file unpacks itself once, into ~/.shiv or SHIV_ROOT.
zipapp: $(TOOLS) ## build dist/ekstui.pyz, a single file that needs only Python
	rm -rf $(SITE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --requirement requirements.lock --target $(SITE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --target $(SITE) .
	cd $(SITE)/botocore/data && find . -mindepth 1 -maxdepth 1 -type d | grep -vxE './($(SDK))' | xargs rm -rf
	rm -rf $(SITE)/bin $(SITE)/share $(SITE)/docutils $(SITE)/*/__pycache__
	mkdir -p dist
	$(BIN)/shiv --site-packages $(SITE) --compressed --reproducible --entry-point ekstui.__main__:main --output-file dist/ekstui.pyz
	SHIV_ROOT=build/unpacked $(PYTHON) -I dist/ekstui.pyz show AmazonEKS_CNI_Policy > /dev/null
	@ls -l dist/ekstui.pyz

lock: $(TOOLS) ## pin all dependencies with hashes in requirements.lock
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --output-file requirements.lock pyproject.toml

sbom: $(TOOLS) ## write a bill of materials of the pinned dependencies to dist/ekstui.cdx.json
	mkdir -p dist
	$(BIN)/cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml --output-file dist/ekstui.cdx.json requirements.lock

audit: $(TOOLS) ## check the pinned dependencies for known vulnerabilities (asks a public database)
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

docs: $(STAMP) ## make the manual from the code
	$(BIN)/python -m docs.make

clean: ## remove everything that the other targets made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
