# One command checks everything: `make test`. It installs what is missing
# (RabbitMQ, Chromium and Firefox as Debian packages, the Node clients from npm).

.DEFAULT_GOAL := help

# Three test binaries at a time, though beside them run a broker, a browser and the race detector:
# most wait for something most of the time. The timeout is per package and prints every
# goroutine's stack. The whole of vet runs before, see lint.
TEST_FLAGS ?= -race -vet=off -p 3 -timeout 20m

# The suites and the chaos program are modules of their own (go.work joins them here), so that
# programs that embed the proxy do not get what only tests need.
MODULES := ./... ./test/... ./cmd/events-chaos/...

# The packages that take longest start first, so that none of them runs on alone at the end.
LONGEST := ./test/faults ./test/chaos ./test/inspector ./test/scenarios ./test/cluster \
  ./actors/amqp/brokertest/rabbit ./test/chaos/random ./cmd/events ./cmd/events-chaos ./test/balancers \
  ./test/operator ./cmd/events/doctor ./http ./actors ./test/browser ./actors/amqp

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## the demo: everything in one process, on the in-memory broker
	go run ./cmd/events demo

build: ## the program, as bin/events
	CGO_ENABLED=0 go build -trimpath -o bin/events ./cmd/events

test: lint programs ## format, vet, staticcheck, every test under the race detector
	go test -run Allocate ./actors ./http # what the race detector would distort
	go test $(TEST_FLAGS) $(LONGEST) $(MODULES)

test-brokers: programs ## the suites that meet a broker, on RabbitMQ 4.0 and 4.3 (root, Debian; half an hour)
	sh test/brokers.sh

lint: ## format, vet, staticcheck, and what is exported against the last tag
	@files=$$(gofmt -l actors http cmd config test) && test -z "$$files" || \
	  { echo "not formatted (gofmt -w):"; echo "$$files"; exit 1; }
	go vet $(MODULES)
	go tool staticcheck $(MODULES)
	sh test/apidiff.sh

bench: ## benchmarks: of the parts, and of the whole where test/bench has them
	go test -run '^$$' -bench . -benchmem -timeout 60m ./actors/... ./http/... ./test/bench/...

# The Node clients of a folder are there when npm has written its own list of
# what it installed, and up to date when that is newer than ours.
NODE_CLIENTS := $(patsubst %/package-lock.json,%/node_modules/.package-lock.json,$(wildcard test/*/package-lock.json))

programs: ## install what the tests need and this machine lacks
	sh test/install.sh
	@$(MAKE) --no-print-directory node-clients

node-clients: $(NODE_CLIENTS)

%/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: help run build test test-brokers lint bench programs node-clients
