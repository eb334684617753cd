#!/bin/bash
# What the machine of the recording has before the work begins: a developer's account, a web site, a database.
set -euo pipefail

useradd --create-home --shell /bin/bash dev
mkdir -p /srv/site/assets /srv/data /var/backups/site /root/.ssh
for page in $(seq 1 200); do
  head -c $((1000 + page * 97)) /dev/urandom | base64 >"/srv/site/assets/$page.txt"
done
echo '<html><body>It works.</body></html>' >/srv/site/index.html
cat >/etc/nginx/sites-enabled/default <<'SITE'
server {
  listen 127.0.0.1:80 default_server;
  root /srv/site;
  access_log /var/log/nginx/access.log;
  location / { try_files $uri $uri/ =404; }
}
SITE
sqlite3 /srv/data/shop.db 'CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT, price INTEGER);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
  INSERT INTO orders SELECT i, "item " || i, i % 97 FROM n;'
# The daily job of apt waits up to half an hour, lest all hosts ask the mirror at once.
echo 'APT::Periodic::RandomSleep "0";' >/etc/apt/apt.conf.d/99no-sleep
# What mirrors offer: apt would go through all of it again after every change, and nothing is fetched here.
rm -rf /var/lib/apt/lists/*
nginx
cron
