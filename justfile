# What there is to do here. `just` alone lists it; `just ci` is what decides whether a change lands.

default:
    @just --list --unsorted

# Run everything on this machine: a private Postgres, two demo tenants, the service
dev *arguments:
    cargo run -- dev {{ arguments }}

# Format the code
fmt:
    cargo fmt

# Check the format
format:
    .ci/run format

# Lint, with warnings as errors
clippy:
    .ci/run clippy

# Build the documentation, with warnings as errors
doc:
    .ci/run doc

# Run the tests, or those whose names contain a word: `just test golden`
test *arguments:
    cargo test {{ arguments }}

# Check the service against the GraphQL over HTTP specification
audit:
    .ci/run audit

# Click through GraphiQL in Chromium; leaves target/graphiql.png
browser:
    .ci/run browser

# Generate clients from schema.graphql, and use them: graphql-codegen, urql, Apollo Client, Relay
clients:
    .ci/run clients

# Write schema.graphql and platform.graphql anew
schema *arguments:
    cargo run --quiet -- schema {{ arguments }} > schema.graphql.new
    mv schema.graphql.new schema.graphql
    cargo run --quiet -- schema --platform > platform.graphql.new
    mv platform.graphql.new platform.graphql

# Check that schema.graphql is what the migrations make, and platform.graphql what the base domain serves
schema-check:
    .ci/run schema

# Accept what the golden cases answer now: read the difference before you commit it
golden-update:
    UPDATE_GOLDEN=1 cargo test --test it golden

# Measure the service under load, with 1,000 tenants (needs wrk): `just bench` takes a quarter of an hour, `just bench --quick` less
bench *arguments="--save benches/RESULTS.md":
    cargo bench --bench load -- {{ arguments }}

# Measure what migrating a fleet costs, and what requests notice of it (needs wrk): `just bench-migrate --tenants 5000 --filled 1000`
bench-migrate *arguments="--save benches/MIGRATIONS.md":
    cargo bench --bench load -- --migrate --data-dir target/bench-migrate {{ arguments }}

# Draw where the service spends its time under load, into target/flamegraph.svg (needs wrk, perf, and inferno: `cargo install inferno`)
flamegraph only="list of 20, two to-one relations | service | 1000":
    CARGO_TARGET_DIR=target/profile CARGO_PROFILE_RELEASE_DEBUG=line-tables-only RUSTFLAGS="-C force-frame-pointers=yes" \
        cargo bench --bench load -- --quick --data-dir target/bench-data --only "{{ only }}" --perf target/perf.data
    perf script --input target/perf.data | inferno-collapse-perf | inferno-flamegraph > target/flamegraph.svg

# Measure parsing, planning, printing, binding and encoding one by one
bench-stages *arguments:
    cargo bench --bench stages -- {{ arguments }}

# Every check, in CI's order; on Debian as root it installs what is missing
ci:
    .ci/run

# Build the image
docker:
    docker build --tag tenantry .
