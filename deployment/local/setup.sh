#!/usr/bin/env bash
# Installs what is missing on a Debian machine: setup.sh [build] [run] [test]   (build and run, when nothing is named)
#
# For: the first step of `make demo` and `make test`, on a machine that has nothing yet. `build` is what compiling needs,
#   `run` what the local stack and the demo need, `test` what `make check` and the end-to-end tests need besides.
# Promises: whatever is there already is left alone, whichever way it came (programs and libraries are looked for, not
#   packages), and when nothing is missing nothing is run and no network is used. What is going to be installed is said
#   first. As root, or with sudo. PostgreSQL's package makes no cluster of its own and starts no service through us.
# Failures: status 1 and a line that says what is missing and how to get it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cargo_deny_version=0.20.2
missing=()

# Asks for package $1 unless the rest, a command, succeeds.
need() {
  local package="$1"
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}
# Whether a file matches one of the patterns.
there() { compgen -G "$1" >/dev/null || { [ $# -gt 1 ] && shift && there "$@"; }; }
library() { have pkg-config && pkg-config --exists "$@"; }

# The newest PostgreSQL server that Debian's packaging or PATH offers.
postgres_there() { there '/usr/lib/postgresql/*/bin/postgres' || have postgres; }

find_missing() {
  case "$1" in
    build)
      need build-essential cc --version
      need build-essential c++ --version
      need build-essential make --version
      need pkg-config pkg-config --version
      need clang clang --version
      # bindgen reads FFmpeg's headers with it.
      need libclang-dev there '/usr/lib/llvm-*/lib/libclang*.so*' '/usr/lib/*/libclang*.so*' '/usr/lib/libclang*.so*'
      need libavcodec-dev library libavcodec
      need libavformat-dev library libavformat
      need libavutil-dev library libavutil
      need libswscale-dev library libswscale
      need libswresample-dev library libswresample
      need zlib1g-dev library zlib
      need curl curl --version
      need ca-certificates there /etc/ssl/certs/ca-certificates.crt
      need git git --version
      # For the web app.
      need nodejs node --version
      need npm npm --version
      ;;
    run)
      need postgresql postgres_there
      need default-jre-headless java -version
      need maven mvn --version
      need ffmpeg have ffmpeg
      need ffmpeg have ffprobe
      need espeak-ng have espeak-ng
      need fonts-dejavu-core there /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
      # Titles: Japanese (small, with the Japanese forms of characters), then Korean and Chinese, then emoji. Where Noto's
      # fonts for all three are, they are taken.
      need fonts-vlgothic there '/usr/share/fonts/*/vlgothic/VL-PGothic-Regular.ttf' '/usr/share/fonts/*/noto/NotoSansCJK-*'
      need fonts-wqy-microhei there '/usr/share/fonts/*/wqy/wqy-microhei.ttc' '/usr/share/fonts/*/noto/NotoSansCJK-*'
      need fonts-noto-color-emoji there '/usr/share/fonts/*/noto/NotoColorEmoji.ttf'
      need npm npm --version
      need python3 python3 --version
      need python3-pip python3 -m pip --version
      need curl curl --version
      need ca-certificates there /etc/ssl/certs/ca-certificates.crt
      need jq have jq
      ;;
    test)
      need chromium have chromium
      need chromium-driver have chromedriver
      need python3-venv python3 -m ensurepip --version
      ;;
  esac
}

as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

install_missing() {
  local log="$log_dir/apt.log" no_cluster=/etc/postgresql-common/createcluster.d/stream-montages.conf status=0
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  have apt-get || die "missing, and there is no apt-get to install it with: ${missing[*]} (these are Debian's names)"
  is_root || have sudo ||
    die "missing, and installing needs root or sudo: ${missing[*]}. Run this as root once: deployment/local/setup.sh $*"
  say "installing with apt-get: ${missing[*]}"
  # Asked for here, where the terminal is seen, and not in the middle of a log.
  is_root || sudo true || die "sudo refused: run deployment/local/setup.sh $* as root once"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update >"$log" 2>&1 || die "apt-get update failed: $(grep -m 1 '^[EW]:' "$log") (all of it: .local/log/apt.log)"
  # The local stack makes its own cluster; Debian's would take memory and port 5432 for nothing.
  if [[ " ${missing[*]} " == *" postgresql "* ]] && ! as_root test -e "$no_cluster"; then
    as_root mkdir -p "$(dirname "$no_cluster")"
    echo "create_main_cluster = false" | as_root tee "$no_cluster" >/dev/null
  else
    no_cluster=""
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 || status=$?
  if [ -n "$no_cluster" ]; then as_root rm -f "$no_cluster"; fi
  [ "$status" = 0 ] || die "apt-get could not install ${missing[*]}: $(grep -m 1 '^E:' "$log") (all of it: .local/log/apt.log)"
}

# A setting of rust-toolchain.toml.
toolchain_setting() { sed -n "s/^$1 *= *//p" "$root_dir/rust-toolchain.toml"; }

# The compiler that rust-toolchain.toml asks for.
make_rust() {
  local channel components
  channel="$(toolchain_setting channel | tr -d '"')"
  read -ra components < <(toolchain_setting components | tr -d '[]",')
  if ! have cargo && ! have rustup; then
    say "installing Rust with rustup from https://rustup.rs into ${CARGO_HOME:-$HOME/.cargo} (your shell's settings are not changed)"
    curl --proto '=https' --tlsv1.2 -sSf -o "$local_dir/rustup-init.sh" https://sh.rustup.rs ||
      die "rustup cannot be fetched: install Rust $channel some other way (see https://rustup.rs) and try again"
    sh "$local_dir/rustup-init.sh" -y -q --no-modify-path --profile minimal --default-toolchain none >"$log_dir/rustup.log" 2>&1 ||
      die "rustup failed: see .local/log/rustup.log"
    rm -f "$local_dir/rustup-init.sh"
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
  fi
  if have rustup; then
    # Outside the tree, so that rustup does not try to install anything by itself.
    if ! (cd / && rustup run "$channel" cargo clippy --version && rustup run "$channel" cargo fmt --version) >/dev/null 2>&1; then
      say "installing Rust $channel with rustup"
      (cd / && rustup toolchain install "$channel" --profile minimal "${components[@]/#/--component=}") >>"$log_dir/rustup.log" 2>&1 ||
        die "rustup could not install Rust $channel: see .local/log/rustup.log"
    fi
  else
    printf '%s\n%s\n' "$channel" "$(rustc --version | cut -d ' ' -f 2)" | sort -C -V ||
      die "Rust $channel or later is needed and $(rustc --version) was found: install rustup (https://rustup.rs), or a newer Rust"
  fi
}

# The licence and dependency check of `make check`. Without it that check is left out, so this is never fatal.
make_cargo_deny() {
  if have cargo-deny || [ -x "$local_dir/bin/cargo-deny" ]; then return; fi
  say "installing cargo-deny $cargo_deny_version into .local/bin (about two minutes, once)"
  (cd "$root_dir" && cargo install --quiet --locked --root "$local_dir" "cargo-deny@$cargo_deny_version") >"$log_dir/cargo-deny.log" 2>&1 ||
    warn "cargo-deny cannot be had (see .local/log/cargo-deny.log): make check will leave out licences and bans"
}

[ $# -gt 0 ] || set -- build run
for group in "$@"; do
  case "$group" in
    build | run | test) find_missing "$group" ;;
    *) die "usage: setup.sh [build] [run] [test]" ;;
  esac
done
if [ "${#missing[@]}" -gt 0 ]; then
  install_missing "$@"
  missing=()
  for group in "$@"; do find_missing "$group"; done
  [ "${#missing[@]}" = 0 ] || die "installed, but still not found: ${missing[*]}. Is another version of it before it in PATH?"
fi
for group in "$@"; do
  case "$group" in
    build)
      require_node
      make_rust
      ;;
    test) make_cargo_deny ;;
  esac
done
say "everything for '$*' is there"
