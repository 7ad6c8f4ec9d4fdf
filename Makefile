# What people and CI type. Every target says what it is doing.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PROFILE ?= dev
EXAMPLES ?= 25
SEEDS ?= 100000
TASKS ?= 1000000
LANES ?= 10000
STAGES := submit plan dispatch execute aggregate reshard forecast prewarm
BUILT := target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
FORESHARD := $(BUILT)/foreshard
# Tests that need no emulator. All in one workspace-wide command: another choice of packages would build the SDKs again.
QUICK := $(addprefix --test ,ahead api architecture dispatch documented every_write faults large large_shardings limits model planner plans prices protocol reality reshard stages troubles worker alone recorded_constants recorded_definitions)
# What ships: see ship/build.sh.
ARCHITECTURES ?= arm64 x86_64
HERE := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)
ARCHITECTURE ?= arm64
IMAGE ?= foreshard-execute
# Recorded workflows and the peers' figures for them.
SHARED ?= ../shared
CARGO_DENY := 0.20.2
# Not LocalStack's: it is pinned with what it was released with, later versions break it, and it answers this machine only.
PYTHON_LOCKS = $(shell git ls-files '*.lock' ':!Cargo.lock' ':!local-emulator/localstack/*')
comma := ,
say = @printf '\033[1m==> %s\033[0m\n' "$(1)"

.PHONY: help build functions faulty demo up down test test-localstack lint unit infra emulator e2e e2e-full e2e-prewarm schema clean \
    planner-tables simulator-table simulate-large prove scripts openapi fuzz-api ship measure-functions measure-dispatch image audit audit-rules audit-advisories sbom release-notes

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## */  make \1\t/' | expand -t 27

build: ## the command line and every function
	$(call say,building the workspace (the first build takes some minutes))
	cargo build --workspace --all-targets --profile $(PROFILE)

functions: build ## target/lambda/<stage>/bootstrap, as CDK takes them
	$(call say,packaging the functions)
	@for stage in $(STAGES); do local-emulator/package.sh $(BUILT)/$$stage target/lambda/$$stage; done

# Any test will do beside it: the features that tests bring must be on, or the SDKs are built again.
faulty: functions ## the same with dispatch's fault switch compiled in, for the fault tests: target/lambda-faulty
	$(call say,building dispatch with its fault switch)
	cargo build --workspace --bin dispatch --test prices --features foreshard-dispatch/faults --profile $(PROFILE)
	@for stage in $(STAGES); do local-emulator/package.sh target/lambda/$$stage/bootstrap target/lambda-faulty/$$stage; done
	@local-emulator/package.sh $(BUILT)/dispatch target/lambda-faulty/dispatch
	cargo build --workspace --all-targets --profile $(PROFILE)

demo: functions ## a finished run of an example, from a fresh clone, on the embedded emulator
	$(call say,starting the emulator and deploying the control plane)
	$(FORESHARD) up
	$(call say,running examples/word-count)
	$(FORESHARD) run examples/word-count/workflow.yaml
	@printf 'the emulator stays up: try another example, then `make down`\n'

up: functions ## the emulator with the control plane deployed
	$(FORESHARD) up

down: ## stop the emulator
	$(FORESHARD) down

test: lint unit infra emulator fuzz-api e2e ## everything

lint: ## formatting and lints
	$(call say,checking formatting and lints)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --profile $(PROFILE) -- -D warnings

unit: functions scripts ## unit, property and architecture tests
	$(call say,unit and property tests and the architecture)
	cargo test --workspace --profile $(PROFILE) --lib --bins $(QUICK) -- --skip schemathesis
	cargo test --workspace --profile $(PROFILE) --doc

infra: infra-cdk/node_modules/.package-lock.json ## tests of the CDK constructs
	$(call say,tests of the infrastructure)
	cd infra-cdk && npm run --silent lint && npm test --silent

infra-cdk/node_modules/.package-lock.json: infra-cdk/package-lock.json
	$(call say,installing the CDK)
	cd infra-cdk && npm ci --no-audit --no-fund --loglevel=error

emulator: functions ## tests of the emulators' hosts
	$(call say,tests of the emulators' hosts)
	$(FORESHARD) doctor
	cargo test --workspace --profile $(PROFILE) --test launcher -- --nocapture

e2e: faulty ## end to end on the emulator
	$(call say,end to end on the emulator)
	@trap '$(FORESHARD) down --state target/e2e' EXIT; \
	cargo test --workspace --profile $(PROFILE) --test contract --test e2e -- --test-threads=1 --nocapture

# What runs on LocalStack unless the whole suite is asked for: every port, and what an emulator can get wrong.
LOCALSTACK_SLICE := front_door identity kinds bad_requests control::cancelled examples:: worker_killed lost_lanes rounds::a_wide schedules::a_schedule
LOCALSTACK ?= required

test-localstack: faulty ## ports and a slice of end to end on LocalStack; FULL=1 all of it, LOCALSTACK=optional where Python 3.13 may be missing
	$(call say,end to end on LocalStack)
	@if ! $(FORESHARD) doctor --emulator localstack; then \
	  [ "$(LOCALSTACK)" = optional ] && { echo "SKIPPED: LocalStack cannot run here"; exit 0; }; exit 5; fi; \
	trap '$(FORESHARD) down --state target/e2e-localstack' EXIT; export FORESHARD_EMULATOR=localstack; \
	cargo test --workspace --profile $(PROFILE) --test contract -- --test-threads=1 --nocapture; \
	cargo test --workspace --profile $(PROFILE) --test e2e -- --test-threads=1 --nocapture $(if $(FULL),,$(LOCALSTACK_SLICE))

e2e-full: ## end to end, every workflow at scale 0.01
	FORESHARD_E2E=full $(MAKE) e2e

e2e-prewarm: faulty ## pre-warming end to end: two scheduled waves, some five minutes
	@trap '$(FORESHARD) down --state target/e2e' EXIT; \
	FORESHARD_E2E=full cargo test --workspace --profile $(PROFILE) --test e2e -- --test-threads=1 --nocapture prewarm

prove: ## the run protocol: every state of small models (FORESHARD_ONLY='6 shards;intrudes' for some of them), then SEEDS=100000 seeded runs with every kind of fault
	$(call say,every state of small models)
	FORESHARD_MODEL=all cargo test --workspace --profile $(PROFILE) --test model -- --nocapture --test-threads=1
	$(call say,$(SEEDS) seeded runs)
	FORESHARD_SEEDS=$(SEEDS) cargo test --workspace --profile $(PROFILE) --test protocol -- --nocapture every_seed

scripts: ## tests of the scripts that package, check and measure
	$(call say,tests of the scripts that package$(comma) check and measure)
	python3 -W error::ResourceWarning -m unittest discover --start-directory ship/tests --top-level-directory ship

ship: ## functions and command line for AWS, arm64 and x86_64: target/ship/<architecture>/<stage>/bootstrap
	@missing=; for architecture in $(ARCHITECTURES); do ship/build.sh $$architecture || missing="$$missing $$architecture"; done; \
	if [ -n "$$missing" ]; then echo "not built:$$missing" >&2; exit 1; fi

measure-functions: ## size, CPU and memory of a start of what was shipped for this machine; fails when a promise is broken
	python3 ship/measure.py target/ship/$(HERE) --json target/ship/measured-$(HERE).json

measure-dispatch: ## CPU time of one event of the shipped dispatch in a run of 10,000 shards, on an emulator of its own
	$(call say,running a part of 10$(comma)000 shards on the emulator)
	python3 ship/measure_dispatch.py target/ship/$(HERE) --foreshard target/ship/$(HERE)/foreshard

image: ## the container image of execute, from what was shipped: ARCHITECTURE=arm64 BASE=python:3.13-slim IMAGE=my-worker
	docker build --file functions/execute/Dockerfile --platform linux/$(subst x86_64,amd64,$(ARCHITECTURE)) \
	    --build-arg ARCHITECTURE=$(ARCHITECTURE) $(if $(BASE),--build-arg BASE=$(BASE)) --tag $(IMAGE) .

audit: audit-rules audit-advisories ## what comes from outside: licences, sources, known vulnerabilities; spelling, Dockerfile

audit-rules: ## the part of it that needs no database of advisories
	$(call say,licences$(comma) bans and sources of the crates)
	PATH="$$(ship/cargo-tool.sh cargo-deny $(CARGO_DENY)):$$PATH" cargo deny --locked check licenses bans sources
	$(call say,licences of what npm brings)
	python3 ship/npm.py
	$(call say,spelling and the Dockerfile)
	@tools=$$(ship/tools.sh ship/audit.lock) && "$$tools/typos" && "$$tools/hadolint" functions/execute/Dockerfile

audit-advisories: ## the part of it that asks RustSec, npm and PyPI; fails where one of them cannot be asked
	$(call say,advisories)
	@tools=$$(ship/tools.sh ship/audit.lock) deny=$$(ship/cargo-tool.sh cargo-deny $(CARGO_DENY)); failed=; \
	PATH="$$deny:$$PATH" cargo deny --locked check advisories || failed="$$failed crates"; \
	npm audit --prefix infra-cdk --package-lock-only || failed="$$failed npm"; \
	for lock in $(PYTHON_LOCKS); do "$$tools/pip-audit" --require-hashes --disable-pip --requirement $$lock || failed="$$failed $$lock"; done; \
	if [ -n "$$failed" ]; then echo "with advisories, or not to be asked:$$failed" >&2; exit 1; fi

sbom: ## what ships consists of, as CycloneDX: target/ship/sbom/<what>.cdx.json
	$(call say,bills of materials)
	python3 ship/sbom.py target/ship/sbom
	npm sbom --prefix infra-cdk --package-lock-only --sbom-format cyclonedx > target/ship/sbom/infra-cdk.new
	mv target/ship/sbom/infra-cdk.new target/ship/sbom/infra-cdk.cdx.json
	python3 ship/npm.py --list target/ship/sbom/infra-cdk-licences.txt

release-notes: ## what the changelog says of TAG=v1.2.3, if that is the version of the workspace
	@python3 ship/release_notes.py "$(TAG)"

schema: build ## docs/workflow.schema.json, from the types
	$(FORESHARD) schema > docs/workflow.schema.json

openapi: build ## docs/openapi.json, from the table of routes and the types
	$(FORESHARD) openapi > docs/openapi.json

fuzz-api: build target/fuzz-api/venv/complete ## Schemathesis over the REST API; EXAMPLES=500 for longer, FORESHARD_FUZZ_URL=… for a deployment
	$(call say,fuzzing the REST API)
	FORESHARD_FUZZ_EXAMPLES=$(EXAMPLES) cargo test --workspace --profile $(PROFILE) --test api -- --nocapture schemathesis

target/fuzz-api/venv/complete: tests/fuzz-api/requirements.lock
	$(call say,installing Schemathesis)
	@rm -rf target/fuzz-api/venv && mkdir -p target/fuzz-api
	python3 -m venv target/fuzz-api/venv
	target/fuzz-api/venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

planner-tables: ## the planner's figures on the recorded workflows beside the peers', as docs/planner.md shows them
	$(call say,timetables$(comma) partitions and plans beside plain states (about five minutes of one core))
	cargo run --quiet --release -p foreshard-bench --example bench -- tables $(SHARED)/data/workflows/*.json.gz --baselines $(SHARED)/baselines

simulator-table: ## every recorded workflow in virtual time beside plain states, as docs/simulator.md shows it
	$(call say,simulating the recorded workflows)
	cargo run --quiet --release -p foreshard-simulator --example simulate -- --compare --table $(SHARED)/data/workflows/*.json.gz

simulate-large: ## a million tasks on ten thousand lanes in virtual time: LANES and TASKS say how many
	$(call say,simulating $(TASKS) tasks on $(LANES) lanes)
	cargo run --quiet --release -p foreshard-simulator --example large -- --tasks $(TASKS) --lanes $(LANES)

clean: ## what was built; the emulator's state
	cargo clean
	rm -rf .foreshard infra-cdk/node_modules infra-cdk/cdk.out
