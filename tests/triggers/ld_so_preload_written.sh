#!/bin/sh
# rule: 3829487e-b0fc-457d-a4d4-4608c6c1f63f
# An empty list is written in a private /etc.
set -eu
scratch=$1
unshare -m sh -ec 'mount -t tmpfs tmpfs /etc; : > /etc/ld.so.preload'
