# make run     search for an Ant reward with the embedded proposer: no key, no GPU
# make test    the tests
# make check   ruff and mypy
# The environment is made in .venv at the first use. Another interpreter: PYTHON=python3.12 make run

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
ARGS ?=

.PHONY: run test coverage check
.DELETE_ON_ERROR:

run: $(INSTALLED)
	$(BIN)/eureka run task=ant llm=program_search $(ARGS)

test: $(INSTALLED)
	$(BIN)/pytest $(ARGS)

coverage: $(INSTALLED)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=85

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy -p eureka

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: eureka needs Python 3.11 or newer, and $(PYTHON) is not: name one as in PYTHON=python3.12 make" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { \
	  echo "error: $(PYTHON) cannot make a virtual environment: install its venv module (Debian, Ubuntu: python3-venv)" >&2; \
	  exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
