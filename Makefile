PYTHON ?= python3
BIN := .venv/bin
.PHONY: demo test bench lint types imports unit install lock clean

demo: .venv/installed ## Watch simulated wearers become alerts, on a Kafka and a Valkey of its own
	@$(BIN)/python -m monitor demo $(ARGS)

test: .venv/installed ## Lint, types, import contracts, tests
	@$(MAKE) --no-print-directory lint types imports unit

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

imports: .venv/installed
	$(BIN)/lint-imports

unit: .venv/installed
	$(BIN)/pytest $(ARGS)

bench: .venv/installed ## Measure; ARGS="--only NAME --json FILE"
	@$(BIN)/python -m benchmarks $(ARGS)

install: .venv/installed

# The stamp is written last: an interrupted install has none, and starts again from an empty .venv.
.venv/installed: requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"Pulsewarden needs Python 3.11 to 3.13, {sys.executable} is {v[0]}.{v[1]}. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@echo "Installing into .venv (about 3 GB to download the first time, most of it torch) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@$(BIN)/uv pip sync -q -p $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install -q -p $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

lock: .venv/installed ## Resolve the dependencies of pyproject.toml again
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --universal --python-version 3.11 --custom-compile-command 'make lock' --excludes excludes.txt --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .pulsewarden build dist
