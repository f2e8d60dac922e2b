# Everything a developer types. `make` alone lists it.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
RUN := $(VENV)/bin
# Named after what the lock files say, not after when they were written: a checkout alone installs nothing.
INSTALLED := $(VENV)/.installed-$(shell cat requirements/dev.txt requirements/runtime.txt | sha256sum | cut -c1-12)

CRDS := crds
CHART_CRDS := charts/project-onboarding-operator/crds
# What needs no control plane: quick enough for every save.
QUICK := $(wildcard tests/unit tests/golden tests/test_layout.py)
PIP_COMPILE := $(RUN)/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras \
	--no-emit-find-links --no-emit-index-url --no-emit-trusted-host
YAML_RULES := {extends: default, rules: {line-length: {max: 120}, document-start: disable, \
	braces: {max-spaces-inside: 0}, comments: {min-spaces-from-content: 1}}}

# mutmut takes a source root by no other name than src.
MUTATION := .mutation

.PHONY: help setup lock generate check test test-journeys test-servers attack faults mutation bench soak image demo demo-down clean

help: ## Show this list
	@echo "Usage: make TARGET"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[36m%-10s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Make the virtual environment .venv from the locked dependencies

$(INSTALLED):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements/dev.txt
	$(PY) -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/.installed-*
	@touch $@

lock: $(INSTALLED) ## Resolve the dependencies of pyproject.toml anew into requirements/
	$(PIP_COMPILE) --output-file=requirements/runtime.txt pyproject.toml
	$(PIP_COMPILE) --extra=dev --output-file=requirements/dev.txt pyproject.toml
	$(PIP_COMPILE) --build-deps-for=wheel --only-build-deps --constraint=requirements/dev.txt \
		--output-file=requirements/build.txt pyproject.toml

generate: $(INSTALLED) ## Write the CRDs and the reference pages from the models
	$(RUN)/onboarding crds --directory $(CRDS)
	$(RUN)/onboarding crds --directory $(CHART_CRDS)
	$(PY) -m docs.generate

check: $(INSTALLED) ## Style, types, layers, generated files, and the tests that need no cluster (five minutes)
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/yamllint --strict -d '$(YAML_RULES)' manifests examples
	$(RUN)/onboarding crds --directory $(CRDS) --check
	$(RUN)/onboarding crds --directory $(CHART_CRDS) --check
	$(PY) -m docs.generate --check
	@$(RUN)/coverage erase
	$(RUN)/coverage run -m pytest $(QUICK)

test: check ## Everything that check does, then all other tests on real control planes
	@$(MAKE) --jobs=2 test-journeys test-servers
	@$(RUN)/coverage combine --quiet
	@echo "coverage: $$($(RUN)/coverage report --format=total) % of operator/onboarding, running operators included"

# They wait for servers more than they compute, so two groups run side by side, each on a control plane of its own.
test-journeys: SUITES := tests/e2e
test-servers: SUITES := tests $(QUICK:%=--ignore=%) --ignore=tests/e2e
test-journeys test-servers: $(INSTALLED)
	$(RUN)/coverage run -m pytest --verbose --durations=10 $(SUITES) | sed --unbuffered "s/^/$@: /"

faults: $(INSTALLED) ## Every fault at every write, and a whole run in which the operator hears of everything late: long
	ONBOARDING_FULL_FAULTS=1 $(RUN)/pytest --durations=10 tests/faults
	ONBOARDING_WATCH_LAG=1.5 $(RUN)/pytest --durations=10 tests/e2e

attack: $(INSTALLED) ## Every attack, and each validation of each admission policy removed in turn: long
	ONBOARDING_FULL_ATTACKS=1 $(RUN)/pytest --durations=10 tests/attack

mutation: $(INSTALLED) ## Change reconcile/ and adapters/ bit by bit, and list what no quick test notices: many hours; goes on
	@mkdir -p $(MUTATION)
	@ln -sfn $(patsubst %,../%,$(wildcard *) .ci) $(MUTATION)
	@ln -sfn ../operator $(MUTATION)/src
	cd $(MUTATION) && nice -n 19 ../$(RUN)/mutmut run $(MUTANTS:%='%')
	@cd $(MUTATION) && ../$(RUN)/mutmut results | sed "/: not checked/d"
	@cd $(MUTATION) && ../$(RUN)/mutmut export-cicd-stats && cat mutants/mutmut-cicd-stats.json

bench: $(INSTALLED) ## Measure against a raw writer; writes the tables of docs/benchmarks.md and the README
	$(PY) -m tests.bench --docs

image: $(INSTALLED) ## Build the container image, weigh it, and onboard a project from inside it: root and buildah
	$(PY) -m image $(if $(IMAGE),--name=$(IMAGE)) $(if $(PYTHON_IMAGE),--python-image=$(PYTHON_IMAGE)) \
		$(if $(RUN_IMAGE),--run-image=$(RUN_IMAGE))

soak: $(INSTALLED) ## Half an hour under foreign hands: memory stays flat, no error is logged, nothing is written at rest
	$(PY) -m tests.bench --only soak

demo: $(INSTALLED) ## Onboard a project on a real control plane and deploy it with Argo CD, before your eyes
	@$(PY) -m demo

demo-down: $(INSTALLED) ## End the demo
	@$(PY) -m demo down

clean: ## Stop what runs in .devcluster and remove everything generated but .venv
	@if [ -x $(PY) ] && [ -d .devcluster ]; then \
		$(PY) -m demo down; \
		for folder in .devcluster/*/; do $(PY) -m devcluster down --name "$$(basename "$$folder")"; done; \
	fi
	rm -rf .devcluster .mutation dist build bench-results .coverage .coverage.* coverage.xml
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
