#!/bin/sh
# rule: 56d15316-4687-4564-a14f-67758f83664e
# A comment is written to a file in a private /etc/sudoers.d.
set -eu
scratch=$1
unshare -m sh -ec '
  if [ ! -d /etc/sudoers.d ]; then mount -t tmpfs tmpfs /etc; mkdir /etc/sudoers.d; fi
  mount -t tmpfs tmpfs /etc/sudoers.d
  echo "# nothing" > /etc/sudoers.d/backup'
