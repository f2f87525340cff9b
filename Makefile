# `make help` lists what there is. `make run` needs Rust alone; `make test` also Python 3.10 or newer.

.DEFAULT_GOAL := help
SHELL := bash
VENV ?= .venv
PYTHON ?= python3
TARGET := $(or $(CARGO_TARGET_DIR),target)
LOCAL := --no-default-features --features cli

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 21

.PHONY: run
run: ## Show what trailhound does: sample events through the real handler, alerts on the terminal (no AWS, no Docker)
	cargo run $(LOCAL) --locked --bin trailhound -- invoke --pack all --config events/trailhound.yaml events/s3-put.json events/sqs-s3-batch.json
	@echo "One record of the samples is damaged on purpose. events/README.md tells the story behind these alerts."

.PHONY: test
test: check unit ocsf template aws-test ## Run every check and test

.PHONY: check
check: ## Format, lints, documentation
	cargo fmt --check
	cargo clippy --all-features --all-targets --locked -- -D warnings
	cargo clippy $(LOCAL) --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --lib --all-features --locked --quiet
	$(PYTHON) scripts/make_sample_events.py --check

.PHONY: unit
unit: ## Unit and integration tests with local parts
	cargo nextest run --all-features --lib --bins --test it --locked
	cargo test --doc --all-features --locked --quiet

.PHONY: ocsf
ocsf: $(VENV)/ready ## Hold findings of every kind against implementations of OCSF and ASFF that are not ours
	cargo nextest run --all-features --test it --locked ocsf::
	$(VENV)/bin/python -B scripts/ocsf $(TARGET)/tmp/ocsf
	$(VENV)/bin/python -B scripts/asff.py $(TARGET)/tmp/asff

.PHONY: preview
preview: ## Draw docs/preview/index.html anew: alerts as Slack, Teams and Amazon Q show them (needs Node 20.19 and npm)
	cargo test $(LOCAL) --locked --quiet --test it -- --exact preview::the_messages_of_the_page_are_written
	cd scripts/preview && npm ci --ignore-scripts --silent
	node --test --test-reporter=dot scripts/preview/preview.test.mjs
	node scripts/preview/build.mjs $(TARGET)/tmp/preview/messages.json docs/preview/index.html

.PHONY: rules-doc
rules-doc: ## Write docs/rules anew: a page for each shipped rule, the table, the ATT&CK matrix
	cargo run $(LOCAL) --locked --quiet --bin trailhound -- rules doc

.PHONY: template
template: $(VENV)/ready ## Lint template.yaml
	$(VENV)/bin/cfn-lint template.yaml
	env -u AWS_PROFILE SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam validate --lint --region eu-west-1 --template template.yaml

.PHONY: aws-test
aws-test: $(VENV)/ready ## Deploy template.yaml to a local AWS emulator and test the compiled function in it
	TRAILHOUND_PYTHON=$(abspath $(VENV))/bin/python cargo nextest run --all-features --test aws --locked

.PHONY: aws-local
aws-local: $(VENV)/ready function ## Deploy to a local AWS emulator, put a sample trail file, show the alert that comes out of SNS
	$(VENV)/bin/python scripts/aws_local.py --bootstrap $(TARGET)/debug/function

.PHONY: soak
soak: $(VENV)/ready function ## Thousands of objects through the compiled function while AWS fails and processes are killed: is anything lost? `SOAK="--objects 500 --seed 7"`
	$(VENV)/bin/python scripts/soak --bootstrap $(TARGET)/debug/function $(SOAK)

.PHONY: bench
bench: ## Measure reading, matching, compiling, whole processes and memory on generated records; `BENCH=--help` lists what there is
	cargo bench $(LOCAL) --locked --bench measure -- $(BENCH)

.PHONY: bench-peers
bench-peers: ## Run the same files through zcat, rg, jq, rsigma and suzaku, as far as they are installed: matches, then CPU time
	cargo bench $(LOCAL) --locked --bench measure -- peers

.PHONY: bench-picture
bench-picture: ## Draw docs/performance.svg, what more rules cost, anew
	cargo bench $(LOCAL) --locked --bench measure -- match --svg docs/performance.svg

.PHONY: instructions
instructions: ## Count instructions with valgrind, for 10 to 10,000 rules; fails when they grow beyond the limits
	benches/instructions.sh

.PHONY: instructions-update
instructions-update: ## Store the count that `make instructions` compares with
	benches/instructions.sh --update

.PHONY: bench-cold-start
bench-cold-start: ## Measure the function as it is deployed: size, time to its first poll, first events, memory (Linux)
	cargo build --release --no-default-features --features aws --bin function --locked
	cargo bench $(LOCAL) --locked --bench cold_start -- $(abspath $(TARGET))/release/function

.PHONY: ip-ranges
ip-ranges: ## Fetch AWS's list of its networks into enrichment/, whole or not at all; `IP_RANGES="--url file:///tmp/ip-ranges.json"`
	$(PYTHON) scripts/fetch_ip_ranges.py enrichment $(IP_RANGES)

.PHONY: function
function: ## Build the function and the notifier as they are deployed, unoptimised
	cargo build --no-default-features --features aws --bin function --bin notifier --locked

$(VENV)/ready: scripts/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement scripts/requirements.txt
	touch $@

.PHONY: clean
clean: ## Remove what the targets made
	cargo clean
	rm -rf $(VENV) .aws-sam scripts/preview/node_modules
