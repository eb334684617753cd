#!/usr/bin/env python3
"""Live and back: a rule that the node does not have is run over what the agent captured, by the command line and by the API,
and finds exactly the programs that were run."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from product import Product, wait_until

RUNS = 5
RULE = """title: The marker of this test
id: 3f7c1b52-0000-4000-8000-00000000b7e5
logsource: { category: process_creation, product: linux }
detection:
  selection: { Image|endswith: /MARKER }
  condition: selection
level: low
"""


def backtest(product, rule, *more):
    done = product.cli("hunt", "--rule", str(rule), *more, check=False)
    return done.returncode, done.stdout, done.stderr


def finds_what_ran(product, rule, marker):
    for _ in range(RUNS):
        subprocess.run([marker], check=True)
    wait_until(lambda: len(product.hunt(f'event.type = "process" AND process.executable = "{marker}"')) == RUNS, 30,
               "the marker's events are stored")
    code, out, err = backtest(product, rule, "--since", "1h", "--json")
    assert code == 0, (code, err)
    found = json.loads(out)
    today = {time.strftime("%Y-%m-%d", time.gmtime(time.time() - back)) for back in (0, 3600)}
    assert found["hits_total"] == RUNS == sum(day["hits"] for day in found["days"]), found["days"]
    assert {day["day"] for day in found["days"]} <= today, found["days"]
    assert len(found["rows"]) == RUNS and not found["partial"], found
    code, out, err = backtest(product, rule, "--limit", "2")
    assert code == 0 and f"{RUNS} hits" in err and "2 shown" in err and str(marker) in out, (code, out, err)
    titles = [alert["title"] for alert in product.get("/alerts", limit=500)["alerts"]]
    assert "The marker of this test" not in titles, "a run over history made an alert"


def finds_nothing_before(product, rule):
    code, _, err = backtest(product, rule, "--since", "2000-01-01T00:00:00Z")
    assert code == 0, err
    text = rule.read_text()
    found = product.post("/rules/backtest", {"text": text, "since": "2000-01-01T00:00:00Z", "until": "2000-02-01T00:00:00Z"})
    assert found["hits_total"] == 0 and found["days"] == [] and found["rows"] == [], found
    nowhere = rule.with_name("nowhere.yml")
    nowhere.write_text(text.replace("|endswith: /", ": /nowhere/"))
    assert backtest(product, nowhere)[0] == 3


def mistakes_have_a_caret(product, rule):
    bad = rule.with_name("bad.yml")
    bad.write_text(rule.read_text().replace("Image", "Imag"))
    code, _, err = backtest(product, bad)
    assert code == 2 and "^^^^" in err and "Image" in err, (code, err)
    code, _, err = backtest(product, rule.with_name("absent.yml"))
    assert code != 0 and "absent.yml" in err, (code, err)


def loaded_rules_run_too(product):
    rule = product.get("/rules")["rules"][0]
    found = product.post("/rules/backtest", {"rule_id": rule["id"], "since": "1d"})
    assert found["title"] == rule["title"], found
    assert found["hits_total"] >= len(found["rows"]), found


def main():
    with Product() as product, tempfile.TemporaryDirectory(prefix="redoubt-backtest-") as scratch:
        marker = pathlib.Path(scratch) / "redoubt-backtest-marker"
        shutil.copy("/bin/true", marker)
        rule = pathlib.Path(scratch) / "rule.yml"
        rule.write_text(RULE.replace("MARKER", marker.name))
        finds_what_ran(product, rule, marker)
        finds_nothing_before(product, rule)
        mistakes_have_a_caret(product, rule)
        loaded_rules_run_too(product)
    print("a rule finds over history what was run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
