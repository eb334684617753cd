#!/usr/bin/env bash
# The two commands on a machine that has nothing: makes a minimal Debian 12 root, clones this project's last commit into
# it, runs scripts/quickstart.sh and scripts/test.sh there, and prints how long each took. Needs root and mmdebstrap.
# The root shares this machine's kernel; its mounts live in a mount namespace and are gone at the end.
#   tests/bare-machine.sh [DIRECTORY]   the root is made in DIRECTORY (default: a temporary one) and removed afterwards
set -euo pipefail
cd "$(dirname "$0")/.."

minutes_max=40
[ "$(id -u)" = 0 ] || { echo 'bare-machine: needs root' >&2; exit 1; }
command -v mmdebstrap >/dev/null || apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null

root=${1:-$(mktemp -d /var/tmp/redoubt-bare-XXXXXX)}
mkdir -p "$root"
trap 'rm -rf --one-file-system "$root"' EXIT

echo "bare-machine: a minimal Debian 12 in $root"
# The package mirror is the one this machine uses.
{ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } |
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,git bookworm "$root" -

# How this machine reaches its package registries: name resolution, certificates, client settings.
for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt /root/.npmrc /etc/npmrc; do
  if [ -f "$file" ]; then install -D "$file" "$root$file"; fi
done
cp /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
rm -f "$root"/etc/apt/apt.conf.d/{20packagekit,50appstream,docker-*}

git clone --quiet --no-hardlinks . "$root/root/redoubt"

cat > "$root/root/run.sh" <<'EOF'
set -euo pipefail
cd /root/redoubt
begin=$SECONDS
scripts/quickstart.sh --home /root/quickstart-home
first=$((SECONDS - begin))
begin=$SECONDS
scripts/quickstart.sh --home /root/quickstart-home
second=$((SECONDS - begin))
build/release/bin/redoubt down --home /root/quickstart-home
begin=$SECONDS
scripts/test.sh
echo "bare-machine: quickstart $first s, again $second s, test $((SECONDS - begin)) s"
EOF

begin=$SECONDS
unshare --mount --propagation private bash -euc '
  root=$1
  # The new root becomes the root of the mount namespace, so that the kernel knows its files by the names a user does.
  mount --bind "$root" "$root"
  mount --rbind /proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/run"
  mkdir "$root/old-root"
  cd "$root"
  pivot_root . old-root
  exec env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=$NODE_EXTRA_CA_CERTS} \
    chroot . bash -euc "umount --lazy /old-root; rmdir /old-root; exec bash /root/run.sh"
' bash "$root"
took=$(((SECONDS - begin) / 60))
echo "bare-machine: both commands passed in $took minutes"
[ "$took" -lt "$minutes_max" ] || { echo "bare-machine: more than $minutes_max minutes" >&2; exit 1; }
