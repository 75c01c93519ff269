# Everything that users and CI call. `make test` needs Go and nothing else.

GO  ?= go
BIN  = bin

# What the program says of itself. All of it comes from the commit, and nothing from the
# machine or the clock: the same commit and Go make the same bytes, here, in the image and
# in the packages.
VERSION  ?= $(patsubst v%,%,$(or $(shell git describe --tags --dirty 2>/dev/null),0.0.0-dev))
REVISION ?= $(or $(shell git describe --always --abbrev=40 --exclude='*' --dirty 2>/dev/null),unknown)
DATE     ?= $(shell TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null)

ABOUT   = github.com/prometheus/common/version
LDFLAGS = -s -w -X $(ABOUT).Version=$(VERSION) -X $(ABOUT).Revision=$(REVISION) -X $(ABOUT).BuildDate=$(DATE)

.PHONY: build demo demo-stack test e2e soak lint fmt promtool fuzz bench clean
.PHONY: reproducible image image-test licenses vuln

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

# Two clones in two folders, each with a build cache of its own, give the same bytes.
reproducible:
	$(GO) test -C e2e -count 1 -timeout 20m -run '^TestReproducible$$' ./install

# The image. DOCKER may be podman, or buildah with its flags.
DOCKER      ?= docker
IMAGE       ?= imagebuilder_exporter
IMAGE_FLAGS ?=
image:
	$(DOCKER) build $(IMAGE_FLAGS) --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
		--build-arg DATE=$(DATE) --tag $(IMAGE):$(VERSION) .

# As root, with Debian's packages buildah, podman, runc and busybox-static; port 10120 has to be free.
image-test:
	$(GO) test -C e2e -count 1 -timeout 20m -run '^TestImage$$' -v ./install

$(BIN)/govulncheck: tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../$@ golang.org/x/vuln/cmd/govulncheck

$(BIN)/go-licenses: tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../$@ github.com/google/go-licenses

# Asks vuln.go.dev; VULNDB=file:///folder is for networks from which that is out of reach.
VULNDB ?= https://vuln.go.dev
vuln: $(BIN)/govulncheck
	$(BIN)/govulncheck -db $(VULNDB) ./...

# Refuses licences that are not listed, and writes those of what the binaries contain.
licenses: $(BIN)/go-licenses
	rm -rf $(BIN)/licenses
	set -e; for os in linux darwin; do \
		GOOS=$$os $(BIN)/go-licenses check . --allowed_licenses=Apache-2.0,BSD-3-Clause,MIT; \
		GOOS=$$os $(BIN)/go-licenses save . --save_path=$(BIN)/licenses/$$os \
			--ignore github.com/imagebuilder-exporter/imagebuilder_exporter; \
	done
	mkdir $(BIN)/licenses/linux/std
	cp "$$($(GO) env GOROOT)/LICENSE" $(BIN)/licenses/linux/std
	$(GO) run -C tools ./licenses $(CURDIR)/$(BIN)/licenses/linux $(CURDIR)/$(BIN)/licenses/darwin > $(BIN)/licenses/all
	mv $(BIN)/licenses/all THIRD_PARTY_LICENSES

bench:
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m . ./config

clean:
	rm -rf $(BIN) dist imagebuilder_exporter

# The Terraform module of deploy/iam with a real OpenTofu, and a double of its provider.
.PHONY: iam-test
$(BIN)/tofu: tools/opentofu/go.mod tools/opentofu/go.sum
	$(GO) build -C tools/opentofu -o ../../$@ github.com/opentofu/opentofu/cmd/tofu

iam-test: $(BIN)/tofu
	$(BIN)/tofu fmt -check -diff -recursive deploy/iam/terraform
	$(GO) vet -C tools/opentofu ./...
	$(GO) test -C tools/opentofu -count 1 -timeout 10m ./...
