#!/usr/bin/env bash
# The local stack as a whole: stack.sh up | down | status
#
# For: PostgreSQL and Apache Kafka of this tree, and the end of everything that runs from it.
# Promises: `up` starts both, or says that they run already. `down` stops first the product's own processes (those with a
#   pid file in `.local/run`), newest first, then Kafka, then PostgreSQL; all by process id, and only processes that prove
#   to be of this tree. Both may be repeated.
# Failures: `up` answers 3 when PostgreSQL runs and Kafka cannot be had (the caller may go on with SM_HINTS=postgres), 1 when
#   anything else fails. `status` answers 3 unless all of it runs.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
here="$root_dir/deployment/local"

# Newest first: what was started last may lean on what was started before.
stop_product() {
  local file
  while read -r file; do
    stop_ours "$(basename "$file" .pid)"
  done < <(find "$run_dir" -maxdepth 1 -name '*.pid' -printf '%T@ %f\n' | sort -rn | cut -d ' ' -f 2-)
}

case "${1:-}" in
  up)
    "$here/postgres.sh" start
    "$here/kafka.sh" start
    ;;
  down)
    stop_product
    "$here/kafka.sh" stop
    "$here/postgres.sh" stop
    ;;
  status)
    status=0
    "$here/postgres.sh" status || status=3
    "$here/kafka.sh" status || status=3
    for file in "$run_dir"/*.pid; do
      [ -f "$file" ] || continue
      name="$(basename "$file" .pid)"
      if is_ours "$(cat "$file")"; then say "$name runs ($(cat "$file"))"; else say "$name does not run"; fi
    done
    exit "$status"
    ;;
  *) die "usage: stack.sh up | down | status" ;;
esac
