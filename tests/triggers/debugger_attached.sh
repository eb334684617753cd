#!/bin/sh
# rule: b1b3eebd-ba4c-4ef0-974e-0d0aefb363b8
# A stand-in called gdb is told to attach.
set -eu
scratch=$1
cp /bin/true "$scratch/gdb"
"$scratch/gdb" -p 1
