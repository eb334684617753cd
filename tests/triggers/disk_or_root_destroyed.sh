#!/bin/sh
# rule: 7493ea48-aae7-441a-a975-819ad60d8c58
# A stand-in called rm gets the arguments that would delete everything.
set -eu
scratch=$1
cp /bin/true "$scratch/rm"
"$scratch/rm" -rf --no-preserve-root "$scratch/nothing"
