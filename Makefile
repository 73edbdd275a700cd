# make help lists the targets; each sets up what it needs.
PYTHON ?= python3
VENV   := .venv
READY  := $(VENV)/.ready
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help install repro test test-faults fuzz lint format types ui serve metrics plots track curve results bench look raw clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## virtual environment with the exact versions of requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "esetrag needs Python 3.11 or newer; name one: make PYTHON=python3.11 …" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --requirement requirements.lock
	$(VENV)/bin/python -m pip install --quiet --no-deps --editable .
	@touch $@

repro: $(READY) ## run the pipeline: what changed is computed, the rest is cached
	@esetrag check
	@git rev-parse --git-dir >/dev/null 2>&1 || { \
	  echo "No git repository here: DVC runs without one (core.no_scm in .dvc/config.local); dvc exp needs one."; \
	  dvc config --local core.no_scm true; }
	dvc repro

test: $(READY) ## run all tests, two at a time
	python -m pytest -n 2 --dist loadfile

test-faults: $(READY) ## run the tests of what kills, signals, rivals and files from strangers do
	python -m pytest -n 2 --dist loadfile tests/faults

fuzz: $(READY) ## feed the readers with millions of inputs that nobody would write (TIMES=20)
	FUZZ=$(or $(TIMES),20) python -m pytest tests/faults/test_fuzz.py --timeout 0

lint: $(READY) ## ruff: rules and format
	ruff check .
	ruff format --check .

format: $(READY) ## ruff: mend what can be mended
	ruff check --fix .
	ruff format .

types: $(READY) ## mypy, strict
	mypy

ui: $(READY) ## open the MLflow UI on http://127.0.0.1:5000
	@case "$${MLFLOW_TRACKING_URI:-}" in \
	  http*) echo "The runs are on a server, which has the interface too: $$MLFLOW_TRACKING_URI";; \
	  *) mlflow ui --backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///mlflow.db}" --host 127.0.0.1;; esac

serve: $(READY) ## answer HTTP requests with the workspace's model (TASK=… PORT=5001 HOST=127.0.0.1)
	esetrag serve --task $(or $(TASK),hun-noun-case) --host $(or $(HOST),127.0.0.1) --port $(or $(PORT),5001)

metrics: $(READY) ## figures of the workspace, and against the last commit
	dvc metrics show
	dvc metrics diff

plots: $(READY) ## interactive plots as a page: dvc_plots/index.html
	dvc plots show

track: $(READY) ## log the MLflow run of each finished task that the store lacks
	esetrag track

curve: $(READY) ## measure how the readers learn, from 30 forms on (TASK=… SEEDS=3): metrics/<task>/learning_curve.*
	esetrag curve $(if $(TASK),--task $(TASK)) $(if $(SEEDS),--seeds $(SEEDS))

results: $(READY) ## write the table of results into README.md
	esetrag results

bench: $(READY) ## measure against the notebook's loop and baselines (TABLES=folder PROBING=folder)
	for name in goal speed pipelines "audit $(TABLES)"; do python -m bench.$$name || exit; done
	$(if $(TABLES),python -m bench.languages $(TABLES))
	$(if $(PROBING),python -m bench.probing $(PROBING))
	python -m bench.report

look: $(READY) ## open each report in Chromium: sort, search, filter, take pictures (into dvc_plots/)
	python -m bench.look

raw: $(READY) ## rebuild data/raw/*.tsv.gz from the Debian package hunspell-hu (AFF=… DIC=… for other files)
	python data/raw/hunspell_to_unimorph.py $(AFF) $(DIC) data/raw/hun.tsv.gz --lemmas 3000
	python data/raw/hunspell_to_unimorph.py $(AFF) $(DIC) data/raw/hun-verbs.tsv.gz --pos verb --lemmas 600

raw: AFF ?= /usr/share/hunspell/hu_HU.aff
raw: DIC ?= /usr/share/hunspell/hu_HU.dic

clean: ## remove the environment and the caches of the tools; DVC's stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dvc_plots
