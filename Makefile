# Everything a developer runs. `make help` lists it.
GOLANGCI_VERSION := v2.15.0
MODULES := bff-mobile bff-web cache connectors demo e2e edge schema
BIN := $(CURDIR)/.bin
PACKAGES := $(foreach m,$(MODULES),./$(m)/...)
SOAK ?= 30m
FUZZTIME ?= 60s
RELEASED_SCHEMA := schema/graphql/released/schema.graphql
CONTRACT := schema/openapi/mobile.yaml
RELEASED_CONTRACT := schema/openapi/released/mobile.yaml
OASDIFF_VERSION := v1.32.1

.DEFAULT_GOAL := help
.PHONY: help run test race lint generate check-generated check-modules parts-check schema-check schema-release openapi-lint openapi-check openapi-release bench decision e2e fuzz soak dark tidy build figures faults storefront storefront-check

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start the demo: five imitated systems and both channels
	go run ./demo

test: ## every test that needs no server
	go test work

# Without vet, as are e2e, decision and fuzz: test has done it, and lint does it with the tags.
race: ## the same under the race detector, while every cached value is hashed: nobody changes what is shared (needs gcc)
	go test -vet=off -race -tags cachehash work

lint: $(BIN)/golangci-lint-$(GOLANGCI_VERSION) ## formatting, static checks, and the arrows between rooms
	$< run --allow-parallel-runners --build-tags e2e,cachehash $(PACKAGES)

$(BIN)/golangci-lint-$(GOLANGCI_VERSION):
	@mkdir -p $(BIN)
	GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv $(BIN)/golangci-lint $@

generate: ## write all generated code and the tables of the README
	cd bff-web && go generate ./...
	cd bff-mobile && go generate ./...
	cd demo && go generate ./...

check-generated: generate ## fail when generated code is not what the generators write
	@git diff --exit-code --stat -- . || { echo 'run "make generate" and commit'; exit 1; }
	@test -z "$$(git ls-files --others --exclude-standard)" || { git ls-files --others --exclude-standard; echo 'untracked files after generating'; exit 1; }

# The workspace fills in what a module's own files lack: who builds one alone would meet it first.
check-modules: ## fail when a module's go.mod or go.sum lacks what its packages and tests import
	@for m in $(MODULES); do (cd $$m && GOWORK=off go list -mod=readonly -deps -test -tags e2e ./... >/dev/null) || exit 1; done

AUDITS := e2e/audits/node_modules/.package-lock.json

$(AUDITS): e2e/audits/package.json e2e/audits/package-lock.json
	cd e2e/audits && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

WATCH := e2e/live/node_modules/.package-lock.json

$(WATCH): e2e/live/package.json e2e/live/package-lock.json
	cd e2e/live && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

schema-check: $(AUDITS) ## fail when the web channel's schema breaks clients of the last release (needs node)
	node e2e/audits/check.mjs $(RELEASED_SCHEMA) schema/graphql

schema-release: $(AUDITS) ## a release's step: what schema-check compares with becomes the schema as it is now
	node e2e/audits/release.mjs schema/graphql $(RELEASED_SCHEMA)

OPENAPI := e2e/openapi/node_modules/.package-lock.json

$(OPENAPI): e2e/openapi/package.json e2e/openapi/package-lock.json
	cd e2e/openapi && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

PARTS := e2e/parts/node_modules/.package-lock.json

$(PARTS): e2e/parts/package.json e2e/parts/package-lock.json
	cd e2e/parts && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

# URL=… is a web channel in development that answers free text; COUNT=… and SEED=… say which queries.
parts-check: $(PARTS) ## ask random queries of a running web channel by Apollo Client, in parts and at once, and compare (needs node)
	node e2e/parts/check.mjs $(or $(URL),http://127.0.0.1:8080/graphql) $(or $(COUNT),100) $(or $(SEED),1)

# CONTRACT=file and RELEASED_CONTRACT=file look at others.
openapi-lint: $(OPENAPI) ## fail when the mobile channel's contract is not what its readers' tools like (needs node)
	@contract=$(abspath $(CONTRACT)) && cd e2e/openapi && REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npm run --silent lint -- $$contract

# What it takes for an error is in levels.txt where that is more than what it does by itself.
openapi-check: $(BIN)/oasdiff-$(OASDIFF_VERSION) ## fail when the mobile channel's contract breaks apps of the last release
	@$< breaking $(RELEASED_CONTRACT) $(CONTRACT) --fail-on WARN --severity-levels e2e/openapi/levels.txt \
		--allow-external-refs=false --format singleline --color never \
		|| { echo 'Deprecate instead (docs/mobile.md), or release a new major version (make openapi-release).'; exit 1; }

openapi-release: ## a release's step: what openapi-check compares with becomes the contract as it is now
	@mkdir -p $(dir $(RELEASED_CONTRACT))
	cp $(CONTRACT) $(RELEASED_CONTRACT)

$(BIN)/oasdiff-$(OASDIFF_VERSION):
	@mkdir -p $(BIN)
	GOBIN=$(BIN) go install github.com/oasdiff/oasdiff@$(OASDIFF_VERSION)
	@mv $(BIN)/oasdiff $@

SHOPPER := e2e/storefront/node_modules/.package-lock.json

$(SHOPPER): e2e/storefront/package.json e2e/storefront/package-lock.json
	cd e2e/storefront && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

bench: ## both channels beside a plain aggregator, into docs/benchmarks.md (needs redis-server; minutes)
	go build -trimpath -o bin/ ./bff-web/cmd/bff-web ./bff-mobile/cmd/bff-mobile ./e2e/bench
	bin/bench -bin bin -docs docs/benchmarks.md

micro: ## micro-benchmarks beside their packages
	go test -run '^$$' -bench . -benchmem work

decision: ## decide about 20,000 hostile requests of the web channel; fails when one takes 10 ms of CPU
	go test -vet=off -run '^$$' -bench W3_ -benchtime 1x ./bff-web/internal/graphhttp

e2e: $(AUDITS) $(PARTS) $(WATCH) $(OPENAPI) $(SHOPPER) $(BIN)/oasdiff-$(OASDIFF_VERSION) ## end to end: real processes, real sockets, a real Redis, a real browser (needs redis-server, node, chromium)
	go test -vet=off -race -tags e2e -count=1 -timeout 20m ./e2e/...

# Two packages a processor at a time, with one worker each: a target that starts, ends or waits leaves its processor to another. Those with most targets come first.
fuzz: ## every fuzz target (FUZZTIME=60s each)
	@grep -rE '^func Fuzz' --include='*_test.go' $(MODULES) | sed 's|/[^/]*$$||' | sort | uniq -c | sort -rn | awk '{print $$2}' \
		| xargs -L 1 -P $$((2 * $$(nproc))) .ci/fuzz $(FUZZTIME)

soak: ## the long runs in full (SOAK=30m)
	go test -tags e2e -count=1 -v -timeout 2h -run 'Soak' ./e2e -args -soak $(SOAK) -fault-calls 100000
	go test -tags e2e -count=1 -v -parallel 1 -timeout 1h -run 'TestC[0-9]+_' ./e2e -args -cache-full
	go test -run '^$$' -bench 'C21' -benchtime 1x ./cache
	go test -count=1 -run 'TestN1' ./connectors/odoo -rapid.checks=100000
	go test -count=1 -run 'TestN1_' ./connectors/transport -n1-rounds 20
	go test -count=1 -timeout 1h -run 'TestACatalogueSynced' ./bff-mobile/syncing -rapid.checks=1000
	go test -count=1 -run 'TestW3_' ./bff-web/internal/graphhttp -hostile-documents 20000
	go test -run '^$$' -bench W3_ -benchtime 1x ./bff-web/internal/graphhttp -hostile-requests 100000
	$(MAKE) fuzz FUZZTIME=60s

figures: build ## measure the built demo from outside: start-up, memory, calls, bytes, latency
	go run ./e2e/figures -demo bin/demo

dark: build ## measure what clients still get when every system, or Redis, is gone (needs redis-server)
	go run ./e2e/figures -demo bin/demo -dark 60s

STOREFRONT := bff-web/storefront

storefront: ## build the shop that bff-web embeds (needs node)
	cd $(STOREFRONT) && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

storefront-check: storefront ## fail when the shop's bundle is not what its sources build
	@git diff --exit-code --stat -- $(STOREFRONT)/dist || { echo 'run "make storefront" and commit'; exit 1; }
	@test -z "$$(git ls-files --others --exclude-standard -- $(STOREFRONT))" || { git ls-files --others --exclude-standard -- $(STOREFRONT); echo 'untracked files after building'; exit 1; }

faults: build ## measure what clients get while the systems fail: a minute of each kind of weather
	go run ./e2e/figures -demo bin/demo -faults 60s

build: ## the three binaries into ./bin
	go build -trimpath -o bin/ ./bff-web/cmd/bff-web ./bff-mobile/cmd/bff-mobile ./connectors/sandbox/cmd/sandbox ./demo

tidy: ## go mod tidy in every module
	@for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy) || exit 1; done
