#!/bin/sh
# rule: 31c84814-f06b-47e4-ac90-1bc9535058d4
# ssh is asked for a remote forwarding through a closed port of loopback.
set -eu
scratch=$1
ssh -F none -o BatchMode=yes -o ConnectTimeout=1 -o UserKnownHostsFile="$scratch/known" -N -R 8080:127.0.0.1:80 -p 9 127.0.0.1 \
  2>"$scratch/err" || true
