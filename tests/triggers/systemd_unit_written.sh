#!/bin/sh
# rule: 809619d5-d5cb-4545-b7b5-65a473659e50
# An empty unit is written to a private /etc/systemd/system.
set -eu
scratch=$1
unshare -m sh -ec '
  if [ ! -d /etc/systemd/system ]; then mount -t tmpfs tmpfs /etc; mkdir -p /etc/systemd/system; fi
  mount -t tmpfs tmpfs /etc/systemd/system
  echo "[Unit]" > /etc/systemd/system/update.service'
