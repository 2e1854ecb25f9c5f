# Every target makes .venv by itself when it is missing or out of date.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/ready
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Installs in parallel: a quarter of pip's time. It does not read pip's settings, for example for a mirror.
UV = $(BIN)/uv pip install --quiet --python $(BIN)/python
# pip 23 finds the hash of a package with extras only if the pin has them too.
LOCK = $(BIN)/uv pip compile --universal --python-version 3.11 --fork-strategy requires-python \
	--generate-hashes --no-strip-extras --no-header --no-annotate --quiet
# alembic, which nbgrader calls, is found on the PATH.
TSC = tests/browser/node_modules/.bin/tsc
RUN = PATH="$(CURDIR)/$(BIN):$$PATH"

help:            ## this list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## .venv with the locked requirements

$(READY): requirements.lock pyproject.toml hw_support/pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; none was found on the PATH." \
		"Install it, or say: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual" \
		"environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@test ! -e "$(VENV)" -o -e "$(READY)" -o "$(abspath $(VENV))" = "$(CURDIR)/$(VENV)" || { \
		echo "$(VENV) exists, and is not in this folder. This would remove it." \
		"Say: make VENV=.venv-other"; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock | $(PIP) --require-hashes -r /dev/stdin
	$(UV) --compile-bytecode --require-hashes -r requirements.lock || \
		{ echo "uv could not install the packages; pip tries it."; $(PIP) -r requirements.lock; }
	$(PIP) --no-deps --no-build-isolation -e hw_support -e .
	touch $(READY)

demo: $(READY) sandbox ## grade a sample class on the real data, in a scratch course
	rm -rf demo
	$(RUN) python -m hw_grading.commands.sample demo
	$(RUN) sh -ec 'for hw in $(notdir $(wildcard source/hw*)); do \
		hw-grading --course demo grade $$hw --ExecuteSubmission.cpu_seconds_per_cell=20 $(OPTIONS); \
		hw-grading --course demo feedback $$hw; hw-grading --course demo report $$hw; done'
	@echo "The students' pages are in demo/feedback; each name says what is wrong with the submission."
	@echo "To grade by hand: source $(BIN)/activate; hw-grading --course demo desk hw0"

sandbox:         ## bubblewrap, in which student code runs, where it may be installed
	@tools/install-system sandbox

browser:         ## Chromium and npm, for tests of what people look at, where they may be installed
	@tools/install-system browser

database:        ## PostgreSQL, for tests of a gradebook in it, where it may be installed
	@tools/install-system database

test: $(READY) sandbox browser ## unit tests and one slow test of each kind: five minutes
	$(RUN) python -m pytest -n 3 -m "not slow or smoke"

test-all: $(READY) sandbox browser database ## all other tests
	$(RUN) python -m pytest -n 4 -m "slow and not smoke"  # each waits for other processes

lint: $(READY)   ## lint, formatting, and types of Python and of the desk's scripts
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	@if command -v npm >/dev/null; then $(MAKE) --silent $(TSC) && $(TSC) -p tests/browser; \
		else echo "There is no npm: the types of the desk's scripts were not checked."; fi

$(TSC): tests/browser/package-lock.json
	npm ci --prefix tests/browser --ignore-scripts --no-audit --no-fund --silent
	touch $@

site: $(READY)   ## the pages of the documentation as a site, in dist/site; ends at a broken link
	$(RUN) python -m tools.build_site dist/site

check: lint site ## what to run before a commit: lint, the site, unit tests; within five minutes
	$(RUN) python -m pytest -n 2 -m "not slow"

wheels: $(READY) ## both wheels, in dist/wheels, tried in an empty environment
	rm -rf dist/wheels dist/empty
	mkdir -p dist/empty/course
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -w dist/wheels ./hw_support .
	$(PYTHON) -m venv dist/empty/venv
	dist/empty/venv/bin/pip download --quiet -d dist/empty/index --find-links dist/wheels hw-grading jupyterlab
	cd dist/empty/course && PATH="$$PWD/../venv/bin:$$PATH" && offline="--quiet --no-index --find-links ../index" \
		&& pip install $$offline hw-grading && hw-grading new hw1 \
		&& hw-grading grade-file source/hw1/hw1.ipynb --homework hw1 \
		&& pip install $$offline jupyterlab && hw-grading release hw1

matrix: $(READY) ## students' tests on every Python here, with the oldest and newest packages
	@printf '%s\n' oldest newest | $(RUN) xargs -P 2 -n 1 python -m nox -k

soak: $(READY) sandbox ## every attack, repeated kills, a class of 10,000, 200 files at once, each golden file: for an hour
	$(RUN) env HW_ALL_ATTACKS=1 python -m pytest -n 2 tests/hostile
	$(RUN) env HW_FILES=200 python -m pytest -n 0 --timeout 7200 tests/grading/commands/test_grade_file.py -k many
	$(RUN) env HW_ALL_GOLDEN=1 python -m pytest -n 2 tests/golden -k submissions
	$(RUN) env HW_KILLS=30 python -m pytest -n 2 --timeout 7200 tests/grading/grade/test_kills.py
	$(RUN) python -m benchmarks growth

validity: $(READY) ## docs/validity.md: how right the tests are, measured by the grader itself
	$(RUN) hw-grading try --all --page docs/validity.md

release: $(READY) ## all homeworks: release/ from source/, and students' zips in dist/
	$(RUN) hw-grading release

lock: $(READY)   ## both lock files from both pyproject.toml, with the hashes of the packages' files
	@# Later ones, as jupyter-events asks for them, cost each process that imports nbformat 0.6 s.
	echo 'jsonschema<4.25' | $(LOCK) --constraint /dev/stdin --all-extras --no-emit-package hw-support pyproject.toml -o requirements.lock
	$(LOCK) --extra notebook --extra lab --extra homeworks --constraint requirements.lock hw_support/pyproject.toml -o requirements-student.lock

benchmarks: $(READY) ## every figure of the documentation
	$(RUN) python -m benchmarks

clean:           ## remove what was made here, student records excepted
	rm -rf $(VENV) dist demo tests/browser/node_modules deploy/jupyterhub/node_modules .pytest_cache .mypy_cache .ruff_cache

.PHONY: help setup sandbox browser database demo test test-all lint site check wheels matrix soak validity release lock benchmarks clean
