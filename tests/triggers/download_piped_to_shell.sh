#!/bin/sh
# rule: 3a4dd161-6082-4d54-891f-4e78f0e79e24
# The pipe of an installer, from a closed port of loopback.
set -eu
scratch=$1
sh -c 'curl -s --max-time 1 http://127.0.0.1:9/install.sh | sh' || true
