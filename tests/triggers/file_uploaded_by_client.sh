#!/bin/sh
# rule: 0d75a309-7be3-4870-8dfa-af3ecfebb094
# curl tries to send the host name file to a closed port of loopback.
set -eu
scratch=$1
curl -s --max-time 1 -T /etc/hostname http://127.0.0.1:9/ || true
