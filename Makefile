# Everything starts here: `make demo` shows the product, `make test` runs what CI runs. Works with GNU make 3.81.
# Both create their environment in .venv from uv.lock; a machine needs Python 3.11 or newer, make and git.

SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
PACKAGES := triggers storage ingest fleet_api

# For `make demo`: recorded drives (several separated by spaces, or a pattern; quote a name that contains a space),
# their signal catalog, and a campaign.
DRIVES ?=
SIGNALS ?=
CAMPAIGN ?=
# For `make test`: arguments for pytest, instead of the default.
PYTEST_ARGS ?= -n 3 --dist worksteal
# For `make chaos`: --minutes 30, --longest 120, --seed N, --only TEXT, --logs FOLDER.
CHAOS_ARGS ?=
# For `make attack`: --seconds 8, --only TEXT, --seed N, --untimed.
ATTACK_ARGS ?=
# For `make bench`: --only log,objects,loop,ledger,extraction,scans,language,speed, --quick, --json FILE.
BENCH_ARGS ?=

# Without compiled files every process of every test compiles all it imports.
unexport PYTHONDONTWRITEBYTECODE

# One after the other, but for what `checks` starts side by side.
ifndef SIDE_BY_SIDE
.NOTPARALLEL:
endif
.PHONY: help demo servers bench chaos attack setup setup-run setup-bench test test-long timing lint types imports pytest map
.PHONY: checks compiled-tests console-check console-dev sbom audit format clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: setup-run  ## run the whole loop on this machine (on recorded drives: DRIVES= SIGNALS= CAMPAIGN=)
	@set --; for drive in $(DRIVES); do set -- "$$@" --drives "$$drive"; done; \
	for signals in $(SIGNALS); do set -- "$$@" --signals "$$signals"; done; \
	for campaign in $(CAMPAIGN); do set -- "$$@" --campaign "$$campaign"; done; \
	exec $(BIN)/longtail demo --keep "$$@"

setup:  ## make .venv with everything development needs
	@$(call setup_env,)
	@.venv/bin/python tools/console.py build
	@case " $(MAKECMDGOALS) " in *" setup "*) echo "to put longtail on the path: source .venv/bin/activate" >&2 ;; esac

setup-run:  # make .venv with only what running needs
	@$(call setup_env,--no-dev)
	@.venv/bin/python tools/console.py build

test: checks pytest  ## everything CI runs: ruff, mypy, import-linter, the console, pytest

checks: setup  # all of `test` that is not run by pytest; each of them keeps one processor busy
	@$(MAKE) --no-print-directory --jobs 2 SIDE_BY_SIDE=1 types lint imports console-check compiled-tests

lint: setup  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

console-check: setup  ## the web console: its types against those of the API, and its unit tests
	$(BIN)/python tools/console.py check --strict

console-dev: setup  ## serve the web console from its sources at http://127.0.0.1:5173 (LONGTAIL_API_URL says where the API is)
	@exec $(BIN)/python tools/console.py dev

compiled-tests: setup  # compile the tests once, for all workers; what is wrong with one, pytest says later
	@$(BIN)/python -m pytest --collect-only --quiet >/dev/null || true

pytest: setup
	$(BIN)/python -m pytest $(PYTEST_ARGS)

timing: setup  ## the tests that measure time; run them with nothing else running
	$(BIN)/python -m pytest -m timing

test-long: setup  ## compare module and interpreter on 20,000 random programs (about 20 minutes)
	LONGTAIL_TEST_PROGRAMS=20000 $(BIN)/python -m pytest $(PYTEST_ARGS) tests/triggers/language/test_agreement.py

chaos: setup  ## half an hour of faults against the real servers (CHAOS_ARGS="--minutes 5 --seed 7")
	@exec $(BIN)/python -m tests.chaos $(CHAOS_ARGS)

attack: setup  ## flood, drip, fill, forge and replay against a running deployment (ATTACK_ARGS="--only flood")
	@exec $(BIN)/python -m tests.attack $(ATTACK_ARGS)

sbom:  ## write dist/longtail.cdx.json: what Longtail is made of, as CycloneDX
	@python3 tools/supply_chain.py sbom dist/longtail.cdx.json

audit:  ## ask the advisory service about every locked package
	@python3 tools/supply_chain.py audit

servers: setup  ## start PostgreSQL, Apache Kafka and an S3 server for you to try
	@exec $(BIN)/python -m tools.servers

setup-bench:  # make .venv with what development needs, and the libraries that the benchmarks compare with
	@$(call setup_env,--bench)
	@.venv/bin/python tools/console.py build

bench: setup-bench  ## measure against bare clients and the machine's limits (BENCH_ARGS="--only log --json FILE")
	@exec $(BIN)/python -m bench.run $(BENCH_ARGS)

map: setup  ## write docs/map.md and the tables of docs/architecture.md from the code
	$(BIN)/python -m tools.code_map

format: setup  ## format the code, and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment and every cache
	rm -rf .venv .venv.lock .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist
	rm -rf fleet_api/console/dist fleet_api/console/app/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Any Python 3 can start the script, which finds a newer one or says how to install it.
define setup_env
for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 6))' >/dev/null 2>&1; then \
    exec $$python tools/setup_env.py $(1); \
  fi; \
done; \
echo "Longtail needs Python 3.11 or newer, and no Python 3 is on PATH. Install it:" >&2; \
echo "    sudo apt-get install python3 python3-venv    (Debian, Ubuntu)" >&2; \
echo "    sudo dnf install python3.12                  (Fedora, RHEL)" >&2; \
echo "    brew install python@3.12                     (macOS)" >&2; \
exit 2
endef
