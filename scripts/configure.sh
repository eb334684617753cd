#!/usr/bin/env bash
# Configures a preset, anew only if it has not been or if packages came since: scripts/configure.sh PRESET.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
mkdir -p "build/$preset"
log="build/$preset/configure.log"
# /var/lib/dpkg/status changes with every installed package: GoogleTest may have come after the first build.
if [ ! -f "build/$preset/build.ninja" ] || [ /var/lib/dpkg/status -nt "build/$preset/build.ninja" ]; then
  cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
fi
