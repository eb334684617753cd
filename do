#!/usr/bin/env bash
# The one verb script: ./do VERB [ARG…]. The two commands of the README call it.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'EOF'
./do setup [test]        install packages, DuckDB, and what the console is built with (test: also what the tests need)
./do build [PRESET] [TARGET…]   configure and build (preset dev, release, asan or fuzz; dev if none is named)
./do test [PRESET] [CTEST ARG…] build, then run the tests of a preset
./do web                 build the console into web/dist
./do lint                tests/tidy.py, clang-format, clang-tidy, and the console's own checks
./do fmt                 format C++ in place
./do bench [NAME…] [--json]  run the benches
./do soak NAME           run the long form of a test
./do fuzz [SECONDS]      run every fuzz target
./do e2e                 the whole product, in a browser
./do up | down           start or stop the product on this machine
EOF
}

is_preset() { case "${1:-}" in dev|release|asan|fuzz) return 0 ;; *) return 1 ;; esac; }

# One build at a time in a tree: compilers share the machine with tests.
locked() {
  mkdir -p build
  flock build/.lock "$@"
}

build() {
  local preset=dev
  if is_preset "${1:-}"; then preset=$1; shift; fi
  [ -f "build/$preset/build.ninja" ] || locked cmake --preset "$preset" >/dev/null
  if [ $# -gt 0 ]; then locked cmake --build --preset "$preset" --target "$@"; else locked cmake --build --preset "$preset"; fi
}

verb=${1:-help}
[ $# -gt 0 ] && shift
case "$verb" in
  setup) scripts/setup.sh "$@" ;;
  build) build "$@" ;;
  test)
    preset=dev
    if is_preset "${1:-}"; then preset=$1; shift; fi
    build "$preset"
    ctest --test-dir "build/$preset" --output-on-failure "$@"
    ;;
  web) scripts/build-web.sh ;;
  lint) scripts/lint.sh ;;
  fmt) git ls-files -z '*.cc' '*.h' '*.bpf.c' | xargs -0 clang-format-19 -i ;;
  bench) bench/run.sh "$@" ;;
  soak) tests/soak.sh "$@" ;;
  fuzz) fuzz/run.sh "$@" ;;
  e2e) scripts/test.sh --only e2e ;;
  up|down) build/release/bin/redoubt "$verb" "$@" ;;
  help|-h|--help) usage ;;
  *) echo "do: no verb '$verb'" >&2; usage >&2; exit 2 ;;
esac
