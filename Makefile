# `make demo` and `make test` set everything up in .venv and need nothing else.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/void
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help setup install kubric distributed demo test lint lock clean

help:
	@echo "make demo    set up, then generate -> cache -> train -> infer -> eval, both passes, at toy size; prints the report's path"
	@echo "make test    set up, then run the tests"
	@echo "make setup   only set up (.venv with locked versions)"
	@echo "make lint    ruff, mypy, import contracts"

setup: $(VENV)/.complete

# torch goes first and alone, so that no other package chooses a build of it; Kubric's exception is explained in its file.
$(VENV)/.complete: pyproject.toml requirements/lock.txt requirements/kubric.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11, or make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV): about 3.3 GB, a few minutes, once."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) $$(grep '^torch==' requirements/lock.txt)
	@$(PIP) -r requirements/lock.txt
	@$(MAKE) --no-print-directory install
	@touch $@

install: kubric
	@$(PIP) --no-deps --no-build-isolation -e .

kubric:
	@$(PIP) --no-deps -r requirements/kubric.txt

# DeepSpeed, for several processes with ZeRO; built from source.
distributed: setup
	@$(PIP) --no-build-isolation -e ".[distributed]"

demo: setup
	$(RUN) doctor experiment=demo
	$(RUN) generate experiment=demo gallery=true
	$(RUN) cache experiment=demo_pass2
	$(RUN) train experiment=demo
	$(RUN) train experiment=demo_pass2
	$(RUN) infer experiment=demo_pass2 stage=both
	$(RUN) eval experiment=demo_pass2 stage=both

# One process a core, with one thread each: tests of one file stay in one process and share its fixtures.
test: setup
	$(RUN) doctor
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# Write requirements/lock.txt anew from what is installed, after changing pins in pyproject.toml.
lock:
	@echo "# The CPU installation, exactly. Written by \`make lock\`; Kubric is in kubric.txt." > requirements/lock.tmp
	$(BIN)/python -m pip freeze --exclude-editable | grep -viE '^(kubric-nightly|deepspeed|torchvision)' | sed 's/+cpu//' >> requirements/lock.tmp
	mv requirements/lock.tmp requirements/lock.txt

clean:
	rm -rf $(VENV)
