# syntax=docker/dockerfile:1
# One image for each binary: docker build --build-arg TARGET=./bff-web/cmd/bff-web .
FROM golang:1.26 AS build
WORKDIR /src
COPY . .
ARG TARGET
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /app "$TARGET"

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /app /app
COPY --from=build /src/LICENSE /LICENSE
USER nonroot:nonroot
ENTRYPOINT ["/app"]
