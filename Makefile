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
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_CACHE_DIR := $(CURDIR)/build/pip-cache
export npm_config_cache := $(CURDIR)/build/npm-cache
export npm_config_update_notifier := false

# What is installed is remembered by the content of what asked for it, not by its date: a git
# checkout changes dates.
fingerprint = $(shell cat $(1) | cksum | cut -d ' ' -f 1)
PYTHON_STAMP := $(VENV)/.python-$(call fingerprint,requirements/development.txt pyproject.toml).stamp
NPM_STAMP := node_modules/.npm-$(call fingerprint,package.json package-lock.json).stamp
COMPILER_STAMP := $(VENV)/.compiler-$(call fingerprint,tools/install_compiler.py tools/solc.cjs).stamp

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- set-up -----------------------------------------------------------------------------------

.PHONY: setup
setup: $(COMPILER_STAMP) ## Make .venv and node_modules with all that the project uses

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "RadLedger needs Python 3.11 to 3.13 with venv; set PYTHON=…" >&2; exit 1; }
	@echo "Python: $(PYTHON)"
	@"$(PYTHON)" -m venv "$(VENV)"

$(PYTHON_STAMP): | $(VENV)/bin/python
	@echo "Installing Python packages (about a minute)"
	@python -m pip install --quiet --no-deps --require-hashes -r requirements/development.txt
	@python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(NPM_STAMP): | $(PYTHON_STAMP)
	@tools/install_node.sh
	@echo "Installing npm packages"
	@npm install --no-save --loglevel=error --no-audit --no-fund --ignore-scripts
	@touch $@

$(COMPILER_STAMP): | $(NPM_STAMP)
	@python tools/install_compiler.py
	@touch $@

# All but the compiler.
LIBRARY_EXTRAS := --extra cluster --extra gateway --extra graphs --extra pacs --extra postgresql --extra relay

.PHONY: lock
lock: setup ## Resolve all dependencies anew into requirements/ and package-lock.json
	@python -m pip install --quiet uv
	uv pip compile --quiet --upgrade --universal --python 3.11 --no-emit-index-url --no-annotate \
	    --generate-hashes --custom-compile-command 'make lock' \
	    --group dev --all-extras pyproject.toml -o requirements/development.txt
	uv pip compile --quiet --upgrade --universal --python 3.11 --no-emit-index-url --no-annotate \
	    --generate-hashes --custom-compile-command 'make lock' \
	    --group test $(LIBRARY_EXTRAS) pyproject.toml -o requirements/library.txt
	echo schemathesis | uv pip compile --quiet --upgrade --universal --python 3.11 --no-emit-index-url \
	    --no-annotate --generate-hashes --custom-compile-command 'make lock' - \
	    -o requirements/schemathesis.txt
	npm update --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved

# --- work -------------------------------------------------------------------------------------

WITH_BROWNIE := python tools/with_brownie.py
SOLIDITY := $(wildcard contracts interfaces)
# Brownie compiles only what it notices, and two of its processes at once disagree about a fresh
# build: so everything is compiled once, before the tests.
SOURCES := brownie-config.yaml $(sort $(shell find $(SOLIDITY) -name '*.sol'))
BROWNIE_STAMP := build/brownie-$(call fingerprint,$(SOURCES)).stamp

$(BROWNIE_STAMP): | $(COMPILER_STAMP)
	@echo "Compiling the contracts for Brownie"
	@rm -rf build/contracts build/interfaces build/tests*.json
	@$(WITH_BROWNIE) brownie compile --all > build/brownie.log || { cat build/brownie.log; exit 1; }
	@touch $@

.PHONY: kubo
kubo: ## Bring the IPFS server Kubo: the one on the PATH, or built with Go into build/kubo
	@infra/kubo/build.sh

.PHONY: poa
poa: ## Bring geth, the node of the proof-of-authority chain: one on the PATH, or built with Go
	@infra/poa/build.sh

.PHONY: witness
witness: ## Bring a witness of logs and Go's verifiers for the tests, built with Go into build/witness
	@infra/witness/build.sh

.PHONY: fhir-validator
fhir-validator: setup ## Check what is written as FHIR by HL7's rules, with HAPI's validator from Maven
	@infra/fhir/build.sh
	@python -m pytest -q tests/fhir/test_validator.py

.PHONY: ohif
ohif: setup ## Bring the viewer OHIF from npm into build/ohif, for `radledger gateway serve --viewer`
	@python tools/prepare_viewer.py

.PHONY: orthanc
orthanc: ## Bring Orthanc for the tests, Debian's, without starting it as a service
	@infra/orthanc/bring.sh

.PHONY: demo
demo: setup $(filter kubo,$(STORE)) $(filter poa,$(CHAIN)) ## Take DICOM files through the whole journey; CHAIN=poa STORE=kubo for real servers
	@python -m radledger.demo $(if $(CHAIN),--chain $(CHAIN)) $(if $(STORE),--store $(STORE))

.PHONY: test test-library test-contracts test-pythons
test: test-library test-contracts ## Run the tests of the library and of the contracts

test-library: setup $(BROWNIE_STAMP) ## Run the library's tests
	@python -m pytest -q -n 2 --dist loadfile

# Brownie would take the coverage that it remembers of earlier runs from build/tests.json.
test-contracts: setup $(BROWNIE_STAMP) ## Run the contracts' tests on anvil; NETWORK=ganache for Ganache, COVERAGE=1 for what they reach
	@$(if $(COVERAGE),rm -f build/tests.json)
	@$(WITH_BROWNIE) python -m pytest -q -n 2 -p pytest-brownie $(if $(NETWORK),--network $(NETWORK)) \
	    $(if $(COVERAGE),-p tools.contract_coverage --coverage) tests/contracts

test-pythons: setup ## Run the library's tests on every other Python 3.11 to 3.13 here, newest web3
	@python tools/test_pythons.py

.PHONY: upgrade-home
upgrade-home: setup ## Write the home of this release that later ones must open; REPLACE=1 before it is released
	@python -m tools.make_upgrade_home $(if $(REPLACE),--replace)

# What was found in public bug reports and files of other people, by kind.
CASES := $(addprefix tests/,dicom/test_native_pixels.py dicom/test_spelling.py \
	dicom/test_codestream.py dicom/test_segments.py dicom/test_entropy.py dicom/test_undecodable.py \
	dicom/test_values.py dicom/test_dates.py dicom/test_codes.py imaging/test_patients.py \
	imaging/test_lost_store.py consent/test_clock.py consent/test_wallets.py consent/test_order.py \
	chain/test_keystores.py chain/test_mnemonics.py chain/test_node.py chain/test_node_limits.py \
	chain/test_random_answers.py test_endpoints.py cli/test_times.py cli/test_terminal.py \
	cli/test_accounts.py)

.PHONY: cases
cases: setup ## Run the tests of what real files, wallets, nodes and clocks do
	@python -m pytest -q -n 2 --dist loadfile $(CASES)

.PHONY: soak
soak: setup ## Run the long tests
	@python -m pytest -q -n 2 --dist loadfile --timeout 1200 -m soak

.PHONY: schemathesis
schemathesis: setup ## Let Schemathesis try the interfaces of relayer and gateway
	@python -m tools.fuzz_services

.PHONY: coverage
coverage: ## Fail with a list of what the contracts' tests do not reach
	@$(MAKE) test-contracts COVERAGE=1

.PHONY: gas
gas: setup ## Compare costs of operations and sizes of contracts with snapshots/; UPDATE=1 writes them
	@python -m tools.gas $(if $(UPDATE),--update)

.PHONY: lint lint-style lint-types lint-layers lint-solidity lint-generated
lint: lint-style lint-types lint-layers lint-solidity lint-generated ## Check all that can be checked without running it

lint-style: setup
	ruff check
	ruff format --check
	python tools/check_prose.py
	python tools/check_length.py

lint-types: setup
	mypy

lint-layers: setup
	lint-imports --no-cache --no-logo

lint-solidity: setup
	solhint --disc --noPoster --max-warnings 0 'contracts/**/*.sol' 'interfaces/**/*.sol'
	solhint -c .solhint-interfaces.json --disc --noPoster 'interfaces/**/*.sol'
	forge fmt --check $(SOLIDITY)

lint-generated: setup
	python tools/compile_contracts.py --check
	python tools/generate_refusals.py --check
	python -m tools.generate_bindings --check
	python -m tools.generate_clear_signing --check

.PHONY: format
format: setup ## Put Python and Solidity into the project's format
	ruff check --fix
	ruff format
	forge fmt $(SOLIDITY)

.PHONY: compile
compile: setup ## Compile the contracts into the artifacts, error classes and bindings that the package ships
	@python tools/compile_contracts.py
	@python tools/generate_refusals.py
	@python -m tools.generate_bindings
	@python -m tools.generate_clear_signing

.PHONY: docs
docs: setup ## Run the examples in docstrings and check the links of the documentation
	@python -m pytest -q --doctest-modules src/radledger
	@python tools/check_links.py

.PHONY: clean
clean: ## Remove what was built; .venv and node_modules stay
	rm -rf build dist out reports .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
