#!/usr/bin/env bash
# The private PostgreSQL cluster of the local stack: postgres.sh start | stop | status
#
# For: a PostgreSQL that belongs to this tree alone, beside any other one on the machine. Data, password and socket are
#   under `.local/postgres`; the port (loopback only) is chosen once and recorded in `.local/postgres.env`.
# Promises: `start` may be repeated and ends when the server answers; it makes the role and the database `stream_montages`
#   and writes SM_DATABASE_URL to `.local/stack.env`, and the superuser's address for tests, SM_TEST_DATABASE_URL, to
#   `.local/test.env`. Every login needs a generated password. What was committed is on disk (fsync stays on).
#   PostgreSQL refuses to run as root: then it runs as the user `postgres`, and where that user cannot reach the tree (a
#   directory under /root, say), `.local/postgres` is a link to a directory under /var/lib/stream-montages.
#   Only our own server is ever stopped, by its process id.
# Failures: status 1 and a line on standard error. `status` answers 0 when it runs and 3 when it does not.
# shellcheck disable=SC2016 # the single-quoted $1 belong to an inner shell
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

home="$local_dir/postgres"
port_env="$local_dir/postgres.env"
# Linux limits the path of a Unix socket to 107 bytes.
socket_path_limit=107
# One more than the largest process id of Linux.
impossible_pid=4194305

# Where Debian keeps the server's programs (they are not in PATH), or any PATH that has them; the newest wins.
find_bin() {
  local dir
  dir="$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)"
  if [ -x "$dir/postgres" ]; then
    echo "$dir"
  elif have postgres; then
    dirname "$(readlink -f "$(command -v postgres)")"
  else
    die "PostgreSQL's server is not installed: run deployment/local/setup.sh run"
  fi
}

# Runs a command as the user the server runs as, with a clean environment (PGPORT and its like would change its meaning).
as_server() {
  local clean=(env -i PATH="$bin:/usr/bin:/bin" LANG=C.UTF-8 LC_ALL=C.UTF-8)
  if is_root; then
    (cd / && runuser -u postgres -- "${clean[@]}" "$@")
  else
    (cd / && "${clean[@]}" "$@")
  fi
}

# Makes `.local/postgres`, a directory that belongs to the server's user and that this user can reach.
make_home() {
  local elsewhere
  [ ! -d "$home/" ] || return 0
  rm -f "$home"
  if ! is_root; then
    mkdir -m 700 "$home"
    return
  fi
  if ! getent passwd postgres >/dev/null; then
    say "making the system user 'postgres', since PostgreSQL refuses to run as root"
    useradd --system --user-group --home-dir /var/lib/postgresql --shell /bin/sh postgres
  fi
  if runuser -u postgres -- test -x "$local_dir"; then
    install -d -m 700 -o postgres -g postgres "$home"
    return
  fi
  # One directory for each tree, by the tree's path. `.local` is gone, so whatever lies there is of an earlier life of this
  # tree, which was thrown away together with its password.
  elsewhere="/var/lib/stream-montages/$(printf '%s' "$root_dir" | sha256sum | cut -c 1-16)"
  if [ -e "$elsewhere" ]; then
    say "removing the cluster of an earlier checkout of this tree ($elsewhere)"
    stop_server "$elsewhere/data"
    rm -rf "$elsewhere"
  fi
  install -d -m 755 /var/lib/stream-montages
  install -d -m 700 -o postgres -g postgres "$elsewhere"
  ln -s "$elsewhere" "$home"
  say "the user 'postgres' cannot reach this tree: the data are in $elsewhere"
}

# The process id of our running server with data directory $1 (nothing when it does not run).
server_pid() {
  local pid
  pid="$(head -n 1 "$1/postmaster.pid" 2>/dev/null)" || return 0
  if process_is "$pid" "-D $1"; then echo "$pid"; fi
}

stop_server() {
  local pid
  pid="$(server_pid "$1")"
  [ -n "$pid" ] || return 0
  # SIGINT is PostgreSQL's fast shutdown: it ends the sessions, writes a checkpoint and stops.
  kill -INT "$pid"
  wait_gone "$pid" "-D $1" 60 && return 0
  warn "PostgreSQL ($pid) did not stop within 60 s: ending it at once; it will recover at its next start"
  kill -QUIT "$pid"
  wait_gone "$pid" "-D $1" 10 || die "PostgreSQL ($pid) cannot be stopped"
}

make_cluster() {
  [ ! -f "$data/PG_VERSION" ] || return 0
  say "making a private PostgreSQL cluster in .local/postgres"
  # What an interrupted initdb left behind holds nothing yet.
  as_server rm -rf "$data" "$data.new"
  random_token | as_server sh -c 'umask 077; cat >"$1"' sh "$home/password"
  as_server initdb -D "$data.new" -U postgres --pwfile="$home/password" --auth=scram-sha-256 --data-checksums \
    --encoding=UTF8 --locale=C.UTF-8 --text-search-config=english >"$log_dir/initdb.log" 2>&1 ||
    die "initdb failed; its last words: $(tail -n 3 "$log_dir/initdb.log" | tr '\n' ' ')"
  as_server sh -c 'cat >"$1/stream-montages.conf" && echo "include '\''stream-montages.conf'\''" >>"$1/postgresql.conf"' \
    sh "$data.new" <<'CONF'
listen_addresses = '127.0.0.1'
max_connections = 200
shared_buffers = 128MB
fsync = on
log_line_prefix = '%m [%p] %q%u@%d '
CONF
  as_server mv "$data.new" "$data"
}

start_server() {
  local socket="$home/socket" tries=20 port
  if [ -n "$(server_pid "$data")" ]; then
    say "PostgreSQL already runs on port $(env_get "$port_env" PGPORT)"
    return
  fi
  # The number of a dead server may be in use again, by a zombie or by a stranger, and PostgreSQL would then take it for
  # alive. A number that no process can have keeps PostgreSQL's other guard: it looks whether anybody still uses the
  # shared memory that this file names.
  if as_server test -f "$data/postmaster.pid"; then as_server sed -i "1s/.*/$impossible_pid/" "$data/postmaster.pid"; fi
  keep_port "$port_env" PGPORT
  port="$(env_get "$port_env" PGPORT)"
  as_server rm -rf "$socket"
  as_server mkdir -m 700 "$socket"
  if [ $((${#socket} + 16)) -gt "$socket_path_limit" ]; then socket=""; fi
  # `setsid`: an interrupt at the terminal must not reach the server.
  until as_server setsid pg_ctl start -D "$data" -w -t 60 -l "$home/server.log" \
    -o "-p $port -c unix_socket_directories='$socket'" </dev/null >/dev/null 2>&1 9>&-; do
    tries=$((tries - 1))
    # After a kill -9 its children live on for a moment.
    if [ "$tries" -gt 0 ] && tail -n 3 "$home/server.log" | grep -q 'pre-existing shared memory'; then
      sleep 1
      continue
    fi
    die "PostgreSQL did not start; its log (.local/postgres/server.log) ends with: $(tail -n 3 "$home/server.log" | tr '\n' ' ')"
  done
  say "PostgreSQL $("$bin/postgres" --version | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1) runs on 127.0.0.1:$port"
}

# Runs the SQL on standard input as the superuser; the password goes by the environment, so that no process list shows it.
admin_sql() {
  PGPASSWORD="$(cat "$home/password")" "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 \
    -p "$(env_get "$port_env" PGPORT)" -U postgres -d postgres
}

# The product's own role, which owns its database and nothing else, and the addresses for it and for tests.
make_database() {
  local port password
  port="$(env_get "$port_env" PGPORT)"
  if [ ! -f "$home/app-password" ]; then
    random_token | as_server sh -c 'umask 077; cat >"$1.new" && mv "$1.new" "$1"' sh "$home/app-password"
  fi
  password="$(cat "$home/app-password")"
  admin_sql <<SQL
select format('create role stream_montages login') where not exists (select from pg_roles where rolname = 'stream_montages') \gexec
alter role stream_montages password '$password';
select 'create database stream_montages owner stream_montages' where not exists (select from pg_database where datname = 'stream_montages') \gexec
SQL
  env_set "$stack_env" SM_DATABASE_URL "postgres://stream_montages:$password@127.0.0.1:$port/stream_montages"
  env_set "$test_env" SM_TEST_DATABASE_URL "postgres://postgres:$(cat "$home/password")@127.0.0.1:$port/postgres"
}

bin="$(find_bin)"
case "${1:-}" in
  start)
    take_lock postgres
    make_home
    # The server is known by its real data directory, which a link may hide.
    home="$(cd "$home" && pwd -P)"
    data="$home/data"
    make_cluster
    start_server
    make_database
    ;;
  stop)
    take_lock postgres
    if [ ! -d "$home/" ]; then
      say "PostgreSQL was never started here"
      exit 0
    fi
    data="$(cd "$home" && pwd -P)/data"
    if [ -z "$(server_pid "$data")" ]; then
      say "PostgreSQL does not run"
    else
      stop_server "$data"
      say "PostgreSQL is stopped"
    fi
    ;;
  status)
    if [ -d "$home/" ] && [ -n "$(server_pid "$(cd "$home" && pwd -P)/data")" ]; then
      say "running on 127.0.0.1:$(env_get "$port_env" PGPORT)"
    else
      say "not running"
      exit 3
    fi
    ;;
  *) die "usage: postgres.sh start | stop | status" ;;
esac
