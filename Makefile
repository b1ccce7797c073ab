# The verbs of this project; CI calls the same and nothing else.

CARGO ?= cargo
LAMBDAS := $(foreach name,adapters catalog inventory service-management,-p mano-$(name) --features mano-$(name)/lambda)
DENY_VERSION := 0.20.2
TOOLS := $(CURDIR)/target/tools
DENY := $(TOOLS)/bin/cargo-deny
ASL_PEER_VERSION := 3.0.0
ASL_PEER := $(TOOLS)/asl-peer

.DEFAULT_GOAL := help
.PHONY: help demo test check fmt clippy deny doc golden bench bench-asl bench-lambda check-aws test-aws lambda deploy

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## the whole story on this machine: deploy, scale, lose, heal, fail, roll back, leave nothing
	$(CARGO) run --quiet -p mano-edge --bin mano -- demo

# The workspace's default members leave out what brings the AWS SDK: features are
# unified within one build, and the embedded program must not carry it.
test: ## every test that needs neither an emulator nor an account
	$(CARGO) test

check: fmt clippy deny doc ## form, lints, licences, documentation

fmt:
	$(CARGO) fmt --all -- --check

clippy:
	$(CARGO) clippy --all-targets -- -D warnings

# Advisories need the network and have their own schedule; the rest wants every crate at hand.
deny: $(DENY)
	$(CARGO) fetch --quiet
	$(DENY) --offline --workspace check --hide-inclusion-graph bans licenses sources
	$(DENY) --offline --manifest-path infra/edge/Cargo.toml --config infra/edge/deny.toml check bans

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items

golden: ## write the golden files anew; review them as a diff
	MANO_GOLDEN=1 $(CARGO) test --no-fail-fast
	git status --short

bench: ## measure the whole as its clients see it; `make bench SCENE=crowd` for one scene
	$(CARGO) build --release -p mano-edge --bin mano
	$(CARGO) bench -p mano-tests --bench edge -- $(SCENE)

bench-asl: ## measure the workflow engine and its expression language alone
	-$(MAKE) --silent $(ASL_PEER)/.ready
	ASL_PEER=$(ASL_PEER) $(CARGO) bench -p mano-asl
	$(CARGO) bench -p mano-jsonata
	$(CARGO) bench -p mano-embedded --bench durable

# The other engine stands beside ours where npm is; the table says so where it is not.
$(ASL_PEER)/.ready:
	mkdir -p $(@D)
	cd $(@D) && npm install --silent --no-save --no-package-lock --no-audit --no-fund \
		--prefix . aws-local-stepfunctions@$(ASL_PEER_VERSION)
	touch $@

bench-lambda: $(TOOLS)/emulator/.ready ## measure cold starts, memory and size of the Lambda functions
	$(CARGO) build --profile lambda --target x86_64-unknown-linux-gnu --bins $(LAMBDAS) -p mano-relay
	python3 shared/aws/benches/cold_start.py $${CARGO_TARGET_DIR:-target}/x86_64-unknown-linux-gnu/lambda $(TOOLS)/emulator/bin/ministack

check-aws: aws-tools ## the deployment on AWS: lint, rights with names, CDK with its rules
	infra/tools/aws.sh check

test-aws: aws-tools $(if $(filter account,$(MANO_TEST_AWS)),$(TOOLS)/lambda/.ready) ## the same, deployed in front of an emulator on this machine, with the tests that need it
	infra/tools/aws.sh test

lambda: $(TOOLS)/lambda/.ready ## build the functions for Lambda, in target/lambda; `make lambda ARCHITECTURE=arm64`
	infra/tools/aws.sh build

deploy: aws-tools $(TOOLS)/lambda/.ready ## the same, and deploy; `make deploy PARAMETERS="Site=north" ARGS="--stack-name mano"`
	infra/tools/aws.sh deploy $(ARGS)

# The emulator pins a library that the tools want newer: each has an environment of its own.
.PHONY: aws-tools
aws-tools: $(TOOLS)/aws/.ready $(TOOLS)/emulator/.ready infra/cdk/node_modules/.ready

$(TOOLS)/aws/.ready: infra/tools/requirements.txt
$(TOOLS)/emulator/.ready: infra/tools/requirements-emulator.txt
$(TOOLS)/lambda/.ready: infra/tools/requirements-lambda.txt
$(TOOLS)/%/.ready:
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

infra/cdk/node_modules/.ready: infra/cdk/package-lock.json
	cd infra/cdk && npm ci --silent
	touch $@

$(DENY):
	$(CARGO) install cargo-deny --locked --version $(DENY_VERSION) --no-default-features --root $(TOOLS)
