# Everything that users and CI call. `make test` needs Go and nothing else; what the
# others need stands at them.

GO  ?= go
BIN  = bin

# What the program says of itself. All of it comes from the commit, and nothing from the
# machine or the clock: the same commit and Go make the same bytes, here, in the image and
# in the packages.
VERSION  ?= $(patsubst v%,%,$(or $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null | tr -cd 0-9A-Za-z.-),0.0.0-dev))
REVISION ?= $(or $(shell git describe --always --abbrev=40 --exclude='*' --dirty 2>/dev/null),unknown)
DATE     ?= $(shell TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null)

ABOUT   = github.com/prometheus/common/version
LDFLAGS = -s -w -X $(ABOUT).Version=$(VERSION) -X $(ABOUT).Revision=$(REVISION) -X $(ABOUT).BuildDate=$(DATE)

.PHONY: help build demo demo-stack clean
.PHONY: test golden lint fmt promtool fuzz bench bench-rules soak scale-test e2e day helm-test licenses vuln
.PHONY: image packages chart release release-notes
.PHONY: reproducible image-test packages-test release-test iam-test

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

build: ## the program, ./imagebuilder_exporter
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o imagebuilder_exporter .

# In a terminal the program is the job in the foreground, not make. Ctrl-C reaches only the
# program, and make waits for its end and takes its status.
FOREGROUND = $(shell test -t 0 && echo 'set -m;')

demo: build ## it, with made-up pipelines, on http://localhost:10120/metrics
	@printf '%s\n' '' 'A demo; nothing asks AWS. Ctrl-C ends it.' '' \
		'  http://localhost:10120/            state of the targets, links' \
		'  http://localhost:10120/executions  what failed and why, what waits; after the first scrape' \
		'  http://localhost:10120/metrics     what Prometheus scrapes' ''
	$(FOREGROUND) ./imagebuilder_exporter --demo

# apt-get install prometheus prometheus-alertmanager; DEMO are its flags, such as '-pipelines 400'.
demo-stack: build ## the demo with a Prometheus and an Alertmanager
	$(GO) build -o $(BIN)/demo-stack ./deploy/demo-stack
	$(FOREGROUND) $(BIN)/demo-stack $(DEMO)

clean: ## removes what was made
	rm -rf $(BIN) dist imagebuilder_exporter

## Tests: what .ci/run runs

# The race detector needs a C compiler; without one the tests run all the same.
RACE := $(shell command -v $$($(GO) env CC) >/dev/null 2>&1 && echo -race)

test: ## all tests of the exporter, and a short soak
	$(GO) vet ./...
	$(GO) test $(RACE) -timeout 20m ./...
	$(GO) test -C e2e $(RACE) -timeout 10m -count 1 ./soak

# In every package whose tests import internal/golden. Each test that writes has Golden in
# its name.
IMPORTS = {{.ImportPath}}: {{join .TestImports " "}} {{join .XTestImports " "}} .
golden: ## writes anew what tests compare with: metrics, alerts, queries, the chart
	$(GO) test -run Golden $$($(GO) list -f '$(IMPORTS)' ./... | sed -n 's|: .*/internal/golden .*||p') -update

lint: $(BIN)/golangci-lint $(BIN)/actionlint ## formatting and rules, of the workflows, too
	$(BIN)/golangci-lint run ./...
	$(BIN)/golangci-lint fmt --diff ./...
	set -e; for dir in $(MODULES); do (cd $$dir && "$(CURDIR)/$(BIN)/golangci-lint" run ./...); done
	$(BIN)/actionlint

fmt: $(BIN)/golangci-lint ## formats the code
	$(BIN)/golangci-lint fmt ./...

promtool: $(BIN)/promtool ## metrics, queries and alerts, with promtool
	$(BIN)/promtool check metrics < testdata/metrics.txt
	$(BIN)/promtool check rules --lint-fatal docs/testdata/textfile.rules.yml
	$(BIN)/promtool test rules docs/testdata/queries.yml docs/testdata/textfile_test.yml
	$(BIN)/promtool check rules alerts/imagebuilder.rules.yml
	$(BIN)/promtool test rules alerts/*_test.yml alerts/testdata/*_test.yml

# Debian's packages prometheus, prometheus-alertmanager and chromium.
e2e: $(BIN)/prometheus ## with the real programs: Prometheus, Alertmanager, a browser
	$(GO) vet -C e2e ./...
	$(GO) test -C e2e -count 1 -timeout 10m .
	$(GO) test -C e2e -count 1 -timeout 10m ./scale

# Debian's packages prometheus and prometheus-alertmanager. A few minutes: 50 accounts in three
# regions. SCALE="-figures -accounts 50 -pipelines 33 -builds 7
# -interval 30s" measures 100,000 executions, with 6 GB of memory.
SCALE ?= -accounts 50 -replaced 2 -interval 6s
scale-test: $(BIN)/prometheus ## replicas over many accounts, replaced, added and killed under two Prometheus servers
	$(GO) vet -C e2e ./scale
	$(GO) test -C e2e -run '^TestReplicas$$' -count 1 -timeout 1h -v ./scale $(SCALE)

# A few minutes of computing: a real day, with Prometheus and Alertmanager as libraries.
day: ## the messages of a day on which 200 pipelines fail for one cause
	$(GO) vet -C e2e/day ./...
	$(GO) test -C e2e/day -count 1 -timeout 20m ./...

helm-test: build $(BIN)/helm $(BIN)/kubeconform $(BIN)/kubernetes-schemas $(BIN)/promtool ## the chart, with Helm and Kubernetes' schemas
	$(GO) vet -C e2e/kubernetes ./...
	$(GO) test -C e2e/kubernetes -count 1 ./...

# A few seconds for each fuzz target; FUZZTIME=8h for a night. (A count, for a run that
# ends by the clock sometimes fails by the clock.) Each answer of the exposition takes some
# milliseconds: a few thousand there.
FUZZTIME ?= 20000x
fuzz: ## what files and answers can do
	$(GO) test -run '^$$' -fuzz '^FuzzParse$$' -fuzztime $(FUZZTIME) ./internal/config
	$(GO) test -run '^$$' -fuzz '^FuzzDecodeTime$$' -fuzztime $(FUZZTIME) ./internal/imagebuilder
	$(GO) test -run '^$$' -fuzz '^FuzzARNs$$' -fuzztime $(FUZZTIME) ./internal/imagebuilder
	$(GO) test -run '^$$' -fuzz '^FuzzAnswers$$' -fuzztime $(FUZZTIME) ./internal/imagebuilder
	$(GO) test -run '^$$' -fuzz '^FuzzAnswers$$' -fuzztime $(FUZZTIME:20000x=4000x) -fuzzminimizetime 100x ./internal/exposition

SOAK ?= 10m
soak: ## the program under faults, scrapes and reloads, all at once, for SOAK
	$(GO) vet -C e2e ./soak
	$(GO) test -C e2e -run '^TestSoak$$' -timeout 0 -count 1 -v ./soak -soak $(SOAK)

# BASE is a commit to compare with, by default the last release, if there is one. COUNT=6 and
# BENCH=Cold measure only cold scrapes, six times, so that benchstat can tell noise from change.
BASE  ?= $(shell git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null)
BENCH ?= .
COUNT ?= 1
BENCHMARK = $(GO) test -run '^$$' -bench '$(BENCH)' -benchtime 1x -count $(COUNT) -timeout 2h . ./internal/config
bench: SHELL = bash
bench: .SHELLFLAGS = -euo pipefail -c
bench: $(if $(BASE),$(BIN)/benchstat) ## what a scrape costs, compared with BASE
	mkdir -p $(BIN)
	$(BENCHMARK) | tee $(BIN)/bench.txt
ifneq ($(BASE),)
	rm -rf $(BIN)/base && mkdir $(BIN)/base && git archive '$(BASE)' | tar -x -C $(BIN)/base
	(cd $(BIN)/base && $(BENCHMARK)) | tee $(BIN)/base.txt
	$(BIN)/benchstat '$(BASE)=$(BIN)/base.txt' now=$(BIN)/bench.txt
	rm -rf $(BIN)/base
endif

# COMPARE=1 measures the rules of commit 67f80e8 in the same run, LARGE=100000 so many
# executions, too.
bench-rules: ## what the alert rules cost a Prometheus
	$(if $(COMPARE),mkdir -p $(BIN) && git show 67f80e8:alerts/imagebuilder.rules.yml > $(BIN)/before.rules.yml)
	$(GO) vet -C tools/prometheus ./...
	$(GO) test -C tools/prometheus -bench . -benchtime 1x -count 1 -timeout 1h -v ./benchrules \
		$(if $(COMPARE),-before "$(CURDIR)/$(BIN)/before.rules.yml") $(if $(LARGE),-large $(LARGE))

# The licences of dependencies: refuses those that are not listed here.
LICENSES = Apache-2.0,BSD-3-Clause,MIT
licenses: $(BIN)/go-licenses ## checks the licences of dependencies, and writes THIRD_PARTY_LICENSES
	rm -rf $(BIN)/licenses
	set -e; for os in linux darwin; do \
		GOOS=$$os $(BIN)/go-licenses check . --allowed_licenses=$(LICENSES); \
		GOOS=$$os $(BIN)/go-licenses save . --save_path=$(BIN)/licenses/$$os \
			--ignore github.com/imagebuilder-exporter/imagebuilder_exporter; \
	done
	mkdir $(BIN)/licenses/linux/std
	cp "$$($(GO) env GOROOT)/LICENSE" $(BIN)/licenses/linux/std
	$(GO) run -C tools ./licenses "$(CURDIR)/$(BIN)/licenses/linux" "$(CURDIR)/$(BIN)/licenses/darwin" > $(BIN)/licenses/all
	mv $(BIN)/licenses/all THIRD_PARTY_LICENSES

# The database comes as a module, so that networks which reach nothing but a module proxy have
# it, too. Not in .ci/run: it checks the standard library of the Go that runs it, and a machine
# may have an older patch than releases are built with. To check theirs:
# GOTOOLCHAIN=go$(cat .go-version) make vuln
VULNDB ?= golang.org/x/vulndb@latest
vuln: $(BIN)/govulncheck ## known vulnerabilities of what the exporter calls, and of Go
	$(GO) mod download $(VULNDB)
	$(BIN)/govulncheck -db "file://$$($(GO) list -m -f '{{.Dir}}' $(VULNDB))/data/osv" ./...

## What people install

# DOCKER may be podman or buildah, with IMAGE_FLAGS="--format docker" for the health check.
DOCKER      ?= docker
IMAGE       ?= imagebuilder_exporter
IMAGE_FLAGS ?=
image: ## the image, IMAGE:VERSION
	$(DOCKER) build $(IMAGE_FLAGS) --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
		--build-arg DATE=$(DATE) --tag $(IMAGE):$(VERSION) .

# The address of the repository is said here for copies that do not know it.
GORELEASER = GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=remote.origin.url \
	GIT_CONFIG_VALUE_0=https://github.com/imagebuilder-exporter/imagebuilder_exporter \
	REVISION=$(REVISION) PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/goreleaser

packages: $(BIN)/goreleaser ## archives, deb and rpm, in dist/
	$(GORELEASER) check
	$(GORELEASER) release --snapshot --clean --skip=sbom,sign

chart: $(BIN)/helm ## the Helm chart of VERSION, in dist/
	$(BIN)/helm package deploy/helm --version $(VERSION) --app-version $(VERSION) --destination dist

# What the release workflow runs. RELEASE_FLAGS=--snapshot publishes nothing, and signs
# with the key in the file COSIGN_KEY.
RELEASE_FLAGS ?=
release: $(BIN)/goreleaser $(BIN)/cosign $(BIN)/cyclonedx-gomod
	$(if $(RELEASE_FLAGS),,$(MAKE) -s --no-print-directory release-notes > $(BIN)/notes.md)
	$(GORELEASER) release --clean $(or $(RELEASE_FLAGS),--release-notes $(BIN)/notes.md)

# What CHANGELOG.md says of VERSION, which must be something.
release-notes:
	@notes=$$(sed -nE '/^## $(subst .,\.,$(VERSION))( |$$)/,/^## /{/^## /d;p}' CHANGELOG.md); \
	[ -n "$$notes" ] || { echo 'CHANGELOG.md says nothing of $(VERSION)' >&2; exit 1; }; \
	printf '%s\n' "$$notes"

## Tests that take minutes: what .ci/artifacts runs

INSTALL_TEST = $(GO) test -C e2e -count 1 -timeout 30m ./install -run

reproducible: ## two clones, each with a build cache of its own, give the same bytes
	$(INSTALL_TEST) '^TestReproducible$$'

# As root, with Debian's packages buildah, podman, runc and busybox-static; port 10120 has to be free.
image-test: ## the image is built for two architectures and run
	$(INSTALL_TEST) '^TestImage$$'

# As root, with Debian's packages debootstrap and systemd-container.
packages-test: packages $(BIN)/debian.tar ## the packages are installed, run, upgraded and removed in a Debian that is booted
	$(INSTALL_TEST) '^TestPackages$$'

release-test: $(BIN)/cosign ## all that a release has, made twice, checked and verified
	$(INSTALL_TEST) '^TestRelease'

iam-test: $(BIN)/tofu ## the Terraform module, with a real OpenTofu and a double of its provider
	$(BIN)/tofu fmt -check -diff -recursive deploy/iam/terraform
	$(GO) vet -C e2e/opentofu ./...
	$(GO) test -C e2e/opentofu -count 1 -timeout 10m ./...

# A Debian to install into.
$(BIN)/debian.tar:
	mkdir -p $(@D)
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps,rpm bookworm "$$dir" && \
	tar -C "$$dir" --exclude='./var/cache/apt/archives/*.deb' --exclude='./var/lib/apt/lists/*' -cf $@.part . && \
	mv $@.part $@

## Tools, pinned in modules of their own: they need far more than the exporter does

MODULES = e2e e2e/day e2e/kubernetes e2e/opentofu tools tools/prometheus

$(BIN)/govulncheck: tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../$@ golang.org/x/vuln/cmd/govulncheck

$(BIN)/go-licenses: tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../$@ github.com/google/go-licenses

$(BIN)/actionlint: tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../$@ github.com/rhysd/actionlint/cmd/actionlint

$(BIN)/benchstat: tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../$@ golang.org/x/perf/cmd/benchstat

$(BIN)/cyclonedx-gomod: tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../$@ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

$(BIN)/golangci-lint: tools/golangci-lint/go.mod tools/golangci-lint/go.sum
	$(GO) build -C tools/golangci-lint -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(BIN)/promtool $(BIN)/prometheus: tools/prometheus/go.mod tools/prometheus/go.sum
	$(GO) build -C tools/prometheus -tags remove_all_sd,enable_dns_sd -o ../../$@ github.com/prometheus/prometheus/cmd/$(@F)

$(BIN)/helm: e2e/kubernetes/go.mod e2e/kubernetes/go.sum
	$(GO) build -C e2e/kubernetes -o ../../$@ helm.sh/helm/v3/cmd/helm

$(BIN)/kubeconform: e2e/kubernetes/go.mod e2e/kubernetes/go.sum
	$(GO) build -C e2e/kubernetes -o ../../$@ github.com/yannh/kubeconform/cmd/kubeconform

$(BIN)/kubernetes-schemas: e2e/kubernetes/schemas/main.go
	rm -rf $@ $@.new
	$(GO) run -C e2e/kubernetes ./schemas ../../$@.new
	mv $@.new $@

$(BIN)/goreleaser: tools/release/go.mod tools/release/go.sum
	$(GO) build -C tools/release -o ../../$@ github.com/goreleaser/goreleaser/v2

$(BIN)/cosign: tools/cosign/go.mod tools/cosign/go.sum
	$(GO) build -C tools/cosign -o ../../$@ github.com/sigstore/cosign/v2/cmd/cosign

$(BIN)/tofu: e2e/opentofu/go.mod e2e/opentofu/go.sum
	$(GO) build -C e2e/opentofu -o ../../$@ github.com/opentofu/opentofu/cmd/tofu
