#!/usr/bin/env bash
# From a bare Debian 12 to a running Redoubt: installs, builds, starts a central node with embedded stores and an agent on
# this host, waits for the first real event, and prints where the console is. A second run is quick.
# Arguments go to `redoubt up` (see build/release/bin/redoubt up --help).
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\033[1m[%s/4] %s\033[0m\n' "$1" "$2"; }

step 1 'installing packages'
scripts/setup.sh
step 2 'building the console'
scripts/build-web.sh
step 3 'building the programs (the first time takes some minutes)'
scripts/configure.sh release
ninja -C build/release programs
step 4 'starting'
exec build/release/bin/redoubt up "$@"
