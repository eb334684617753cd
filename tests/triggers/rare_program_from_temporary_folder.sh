#!/bin/sh
# rule: 5f7c3b1e-6c0d-4d3c-9a6b-2f0e9c1d8a47
# A copy of true with a tail of its own, which no other host has, is started where it was put.
set -eu
scratch=$1
cp /bin/true "$scratch/helper"
printf 'made for this host' >> "$scratch/helper"
"$scratch/helper"
