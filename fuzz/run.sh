#!/usr/bin/env bash
# Builds the fuzz preset and runs every target for some seconds: fuzz/run.sh [SECONDS] [NAME…]. New inputs that reach new
# code go to .cache/fuzz; a crash is left in the current folder and ends the run.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -gt 0 ] && shift

scripts/configure.sh fuzz
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  mapfile -t names < <(sed -n 's/^redoubt_fuzz(\([a-z_]*\) .*/\1/p' fuzz/CMakeLists.txt)
fi
for name in "${names[@]}"; do
  ninja -C build/fuzz "fuzz_$name"
  mkdir -p ".cache/fuzz/$name"
  "build/fuzz/bin/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
    -print_final_stats=1 ".cache/fuzz/$name" "fuzz/corpus/$name"
done
