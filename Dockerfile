# A static binary in an empty image. The CA roots are compiled in.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X github.com/prometheus/common/version.Version=${VERSION}" \
    -o /imagebuilder_exporter .

FROM scratch
COPY --from=build /imagebuilder_exporter /imagebuilder_exporter
USER 65534:65534
EXPOSE 10120
ENTRYPOINT ["/imagebuilder_exporter"]
CMD ["--config.file=/etc/imagebuilder_exporter/config.yml"]
