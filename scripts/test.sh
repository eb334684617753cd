#!/usr/bin/env bash
# Installs what the tests need, builds, and runs every test: scripts/test.sh [--only LABEL].
# Labels: unit, root, vm, component, e2e, lint. In CI (CI=true) a test that skips is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

only=()
while [ $# -gt 0 ]; do
  case "$1" in
    --only) only=(-L "^$2\$"); shift 2 ;;
    *) echo "test: unknown argument $1" >&2; exit 2 ;;
  esac
done

started=$SECONDS
say() { printf '== %s (%d s)\n' "$1" $((SECONDS - started)); }

say 'packages'
scripts/setup.sh test
say 'console'
scripts/build-web.sh
say 'build'
scripts/configure.sh release
ninja -C build/release
say 'tests'
log=build/release/ctest.log
status=0
ctest --test-dir build/release --output-on-failure -j "$(nproc)" "${only[@]}" 2>&1 | tee "$log" || status=$?
say 'done'
if [ "${CI:-}" = true ] && grep -q '\*\*\*Skipped' "$log"; then
  echo 'test: a test was skipped; here none may be' >&2
  status=1
fi
exit "$status"
