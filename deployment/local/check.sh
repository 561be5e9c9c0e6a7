#!/usr/bin/env bash
# `make check`: formatting, lints, types, licences and dependencies, and the web app's own tests, without a database.
#
# For: what must hold before a change is handed in; `make test` runs it too.
# Promises: changes nothing but `target/` and what web.sh makes; a network is needed only where web.sh has packages to install. Each check is
#   run even if one before it failed. Where cargo-deny or shellcheck are not installed, their part is left out and it says so
#   (`deployment/local/setup.sh test` installs the first).
# Failures: status 1, after naming the checks that failed; at once where the web app cannot be built, without which the gateway cannot be looked at.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$root_dir"
# The queries are checked against the committed `.sqlx`, not against a database.
export SQLX_OFFLINE=true
PATH="$local_dir/bin:$PATH"
failed=()

check() {
  local name="$1"
  shift
  say "$name"
  "$@" || failed+=("$name")
}

in_web() { (cd "$root_dir/gateway/web" && npm run --silent "$@"); }

"$root_dir/deployment/local/web.sh"
check "the web app: formatting, lints, types" in_web check
check "the web app: unit tests" in_web test
check "formatting" cargo fmt --all --check
check "lints" cargo clippy --locked --workspace --all-targets -- -D warnings
if have cargo-deny; then
  # Advisories need a database from the network: they are not part of this.
  check "licences and dependencies" cargo deny --locked check --hide-inclusion-graph bans licenses sources
else
  warn "cargo-deny is not installed: licences and dependencies are not checked"
fi
if have shellcheck; then
  mapfile -t scripts < <(find deployment .ci -type f \( -name '*.sh' -o -path .ci/run \) | sort)
  check "scripts" shellcheck -x -P SCRIPTDIR "${scripts[@]}"
else
  warn "shellcheck is not installed: the scripts are not checked"
fi

[ "${#failed[@]}" = 0 ] || die "failed: $(printf '%s, ' "${failed[@]}" | sed 's/, $//')"
say "all is well"
