#!/bin/bash
# Scripts of a developer: Python, Node.js, npm and Perl, with programs that they start and pages that they fetch.
set -euo pipefail
[ "$(id -u)" != 0 ] || exec runuser -u dev -- bash "$0" "$@"
export HOME=/home/dev
cd "$(mktemp -d /home/dev/scripts.XXXXXX)"
trap 'rm -rf "$PWD"' EXIT

cat >report.py <<'SCRIPT'
import concurrent.futures, json, pathlib, sqlite3, subprocess, tempfile, time, urllib.error, urllib.request

def fetch(page):
    for attempt in range(100):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1/assets/{page}.txt") as answer:
                return len(answer.read())
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise TimeoutError(page)

with concurrent.futures.ThreadPoolExecutor(8) as pool:
    sizes = list(pool.map(fetch, range(1, 60)))
rows = sqlite3.connect("/srv/data/shop.db").execute("select item, price from orders where price > 90").fetchall()
with tempfile.TemporaryDirectory() as scratch:
    for number, size in enumerate(sizes):
        pathlib.Path(scratch, f"{number}.json").write_text(json.dumps({"size": size}))
    print(subprocess.run(["du", "-sh", scratch], capture_output=True, text=True, check=True).stdout)
    print(subprocess.run("ls -1 | wc -l", shell=True, cwd=scratch, capture_output=True, text=True, check=True).stdout)
print(len(rows), sum(sizes), subprocess.check_output(["git", "--version"], text=True))
SCRIPT
cat >test_sum.py <<'SCRIPT'
import unittest

class Sum(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(sum(range(10)), 45)
SCRIPT
cat >package.json <<'JSON'
{
  "name": "site-tools",
  "version": "1.0.0",
  "private": true,
  "scripts": { "build": "node build.js && ls -l dist", "test": "node --test || node test.js", "start": "node server.js" }
}
JSON
cat >build.js <<'SCRIPT'
const { execFileSync } = require('child_process');
const fs = require('fs');
fs.mkdirSync('dist', { recursive: true });
for (let page = 0; page < 40; ++page) fs.writeFileSync(`dist/page${page}.html`, `<p>${page}</p>`);
console.log(execFileSync('gzip', ['-k', '-9', 'dist/page1.html']).toString(), execFileSync('date').toString());
SCRIPT
echo "require('assert').strictEqual([1, 2, 3].reduce((a, b) => a + b), 6);" >test.js
/usr/bin/python3 report.py
/usr/bin/python3 -m unittest -q
/usr/bin/python3 -m compileall -q .
/usr/bin/python3 -c 'import json, platform; print(json.dumps({"system": platform.platform()}))'
npm run --silent build
npm test --silent
perl -MFile::Find -e 'find(sub { $n++ if -f }, "/usr/share/doc"); print "$n files\n"'
perl -ne 'print if /error/i' /var/log/dpkg.log
awk -F: '{ print $7 }' /etc/passwd | sort | uniq -c
for file in dist/*.html; do sed 's/<p>/<div>/' "$file" >"$file.new"; mv "$file.new" "$file"; done

# A preview of the site from the developer's own folder.
/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory dist 8080 &
preview=$!
for attempt in $(seq 1 20); do curl -fsS -o /dev/null http://127.0.0.1:8080/page1.html && break; sleep 0.2; done
kill "$preview"
wait "$preview" || true
echo "preview after $attempt attempts"
sleep 5
