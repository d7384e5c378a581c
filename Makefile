# Every target sets up what it needs on a machine with Python 3.11+ and make, and is quick the second time.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
STAMP := .venv/.installed
RUN := .venv/bin/

.PHONY: install demo up test test-all test-again coverage lint format lock bench proof labelled clean

install: $(STAMP)

# The lock carries the hash of every file; --no-deps keeps the second step from resolving anything again.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "posync needs Python 3.11 or newer; none was found."; exit 1; }
	test -x $(RUN)python || $(PYTHON) -m venv .venv
	$(RUN)python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN)python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: install  ## one purchase order's life, an outage in the middle, checked at the end
	$(RUN)posync demo

up: install  ## the whole product on this machine, state under .posync/
	$(RUN)posync up

# One process more than there are cores, for a test often waits for a server: three on two cores, never more than four, as
# each has servers of its own. Tests that take minutes go first.
PROCESSES := $(shell $(PYTHON) -c "import os; print(min((os.cpu_count() or 1) + 1, 4))")

test: install  ## the tests, but for the longer proofs
	$(RUN)pytest -n $(PROCESSES) --dist worksteal -m "not long"

test-all: install  ## every test; what is merged has passed these
	$(RUN)pytest -n $(PROCESSES) --dist worksteal

# Alone, and nothing may fail: for what was too slow beside the other tests.
test-again: install  ## the tests that failed last, one after the other
	$(RUN)pytest --last-failed --last-failed-no-failures none --maxfail 1

# Branches too. Processes that the tests start report as well (patch = subprocess in pyproject.toml).
coverage: install  ## the same tests, and which lines of the product none of them runs
	$(RUN)pytest -n $(PROCESSES) --dist worksteal --cov --cov-report=term --cov-report=html

lint: install
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy .
	$(RUN)lint-imports --no-logo

format: install
	$(RUN)ruff check --fix .
	$(RUN)ruff format .

# uv writes locks for every platform at once; versions that still fit stay as they are.
LOCK := .venv/locking/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --quiet

lock: install  ## the three lock files, anew from pyproject.toml
	test -x .venv/locking/bin/uv || { $(PYTHON) -m venv .venv/locking && .venv/locking/bin/pip install --quiet uv==0.13.9; }
	$(LOCK) pyproject.toml --all-extras --group dev -o requirements.lock
	$(LOCK) pyproject.toml --extra suggest --constraint requirements.lock -o requirements-production.lock
	$(RUN)python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'], sep='\n')" \
		| $(LOCK) - --constraint requirements.lock -o requirements-build.lock

bench: install  ## how fast it is, measured here beside the same work without us
	$(RUN)python -m bench

proof: install  ## hundreds of callers, processes killed: what was answered = the mirror = the ERP's books
	$(RUN)python -m bench.proof
	$(RUN)python -m bench.proof_by_steps

labelled: install  ## the labelled data set, imported as bills, compared with its labels
	$(RUN)python -m bench.labelled

clean:
	rm -rf .venv .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
