# RadLedger. `make help` lists the targets; everything they install stays in this folder.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Python 3.11 first: Brownie, which tests the contracts, is at home there.
find_python = $(shell for name in python3.11 python3.12 python3.13 python3; do \
	"$$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { command -v "$$name"; break; }; done)
PYTHON ?= $(find_python)

VENV := $(CURDIR)/.venv
export PATH := $(VENV)/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export SOLCX_BINARY_PATH := $(VENV)/solcx
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export npm_config_cache := $(CURDIR)/build/npm-cache
export npm_config_update_notifier := false

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- set-up -----------------------------------------------------------------------------------

.PHONY: setup
setup: $(VENV)/.compiler.stamp ## Make .venv and node_modules with all that the project uses

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "RadLedger needs Python 3.11 or newer with venv; set PYTHON=…" >&2; exit 1; }
	"$(PYTHON)" -m venv "$(VENV)"

$(VENV)/.python.stamp: requirements/development.txt pyproject.toml | $(VENV)/bin/python
	python -m pip install --quiet --require-hashes -r requirements/development.txt
	python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.node.stamp: tools/install_node.sh $(VENV)/.python.stamp
	@tools/install_node.sh
	@touch $@

node_modules/.npm.stamp: package.json package-lock.json $(VENV)/.node.stamp
	npm install --no-save --loglevel=error --no-audit --no-fund --ignore-scripts
	@touch $@

$(VENV)/.compiler.stamp: tools/install_compiler.py tools/solc.cjs node_modules/.npm.stamp
	@python tools/install_compiler.py
	@touch $@
