#!/usr/bin/env python3
"""Rules that people manage, on the real product: a shipped rule is switched off and on, excluded from, given another
importance; a rule file that is dropped in is live without a restart and without a lost event; a scheduled hunt raises its
alert once."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from product import ROOT, ApiError, Product, wait_until

LIVE_SECONDS_MAX = 5.0
MARKER = "redoubt-rule-book-marker"
NEW_RULE = f"""title: The marker of this test
id: 3f7c1b52-0000-4000-8000-00000000b00c
logsource: {{ category: process_creation, product: linux }}
detection:
  selection: {{ Image|endswith: /{MARKER} }}
  condition: selection
level: low
"""
NEW_ID = "3f7c1b52-0000-4000-8000-00000000b00c"
TRIGGER = ROOT / "tests" / "triggers" / "hidden_program_run.sh"


def rule_of(script):
    line = next(line for line in script.read_text().splitlines() if line.startswith("# rule: "))
    return line.split()[2]


def detections(product, rule_id):
    """Detections of the rule in all alerts, and the newest of these."""
    alerts = [alert for alert in product.get("/alerts", limit=500)["alerts"] if alert["rule"]["id"] == rule_id]
    return sum(alert["detections"] for alert in alerts), max(alerts, key=lambda alert: int(alert["id"]), default=None)


def fire():
    with tempfile.TemporaryDirectory(prefix="redoubt-trigger-") as scratch:
        subprocess.run(["bash", TRIGGER, scratch], stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)


def barrier(product, scratch):
    """Everything that this host did so far is stored and judged: a program run now is there."""
    program = scratch / f"barrier-{time.monotonic_ns()}"
    shutil.copy("/bin/true", program)
    subprocess.run([program], check=True)
    wait_until(lambda: product.hunt(f'event.type = "process" AND process.executable = "{program}"'), 30, "the barrier is stored")


def fires(product, rule_id):
    before = detections(product, rule_id)[0]
    fire()
    wait_until(lambda: detections(product, rule_id)[0] > before, 10, f"an alert of {rule_id}")
    return detections(product, rule_id)[1]


def is_silent(product, scratch, rule_id):
    before = detections(product, rule_id)[0]
    fire()
    barrier(product, scratch)
    assert detections(product, rule_id)[0] == before, "the rule made a detection"


def is_switched_off_and_on(product, scratch, rule_id):
    alert = fires(product, rule_id)
    product.cli("rule", "disable", rule_id)
    is_silent(product, scratch, rule_id)
    shown = product.get(f"/rules/{rule_id}")
    assert not shown["enabled"] and shown["hits"] > 0 and shown["last_hit"], shown
    product.cli("rule", "enable", rule_id)
    fires(product, rule_id)
    return alert


def close_alerts(product, rule_id):
    """New detections then make an alert of their own."""
    for alert in product.get("/alerts", limit=500)["alerts"]:
        if alert["rule"]["id"] == rule_id:
            product.call("PATCH", f"/alerts/{alert['id']}", {"status": "closed"})


def importance_is_that_of_the_alert(product, rule_id, alert):
    other = "low" if alert["importance"] != "low" else "high"
    product.cli("rule", "set", rule_id, "--importance", other)
    close_alerts(product, rule_id)
    assert fires(product, rule_id)["importance"] == other
    product.cli("rule", "set", rule_id, "--importance", "own")
    close_alerts(product, rule_id)
    assert fires(product, rule_id)["importance"] == alert["importance"]


def an_exclusion_is_for_what_it_holds_for(product, scratch, rule_id):
    done = product.cli("rule", "exclude", rule_id, 'process.nam = "x"', check=False)
    assert done.returncode == 2 and "^^^^" in done.stderr, (done.returncode, done.stderr)
    harmless = json.loads(product.cli("rule", "exclude", rule_id, 'user.name = "nobody-of-this-name"', "--json").stdout)
    fires(product, rule_id)
    real = json.loads(product.cli("rule", "exclude", rule_id, "user.id = 0", "--name", "root", "--expires", "1h", "--json").stdout)
    is_silent(product, scratch, rule_id)
    listed = product.get("/exclusions", rule_id=rule_id)["exclusions"]
    assert [one["state"] for one in listed] == ["on", "on"], listed
    for one in (harmless, real):
        product.cli("rule", "include", one["id"])
    fires(product, rule_id)


def a_new_file_is_live(product, scratch, rules):
    """While programs run all the time; every one of them is stored."""
    marker = scratch / MARKER
    shutil.copy("/bin/true", marker)
    ran = 0
    (rules / "new.yml").write_text(NEW_RULE)
    started = time.monotonic()
    while detections(product, NEW_ID)[0] == 0:
        subprocess.run([marker], check=True)
        ran += 1
        assert time.monotonic() - started < 30, "the new rule never became live"
        time.sleep(0.1)
    seconds = time.monotonic() - started
    barrier(product, scratch)
    stored = len(product.hunt(f'event.type = "process" AND process.executable = "{marker}"'))
    assert stored == ran, f"{stored} of {ran} events are stored"
    assert seconds < LIVE_SECONDS_MAX, f"live after {seconds:.1f} s"
    (rules / "new.yml").write_text("title: [")
    wait_until(lambda: [one for one in product.get("/rules")["refusals"] if one["path"].endswith("new.yml")], 10, "the refusal")
    (rules / "new.yml").unlink()
    product.cli("rule", "reload")
    assert not product.get("/rules")["refusals"]
    return seconds


def a_scheduled_hunt_alerts_once(product, scratch):
    marker = scratch / "hunted"
    shutil.copy("/bin/true", marker)
    subprocess.run([marker], check=True)
    barrier(product, scratch)
    query = f'event.type = "process" AND process.executable = "{marker}"'
    saved = json.loads(product.cli("hunt", "save", query, "--name", "hunted", "--every", "1m", "--importance", "high", "--json").stdout)
    rule_id = f"hunt:{saved['id']}"
    wait_until(lambda: detections(product, rule_id)[0] == 1, 15, "the alert of the hunt")
    product.cli("hunt", "run", saved["id"])
    product.kill("redoubtd")
    product.up()
    run = json.loads(product.cli("hunt", "run", saved["id"], "--json").stdout)
    assert run["last_found"] == 1 and run["last_new"] == 0, run
    count, alert = detections(product, rule_id)
    assert count == 1 and alert["source"] == "hunt" and alert["importance"] == "high", alert
    assert product.get(f"/alerts/{alert['id']}/tree")["nodes"], "the alert of a hunt has a tree"
    product.cli("hunt", "delete", saved["id"])
    assert product.get("/hunts/saved")["hunts"] == []


def names_of_attack_are_imported(product, scratch):
    assert product.get("/attack")["imported"] is False
    bundle = scratch / "bundle.json"
    reference = {"source_name": "mitre-attack", "external_id": "T1059"}
    bundle.write_text(json.dumps({"type": "bundle", "objects": [
        {"type": "attack-pattern", "id": "attack-pattern--1", "name": "Interpreter", "external_references": [reference]}]}))
    product.cli("attack", "import", str(bundle))
    assert [one["name"] for one in product.get("/attack")["techniques"]] == ["Interpreter"]
    bundle.write_text("[]")
    assert product.cli("attack", "import", str(bundle), check=False).returncode == 2


def checks_every_format(product, scratch):
    files = {"a.yml": NEW_RULE, "b.iocs.txt": "203.0.113.7\n", "c.yaml": "- list: x\n  items: [a]\n- rule: Shell\n  desc: d\n"
             "  condition: evt.type = execve and proc.name in (x)\n  output: o\n  priority: ERROR\n"}
    for name, text in files.items():
        (scratch / name).write_text(text)
    done = product.cli("rule", "check", *[str(scratch / name) for name in files], "--json")
    assert [json.loads(line)["format"] for line in done.stdout.splitlines()] == ["sigma", "list", "falco"], done.stdout
    (scratch / "bad.yml").write_text(NEW_RULE.replace("Image", "Imag"))
    done = product.cli("rule", "check", str(scratch / "bad.yml"), check=False)
    assert done.returncode == 2 and "^^^^" in done.stderr, done.stderr
    try:
        product.call("PATCH", "/rules/nowhere", {"enabled": False})
        raise AssertionError("a rule that is not there was changed")
    except ApiError as error:
        assert error.status == 404


def main():
    product = Product()
    rules = product.home / "rules"
    shutil.copytree(ROOT / "rules" / "sigma", rules)
    (product.home / "redoubtd.yaml").write_text(f"rules:\n  directory: {rules}\n")
    with tempfile.TemporaryDirectory(prefix="redoubt-rule-book-") as directory, product:
        scratch = pathlib.Path(directory)
        rule_id = rule_of(TRIGGER)
        alert = is_switched_off_and_on(product, scratch, rule_id)
        importance_is_that_of_the_alert(product, rule_id, alert)
        an_exclusion_is_for_what_it_holds_for(product, scratch, rule_id)
        seconds = a_new_file_is_live(product, scratch, rules)
        a_scheduled_hunt_alerts_once(product, scratch)
        names_of_attack_are_imported(product, scratch)
        checks_every_format(product, scratch)
    print(f"rules are managed; a new file was live after {seconds:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
