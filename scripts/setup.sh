#!/usr/bin/env bash
# Installs what Redoubt is built with and needs to run: scripts/setup.sh [test]. With "test", also what the tests need.
# Installs only what is missing, so a second run is quick.
set -euo pipefail
cd "$(dirname "$0")/.."

lists=(scripts/packages.build.txt)
[ "${1:-}" = test ] && lists+=(scripts/packages.test.txt)

wanted=$(cat "${lists[@]}" | grep -v '^#')
# A Node.js that is already there, wherever it came from, is used as it is.
if command -v npm >/dev/null && command -v node >/dev/null; then
  wanted=$(echo "$wanted" | grep -vx -e npm -e nodejs)
fi

missing=()
for package in $wanted; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || { echo "setup: these packages are missing; run as root, or install them: ${missing[*]}" >&2; exit 1; }
  echo "setup: installing ${#missing[@]} packages"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
scripts/fetch-duckdb.sh
if [ "${1:-}" = test ]; then scripts/fetch-kernels.sh; fi
