#!/usr/bin/env python3
"""Every shipped rule fires on the real thing: the trigger scripts under tests/triggers are run on this host, with the real
agent and node, and each alert must be there within two seconds. The node has heard of other hosts before, for what is
rare is rare in a fleet."""

import contextlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import time

from product import ROOT, Product, wait_until

ALERT_SECONDS_MAX = 2.0
TRIGGER_SECONDS_MAX = 20
FLEET_HOSTS = 12
FLEET_DAYS = 10


def rule_of(script):
    found = re.search(r"^# rule: ([0-9a-f-]{36})", script.read_text(), re.M)
    assert found, f"{script.name} names no rule"
    return found[1]


def alerts_of(product, rule_id, since):
    alerts = product.get("/alerts", limit=500)["alerts"]
    return [alert for alert in alerts if alert["rule"]["id"] == rule_id and alert["updated"] >= since]


def now_text():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".000000Z"


def fire(product, script):
    """How long after the script's end the alert stood in the table; negative: it was there before."""
    rule_id = rule_of(script)
    since = now_text()
    with tempfile.TemporaryDirectory(prefix="redoubt-trigger-") as scratch:
        done = subprocess.run(["bash", script, scratch], capture_output=True, text=True, timeout=TRIGGER_SECONDS_MAX,
                              stdin=subprocess.DEVNULL)
    try:
        found, seconds = wait_until(lambda: alerts_of(product, rule_id, since), 10, f"alert of {script.stem}")
    except AssertionError as error:
        return None, f"{error}; script exit {done.returncode}: {done.stderr.strip()[-300:]}"
    return found[0], seconds


def check_alert(product, alert):
    """The alert says who, where and what, and its tree holds the acting process."""
    assert alert["host"]["name"] and alert["importance"] and alert["title"], alert
    assert alert["techniques"], f"no technique: {alert['title']}"
    tree = product.get(f"/alerts/{alert['id']}/tree")
    focus = [node for node in tree["nodes"] if node["entity_id"] == tree["focus"]]
    assert focus, f"the tree of '{alert['title']}' lacks its process"
    assert focus[0]["images"] and focus[0]["images"][-1]["command_line"], focus[0]
    assert len(tree["nodes"]) >= 2, f"the process of '{alert['title']}' has no ancestor"


def grow_fleet(product):
    """Hosts that the node has heard every day for a while, in its state: as if it had run that long."""
    product.kill("redoubtd")
    today = int(time.time()) // 86400
    with contextlib.closing(sqlite3.connect(product.home / "node" / "state.db")) as state, state:
        (first,) = state.execute("SELECT count(*) FROM prevalence_hosts").fetchone()
        state.executemany("INSERT INTO prevalence_hosts (number, host_id, first_day, last_day) VALUES (?, ?, ?, ?)",
                          [(first + i, f"fleet-{i}", today - FLEET_DAYS, today) for i in range(FLEET_HOSTS)])
    product.up()


def main():
    scripts = sorted((ROOT / "tests" / "triggers").glob("*.sh"))
    assert len(scripts) >= 20, "fewer than 20 triggers"
    failures = []
    delays = []
    with Product() as product:
        grow_fleet(product)
        for script in scripts:
            alert, said = fire(product, script)
            if alert is None:
                failures.append(f"{script.stem}: {said}")
            elif said > ALERT_SECONDS_MAX:
                failures.append(f"{script.stem}: after {said:.1f} s")
            else:
                delays.append(said)
                check_alert(product, alert)
        if failures:
            product.show_logs()
    delays.sort()
    if delays:
        print(f"{len(delays)} rules fired; median {delays[len(delays) // 2]:.2f} s, most {delays[-1]:.2f} s after the script")
    for failure in failures:
        print("FAILED", failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
