#!/bin/sh
# rule: 0f0a1d63-25d4-4aad-b922-251774a2dac1
# nsenter runs true with the host name space of process 1.
set -eu
scratch=$1
nsenter --target 1 --uts true 2>"$scratch/err" || true
