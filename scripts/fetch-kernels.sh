#!/usr/bin/env bash
# Puts the kernels that the tests boot in virtual machines under .cache/kernels: the distribution's newest packages of
# two series, fetched and unpacked, never installed. What is there already stays; remove the folder for newer ones.
set -euo pipefail
cd "$(dirname "$0")/.."

# Series, and the package that depends on its newest kernel. The cloud kernels have BTF, the BPF LSM and virtio.
kernels=(
  '6.1 linux-image-cloud-amd64'
  '6.12 linux-image-6.12-cloud-amd64'
)

work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

# The package with the kernel itself: what the one without any content depends on.
newest() { apt-cache depends "$1" 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1; }

# fetch PACKAGE: prints the path of the archive, whose checksum apt has compared with the signed index.
fetch() {
  (cd "$work" && apt-get -o APT::Sandbox::User=root -qq download "$1" >&2) && echo "$work/$1"_*.deb
}

for row in "${kernels[@]}"; do
  read -r series package <<<"$row"
  stamp=".cache/kernels/$series/stamp"
  [ ! -f "$stamp" ] || continue
  name=$(newest "$package")
  [ -n "$name" ] || { apt-get update -qq && name=$(newest "$package"); }
  [ -n "$name" ] || { echo "fetch-kernels: no package $package" >&2; exit 1; }
  echo "setup: fetching $name"
  work=$(mktemp -d)
  # The index may be older than the archive, which keeps only the newest package.
  archive=$(fetch "$name") || { apt-get update -qq && name=$(newest "$package") && archive=$(fetch "$name"); }
  python3 tests/vm/kernel.py "$archive" "$series"
  echo "$name" > "$stamp"
  rm -rf "$work"
  work=
done
