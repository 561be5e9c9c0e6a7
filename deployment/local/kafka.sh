#!/usr/bin/env bash
# The Apache Kafka of the local stack, one node in KRaft mode: kafka.sh start | stop | status
#
# For: a real broker without containers or archives: Maven copies Kafka's own jars (versions in kafka/pom.xml, hashes in
#   kafka/jars.sha256) into `.local/kafka/libs` once; after that it starts without Maven and without a network.
# Promises: `start` may be repeated and ends when the broker has said that it is up; it writes SM_KAFKA_BROKERS to
#   `.local/stack.env` and SM_TEST_KAFKA_BROKERS to `.local/test.env`. Ports are free ones of the loopback, kept from start
#   to start. Acknowledged messages survive kill -9. Topics are not made here. Only our own broker is ever stopped, by its
#   process id.
# Failures: status 3 where Java is missing or the jars cannot be had, so that the caller can go on with SM_HINTS=postgres;
#   the addresses are then taken out of those files. Status 1 for everything else. `status` answers 3 when it does not run.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

here="$root_dir/deployment/local/kafka"
home="$local_dir/kafka"
libs="$home/libs"
properties="$home/server.properties"
pid_file="$home/kafka.pid"
log="$home/server.log"
port_env="$local_dir/kafka.env"

# The process id of our running broker (nothing when it does not run): Java with our own settings file.
broker_pid() {
  local pid
  pid="$(cat "$pid_file" 2>/dev/null)" || return 0
  if process_is "$pid" "kafka.Kafka $properties"; then echo "$pid"; fi
}

cannot_be_had() {
  env_set "$stack_env" SM_KAFKA_BROKERS ""
  env_set "$test_env" SM_TEST_KAFKA_BROKERS ""
  warn "Apache Kafka cannot be had: $*"
  exit 3
}

libs_are_right() { (cd "$libs" 2>/dev/null && sha256sum --check --quiet --strict "$here/jars.sha256" >/dev/null 2>&1); }

# Kafka's jars in `.local/kafka/libs`, exactly the recorded ones.
make_libs() {
  have java || cannot_be_had "there is no 'java': run deployment/local/setup.sh run"
  if libs_are_right; then return; fi
  have mvn || cannot_be_had "there is no 'mvn' to fetch its jars with: run deployment/local/setup.sh run"
  say "fetching Apache Kafka's jars with Maven (44 MB, once)"
  rm -rf "$libs"
  if ! (cd "$here" && mvn -q -B -C -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory="$libs" >"$log_dir/kafka-maven.log" 2>&1 </dev/null); then
    rm -rf "$libs"
    cannot_be_had "Maven failed: $(grep -m 1 ERROR "$log_dir/kafka-maven.log" | cut -c 1-300) (all of it: .local/log/kafka-maven.log)"
  fi
  libs_are_right || cannot_be_had "the jars that came are not those of deployment/local/kafka/jars.sha256 (they are kept in .local/kafka/libs for a look)"
}

write_properties() {
  local port controller
  port="$(env_get "$port_env" KAFKA_PORT)"
  controller="$(env_get "$port_env" KAFKA_CONTROLLER_PORT)"
  cat >"$properties" <<CONF
# Written by deployment/local/kafka.sh at each start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$home/data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
CONF
}

format_storage() {
  local id
  [ ! -f "$home/data/meta.properties" ] || return 0
  say "formatting Kafka's storage in .local/kafka/data"
  # Without meta.properties an earlier formatting was interrupted: nothing was stored yet.
  rm -rf "$home/data"
  id="$(java -cp "$libs/*" kafka.tools.StorageTool random-uuid 2>>"$log_dir/kafka-format.log")" || die "Kafka's StorageTool failed: see .local/log/kafka-format.log"
  java -cp "$libs/*" "-Dlog4j2.configurationFile=$here/log4j2.yaml" kafka.tools.StorageTool format -t "$id" -c "$properties" \
    >>"$log_dir/kafka-format.log" 2>&1 || die "Kafka's storage cannot be formatted: see .local/log/kafka-format.log"
}

start_broker() {
  local pid tenths=900
  if [ -n "$(broker_pid)" ]; then
    say "Apache Kafka already runs on port $(env_get "$port_env" KAFKA_PORT)"
    return
  fi
  keep_port "$port_env" KAFKA_PORT
  keep_port "$port_env" KAFKA_CONTROLLER_PORT
  write_properties
  format_storage
  [ ! -f "$log" ] || mv -f "$log" "$log.1"
  # Its own session: an interrupt at the terminal must not reach the broker. Not our lock, either.
  cd "$home"
  setsid nohup java -Xms256m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$libs/*" \
    "-Dlog4j2.configurationFile=$here/log4j2.yaml" kafka.Kafka "$properties" </dev/null >"$log" 2>&1 9>&- &
  pid=$!
  echo "$pid" >"$pid_file"
  until grep -q 'Kafka Server started' "$log" 2>/dev/null; do
    if ! kill -0 "$pid" 2>/dev/null; then
      die "Apache Kafka did not start; .local/kafka/server.log ends with: $(tail -n 3 "$log" | tr '\n' ' ')"
    fi
    if [ "$tenths" -le 0 ]; then
      kill -KILL "$pid"
      die "Apache Kafka was not up within 90 s: see .local/kafka/server.log"
    fi
    sleep 0.1
    tenths=$((tenths - 1))
  done
  say "Apache Kafka $(basename "$(echo "$libs"/kafka-clients-*.jar)" .jar | sed 's/kafka-clients-//') runs on 127.0.0.1:$(env_get "$port_env" KAFKA_PORT)"
}

stop_broker() {
  local pid
  pid="$(broker_pid)"
  if [ -z "$pid" ]; then
    say "Apache Kafka does not run"
    return
  fi
  kill -TERM "$pid"
  if ! wait_gone "$pid" "kafka.Kafka $properties" 30; then
    warn "Apache Kafka ($pid) did not stop within 30 s: ending it at once; it will recover at its next start"
    kill -KILL "$pid"
    wait_gone "$pid" "kafka.Kafka $properties" 10 || die "Apache Kafka ($pid) cannot be stopped"
  fi
  rm -f "$pid_file"
  say "Apache Kafka is stopped"
}

case "${1:-}" in
  start)
    take_lock kafka
    mkdir -p "$home"
    if [ -z "$(broker_pid)" ]; then make_libs; fi
    start_broker
    env_set "$stack_env" SM_KAFKA_BROKERS "127.0.0.1:$(env_get "$port_env" KAFKA_PORT)"
    env_set "$test_env" SM_TEST_KAFKA_BROKERS "127.0.0.1:$(env_get "$port_env" KAFKA_PORT)"
    ;;
  stop)
    take_lock kafka
    stop_broker
    ;;
  status)
    if [ -n "$(broker_pid)" ]; then
      say "running on 127.0.0.1:$(env_get "$port_env" KAFKA_PORT)"
    else
      say "not running"
      exit 3
    fi
    ;;
  *) die "usage: kafka.sh start | stop | status" ;;
esac
