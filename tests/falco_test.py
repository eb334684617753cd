#!/usr/bin/env python3
"""The rules that the Falco project maintains fire on the real thing: they are loaded as they are into a real node, the
behaviour that each is about is done for real on this host, and the alert says what Falco's output would say, in the
console's API and in Falco's JSON lines over HTTP."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from falco_behaviours import BEHAVIOUR, NOT_DONE, NOT_EXERCISED, PRELUDE
from product import ROOT, Product, wait_until

CORPORA = pathlib.Path(os.environ.get("REDOUBT_CORPORA", ROOT.parent / "shared" / "corpora")) / "falco"
FILES = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")
SCRIPT_SECONDS_MAX = 20
ALERT_SECONDS_MAX = 20

class Posts(http.server.BaseHTTPRequestHandler):
    """Takes Falco's lines."""

    lines = []

    def do_POST(self):
        assert self.headers["Content-Type"] == "application/json", self.headers
        Posts.lines.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def server():
    http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Posts)
    thread = threading.Thread(target=http_server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http_server.server_address[1]}/falco"
    finally:
        http_server.shutdown()
        thread.join()
        http_server.server_close()


def configure(product, url):
    """A rule directory with Falco's files alone, and both of the outputs."""
    rules = product.home / "falco-rules"
    rules.mkdir()
    for name in FILES:
        shutil.copy(CORPORA / name, rules / name)
    (product.home / "redoubtd.yaml").write_text(
        f"rules:\n  directory: {rules}\n"
        f"falco:\n  file_output:\n    filename: {product.home}/falco.json\n  http_output:\n    url: {url}\n")


def behave(script):
    # A file: a script on the command line would itself be what some rules look for there.
    with tempfile.TemporaryDirectory(prefix="redoubt-falco-") as scratch, \
            tempfile.NamedTemporaryFile("w", prefix="behaviour-", suffix=".sh") as file:
        file.write(PRELUDE + script)
        file.flush()
        done = subprocess.run(["bash", file.name, scratch], capture_output=True, text=True,
                              timeout=SCRIPT_SECONDS_MAX, stdin=subprocess.DEVNULL)
    return f"script exit {done.returncode}: {done.stderr.strip()[-300:]}"


def alerts_of(product, rule):
    found, cursor = [], {}
    while True:
        page = product.get("/alerts", limit=500, **cursor)
        found += [alert for alert in page["alerts"] if alert["title"] == rule]
        if not page.get("next_cursor"):
            return found
        cursor = {"cursor": page["next_cursor"]}


def exercise(product, rule):
    """Why the rule did not fire as it should; nothing where it did."""
    script, expected = BEHAVIOUR[rule]
    said = behave(script)

    def fired():
        return [alert for alert in alerts_of(product, rule) if expected in alert["message"]]
    try:
        wait_until(fired, ALERT_SECONDS_MAX, f"alert of {rule}")
    except AssertionError as error:
        others = [alert["message"] for alert in alerts_of(product, rule)]
        return f"{error}; '{expected}' is not in {others[:3]}; {said}"
    return None


def check_lines(rules, output_of):
    """Every rule that fired was posted once an alert at least, in Falco's shape, and stands in the file too."""
    in_file = [json.loads(line) for line in output_of.read_text().splitlines()]
    for rule in rules:
        lines = [line for line in Posts.lines if line["rule"] == rule]
        assert lines, f"{rule} was not posted"
        assert [line for line in in_file if line["rule"] == rule], f"{rule} is not in the file"
        line = lines[0]
        keys = ["time", "rule", "priority", "source", "hostname", "output", "tags", "message", "output_fields"]
        assert list(line) == keys, list(line)
        assert line["source"] == "syscall" and line["output"].endswith(f"{line['priority']} {line['message']}"), line
        assert line["time"].endswith("Z") and len(line["time"]) == len("2026-01-01T00:00:00.000000000Z"), line
        assert line["output_fields"]["evt.time"] > 0, line


def main():
    if not CORPORA.is_dir():
        print("skipped: no corpora")
        return 0
    if os.geteuid() != 0:
        print("skipped: needs root")
        return 0
    chosen = sys.argv[1:] or list(BEHAVIOUR)
    failures, slow = [], 0.0
    product = Product()
    with server() as url:
        configure(product, url)
        with product:
            loaded = {rule["title"] for rule in product.get("/rules")["rules"]}
            unlisted = loaded - set(BEHAVIOUR) - set(NOT_DONE)
            assert not unlisted, f"judged and neither exercised nor listed: {sorted(unlisted)}"
            assert not loaded & set(NOT_EXERCISED), loaded & set(NOT_EXERCISED)
            assert set(BEHAVIOUR) <= loaded, f"not judged any more: {sorted(set(BEHAVIOUR) - loaded)}"
            for rule in chosen:
                started = time.monotonic()
                failure = exercise(product, rule)
                slow = max(slow, time.monotonic() - started)
                if failure:
                    failures.append(f"{rule}: {failure}")
            fired = [rule for rule in chosen if not any(failure.startswith(rule) for failure in failures)]
            wait_until(lambda: {line["rule"] for line in Posts.lines} >= set(fired), ALERT_SECONDS_MAX, "all posts")
            check_lines(fired, product.home / "falco.json")
            if failures:
                product.show_logs()
    print(f"{len(fired)} of {len(loaded)} loaded rules fired; slowest after {slow:.1f} s; {len(Posts.lines)} lines posted; "
          f"{len(NOT_EXERCISED)} judged rules are off in their files, {len(NOT_DONE)} cannot be done here")
    for failure in failures:
        print("FAILED", failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
