#!/usr/bin/env bash
# `make bench`: what a montage costs beside the usual methods, on the same inputs in the same run.
#
# For: the engine's promises on processor time, bytes read and memory, as a table with its goals; ten minutes on two cores,
#   most of it for the methods that are compared with.
# Promises: installs what is missing (setup.sh). The engine is built with the release profile. The source is made once and
#   kept in .local/bench; nothing else is. SM_BENCH_SECONDS makes it another length than 600 s: the clips are shortened
#   with it, and the goals are only meant for the full length. The peer `smartcut` is measured when it is installed.
# Failures: status other than 0 when setting up or building fails. A goal that is missed is printed and fails nothing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$root_dir"
"$root_dir/deployment/local/setup.sh" build run test
# setup.sh may have installed Rust just now.
if ! have cargo; then PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"; fi
"$root_dir/deployment/local/web.sh"
export SM_BENCH_DIR="$local_dir/bench"
cargo bench --locked -p cutter --bench montage
