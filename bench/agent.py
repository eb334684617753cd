#!/usr/bin/env python3
"""What the agent costs while a shell loop starts 2,000 programs a second: share of one core, and resident memory.
Prints spine.agent_cpu and spine.agent_rss as JSON lines."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from product import Product  # noqa: E402

RUNS = 5
RUN_SECONDS = 6
PROGRAMS_PER_SECOND = 2000
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

# Starts programs in small bursts so that the rate holds; says how many it started.
LOOP = """
import os, sys, time
rate, seconds = int(sys.argv[1]), float(sys.argv[2])
begin = time.monotonic()
started = 0
while (now := time.monotonic() - begin) < seconds:
    while started < now * rate:
        os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
        started += 1
    time.sleep(0.001)
print(started)
"""


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def rss_bytes(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def report(name, unit, runs, note):
    print(json.dumps({"name": name, "value": statistics.median(runs), "unit": unit, "better": "lower", "peer": None,
                      "peer_value": None, "ratio": None, "runs": len(runs), "note": note}), flush=True)


def main():
    shares, memory, rates = [], [], []
    with Product() as product:
        pid = product.pid("redoubt-agent")
        for _ in range(RUNS):
            before = cpu_seconds(pid)
            begin = time.monotonic()
            done = subprocess.run([sys.executable, "-c", LOOP, str(PROGRAMS_PER_SECOND), str(RUN_SECONDS)],
                                  capture_output=True, text=True, check=True)
            took = time.monotonic() - begin
            shares.append(100 * (cpu_seconds(pid) - before) / took)
            memory.append(rss_bytes(pid) / 1e6)
            rates.append(int(done.stdout) / took)
    note = f"{statistics.median(rates):.0f} programs a second, node on the same machine"
    report("spine.agent_cpu", "% of one core", shares, note)
    report("spine.agent_rss", "MB", memory, note)


if __name__ == "__main__":
    main()
