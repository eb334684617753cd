#!/bin/sh
# rule: 78b14473-8a18-48d4-b4dc-43d552cb1539
# A stand-in called curl is asked for a shell script.
set -eu
scratch=$1
cp /bin/true "$scratch/curl"
"$scratch/curl" -O http://127.0.0.1:9/run.sh
