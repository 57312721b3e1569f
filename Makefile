# Two commands do everything on a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test crash coverage lint format schemas docs fuzz guards lock clean

# The pure core, up to `report` on the page of docs/decisions/0001-the-house.md: every line and branch of it is tested.
CORE := model state plans secret collector codes errors canonical diff renames rotation scope gates digest planner restores verdicts causes due audit lineage eventform planfile stale expected report
comma := ,
empty :=
space := $(empty) $(empty)
CORE_FILES := $(subst $(space),$(comma),$(CORE:%=reconciler/%.py) $(CORE:%=reconciler/%/*.py))

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: $(VENV)/.installed          ## The main job on examples/credentials.yaml: embedded store, sandbox providers
	PATH="$(CURDIR)/$(BIN):$$PATH" bash examples/demo.sh

test: $(VENV)/.installed          ## The whole test suite
	$(BIN)/pytest -n auto $(ARGS)

# What a command imports is looked at without the measuring, which imports much itself.
IMPORTS := tests/test_architecture.py::test_what_a_command_does_not_need_is_not_imported \
  tests/test_schema.py::test_reading_imports_nothing_heavy_and_explaining_only_jsonschema

coverage: $(VENV)/.installed      ## The same, measured: every branch of the core, and 95 % of all
	$(BIN)/pytest $(IMPORTS)
	$(BIN)/pytest -n auto --cov --cov-report= $(IMPORTS:%=--deselect=%) $(ARGS)
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include=$(CORE_FILES)

crash: $(VENV)/.installed         ## An apply killed at every point and at random, processes in a race; says the figures
	$(BIN)/pytest -n auto tests/crash $(ARGS)

lint: $(VENV)/.installed          ## What .ci/run checks beside the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/zizmor --offline --no-online-audits --no-progress --quiet --persona=pedantic examples/github/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows examples/github/*.yml

format: $(VENV)/.installed        ## Rewrite the sources in the one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: $(VENV)/.installed       ## Write schemas/ again from the providers' models
	$(BIN)/python -m reconciler.app.schemas > schemas/credentials.schema.json

docs: $(VENV)/.installed          ## Write the generated pages again
	$(BIN)/python tests/requirements.py > docs/requirements.md
	$(BIN)/python tests/attacks.py > docs/attacks.md
	$(BIN)/python tests/searched.py > docs/searched.md

FUZZ_CASES ?= 5000
fuzz: $(VENV)/.installed          ## Broken and hostile input, many cases of each kind: make fuzz FUZZ_CASES=100000 FUZZ_SEED=7
	@for target in manifests references answers rows keys options; do \
	  $(BIN)/python tests/fuzz/fuzzer.py $$target $(FUZZ_CASES) $${FUZZ_SEED:-$$(date +%s)} || failed=1; done; exit $${failed:-0}

guards: $(VENV)/.installed        ## Take away what holds off each attack, in turn: its tests must fail (minutes)
	$(BIN)/python tests/guards.py $(ARGS)

lock:                             ## Pin again (needs uv); names no registry
	uv pip compile pyproject.toml --extra dev --extra postgres --universal --python-version 3.11 \
	  --generate-hashes --no-strip-extras --no-emit-index-url --no-header --output-file requirements.lock

clean:
	rm -rf $(VENV) build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
