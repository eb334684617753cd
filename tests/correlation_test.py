#!/usr/bin/env python3
"""A correlation over what the real agent sees: a program that one user runs five times within a minute is one alert, also
where the node is killed in the middle of the window, and no other after it is killed again."""

import os
import pathlib
import pwd
import shutil
import subprocess

from product import Product, wait_until

PROGRAM = "correlated-program"
RUNS = 5
RULE = "7b1f6f0a-0c55-4a35-9b5c-3f9d3a6f1e01"
CORRELATION = "7b1f6f0a-0c55-4a35-9b5c-3f9d3a6f1e02"
RULES = f"""
title: The program was run
id: {RULE}
name: program_run
logsource: {{ category: process_creation, product: linux }}
detection: {{ selection: {{ Image|endswith: /{PROGRAM} }}, condition: selection }}
---
title: The program was run often
id: {CORRELATION}
level: high
tags: [attack.execution]
correlation:
  type: event_count
  rules: [program_run]
  group-by: [host.name, User]
  timespan: 1m
  condition: {{ gte: {RUNS} }}
"""


def run(product, program, times, so_far):
    """Runs the program, and waits until the node has it."""
    for _ in range(times):
        subprocess.run([program], check=True)
    wait_until(lambda: len(product.hunt(f'EventType = "process" AND Image ENDS "/{PROGRAM}"')) == so_far + times, 20,
               f"{so_far + times} runs are stored")
    return so_far + times


def kill_node(product):
    product.kill("redoubtd")
    product.up()


def alerts(product):
    found = product.get("/alerts", limit=500)["alerts"]
    assert not [alert for alert in found if alert["rule"]["id"] == RULE], "the rule that is counted raised an alert"
    return [alert for alert in found if alert["rule"]["id"] == CORRELATION]


def check_alert(product, alert):
    counted = alert["correlation"]
    assert alert["source"] == "correlation" and alert["importance"] == "high", alert
    assert counted["type"] == "event_count" and counted["timespan_s"] == 60, counted
    assert counted["count"] == RUNS and len(counted["events"]) == RUNS, counted
    assert counted["group"]["User"] == pwd.getpwuid(os.getuid()).pw_name, counted
    assert counted["group"]["host.name"] == alert["host"]["name"], counted
    assert alert["process"]["executable"].endswith(PROGRAM), alert
    tree = product.get(f"/alerts/{alert['id']}/tree")
    assert any(node["entity_id"] == tree["focus"] for node in tree["nodes"]), tree


def main():
    product = Product()
    rules = product.home / "rules"
    rules.mkdir()
    (rules / "often.yml").write_text(RULES)
    (product.home / "redoubtd.yaml").write_text(f"rules:\n  directory: {rules}\n")
    program = pathlib.Path(shutil.copy("/bin/true", product.home / PROGRAM))
    with product:
        listed = {rule["id"]: rule for rule in product.get("/rules")["rules"]}
        assert listed[CORRELATION]["kind"] == "correlation" and listed[CORRELATION]["alerting"], listed
        assert listed[RULE]["kind"] == "rule" and not listed[RULE]["alerting"], listed
        done = run(product, program, RUNS - 2, 0)
        kill_node(product)
        done = run(product, program, 1, done)
        assert not alerts(product), "an alert before the correlation holds"
        kill_node(product)
        done = run(product, program, 1, done)
        wait_until(lambda: alerts(product), 10, "the alert")
        kill_node(product)
        found = alerts(product)
        assert len(found) == 1 and found[0]["detections"] == 1, found
        check_alert(product, found[0])
        done = run(product, program, RUNS, done)
        wait_until(lambda: alerts(product)[0]["detections"] == 2, 10, "the next firing joins the alert")
        kill_node(product)
        found = alerts(product)
        assert len(found) == 1 and found[0]["detections"] == 2, found
    print(f"{done} runs, 4 kills of the node, 1 alert of 2 detections")


if __name__ == "__main__":
    main()
