# What people and CI type. Every target says what it is doing.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PROFILE ?= dev
STAGES := submit plan dispatch execute aggregate reshard
BUILT := target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
FORESHARD := $(BUILT)/foreshard
# Tests that need no emulator. All in one workspace-wide command: another choice of packages would build the SDKs again.
QUICK := $(addprefix --test ,architecture dispatch every_write protocol reshard stages worker alone)
say = @printf '\033[1m==> %s\033[0m\n' "$(1)"

.PHONY: help build functions faulty demo up down test lint unit infra emulator e2e e2e-full schema clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## */  make \1\t/' | expand -t 20

build: ## the command line and every function
	$(call say,building the workspace (the first build takes some minutes))
	cargo build --workspace --all-targets --profile $(PROFILE)

functions: build ## target/lambda/<stage>/bootstrap, as CDK takes them
	$(call say,packaging the functions)
	@for stage in $(STAGES); do local-emulator/package.sh $(BUILT)/$$stage target/lambda/$$stage; done

faulty: functions ## the same with dispatch's fault switch compiled in, for the fault tests: target/lambda-faulty
	$(call say,building dispatch with its fault switch)
	cargo build --workspace --all-targets --features foreshard-dispatch/faults --profile $(PROFILE)
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

test: lint unit infra emulator e2e ## everything

lint: ## formatting and lints
	$(call say,checking formatting and lints)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --profile $(PROFILE) -- -D warnings

unit: functions ## unit, property and architecture tests
	$(call say,unit and property tests and the architecture)
	cargo test --workspace --profile $(PROFILE) --lib --bins $(QUICK)
	cargo test --workspace --profile $(PROFILE) --doc

infra: infra-cdk/node_modules/.package-lock.json ## tests of the CDK constructs
	$(call say,tests of the infrastructure)
	cd infra-cdk && npm run --silent lint && npm test --silent

infra-cdk/node_modules/.package-lock.json: infra-cdk/package-lock.json
	$(call say,installing the CDK)
	cd infra-cdk && npm ci --no-audit --no-fund --loglevel=error

emulator: functions ## tests of the emulator's launcher
	$(call say,tests of the emulator)
	$(FORESHARD) doctor
	cargo test --workspace --profile $(PROFILE) --test launcher -- --nocapture

e2e: faulty ## end to end on the emulator
	$(call say,end to end on the emulator)
	@trap '$(FORESHARD) down --state target/e2e' EXIT; \
	cargo test --workspace --profile $(PROFILE) --test contract --test e2e -- --test-threads=1 --nocapture

e2e-full: ## end to end, every workflow at scale 0.01
	FORESHARD_E2E=full $(MAKE) e2e

schema: build ## docs/workflow.schema.json, from the types
	$(FORESHARD) schema > docs/workflow.schema.json

clean: ## what was built; the emulator's state
	cargo clean
	rm -rf .foreshard infra-cdk/node_modules infra-cdk/cdk.out
