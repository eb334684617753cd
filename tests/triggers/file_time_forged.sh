#!/bin/sh
# rule: e5f2d9d4-4d86-4f2c-b65d-1c00ed8cc690
# A file in the scratch folder gets the time of /bin/true.
set -eu
scratch=$1
: > "$scratch/file"
touch -r /bin/true "$scratch/file"
rm "$scratch/file"
