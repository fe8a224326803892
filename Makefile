# The whole workflow. Each target sets up what it needs, in .venv, by itself.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEMO := $(BIN)/ragstone
export RAGSTONE_CORPUS ?= .demo/corpus

.PHONY: setup demo test check format bench lock clean

setup: .venv/.ready

.venv/.ready: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	@mkdir -p .demo
	$(DEMO) sync ARCHITECTURE.md CHANGELOG.md docs examples/library
	$(DEMO) ask "Who was the last principal keeper of the lighthouse?"
	$(DEMO) ask "How many visitors came in 2021?"
	$(DEMO) ask "What is the capital of Mongolia?" || test $$? -eq 4

test: setup
	$(BIN)/python -m pytest -n 2

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/test_package.py

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Benchmarks take the folder of collections: make bench DATA=path
bench: setup
	$(BIN)/python bench/encoder.py
	$(if $(DATA),$(DEMO) eval retrieval $(DATA)/scifact)

lock: setup
	$(PIP) install uv
	$(BIN)/uv pip compile pyproject.toml --group dev --extra encoders --extra local --extra openai --extra anthropic --extra serve --extra mcp --universal --generate-hashes \
		--no-annotate --no-header --output-file requirements.lock

clean:
	rm -rf .venv .demo
