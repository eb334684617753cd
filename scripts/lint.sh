#!/usr/bin/env bash
# Style as a test: scripts/lint.sh [--tidy]. The layout rules, clang-format, and with --tidy clang-tidy over every file.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 tests/tidy.py
git ls-files -z '*.cc' '*.h' '*.bpf.c' | xargs -0 clang-format-19 --dry-run --Werror
if [ "${1:-}" = --tidy ]; then
  ./do build dev
  git ls-files 'src/*.cc' | grep -v _test.cc | xargs -P "$(nproc)" -n 4 clang-tidy-19 -p build/dev --quiet
fi
