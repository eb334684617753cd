#!/bin/bash
# Package work: a package of our own is installed, upgraded, removed and purged; packages of the distribution are packed
# again and installed over themselves, so that their own maintainer scripts and triggers run.
set -euo pipefail
area=$(mktemp -d /var/cache/packages.XXXXXX)
trap 'rm -rf "$area"' EXIT
apt=(apt-get -y -q -o Dpkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confnew)

build() {
  local version=$1 tree="$area/greeter-$1"
  mkdir -p "$tree"/{DEBIAN,usr/bin,usr/lib/greeter,usr/share/doc/greeter,lib/systemd/system,etc/cron.d,etc/logrotate.d,etc/default}
  printf '#!/bin/sh\n. /etc/default/greeter\necho "$GREETING"\n' >"$tree/usr/bin/greeter-$version"
  printf '#!/bin/sh\nexit 0\n' >"$tree/usr/lib/greeter/as-root"
  chmod 755 "$tree/usr/bin/greeter-$version" "$tree/usr/lib/greeter/as-root"
  echo "GREETING='hello from $version'" >"$tree/etc/default/greeter"
  echo '17 3 * * * root /usr/bin/greeter >/dev/null' >"$tree/etc/cron.d/greeter"
  printf '/var/log/greeter.log {\n  weekly\n  missingok\n}\n' >"$tree/etc/logrotate.d/greeter"
  printf '[Unit]\nDescription=Greeter\n[Service]\nExecStart=/usr/bin/greeter\n[Install]\nWantedBy=multi-user.target\n' \
    >"$tree/lib/systemd/system/greeter.service"
  seq 1 500 | gzip -9n >"$tree/usr/share/doc/greeter/changelog.gz"
  printf '/etc/default/greeter\n/etc/cron.d/greeter\n/etc/logrotate.d/greeter\n' >"$tree/DEBIAN/conffiles"
  cat >"$tree/DEBIAN/control" <<CONTROL
Package: greeter
Version: $version
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: says hello
CONTROL
  cat >"$tree/DEBIAN/postinst" <<SCRIPT
#!/bin/sh
set -e
if [ "\$1" = configure ]; then
  getent passwd greeter >/dev/null || useradd --system --home-dir /var/lib/greeter --shell /usr/sbin/nologin greeter
  install -d -o greeter -g greeter -m 750 /var/lib/greeter
  chmod 4755 /usr/lib/greeter/as-root
  update-alternatives --install /usr/bin/greeter greeter /usr/bin/greeter-$version 10
  touch /var/log/greeter.log
  chown greeter:adm /var/log/greeter.log
  ldconfig
  if [ -x /usr/bin/deb-systemd-helper ]; then deb-systemd-helper enable greeter.service || true; fi
fi
SCRIPT
  cat >"$tree/DEBIAN/prerm" <<SCRIPT
#!/bin/sh
set -e
update-alternatives --remove greeter /usr/bin/greeter-$version
SCRIPT
  cat >"$tree/DEBIAN/postrm" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = purge ]; then
  rm -f /var/log/greeter.log
  rm -rf /var/lib/greeter
  getent passwd greeter >/dev/null && userdel greeter
  if [ -x /usr/bin/deb-systemd-helper ]; then deb-systemd-helper purge greeter.service || true; fi
fi
SCRIPT
  chmod 755 "$tree"/DEBIAN/{postinst,prerm,postrm}
  dpkg-deb -Zgzip --root-owner-group --build "$tree" "$area/greeter_${version}_all.deb"
}

build 1.0
build 1.1
"${apt[@]}" install "$area/greeter_1.0_all.deb"
greeter
"${apt[@]}" install "$area/greeter_1.1_all.deb"
greeter
dpkg --verify greeter
dpkg-query -L greeter
"${apt[@]}" remove greeter
"${apt[@]}" purge greeter

# Packed once: that takes longer than to install them.
again=/var/cache/packed-again
if [ ! -d "$again" ]; then
  mkdir "$again.new"
  (cd "$again.new" && dpkg-repack cron nginx logrotate rsync sudo procps passwd)
  mv "$again.new" "$again"
fi
"${apt[@]}" install --reinstall --allow-downgrades "$again"/*.deb
apt-get check -q
apt-cache policy nginx-light bash
apt-mark showmanual
(cd / && md5sum --quiet -c /var/lib/dpkg/info/bash.md5sums)
