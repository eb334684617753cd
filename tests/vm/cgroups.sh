#!/.vm/busybox sh
# cgroups unified|hybrid|legacy: how a guest's cgroups are mounted from now on: version 2, version 1 with 2 beside it, or
# version 1 alone, with the controllers that the kernel has there (6.12 has no memory). No cgroup may be left of before.
set -eu
root=/sys/fs/cgroup
grep -o " $root[^ ]*" /proc/mounts | sort -r | while read -r mounted; do umount "$mounted"; done
if [ "$1" = unified ]; then
  exec mount -t cgroup2 cgroup2 $root
fi
mount -t tmpfs -o mode=755 tmpfs $root
for controller in memory pids devices cpu; do
  mkdir $root/$controller
  mount -t cgroup -o $controller cgroup $root/$controller 2> /dev/null || rmdir $root/$controller
done
if [ "$1" = hybrid ]; then
  mkdir $root/unified
  mount -t cgroup2 cgroup2 $root/unified
fi
