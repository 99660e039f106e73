# `make help` lists what there is. Everything runs in .venv, which is made when it is missing.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
ARGS ?=

# The first Python that is new enough; override with `make PYTHON=/path/to/python3 ...`.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

.PHONY: help setup generate check diff show lock explain new-backend demo test plans compare-burr goldens lint format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## make .venv with everything that the other targets need

.venv/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "persistry needs Python 3.11 or newer; install it, or say make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(MAKE) --no-print-directory system-venv
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing what is needed into .venv (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

# Debian and Ubuntu ship Python without its venv module.
.PHONY: system-venv
system-venv:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing python3-venv"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; \
	else \
		echo "this Python has no venv module; install it first: sudo apt-get install python3-venv"; exit 1; \
	fi

# No wheel has MariaDB's server. Where this may not install it, its columns are shown as not run.
.PHONY: mariadb-server
mariadb-server:
	@if [ ! -x /usr/sbin/mariadbd ] && [ -z "$$PERSISTRY_TEST_MARIADB_SERVER$$PERSISTRY_TEST_MARIADB_URL" ] && \
	    [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing mariadb-server-core"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mariadb-server-core; } >/dev/null 2>&1 || \
		echo "mariadb-server-core cannot be installed here"; \
	fi

generate: setup ## make generated/ what spec/ and templates/ say
	@$(BIN)/python -m codegen generate

check: setup ## fail if generated/ is not what spec/ and templates/ say
	@$(BIN)/python -m codegen check

BASE ?= origin/main
FORMAT ?= text
diff: setup ## what a change of spec/ does, and to whom: make diff BASE=origin/main
	@$(BIN)/python -m codegen diff "$(BASE)" --format "$(FORMAT)"

show: setup ## print a backend as the templates get it: make show BACKEND=sqlite
	@test -n "$(BACKEND)" || { echo "which backend? such as make show BACKEND=sqlite"; exit 1; }
	@$(BIN)/python -m codegen show "$(BACKEND)"

lock: setup ## when a release is made: record what the backends store
	@$(BIN)/python -m codegen lock $(ARGS)

explain: setup ## what a problem of the generator means: make explain CODE=SQL01; without a code, all of them
	@$(BIN)/python -m codegen explain $(CODE)

LIKE ?= sqlite
new-backend: setup ## a backend file to begin with: make new-backend NAME=cockroachdb LIKE=postgresql
	@test -n "$(NAME)" || { echo "what is it called? such as make new-backend NAME=cockroachdb LIKE=$(LIKE)"; exit 1; }
	@$(BIN)/python -m codegen new-backend "$(NAME)" --like "$(LIKE)"

demo: generate ## an agent that is killed in the middle and resumes from SQLite
	@$(BIN)/python examples/licence_review/demo.py

test: generate mariadb-server ## every test, on real servers; pick some with ARGS="-k latest"
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

plans: generate mariadb-server ## record in spec/plans/ how each store answers each query; review the diff
	@UPDATE_PLANS=1 $(BIN)/python -m pytest -q tests/test_plans.py -k as_recorded $(ARGS)

compare-burr: generate ## hold Apache Burr's own persisters to the promise; record it in docs/compared-with-burr.md
	@$(BIN)/python -m tests.compared $(ARGS)

goldens: setup ## write what the generator says now into its tests' golden files; review the diff
	@UPDATE_GOLDENS=1 $(BIN)/python -m pytest -q tests/codegen

lint: setup ## ruff and mypy, on everything
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy codegen generated/persistry

format: setup ## let ruff format what is written by hand
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

clean: ## remove .venv and what tools left behind
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
