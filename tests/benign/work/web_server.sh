#!/bin/bash
# Visitors of the site: load with and without kept connections, a crawl, missing pages; then a reload, sometimes a restart.
# The administrator reloads the server beside them: a kept connection that it closes then is no failure (-r), as a browser asks again.
set -euo pipefail
round=$1
ab -q -r -n 4000 -c 16 http://127.0.0.1/index.html
ab -q -r -k -n 10000 -c 32 http://127.0.0.1/assets/17.txt
for page in $(seq 1 20); do curl -fsS -o /dev/null "http://127.0.0.1/assets/$page.txt"; done
curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1/absent.html | grep -x 404
nginx -t
nginx -s reload
if [ $((round % 4)) = 0 ]; then service nginx restart; fi
sleep 5
