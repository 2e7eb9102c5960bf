# Every target works from a bare clone: the virtual environment is made on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUNS := $(VENV)/.runs

.PHONY: bench falsify lives pulls fleet-test help mutants samples demo test check fast-test fuzz engine-test browser browser-test engine engine-stop bases venv clean compose cluster cluster-api cluster-stop cluster-schemas cluster-built cluster-early deploy-test
help:           ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

venv: $(STAMP)  ## make the virtual environment
$(STAMP): EXTRAS := [dev]
# What imgopt itself needs takes a third of the time.
$(STAMP) $(RUNS): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "imgopt needs Python 3.11 or newer; set PYTHON=..." >&2; exit 3; }
	@echo "venv: installing imgopt$(EXTRAS) into $(VENV); the first time this takes a minute" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.$(EXTRAS)'
	@touch $@

engine:         ## use the Docker engine that answers, or install and start one (Debian/Ubuntu, root)
	samples/engine/engine start

engine-stop:    ## stop the engine that `make engine` started, and nothing else
	samples/engine/engine stop

compose:        ## use Docker's Compose plugin, or (Debian/Ubuntu) unpack one
	samples/engine/engine compose

bases: engine $(STAMP)  ## base images: the public ones where they can be pulled, else local stand-ins
	$(BIN)/python samples/bases/bases.py

cluster-api:    ## a real API server on loopback: the strict judge of manifests; its build takes minutes once
	samples/cluster/cluster start --api

cluster:        ## a real Kubernetes of two nodes in namespaces of its own (root, Go)
	samples/cluster/cluster start

cluster-stop:   ## stop both, and put everything back
	samples/cluster/cluster stop

cluster-schemas: $(STAMP) ## write the schemas of `imgopt deploy prove` anew from Kubernetes's Go module
	$(BIN)/python samples/cluster/schemas.py

deploy-test: engine cluster $(STAMP) ## deployments on real nodes: the good one loses no request, each broken one does
	$(BIN)/python samples/cluster/deploy_test.py

demo: engine $(or $(wildcard $(STAMP)),$(RUNS))  ## the main job on the Flask sample; results in build/demo/
	@$(BIN)/python samples/bases/bases.py python-3.11 distroless
	@$(BIN)/python samples/demo.py

samples: bases  ## the main job on every sample; writes benchmarks/results/samples.json
	$(BIN)/python samples/bases/bases.py --all
	$(BIN)/python samples/run.py

check: $(STAMP) ## lint, types and fast tests; needs no engine
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) fast-test

fast-test: $(STAMP)
	$(BIN)/pytest -n 2 -m 'not engine and not browser'

fuzz: bases     ## 20,000 random images and manifests per reader; 5,000 Dockerfiles, rewritten and built in both forms
	IMGOPT_FUZZ=20000 $(BIN)/pytest -n 2 --dist worksteal tests/fuzz tests/image/test_hostile.py
	IMGOPT_REQUIRE_ENGINE=1 IMGOPT_DIFFERENTIAL=5000 $(BIN)/pytest tests/differential

cluster-built:  ## the parts of `make cluster-api`: minutes of processor time, once
	@command -v go >/dev/null || test -x /usr/local/go/bin/go || { echo "no Go: tests on a real API server are left out" >&2; exit 0; }; \
	samples/cluster/cluster build --api

cluster-early:  ## the same in the background, while other tests run
	@mkdir -p build; (samples/cluster/cluster build --api >build/cluster-build.log 2>&1 &)

engine-test: bases compose cluster-built  ## the tests against the real engine
	tests/endpoint/prepare
	IMGOPT_REQUIRE_ENGINE=1 $(BIN)/pytest -n 2 --dist loadfile -m engine

browser: $(STAMP) ## what the browser tests need: Chromium (Debian, Ubuntu as root) and axe-core
	tests/report/prepare-browser

browser-test: browser  ## the report in a real headless Chromium
	IMGOPT_REQUIRE_BROWSER=1 $(BIN)/pytest -m browser

bench: bases browser  ## measure the samples and imgopt itself; writes benchmarks/results/, tables and pictures
	set -e; for script in parse analyze cache report; do $(BIN)/python benchmarks/$$script.py; done
	$(BIN)/python benchmarks/bench.py --proven

test: cluster-early check engine-test browser-test  ## everything

falsify: bases  ## break the samples where no probe looks: is each broken one refuted, and each harmless change proven?
	$(BIN)/python benchmarks/falsify.py

lives: bases    ## later edits of every sample: which does every variant survive? goes on where it was interrupted
	$(BIN)/python benchmarks/lives.py

pulls: engine $(STAMP)  ## the cost model beside real pulls of private engines (root; about ten minutes)
	$(BIN)/python benchmarks/pulls.py

FLEET_NODES ?= 100
fleet-test: $(STAMP) ## the rollout model beside real controllers with simulated nodes (Go; FLEET_NODES=1000 for more)
	PYTHONPATH=samples/cluster $(BIN)/python benchmarks/rollouts.py --nodes $(FLEET_NODES)

mutants: $(STAMP) ## small mistakes in the proof and the rewriter, made on purpose: which of them do the fast tests see?
	$(BIN)/python tests/mutants.py

clean:          ## remove what the targets made here (not the engine's data)
	rm -rf build .venv .mypy_cache .ruff_cache .pytest_cache *.egg-info
