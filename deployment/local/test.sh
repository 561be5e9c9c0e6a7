#!/usr/bin/env bash
# `make test`: everything that proves the product, from a bare machine: checks, unit tests, end-to-end tests.
#
# For: one command that says whether this tree is right, for people and for CI.
# Promises: installs what is missing (setup.sh), uses the private PostgreSQL and Kafka of this tree (each test makes a database
#   and topics of its own) and stops them afterwards if they did not run before. May be repeated; changes nothing outside
#   `.local` and `target`. Tests that need something that cannot be had (Kafka's jars, dynalite, AWS's Lambda emulator, the sample media) say that they are skipped;
#   with CI=true in the environment those that need Kafka, dynalite or the emulator fail instead.
# Failures: status other than 0 from the first part that fails: setting up, building, `make check`, `cargo test`.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

here="$root_dir/deployment/local"
cd "$root_dir"
step() { printf '\n== %s\n' "$*"; }

step "What this machine needs"
"$here/setup.sh" build run test
# setup.sh may have installed Rust just now.
if ! have cargo; then PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"; fi
"$here/models.sh"
"$here/schemathesis.sh" || warn "going on without the API fuzzer: its test is skipped, or fails if CI=true"
"$here/dynamodb.sh" || warn "going on without a DynamoDB: the tests that need one are skipped, or fail if CI=true"
"$here/lambda.sh" || warn "going on without AWS's Lambda emulator: the tests that need it are skipped, or fail if CI=true"

step "Building"
"$here/web.sh"
# The queries are checked against the committed `.sqlx`, not against a database.
export SQLX_OFFLINE=true
cargo build --locked --workspace --bins

step "Checks"
"$here/check.sh"

step "PostgreSQL and Apache Kafka"
# Whatever runs already (for a demo, say) is left running.
stop_afterwards() {
  "$here/postgres.sh" status >/dev/null || stop_postgres=yes
  "$here/kafka.sh" status >/dev/null || stop_kafka=yes
}
cleanup() {
  [ -z "${stop_kafka:-}" ] || "$here/kafka.sh" stop
  [ -z "${stop_postgres:-}" ] || "$here/postgres.sh" stop
}
stop_afterwards
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
status=0
"$here/stack.sh" up || status=$?
case "$status" in
  0) ;;
  3) warn "going on without Apache Kafka: the tests that need it are skipped, or fail if CI=true" ;;
  *) die "the local stack did not start (see above)" ;;
esac

step "Tests"
# Settings of a person's own must not change what the tests see.
for name in $(compgen -e | grep '^SM_' | grep -v '^SM_TEST_'); do unset "$name"; done
# shellcheck source=/dev/null # written by postgres.sh and kafka.sh
source "$test_env"
export SM_MODELS_DIR="$local_dir/models"
cargo test --locked --workspace
