#!/bin/bash
# What an administrator does in a day: looks around, edits, takes copies, makes keys and certificates, restarts a service.
set -euo pipefail
area=$(mktemp -d /root/day.XXXXXX)
trap 'rm -rf "$area"' EXIT
cd "$area"

# Looks around.
id; uptime; uname -a; hostname; date; who || true; last -n 5 || true
ps aux | grep nginx | grep -v grep
ps -ef --forest | tail -n 20
top -b -n 1
df -h / ; free -m; vmstat 1 2; lsblk || true; mount | grep -c ' on /'
ss -tlnp; ip addr; ip route; lsof -i -P -n | head -n 5 || true
head -n 4 /proc/loadavg /proc/meminfo; sysctl -n kernel.hostname; dmesg | tail -n 3 || true
getent passwd dev; passwd -S dev; chage -l dev; groups dev
service --status-all 2>/dev/null | head -n 5 || true

# Reads logs.
tail -n 100 /var/log/nginx/access.log | awk '{ print $1 }' | sort | uniq -c | sort -rn
grep -c ' 404 ' /var/log/nginx/access.log || true
grep -i 'install ' /var/log/dpkg.log | tail -n 3 || true
find /var/log/nginx -name "*.gz" -exec zgrep -c GET {} + || true
find /var/log -type f -size +100k -exec ls -lh {} + || true
# Status 1: a file went while it was looked at, as below.
find /etc -newer /etc/hostname -type f || [ $? = 1 ]
du -sh /var/log /srv || [ $? = 1 ]

# Edits, and takes copies before.
cp -a /etc/nginx "$area/nginx.before"
sed -i 's/# server_tokens/server_tokens/' /etc/nginx/nginx.conf
diff -ru "$area/nginx.before" /etc/nginx || true
echo '# edited' >>/etc/default/cron
mkdir -p /srv/site/news
echo "<p>$(date)</p>" >/srv/site/news/index.html
chown -R www-data:www-data /srv/site/news
chmod -R u=rwX,go=rX /srv/site/news
ln -sfn /srv/site/news /srv/site/latest
nginx -t
service nginx reload
curl -fsSI --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1/news/
# Status 1: a file changed while it was read, since packages are installed at the same time.
tar -czf "/root/etc-$(date +%s).tar.gz" /etc 2>/dev/null || [ $? = 1 ]
ls -t /root/etc-*.tar.gz | tail -n +3 | xargs -r rm -f
sqlite3 /srv/data/shop.db '.backup /root/shop.db'
rsync -a /srv/site/ "$area/site/"

# Keys and certificates.
ssh-keygen -q -t ed25519 -N '' -C admin@example.org -f "$area/id_ed25519"
ssh-keygen -lf "$area/id_ed25519.pub"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=www.example.org -keyout "$area/www.key" -out "$area/www.pem"
openssl x509 -in "$area/www.pem" -noout -dates
sha256sum "$area"/www.* "$area"/id_ed25519*

# Accounts and rights.
useradd --create-home --groups adm --shell /bin/bash colleague
echo "colleague:$(openssl rand -base64 12)" | chpasswd
su - colleague -c 'id; umask; ls -la'
sudo -u dev -H bash -c 'cd && ls'
visudo -c
userdel --remove colleague 2>/dev/null

# Configuration under version control.
git init -q --bare "$area/config.git"
git clone -q "$area/config.git" "$area/config"
cp /etc/nginx/nginx.conf /etc/hosts "$area/config/"
git -C "$area/config" add -A
git -C "$area/config" -c user.name=admin -c user.email=admin@example.org commit -q -m 'nginx, hosts: as they are'
git -C "$area/config" push -q origin HEAD
git -C "$area/config" log --oneline
sleep 5
