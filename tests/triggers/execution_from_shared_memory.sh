#!/bin/sh
# rule: c5fef929-4ab7-4ebc-ae72-4b1d78793f41
# A copy of true runs from a private /dev/shm.
set -eu
scratch=$1
unshare -m sh -ec 'mount -t tmpfs tmpfs /dev/shm; cp /bin/true /dev/shm/update; /dev/shm/update'
