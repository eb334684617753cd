#!/bin/sh
# rule: 26fe5f17-5f20-4ba7-b4e2-71592e660222
# A comment is written to a file in a private /etc/cron.d.
set -eu
scratch=$1
unshare -m sh -ec '
  if [ ! -d /etc/cron.d ]; then mount -t tmpfs tmpfs /etc; mkdir /etc/cron.d; fi
  mount -t tmpfs tmpfs /etc/cron.d
  echo "# nothing" > /etc/cron.d/backup'
