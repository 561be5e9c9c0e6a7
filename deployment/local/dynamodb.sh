#!/usr/bin/env bash
# Makes a DynamoDB-compatible server ready: dynamodb.sh
#
# For: the tests and the benchmark that read highlights from DynamoDB.
# Promises: dynalite in `.local/dynalite`, from the versions and hashes in dynamodb/package-lock.json; made once, and again when that
#   list changes. No server is started: each test starts its own, which keeps everything in memory, and ends it. dynalite 4 asks for
#   Node 20, of which it uses nothing: it runs on Node 18.19, and all that it is made of asks for no more. npm only warns.
# Failures: status 1 and a line that says what to do. With CI=true the tests that need it fail then, otherwise they say that they are
#   skipped.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

list="$root_dir/deployment/local/dynamodb"
place="$local_dir/dynalite"
log="$log_dir/dynamodb.log"
take_lock dynamodb
if cmp -s "$list/package-lock.json" "$place/made-of"; then exit 0; fi
if ! have node || ! have npm; then die "dynalite runs on Node and comes by npm: run deployment/local/setup.sh build"; fi
say "installing a DynamoDB-compatible server into .local/dynalite"
rm -rf "$place"
mkdir -p "$place"
cp "$list/package.json" "$list/package-lock.json" "$list/.npmrc" "$place"
# What would be compiled is only for tables on disk.
(cd "$place" && npm ci --ignore-scripts --no-progress) >"$log" 2>&1 </dev/null ||
  die "dynalite cannot be had. npm says: $(grep -m 3 -iE '^npm (error|err!)' "$log" | cut -c 1-300) (all of it: .local/log/dynamodb.log)"
cp "$list/package-lock.json" "$place/made-of"
