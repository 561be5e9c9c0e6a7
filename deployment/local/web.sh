#!/usr/bin/env bash
# Builds the web app: gateway/web/dist, which the gateway carries in its program.
#
# For: the step before every cargo that builds the gateway; whoever changes the app by hand runs it too.
# Promises: installs the app's packages when package-lock.json (or Node) has changed since, and builds when a source of the app or the API
#   document has; says which, and is quiet and done at once when neither did. Safe to run twice at once. What is there is used without
#   a network; packages come from the registry that npm is set to. Changes nothing outside `gateway/web` and `.local`.
# Failures: status 1 and a line that says what to do: Node is missing or too old, packages cannot be had, the app does not build.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

web="$root_dir/gateway/web"
log="$log_dir/web.log"
# What the packages that are installed, and what is built, were made of. Each is taken away before its making begins, so that what was
# interrupted is made again.
installed="$web/node_modules/.made-of"
built="$local_dir/web.made-of"

packages() { (cd "$web" && { node --version && sha256sum package.json package-lock.json .npmrc; } | sha256sum); }

# What the app is made of: its settings, its sources without the types that are made of the API document, and that document.
sources() {
  cat "$installed"
  (cd "$root_dir/gateway" && {
    find web -maxdepth 1 -type f -print0
    find openapi.json web/src web/public -type f ! -path web/src/api/schema.d.ts -print0
  } | sort -z | xargs -0 sha256sum | sha256sum)
}

# Runs npm in the app's directory; what it says is for the log.
run_npm() { (cd "$web" && npm "$@") >"$log" 2>&1 </dev/null; }

require_node
take_lock web

made_of="$(packages)"
if [ "$made_of" != "$(cat "$installed" 2>/dev/null)" ]; then
  say "installing the web app's packages with npm (once for each package-lock.json)"
  rm -f "$installed"
  run_npm ci --no-progress || die "the web app's packages cannot be had. npm says: $(grep -m 3 -iE '^npm (error|err!)' "$log" | cut -c 1-300) (all of it: .local/log/web.log)"
  echo "$made_of" >"$installed"
fi

made_of="$(sources)"
if [ "$made_of" != "$(cat "$built" 2>/dev/null)" ] || [ ! -f "$web/dist/index.html" ]; then
  say "building the web app"
  rm -f "$built"
  run_npm run build || die "the web app does not build; .local/log/web.log ends with:
$(tail -n 15 "$log")"
  echo "$made_of" >"$built"
fi
