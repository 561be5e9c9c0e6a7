# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# What the scripts of the local stack share: where things are, how they speak, ports, processes, settings files.
#
# For: `source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"` by every script here; it is never run on its own.
# Promises: sourcing it starts nothing and changes no setting of the machine, but makes `.local/` in the repository, where
#   everything lives that the local stack keeps.
# Failures: `die` ends the script that calls it, with one line on standard error that says what to do next.

# Child processes see the same English messages everywhere, so that what we match in them is stable.
export LC_ALL=C.UTF-8

root_dir="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"
local_dir="$root_dir/.local"
run_dir="$local_dir/run"
log_dir="$local_dir/log"
stack_env="$local_dir/stack.env"
test_env="$local_dir/test.env"
mkdir -p "$local_dir" "$run_dir" "$log_dir"

# Who speaks.
me="$(basename "$0" .sh)"
say() { printf '%s: %s\n' "$me" "$*"; }
warn() { printf '%s: %s\n' "$me" "$*" >&2; }
die() {
  warn "$*"
  exit 1
}
# Rust as rustup installs it, where the shell was not told.
if ! command -v cargo >/dev/null 2>&1 && [ -x "${CARGO_HOME:-${HOME:-}/.cargo}/bin/cargo" ]; then
  PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

# The oldest Node that the web app is built with: Debian 12's.
node_version=18.19.0

# Whether Node is there and not older than that.
node_is_new_enough() { have node && printf '%s\n%s\n' "$node_version" "$(node --version | tr -d v)" | sort -C -V; }

require_node() {
  if ! have node || ! have npm; then die "the web app is built with Node and npm: run deployment/local/setup.sh build"; fi
  node_is_new_enough || die "the web app is built with Node $node_version or later, and $(node --version) was found ($(command -v node)): take Debian's (apt-get install nodejs npm) or a newer one from https://nodejs.org, and let it come first in PATH"
}

# A random token of 48 hexadecimal digits, for passwords.
random_token() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# Whether something listens on a TCP port of this machine (read from the kernel, so nothing is connected to).
port_taken() {
  local hex
  hex="$(printf '%04X' "$1")"
  awk -v port="$hex" '$4 == "0A" { n = split($2, a, ":"); if (a[n] == port) found = 1 } END { exit !found }' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# A free TCP port. It is chosen below the range from which the kernel takes ports for outgoing connections, so that no
# such connection can sit on it when we start later with the same port.
free_port() {
  local port
  for _ in $(seq 200); do
    port=$((20000 + RANDOM % 10000))
    if ! port_taken "$port"; then
      echo "$port"
      return 0
    fi
  done
  die "no free TCP port was found between 20000 and 29999"
}

# Whether process $1 lives and its command line contains $2. A process id in a file proves nothing by itself: after a crash
# or a restart of the machine it may belong to anyone.
process_is() {
  local pid="$1" wanted="$2" line
  [[ "$pid" =~ ^[0-9]+$ ]] || return 1
  line="$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")" || return 1
  # A zombie has no command line: it is dead for us.
  [ -n "$line" ] && [[ "$line" == *"$wanted"* ]]
}

# Whether process $1 was started from this tree: its program lies in it, or its command line names a file of it (a script's
# program is the interpreter).
is_ours() {
  local exe
  [[ "$1" =~ ^[0-9]+$ ]] || return 1
  exe="$(readlink "/proc/$1/exe" 2>/dev/null)" || return 1
  [[ "$exe" == "$root_dir/"* ]] || process_is "$1" "$root_dir/"
}

# Stops the process of this tree that `.local/run/$1.pid` names: SIGTERM, 40 s for it to finish what it must, SIGKILL.
# Nothing happens to a process that is not ours.
stop_ours() {
  local file="$run_dir/$1.pid" pid tenths=400
  pid="$(cat "$file" 2>/dev/null)" || return 0
  if is_ours "$pid"; then
    kill -TERM "$pid"
    while is_ours "$pid" && [ "$tenths" -gt 0 ]; do
      sleep 0.1
      tenths=$((tenths - 1))
    done
    if is_ours "$pid"; then
      warn "$1 ($pid) did not stop within 40 s: ending it at once"
      kill -KILL "$pid"
    fi
    say "$1 is stopped"
  fi
  rm -f "$file"
}

# Waits until process $1 (whose command line contains $2) is gone, for at most $3 seconds; fails when it still lives.
wait_gone() {
  local pid="$1" wanted="$2" tenths=$(($3 * 10))
  while process_is "$pid" "$wanted"; do
    [ "$tenths" -gt 0 ] || return 1
    sleep 0.1
    tenths=$((tenths - 1))
  done
}

# Sets KEY to VALUE in a file of `export KEY='VALUE'` lines, in one step and readable by us alone: a reader sees the old
# file or the new one. An empty VALUE takes the line out.
env_set() {
  local file="$1" key="$2" value="$3" new
  (
    umask 077
    flock 8
    new="$(mktemp "$file.XXXXXX")"
    { grep -v "^export $key=" "$file" 2>/dev/null || true; } >"$new"
    [ -z "$value" ] || printf "export %s='%s'\n" "$key" "$value" >>"$new"
    mv -f "$new" "$file"
  ) 8>"$local_dir/env.lock"
}

# Reads KEY of such a file; prints nothing when it is not there.
env_get() { sed -n "s/^export $2='\(.*\)'\$/\1/p" "$1" 2>/dev/null || true; }

# Chooses the port that is recorded as KEY in FILE: the recorded one, or where that is taken by now (or there is none yet)
# PREFERRED, or else any free one. Call it only when our own server does not run.
keep_port() {
  local file="$1" key="$2" preferred="${3:-}" port
  port="$(env_get "$file" "$key")"
  if [ -n "$port" ] && port_taken "$port"; then
    say "port $port is now used by something else: taking another"
    port=""
  fi
  if [ -z "$port" ] && [ -n "$preferred" ] && ! port_taken "$preferred"; then port="$preferred"; fi
  # Two ports of one file must not be the same.
  while [ -z "$port" ] || sed "/^export $key=/d" "$file" 2>/dev/null | grep -q "='$port'"; do port="$(free_port)"; done
  env_set "$file" "$key" "$port"
}

# Takes the lock of a part, so that two runs at once do not start it twice. It is held on descriptor 9 until the script
# ends; whatever is left running must be started with `9>&-`.
take_lock() {
  exec 9>"$local_dir/$1.lock"
  flock -w 180 9 || die "another run holds .local/$1.lock for three minutes already: wait for it, or stop it"
}
