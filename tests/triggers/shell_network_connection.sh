#!/bin/sh
# rule: a8e1b3b5-10cd-4f56-9ef8-7ede19e5134d
# bash connects to a closed port of loopback.
set -eu
scratch=$1
bash -c 'exec 3<>/dev/tcp/127.0.0.1/9' 2>"$scratch/err" || true
