# Every target sets up what it needs on a machine with Python 3.11+ and make, and is quick the second time.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
STAMP := .venv/.installed
RUN := .venv/bin/

.PHONY: install demo up test lint format bench labelled clean

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

# Two at a time where there are two cores: each has its own servers, so more would only crowd the machine.
test: install
	$(RUN)pytest -n logical --maxprocesses 4 --dist worksteal

lint: install
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy .
	$(RUN)lint-imports --no-logo

format: install
	$(RUN)ruff check --fix .
	$(RUN)ruff format .

bench: install  ## how fast it is, measured here beside the same work without us
	$(RUN)python -m bench

labelled: install  ## the labelled data set, imported as bills, compared with its labels
	$(RUN)python -m bench.labelled

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
