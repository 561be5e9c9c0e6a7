#!/usr/bin/env bash
# `make bench`: what a montage costs beside the usual methods, on the same inputs in the same run, and what a large library and a
#   large import cost.
#
# bench.sh [montage | library | import | replay]: all, or one of them.
# For: the engine's promises on processor time, bytes read and memory, as a table with its goals; ten minutes on two cores,
#   most of it for the methods that are compared with. And the library's on lists, filters and searches among a million montages: another
#   ten minutes, most of it for filling it, and 3 GB while it runs. And the memory that an import of 100,000 rows from DynamoDB takes,
#   beside the same pages thrown away: two minutes. And what drawing a replay costs beside encoding it: two minutes.
# Promises: installs what is missing (setup.sh, dynamodb.sh). All are built with the release profile. The source is made once and
#   kept in .local/bench; nothing else is: the library has a database of its own, which is removed, and the import a DynamoDB in memory.
#   SM_BENCH_SECONDS makes the source another length than 600 s: the clips are shortened with it, and the goals are only meant for the
#   full length. The peer `smartcut` is measured when it is installed. SM_BENCH_MONTAGES fills the library with another number, 10000 at
#   least, and SM_BENCH_ROWS the tables, 2000 at least. A PostgreSQL that was not running is stopped again.
# Failures: status other than 0 when setting up or building fails. A goal that is missed is printed and fails nothing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
here="$root_dir/deployment/local"

what="${1:-all}"
case "$what" in
  all | montage | library | import | replay) ;;
  *) die "usage: bench.sh [montage | library | import | replay]" ;;
esac
wanted() { [ "$what" = all ] || [ "$what" = "$1" ]; }
cd "$root_dir"
"$here/setup.sh" build run test
# setup.sh may have installed Rust just now.
if ! have cargo; then PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"; fi
"$here/web.sh"
if wanted montage; then
  SM_BENCH_DIR="$local_dir/bench" cargo bench --locked -p cutter --bench montage
fi
if wanted replay; then
  cargo bench --locked -p cutter --bench replay
fi
if wanted import; then
  "$here/dynamodb.sh"
  SQLX_OFFLINE=true cargo bench --locked -p highlights --bench import
fi
if wanted library; then
  "$here/postgres.sh" status >/dev/null || trap '"$here/postgres.sh" stop' EXIT
  "$here/postgres.sh" start
  # shellcheck source=/dev/null # written by postgres.sh
  source "$test_env"
  # The queries are checked against the committed `.sqlx`, not against a database.
  SQLX_OFFLINE=true cargo bench --locked -p montages-repo --bench library
fi
