#!/bin/bash
# Visitors of the site: load with and without kept connections, a crawl, missing pages; then a reload, sometimes a restart.
set -euo pipefail
round=$1
ab -q -n 4000 -c 16 http://127.0.0.1/index.html
ab -q -k -n 10000 -c 32 http://127.0.0.1/assets/17.txt
for page in $(seq 1 20); do curl -fsS -o /dev/null "http://127.0.0.1/assets/$page.txt"; done
curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1/absent.html | grep -x 404
nginx -t
nginx -s reload
if [ $((round % 4)) = 0 ]; then service nginx restart; fi
sleep 5
