# syntax=docker/dockerfile:1
# The service as a small image:  docker build -t tenantry .

# Node is needed only while building: GraphiQL is bundled into the binary.
FROM node:22-bookworm-slim AS node

FROM rust:1.95-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /src
COPY . .
# The caches outlive the layer, so the binary is copied out of them. A build without npm would succeed too, with a
# /graphiql that loads its packages from a CDN (the only page with an import map): not in an image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/root/.npm \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked \
    && if grep -q 'type="importmap"' target/release/tenantry; then echo "GraphiQL was not bundled" >&2; exit 1; fi \
    && cp target/release/tenantry /usr/local/bin/tenantry

FROM debian:bookworm-slim
# The certificates that sslmode=verify-full trusts.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/bin/tenantry /usr/local/bin/tenantry
# A number, so that orchestrators can see that it isn't root.
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["tenantry", "health"]
# `docker run tenantry schema --help` works too. What `serve` needs to know comes from the environment: see compose.yaml.
ENTRYPOINT ["tenantry"]
CMD ["serve"]
