#!/bin/sh
# rule: 74ae9b2c-e811-4af3-8e29-e79440188a80
# A log is made and deleted in a private /var/log.
set -eu
scratch=$1
unshare -m sh -ec 'mount -t tmpfs tmpfs /var/log; : > /var/log/auth.log; rm /var/log/auth.log'
