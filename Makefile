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
	$(GO) test -C e2e -count 1 -timeout 10m .

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
	rm -rf $(BIN) dist imagebuilder_exporter

# Releases and packages. All of dist/ is made anew, without publishing or signing. The
# address of the repository is said here for copies that do not know it.
$(BIN)/goreleaser: tools/release/go.mod tools/release/go.sum
	$(GO) build -C tools/release -o ../../$@ github.com/goreleaser/goreleaser/v2

.PHONY: packages packages-test

RELEASE = GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=remote.origin.url \
	GIT_CONFIG_VALUE_0=https://github.com/imagebuilder-exporter/imagebuilder_exporter $(BIN)/goreleaser

packages: $(BIN)/goreleaser
	$(RELEASE) check
	$(RELEASE) release --snapshot --clean --skip=sign,sbom,docker

# A Debian to install into, made by debootstrap, which needs root.
DEBIAN ?= http://deb.debian.org/debian
$(BIN)/debian.tar:
	mkdir -p $(@D)
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps,rpm bookworm "$$dir" $(DEBIAN) && \
	tar -C "$$dir" --exclude='./var/cache/apt/archives/*.deb' --exclude='./var/lib/apt/lists/*' -cf $@.part . && \
	mv $@.part $@

# As root, with Debian's packages debootstrap and systemd-container: the packages are
# installed, run, upgraded and removed in that Debian.
packages-test: packages $(BIN)/debian.tar
	$(GO) vet -C e2e ./install
	$(GO) test -C e2e -count 1 -timeout 10m ./install
