#!/bin/bash
# Jobs of the cron daemon: tables are put in place, and a round is over when the daemon has run them all.
set -euo pipefail
stamps=/var/tmp/cron-stamps
rm -rf "$stamps"
mkdir -m 1777 "$stamps"

cat >/etc/logrotate-site.conf <<'CONF'
/var/log/nginx/*.log {
  size 1k
  rotate 3
  compress
  missingok
  create 0640 www-data adm
  sharedscripts
  postrotate
    [ ! -f /run/nginx.pid ] || kill -USR1 "$(cat /run/nginx.pid)"
  endscript
}
CONF
cat >/usr/local/sbin/site-backup <<'SCRIPT'
#!/bin/sh
# Nightly: the site, the configuration and the database, kept for a week.
set -e
day=$(date +%F-%H%M%S)
rsync -a --delete /srv/site/ /var/backups/site/
tar -czf "/var/backups/etc-$day.tar.gz" -C / etc/nginx etc/cron.d etc/logrotate.d
sqlite3 /srv/data/shop.db .dump | gzip -9 >"/var/backups/shop-$day.sql.gz"
gunzip -t "/var/backups/shop-$day.sql.gz"
sha256sum /var/backups/*.gz >/var/backups/SHA256SUMS
find /var/backups -name '*.gz' -mtime +7 -delete
SCRIPT
chmod 755 /usr/local/sbin/site-backup
crontab -u root - <<TABLE
MAILTO=""
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
* * * * * run-parts /etc/cron.daily; touch $stamps/daily
* * * * * logrotate --force --state /var/lib/site-logrotate.state /etc/logrotate-site.conf && touch $stamps/rotate
* * * * * nice -n 19 site-backup && touch $stamps/backup
* * * * * find /var/tmp -xdev -type f -name 'sess_*' -mmin +30 -delete; find /var/log -name '*.gz' -mtime +90 -print | xargs -r rm -f; touch $stamps/tidy
* * * * * df -P / | awk 'NR > 1 && \$5 + 0 > 95 { print "disk is full" }' | logger -t disk 2>/dev/null; touch $stamps/disk
TABLE
crontab -u dev - <<TABLE
MAILTO=""
* * * * * curl -fsS --retry 20 --retry-connrefused --retry-delay 1 -o /dev/null http://127.0.0.1/ && touch $stamps/health
* * * * * cd /home/dev && python3 -c "import sqlite3; d = sqlite3.connect('/srv/data/shop.db'); print(d.execute('select sum(price) from orders').fetchone())" >report.txt && touch $stamps/report
TABLE

for second in $(seq 1 90); do
  if [ "$(ls "$stamps" | wc -l)" = 7 ]; then exit 0; fi
  sleep 1
done
echo "after $second seconds only: $(ls -x "$stamps")"
exit 1
