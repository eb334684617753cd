#!/bin/sh
# rule: e6471e23-3abd-4a97-8480-dbcad3dcfa20
# useradd makes a second root in a private copy of the account database.
set -eu
scratch=$1
mkdir "$scratch/etc"
cp /etc/passwd /etc/group /etc/shadow "$scratch/etc/"
unshare -m sh -ec '
  mount --bind "$1" /etc
  "$(command -v useradd || echo /usr/sbin/useradd)" -l -M -N -o -u 0 -s /bin/sh toor' sh "$scratch/etc" 2>"$scratch/err" || true
rm -r "$scratch/etc"
