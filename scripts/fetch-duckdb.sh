#!/usr/bin/env bash
# Puts libduckdb and its C header under .cache/duckdb, from the npm packages that carry them, pinned and checksummed.
# Quick when they are there already. A DuckDB that is installed on the machine is preferred by cmake/FindDuckDB.cmake.
set -euo pipefail
cd "$(dirname "$0")/.."

library_package='@duckdb/node-bindings-linux-x64@1.5.6-r.1'
library_sha256=1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff
# The newest package that carries the header; it fits the library, newer functions are declared where they are used.
header_package='duckdb@1.4.4'
header_sha256=5bb967dcbcd517670ba5f169f238fb9d6787e53752c60ebe24386169d76941ed

target=.cache/duckdb
stamp="$target/stamp"
want="$library_sha256 $header_sha256"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch PACKAGE SHA256: prints the path of the verified archive.
fetch() {
  local name
  name=$(cd "$work" && npm pack --silent "$1" 2>/dev/null | tail -n 1)
  [ -f "$work/$name" ] || { echo "fetch-duckdb: npm could not fetch $1" >&2; exit 1; }
  echo "$2  $work/$name" | sha256sum --check --quiet >&2 || { echo "fetch-duckdb: $1 is not the pinned archive" >&2; exit 1; }
  echo "$work/$name"
}

library=$(fetch "$library_package" "$library_sha256")
header=$(fetch "$header_package" "$header_sha256")
rm -rf "$target"
mkdir -p "$target/lib" "$target/include"
tar -xzf "$library" -C "$work" package/libduckdb.so
mv "$work/package/libduckdb.so" "$target/lib/"
tar -xzf "$header" -C "$work" package/src/duckdb/src/include/duckdb.h
mv "$work/package/src/duckdb/src/include/duckdb.h" "$target/include/"
echo "$want" > "$stamp"
