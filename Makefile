# make help lists the targets; each sets up what it needs.
PYTHON ?= python3
VENV   := .venv
READY  := $(VENV)/.ready
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help install repro test test-faults fuzz lint format types ui notebook-experiment lecture serve metrics plots track curve results bench look raw clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## make the virtual environment, with the exact versions of requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "esetrag needs Python 3.11 or newer. Name it: make PYTHON=python3.11 …" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --require-hashes --requirement requirements.lock
	$(VENV)/bin/python -m pip install --no-build-isolation --editable .
	@touch $@

repro: $(READY) ## run the pipeline: DVC computes only what has changed
	@esetrag check
	@git rev-parse --git-dir >/dev/null 2>&1 || { \
	  echo "This is no git repository. DVC runs without it (core.no_scm in .dvc/config.local), but dvc exp does not."; \
	  dvc config --local core.no_scm true; }
	dvc repro

test: $(READY) ## run all tests, in two processes
	python -m pytest $(IN_TWO)

test-faults: $(READY) ## run the tests with kills, signals, concurrent runs and malicious files
	python -m pytest $(IN_TWO) tests/faults

# The quick files of tests/unit come last, so that both processes end together.
IN_TWO := -n 2 --dist loadfile --no-loadscope-reorder

fuzz: $(READY) ## try millions of random inputs on all parsers (TIMES=20)
	FUZZ=$(or $(TIMES),20) python -m pytest tests/faults/test_fuzz.py --timeout 0

lint: $(READY) ## check rules and format with ruff
	ruff check .
	ruff format --check .

format: $(READY) ## format, and mend what ruff can mend
	ruff check --fix .
	ruff format .

types: $(READY) ## check types with mypy, strict
	mypy

ui: $(READY) ## show the runs in MLflow's pages; prints the address of each task (PORT=5000)
	@esetrag ui $(if $(PORT),--port $(PORT))

notebook-experiment: $(READY) ## run the lecture notebook's own experiment, with its split and settings
	dvc exp run --temp --force --name notebook error_analysis@hun-noun-case $(addprefix -S ,$(NOTEBOOK))
	dvc metrics diff HEAD notebook --targets metrics/hun-noun-case/summary.json

NOTEBOOK := sample.split=notebook sample.test=200 models.bilstm.dropout=0 models.bilstm.lemmas=false \
  train.analogies=0 train.epochs=30 train.min_steps=0 train.batch_size=128 train.shuffle=false \
  train.schedule=constant train.learning_rate=0.001 train.weight_decay=0 train.label_smoothing=0 \
  train.clip=null train.pool=1

lecture: $(READY) ## make docs/lecture.ipynb of docs/lecture.py: runs every cell
	python -m bench.lecture

serve: $(READY) ## serve the workspace's models over HTTP (TASK=… PORT=5001 HOST=127.0.0.1)
	esetrag serve$(if $(TASK), --task $(TASK)) --host $(or $(HOST),127.0.0.1) --port $(or $(PORT),5001)

metrics: $(READY) ## show the metrics, and their difference to the last commit
	dvc metrics show
	dvc metrics diff

plots: $(READY) ## write interactive plots: dvc_plots/index.html
	dvc plots show

track: $(READY) ## log the MLflow runs that the store lacks
	esetrag track

curve: $(READY) ## measure accuracy by training forms (TASK=… SEEDS=3): metrics/<task>/learning_curve.*
	esetrag curve $(if $(TASK),--task $(TASK)) $(if $(SEEDS),--seeds $(SEEDS))

results: $(READY) ## write the table of results into README.md
	esetrag results

bench: $(READY) ## measure accuracy, speed and memory: bench/results.md; see docs/performance.md (TABLES=folder PROBING=folder)
	for name in goal speed pipelines "audit $(TABLES)"; do python -m bench.$$name || exit; done
	$(if $(TABLES),python -m bench.languages $(TABLES))
	$(if $(PROBING),esetrag benchmark $(PROBING) --output docs/probing)
	python -m bench.report

look: $(READY) ## test each report in Chromium, with screenshots in dvc_plots/
	python -m bench.look

raw: $(READY) ## make data/raw/*.tsv.gz from the Debian package hunspell-hu (AFF=… DIC=… for other files)
	python data/raw/hunspell_to_unimorph.py $(AFF) $(DIC) data/raw/hun.tsv.gz --lemmas 3000
	python data/raw/hunspell_to_unimorph.py $(AFF) $(DIC) data/raw/hun-verbs.tsv.gz --pos verb --lemmas 600

raw: AFF ?= /usr/share/hunspell/hu_HU.aff
raw: DIC ?= /usr/share/hunspell/hu_HU.dic

clean: ## remove the environment and caches, but not DVC's cache
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dvc_plots
