#!/bin/sh
# rule: a010feee-4dea-4d00-b0e6-4c8bbe14de50
# A bash one-liner opens /dev/tcp towards a closed port of loopback.
set -eu
scratch=$1
bash -c 'exec 3<>/dev/tcp/127.0.0.1/9' 2>"$scratch/err" || true
