#!/usr/bin/env bash
# `make demo`: from a bare machine to a captioned montage in the library, with everything real.
#
# For: seeing the whole product work, on one's own machine, by one command.
# Promises: installs what is missing (setup.sh), builds, gets the speech model and the films, starts PostgreSQL, Kafka, a web
#   server for the films and the product, sends one job through the gateway, shows its progress, and prints where the montage
#   is. Every step may be repeated; what runs already and is of this build is used again. It ends with status 0 and leaves
#   the services up until `make down`. Everything it makes is in `.local` and `target`; everything listens on the loopback.
#   Where Kafka cannot be had it goes on with hints through PostgreSQL, where the speech model cannot be had without
#   captions, and says so in its last lines.
# Failures: status 1 and a line that says which step failed and where its log is.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

me=demo
here="$root_dir/deployment/local"
demo_dir="$local_dir/demo"
ports="$local_dir/demo.env"
product="$root_dir/target/debug/stream-montages"
cd "$root_dir"
mkdir -p "$demo_dir/media"

step() { printf '\n== %s\n' "$*"; }

# The web server of the films; its port stays the same as long as nobody else takes it.
start_media_server() {
  local port_file="$demo_dir/media.port" tenths=100
  if is_ours "$(cat "$run_dir/media.pid" 2>/dev/null)"; then return; fi
  rm -f "$run_dir/media.pid"
  setsid nohup python3 "$here/demo/serve.py" "$demo_dir/media" "$port_file" "$run_dir/media.pid" </dev/null >"$log_dir/media-server.log" 2>&1 9>&- &
  until [ -s "$run_dir/media.pid" ]; do
    [ "$tenths" -gt 0 ] || die "the films' web server did not start: see .local/log/media-server.log"
    sleep 0.1
    tenths=$((tenths - 1))
  done
}

# The product in the background, with the settings in its environment. A running one is kept if it is this very program
# (Cargo writes a new file for a new build) and has these very settings.
start_product() {
  local settings pid tenths=900
  pid="$(cat "$run_dir/stream-montages.pid" 2>/dev/null || true)"
  # The gateway's own port counts as taken while it runs.
  is_ours "$pid" || keep_port "$ports" PORT 8080
  SM_LISTEN="127.0.0.1:$(env_get "$ports" PORT)"
  SM_GATEWAY_URL="http://$SM_LISTEN"
  export SM_LISTEN SM_GATEWAY_URL
  settings="$(env | grep '^SM_' | sort | sha256sum)"
  if is_ours "$pid" && [ "/proc/$pid/exe" -ef "$product" ] && [ "$settings" = "$(cat "$run_dir/stream-montages.settings" 2>/dev/null)" ]; then
    say "the product runs already"
  else
    stop_ours stream-montages
    # The gateway's address is for the command line; `up` makes its own out of SM_LISTEN.
    env -u SM_GATEWAY_URL setsid nohup "$product" up </dev/null >"$log_dir/stream-montages.log" 2>&1 9>&- &
    pid=$!
    echo "$pid" >"$run_dir/stream-montages.pid"
    echo "$settings" >"$run_dir/stream-montages.settings"
  fi
  until curl -fsS -o /dev/null --max-time 5 "$SM_GATEWAY_URL/readyz" 2>/dev/null; do
    kill -0 "$pid" 2>/dev/null || die "the product ended; .local/log/stream-montages.log ends with:
$(tail -n 15 "$log_dir/stream-montages.log")"
    [ "$tenths" -gt 0 ] || die "the product was not ready within 90 s: see .local/log/stream-montages.log"
    sleep 0.1
    tenths=$((tenths - 1))
  done
}

step "What this machine needs"
"$here/setup.sh" build run
# setup.sh may have installed Rust just now.
if ! have cargo; then PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"; fi

step "Building (the first time takes several minutes)"
"$here/web.sh"
SQLX_OFFLINE=true cargo build --locked --workspace --bins

step "The speech model"
captions=yes
if ! "$here/models.sh"; then
  captions=no
  warn "going on without the speech model: the montage will be published without captions"
fi

step "The films"
take_lock demo
start_media_server
media_server="127.0.0.1:$(cat "$demo_dir/media.port")"
# 9>&-: it takes a lock of its own.
"$here/demo/media.sh" "http://$media_server" 9>&-

step "PostgreSQL and Apache Kafka"
status=0
"$here/stack.sh" up 9>&- || status=$?
hints=kafka
case "$status" in
  0) ;;
  3) hints=postgres ;;
  *) die "the local stack did not start (see above)" ;;
esac

step "The product"
# shellcheck source=/dev/null # written by postgres.sh and kafka.sh
source "$stack_env"
export SM_HINTS="$hints" SM_OBJECT_STORE="file:$local_dir/objects" SM_MODELS_DIR="$local_dir/models" SM_WORK_DIR="$local_dir/work" SM_FETCH_ALLOW="$media_server"
"$root_dir/target/debug/migrate"
start_product
say "it answers at $SM_GATEWAY_URL/"

step "Nine highlights of four unlike films, sent through the gateway"
job="$("$product" submit "$demo_dir/highlights.json" --idempotency-key "demo-$(date +%s)-$$")"
say "job $job"
"$product" watch "$job" >/dev/null || die "the job did not succeed (see above); more in .local/log/stream-montages.log"

montage="$(curl -fsS "$SM_GATEWAY_URL/v1/jobs/$job" | jq -er .result.href)"
curl -fsS -o "$demo_dir/montage.mp4.new" "$SM_GATEWAY_URL$montage/media"
mv -f "$demo_dir/montage.mp4.new" "$demo_dir/montage.mp4"
rm -f "$demo_dir/montage.vtt"
[ "$captions" = no ] || curl -fsS -o "$demo_dir/montage.vtt" "$SM_GATEWAY_URL$montage/captions.vtt"

step "The montage"
ffprobe -v error -show_chapters -show_streams -show_format -of json "$demo_dir/montage.mp4" | jq -r '
  (.streams[] | if .codec_type == "video" then "picture  \(.codec_name) \(.width)x\(.height), \(.avg_frame_rate) frames per second, \(.nb_frames) frames"
    elif .codec_type == "audio" then "sound    \(.codec_name) \(.sample_rate) Hz, \(.channels) channels" else empty end),
  "length   \(.format.duration) s, \(.format.size) bytes",
  (.chapters[] | "chapter  \(.start_time | tonumber * 100 | round / 100) s  \(.tags.title)")'
if [ "$captions" = yes ]; then
  printf '\nthe first words that were heard:\n'
  awk 'BEGIN { RS = "" } /-->/ { print; if (++n == 5) exit }' "$demo_dir/montage.vtt" | sed 's/^/    /'
fi

step "Done"
echo "in the browser   $SM_GATEWAY_URL/"
echo "the file         .local/demo/montage.mp4"
echo "its record       $SM_GATEWAY_URL$montage"
if [ "$captions" = yes ]; then
  echo "its captions     .local/demo/montage.vtt"
else
  echo "no captions      the speech model could not be had (see above)"
fi
if [ "$hints" = postgres ]; then
  echo "without Kafka    Apache Kafka could not be had (see above): the hints went through PostgreSQL (SM_HINTS=postgres)"
fi
echo "the services are up; 'make down' stops them, 'make demo' makes another montage"
