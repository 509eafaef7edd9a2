# `make run` and `make test` do all their own setting up, and next to nothing when it is done.
# Plain recipes for GNU Make 3.81 or newer, which is what macOS ships.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run rehearse package test ready check bench attacks crash reminders production fuzz costs lock sbom audit clean

VENV   := .venv
PYTHON := $(VENV)/bin/python
UV     := .lock/bin/uv

# `--no-deps` and the hashes together mean: what the lock names, and nothing else.
INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input \
	--require-hashes --no-deps --only-binary :all:

help:
	@echo 'make run            set up, start the bot on a sample snapshot and Microsoft'"'"'s Playground on it'
	@echo 'make run FRESH=1    the same, without what earlier runs kept'
	@echo 'make rehearse       play a whole snapshot with 300 made-up people, keep each card in var/rehearsal'
	@echo "make rehearse ARGS=...  the same, as you say, such as ARGS='--people 50 --language cy-GB'"
	@echo 'make package        make the app for a Teams administrator to upload, var/package/teams-app.zip'
	@echo 'make test           set up, check, run every test'
	@echo "make test ARGS=...  the same, with arguments for pytest, such as ARGS='-k notice'"
	@echo 'make check          format, lint, types, direction of imports'
	@echo 'make bench          what a turn and a message cost, 32 people at once, memory'
	@echo 'make attacks        attack the stores, write what came of it to docs/attacks.md'
	@echo 'make crash          kill a worker at each of its writes, write what came of it to docs/crash.md'
	@echo 'make reminders      remind thousands, kill processes, move clocks, write what came of it to docs/messages.md'
	@echo 'make production     a survey of a thousand in production mode, two bots, write what came of it to docs/production.md'
	@echo 'make fuzz           send ten thousand spoilt requests, write what came of it to docs/fuzz.md'
	@echo 'make costs          count what is asked of Cosmos DB, write what it costs to docs/costs.md'
	@echo 'make lock           pin the Python packages again (UPGRADE=1: to their newest releases)'
	@echo 'make sbom           what is installed, as a software bill of materials (CycloneDX) in var/sbom.json'
	@echo 'make audit          look up known weaknesses of what is installed; it asks a public database'
	@echo 'make clean          remove what make made; the data in var/ stays'

# ---- what people type

run: $(VENV)/.run node-run
ifdef FRESH
	rm -rf var/snapshot.db* var/keys
endif
	@$(PYTHON) infra/playground/run.py

# With the card renderer where Node is present; without it the pages show the words alone.
rehearse: $(VENV)/.run node-test
	$(PYTHON) -m bot rehearse $(ARGS)

package: $(VENV)/.run
	@$(PYTHON) -m infra.teams_app

# In the order of the folders, which begins with what takes longest.
test: $(VENV)/.test node-test check
	$(PYTHON) -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

ready: $(VENV)/.test node-test

check: $(VENV)/.test
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo

# Ratios of CPU, in one run; then two that fail when a turn does, or when memory grows.
bench: $(VENV)/.test node-test
	$(PYTHON) -m tests.bench.turn
	$(PYTHON) -m tests.bench.cosmos
	$(PYTHON) -m tests.bench.crowd
	$(PYTHON) -m tests.bench.memory
	$(PYTHON) -m tests.bench.sends

# Also part of the tests; this writes the page.
attacks: $(VENV)/.test node-test
	$(PYTHON) -m tests.attacks

# Some minutes. The tests do the same with fewer people; this writes the page.
crash: $(VENV)/.test
	$(PYTHON) -m tests.crash

# Some fifteen minutes, most of them waiting: the pace is the one that Teams allows.
reminders: $(VENV)/.test node-test
	$(PYTHON) -m tests.bench.reminders

# Some five minutes: so long do a thousand people take.
production: $(VENV)/.test node-test
	$(PYTHON) -m tests.production $(ARGS)

# Some minutes. The tests do the same with fewer requests; this writes the page.
fuzz: $(VENV)/.test node-test
	$(PYTHON) -m tests.fuzz $(ARGS)

costs: $(VENV)/.test node-test
	$(PYTHON) -m tests.bench.cosmos_costs

clean:
	rm -rf $(VENV) .lock node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- Python

# Each candidate is run, since a name on the PATH may be a shim for a Python that isn't there.
# 3.13 is what the project is built on; the others work.
$(PYTHON):
	@for name in python3.13 python3 python python3.14 python3.12; do \
	  if $$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$($$name --version)"; \
	    exec $$name -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo 'No Python 3.12 or newer that can make a virtual environment was found.'; \
	echo 'Install Python 3.13 (on Debian and Ubuntu with its python3-venv package), then run make again.'; \
	exit 1

define pip_failed
{ echo; \
  echo 'The Python packages could not be installed; what pip says stands above.'; \
  echo ' - no connection, time-out, certificate: see that pip reaches its package index (pip config list), run make again'; \
  echo ' - no matching distribution: the same, or this Python or machine has no ready-made package; try Python 3.13'; \
  echo ' - hashes differ: something between you and the index changes packages; do not work round it'; \
  exit 1; }
endef

$(VENV)/.run: requirements.txt | $(PYTHON)
	@echo 'Installing the Python packages that the bot needs'
	@$(INSTALL) -r requirements.txt || $(pip_failed)
	@touch $@

$(VENV)/.test: requirements-dev.txt $(VENV)/.run
	@echo 'Installing the Python packages that the tests need'
	@$(INSTALL) -r requirements-dev.txt || $(pip_failed)
	@touch $@

# ---- Node: the Playground to try the bot in, the card renderer to test with

ifeq ($(shell command -v npm 2>/dev/null),)
node-run: ;
node-test:
	@echo 'npm is not here, so the tests that need Node 20 or newer will be skipped (and fail in CI).'
else
node-run: node_modules/.run
node-test: node_modules/.test
endif
.PHONY: node-run node-test

NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

# The bot runs without the Playground, so here a failure is told and not fatal.
node_modules/.run: package.json package-lock.json
	@echo 'Installing the Playground'
	@if $(NPM_CI) --omit=dev; then touch $@; \
	else echo 'The Playground could not be installed; npm says why above. The bot starts without it.'; fi

# `npm ci` begins with an empty folder, so this one counts for `make run` as well:
# otherwise that would throw the test parts away again.
node_modules/.test: package.json package-lock.json
	@echo 'Installing the Node parts that the tests need'
	@$(NPM_CI) || { echo 'npm could not install them and says why above; see that it reaches its registry, run make again.'; exit 1; }
	@touch node_modules/.run $@

# ---- pins

# uv rather than pip-tools, since it makes one file that holds for every Python and system.
$(UV): | $(PYTHON)
	@$(PYTHON) -m venv --clear .lock
	@.lock/bin/python -m pip install --quiet --disable-pip-version-check 'uv<1'

COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.12 \
	--only-binary :all: --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

# What the runtime file pins is left out of the other: pip is given both, and would meet it twice.
lock: $(UV)
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt \
	  $$(sed -nE 's/^([a-z0-9][a-z0-9._-]*)==.*/--no-emit-package \1/p' requirements.txt)

# ---- what we rely on

# In a folder of their own, like uv: neither the bot nor the tests need them.
sbom: | $(PYTHON)
	@$(PYTHON) -m venv .lock && .lock/bin/python -m pip install --quiet --disable-pip-version-check 'cyclonedx-bom<8'
	@mkdir -p var
	.lock/bin/cyclonedx-py requirements requirements.txt --output-reproducible --of JSON -o var/sbom.json

audit: | $(PYTHON)
	@$(PYTHON) -m venv .lock && .lock/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit<3'
	.lock/bin/pip-audit --requirement requirements.txt --require-hashes --disable-pip --strict
