PYTHON ?= python3
BIN := .venv/bin
.PHONY: demo test bench scorecard faults real-data lint types imports unit install lock clean

demo: .venv/ready ## Watch simulated wearers become alerts, on a Kafka and a Valkey of its own
	@$(BIN)/python -m monitor demo $(ARGS)

test: .venv/ready ## Lint, types, import contracts, tests
	@$(MAKE) --no-print-directory lint types imports unit

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

imports: .venv/ready
	$(BIN)/lint-imports

unit: .venv/ready
	$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

bench: .venv/ready ## Measure; ARGS="--only NAME --json FILE"
	@$(BIN)/python -m benchmarks $(ARGS)

scorecard: .venv/ready ## What alerts are worth, on recordings and simulated people; ARGS="--only transplants --write-docs"
	@$(BIN)/python -m benchmarks.scorecard $(ARGS)

faults: .venv/ready ## Break things and look for what was lost; ARGS="--minutes M --seed S --only NAME --json FILE"
	@$(BIN)/python -m tests.faults $(ARGS)

install: .venv/ready

# The stamp is written last: an interrupted install has none, and starts again from an empty .venv.
.venv/installed: requirements.lock requirements-uv.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"Pulsewarden needs Python 3.11 to 3.13, {sys.executable} is {v[0]}.{v[1]}. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@echo "Installing into .venv (about 3 GB to download the first time, most of it torch) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@$(BIN)/uv pip sync -q -p $(BIN)/python --require-hashes requirements.lock
	@touch $@

# Apart from the dependencies: a changed lint rule or entry point takes a second, not 3 GB.
.venv/ready: .venv/installed pyproject.toml
	@$(BIN)/uv pip install -q -p $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

real-data: .venv/ready ## Hold detectors and simulator against recordings of real people; ARGS="--data DIR --only NAME --json FILE"
	@$(BIN)/python -m benchmarks.real_data --write-docs $(ARGS)

lock: .venv/ready ## Resolve the dependencies of pyproject.toml again
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --universal --python-version 3.11 --custom-compile-command 'make lock' --excludes excludes.txt --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .pulsewarden build dist
