# Everything that users and CI call. `make test` needs Go and nothing else.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -X github.com/prometheus/common/version.Version=$(VERSION)
BIN      = bin

.PHONY: build demo demo-stack test e2e soak lint fmt promtool fuzz bench clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o imagebuilder_exporter .

demo: build
	./imagebuilder_exporter --demo

# With a Prometheus and an Alertmanager: apt-get install prometheus prometheus-alertmanager.
demo-stack: build
	$(GO) run -C e2e ./cmd/demo-stack

# The race detector needs a C compiler; without one the tests run all the same.
RACE := $(shell command -v $$($(GO) env CC) >/dev/null 2>&1 && echo -race)

test:
	$(GO) vet ./...
	$(GO) test $(RACE) -timeout 10m ./...

# With the real programs: a Prometheus 3, and Debian's packages prometheus,
# prometheus-alertmanager and chromium.
e2e: $(BIN)/prometheus
	$(GO) vet -C e2e ./...
	$(GO) test -C e2e -count 1 -timeout 10m ./...

# The program under faults, scrapes and reloads, all at once.
SOAK ?= 10m
soak:
	$(GO) test -run '^TestSoak$$' -soak $(SOAK) -timeout 0 -v .

# The tools are pinned in modules of their own, for they need far more than we do.
$(BIN)/golangci-lint: tools/golangci-lint/go.mod tools/golangci-lint/go.sum
	$(GO) build -C tools/golangci-lint -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(BIN)/promtool $(BIN)/prometheus: tools/prometheus/go.mod tools/prometheus/go.sum
	$(GO) build -C tools/prometheus -tags remove_all_sd -o ../../$@ github.com/prometheus/prometheus/cmd/$(@F)

lint: $(BIN)/golangci-lint
	$(BIN)/golangci-lint run ./...
	$(BIN)/golangci-lint fmt --diff ./...
	cd e2e && ../$(BIN)/golangci-lint run ./...

fmt: $(BIN)/golangci-lint
	$(BIN)/golangci-lint fmt ./...

promtool: $(BIN)/promtool
	$(BIN)/promtool check metrics < testdata/metrics.txt
	$(BIN)/promtool test rules testdata/queries.yml
	$(BIN)/promtool check rules alerts/imagebuilder.rules.yml
	$(BIN)/promtool test rules alerts/imagebuilder.rules_test.yml alerts/imagebuilder.rules_weeks_test.yml

# A few seconds for each fuzz target; FUZZTIME=8h for a night. (A count, for a run that
# ends by the clock sometimes fails by the clock.)
FUZZTIME ?= 20000x
fuzz:
	$(GO) test -run '^$$' -fuzz '^FuzzParse$$' -fuzztime $(FUZZTIME) ./config
	$(GO) test -run '^$$' -fuzz '^FuzzDecodeTime$$' -fuzztime $(FUZZTIME) ./imagebuilder
	$(GO) test -run '^$$' -fuzz '^FuzzARNs$$' -fuzztime $(FUZZTIME) ./imagebuilder
	$(GO) test -run '^$$' -fuzz '^FuzzAnswers$$' -fuzztime $(FUZZTIME) ./imagebuilder

bench:
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m . ./config

clean:
	rm -rf $(BIN) imagebuilder_exporter

# The Helm chart, with Helm, Kubernetes' own schemas and the exporter itself.
.PHONY: helm-test
helm-test: build $(BIN)/helm $(BIN)/kubeconform $(BIN)/kubernetes-schemas
	$(GO) vet -C tools/kubernetes ./...
	$(GO) test -C tools/kubernetes -count 1 ./...

$(BIN)/helm: tools/kubernetes/go.mod tools/kubernetes/go.sum
	$(GO) build -C tools/kubernetes -o ../../$@ helm.sh/helm/v3/cmd/helm

$(BIN)/kubeconform: tools/kubernetes/go.mod tools/kubernetes/go.sum
	$(GO) build -C tools/kubernetes -o ../../$@ github.com/yannh/kubeconform/cmd/kubeconform

$(BIN)/kubernetes-schemas: tools/kubernetes/schemas/main.go
	rm -rf $@ $@.new
	$(GO) run -C tools/kubernetes ./schemas ../../$@.new
	mv $@.new $@
