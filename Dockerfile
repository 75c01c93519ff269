# The static binary in an empty image: no shell, no packages, not root. The CA roots are
# compiled in. `make image` hands over the version, revision and date that the binary tells;
# without them it is a 0.0.0-dev of an unknown revision.
#
# The build stage runs where it is built and compiles for the target, so that other
# architectures need no emulation.
FROM --platform=$BUILDPLATFORM docker.io/library/golang:1.26.11 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
ARG DATE
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -o /imagebuilder_exporter \
    -ldflags "-s -w -X github.com/prometheus/common/version.Version=$VERSION -X github.com/prometheus/common/version.Revision=$REVISION -X github.com/prometheus/common/version.BuildDate=$DATE" .

FROM scratch
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="imagebuilder_exporter" \
      org.opencontainers.image.description="Prometheus exporter for the workflow executions of EC2 Image Builder" \
      org.opencontainers.image.source="https://github.com/imagebuilder-exporter/imagebuilder_exporter" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /src/LICENSE /src/THIRD_PARTY_LICENSES /
COPY --from=build /imagebuilder_exporter /imagebuilder_exporter
USER 65534:65534
EXPOSE 10120
# Who sets other --web flags gives them to the health check, too: it asks where they listen.
HEALTHCHECK CMD ["/imagebuilder_exporter", "--health-check"]
ENTRYPOINT ["/imagebuilder_exporter"]
CMD ["--config.file=/etc/imagebuilder_exporter/config.yml"]
