#!/.vm/busybox sh
# The first process of a guest: loads the modules, mounts what programs expect, runs the command, and sends its output,
# the files that it asks for and its status through the virtio ports. The token stands behind each, so that the host
# knows that all has come. /.vm/ is what guest.py put there.
set +e
/.vm/busybox mkdir -p /.vm/bin /proc /sys /dev /tmp /run /root
/.vm/busybox --install -s /.vm/bin
PATH=/.vm/bin
chmod 755 /
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
ln -s /proc/self/fd /dev/fd
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=755 tmpfs /run
mount -t securityfs securityfs /sys/kernel/security
cgroups unified
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
while read -r module; do insmod "/.vm/modules/$module.ko"; done < /.vm/modules/order
ip link set lo up
hostname guest

port() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    for name in /sys/class/virtio-ports/*/name; do
      [ -e "$name" ] && [ "$(cat "$name")" = "$1" ] && echo "/dev/$(basename "$(dirname "$name")")" && return
    done
    sleep 0.05
  done
  echo "no virtio port $1" > /dev/console
}
read -r token < /.vm/token
output=$(port output)
result=$(port result)
exec 3> "$output" 4> "$result"

env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/.vm/bin HOME=/root TERM=dumb \
  /.vm/bin/sh /.vm/run < /dev/null >&3 2>&1 3>&- 4>&-
status=$?
printf '%s' "$token" >&3
if [ -s /.vm/collect ]; then
  # shellcheck disable=SC2046
  (cd / && tar -c -f - $(cat /.vm/collect) >&4) 2> /dev/console
fi
printf '%s %s\n' "$token" "$status" >&4
# The host ends the machine when it has read that.
sleep 5
poweroff -f
