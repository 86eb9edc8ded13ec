# Every target works on a fresh machine: Python 3.11 to 3.13, no environment, an empty cache.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Arguments for pytest: make test PYTEST="-k recurrence -x"
PYTEST ?= -n 2
OUT    ?= cntk-demo

# Many small tests on few cores: one thread each is fastest, and the sums are the same everywhere.
test fast conformance keras: export OMP_NUM_THREADS = 1

# Every Python that the README promises; `make resolve` asks pip whether the constraints serve it.
PYTHONS := 3.11 3.12 3.13

.PHONY: help venv resolve wheel demo test fast lint format direction bench conformance keras clean

help:
	@echo 'make venv         install this package and its tools into $(VENV)'
	@echo 'make resolve      ask pip whether constraints.txt can be installed on each Python'
	@echo 'make wheel        build the wheel into dist/ once it works where nothing else is installed'
	@echo 'make demo         train a small network on real digits; picture and model go to $(OUT)/'
	@echo 'make test         unit tests and the examples in the documentation'
	@echo 'make fast         the same without the slowest, in under five minutes on two cores'
	@echo 'make lint         ruff, mypy, direction of imports'
	@echo 'make format       lay the sources out as `make lint` wants them'
	@echo 'make bench        speed, beside hand-written PyTorch'
	@echo 'make conformance  the original toolkit'"'"'s own test suite'
	@echo 'make keras        the tests of Keras 2.3.1, with this package as its backend'

venv: $(STAMP)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing the package and its tools into $(VENV): about 500 MB, once; this takes a few minutes.'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# pip looks into no other Python here: it reads what packages say of themselves, and installs nothing.
resolve: venv
	@for version in $(PYTHONS); do \
	  echo "Python $$version: can constraints.txt be installed?"; \
	  $(BIN)/python -m pip install --dry-run --ignore-installed --quiet --disable-pip-version-check \
	    --python-version $$version --implementation cp --only-binary=:all: --target .resolve \
	    -c constraints.txt '.[dev,keras]' || exit 1; \
	done

wheel: venv
	$(BIN)/python tests/installed/run.py --out dist

demo: venv
	$(BIN)/python -m cntk demo --out $(OUT)

test: venv
	$(BIN)/python -m pytest $(PYTEST)

fast: venv
	$(BIN)/python -m pytest -m 'not slow' $(PYTEST)

lint: venv direction
	$(BIN)/ruff check --output-format concise .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

direction: venv
	$(BIN)/python -m pytest -q tests/test_import_direction.py

format: venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: venv
	$(BIN)/python -m benchmarks

# make conformance SELECT="ops layers/sequence_test"
conformance: venv
	$(BIN)/python tests/conformance/run.py $(SELECT)

# make keras SELECT="layers engine/test_training"
keras: venv
	$(BIN)/python tests/keras/run.py $(SELECT)

clean:
	rm -rf build dist src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
