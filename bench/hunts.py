#!/usr/bin/env python3
"""How long people wait for a hunt: Chromium with the console, a node with 50 million events of a fleet (REDOUBT_EVENTS).
tests/e2e/hunts.bench.ts types and measures, this makes the events and prints the figures as JSON lines. With
REDOUBT_FILLED they are made there, or taken from there where they have been made before."""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from product import BIN, Product  # noqa: E402

EVENTS = int(os.environ.get("REDOUBT_EVENTS", "50000000"))
CHROMIUM = os.environ.get("REDOUBT_CHROMIUM", "/usr/bin/chromium")


def report(name, runs, value, note):
    print(json.dumps({"name": name, "value": value, "unit": "ms", "better": "lower", "peer": None, "peer_value": None,
                      "ratio": None, "runs": len(runs), "note": note}), flush=True)


def filled(directory):
    """What to look for in the events, which are made unless they are there."""
    wanted = pathlib.Path(f"{directory}.json")
    if not wanted.exists():
        done = subprocess.run([BIN / "bench_fill_store", directory, str(EVENTS)], capture_output=True, text=True,
                              check=True)
        wanted.write_text(done.stdout)
    return json.loads(wanted.read_text())


def fill(product):
    """The node and its agent are down meanwhile: no other events than these."""
    for program in ("redoubt-agent", "redoubtd"):
        product.kill(program)
    events = product.home / "node" / "events"
    shutil.rmtree(events)
    made = pathlib.Path(os.environ.get("REDOUBT_FILLED", events))
    wanted = filled(made)
    if made != events:
        shutil.copytree(made, events)
    product.up()
    product.kill("redoubt-agent")
    return wanted


def measured(product, wanted):
    with tempfile.TemporaryDirectory() as scratch:
        result = pathlib.Path(scratch) / "hunts.json"
        environment = {**os.environ, "REDOUBT_URL": f"https://127.0.0.1:{product.api_port}",
                       "REDOUBT_ACCOUNT": product.account, "REDOUBT_PASSWORD": product.password,
                       "REDOUBT_CHROMIUM": CHROMIUM, "REDOUBT_BENCH": "1", "REDOUBT_WANTED": json.dumps(wanted),
                       "REDOUBT_RESULT": str(result)}
        subprocess.run([ROOT / "scripts" / "build-web.sh", "run", "npm", "run", "--silent", "e2e"], env=environment,
                       check=True, stdout=sys.stderr)
        return json.loads(result.read_text())


def main():
    with Product() as product:
        shown = measured(product, fill(product))
    for query in shown:
        report("store.hunt_first", query["firstMs"], statistics.median(query["firstMs"]),
               f"from the key to the first rows: {query['name']}")
        report("store.hunt_shown", query["ms"], statistics.median(query["ms"]),
               f"from the key to all rows, {EVENTS // 1_000_000} million events, {query['rows']} rows: {query['name']}")
    every = sorted(ms for query in shown for ms in query["ms"])
    report("store.hunt_shown_p95", every, every[int(len(every) * 0.95)], f"of {len(every)} hunts; the longest {every[-1]:.0f}")


if __name__ == "__main__":
    main()
