#!/usr/bin/env bash
# Makes the API fuzzer ready: schemathesis.sh
#
# For: the end-to-end test that asks the API everything that its document allows and much that it does not.
# Promises: a Python environment of its own in `.local/schemathesis`, from versions and hashes in schemathesis.txt; made once, and
#   again when that list changes. Nothing of the machine's own Python is touched.
# Failures: status 1 and a line that says what to do. With CI=true the test that needs it fails then, otherwise it is skipped.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

list="$root_dir/deployment/local/schemathesis.txt"
place="$local_dir/schemathesis"
take_lock schemathesis
if [ -x "$place/bin/schemathesis" ] && cmp -s "$list" "$place/list.txt"; then exit 0; fi
say "installing the API fuzzer into .local/schemathesis"
rm -rf "$place"
python3 -m venv "$place" >"$log_dir/schemathesis.log" 2>&1 ||
  die "Python cannot make an environment: install python3-venv (all of it: .local/log/schemathesis.log)"
"$place/bin/pip" install --quiet --require-hashes --only-binary :all: -r "$list" >>"$log_dir/schemathesis.log" 2>&1 ||
  die "schemathesis cannot be had: see .local/log/schemathesis.log"
cp "$list" "$place/list.txt"
