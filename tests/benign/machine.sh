#!/bin/bash
# A throw-away copy of this machine in which the work of this folder goes on until standard input ends:
#   unshare --mount --pid --ipc --uts --net --fork --kill-child --propagation private machine.sh TESTS SCRATCH
# The copy is an overlay over / whose upper layer is memory, made the root: paths are those of a real machine, the machine
# itself keeps none of it. Process 1 of the copy is this script; its end ends everything in it.
set -euo pipefail
tests=$1
scratch=$2

mount -t tmpfs -o size=3g tmpfs "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$scratch/upper,workdir=$scratch/work" "$scratch/root"
mount --rbind /dev "$scratch/root/dev"
mount -t proc proc "$scratch/root/proc"
mount --rbind /sys "$scratch/root/sys"
cd "$scratch/root"
pivot_root . mnt
cd /
umount -l /mnt
mount -t tmpfs tmpfs /tmp
ip link set lo up

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
export DEBIAN_FRONTEND=noninteractive
# What is said goes where nothing of the machine lies: it is no work.
said=/mnt
bash "$tests/benign/setting.sh" >"$said/setting.log" 2>&1 || { tail -n 5 "$said/setting.log"; exit 1; }

# Each kind of work over and over; a line of standard output a round, with the end of its log where it failed.
repeat() {
  local name log
  name=$(basename "$1" .sh)
  log="$said/$name.log"
  for ((round = 1; ; ++round)); do
    if bash "$1" "$round" >"$log" 2>&1 </dev/null; then
      echo "done $name"
    else
      echo "failed $name, round $round, exit $?: $(tail -n 3 "$log" | tr '\r\n' '  ')"
    fi
  done
}

for work in "$tests"/benign/work/*.sh; do
  repeat "$work" &
done
cat >/dev/null
