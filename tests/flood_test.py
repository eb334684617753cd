#!/usr/bin/env python3
"""One cgroup offers REDOUBT_EVENTS file events as fast as it can while another starts programs: every start is at the node,
and the account balances: what the kernel side produced is stored, or declared lost with its kind and cgroup. The agent
stays within its memory. As bench (--bench) it prints sensor.flood_exec_lost instead of judging."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

from product import Product, wait_until

EVENTS = int(os.environ.get("REDOUBT_EVENTS", "1000000"))
FLOODERS = 2
PROGRAMS = 1000
SECONDS_WANTED = 2.0
RSS_MAX_BYTES = 100_000_000

# Opens a file for writing COUNT times; says when it began and ended.
FLOOD = """
import os, sys, time
path, count = sys.argv[1], int(sys.argv[2])
open_file, close_file, flags = os.open, os.close, os.O_WRONLY | os.O_CREAT
begin = time.monotonic()
for _ in range(count):
    close_file(open_file(path, flags))
print(begin, time.monotonic())
"""

# Starts COUNT programs evenly over SECONDS.
STARTS = """
import os, sys, time
count, seconds = int(sys.argv[1]), float(sys.argv[2])
begin = time.monotonic()
for number in range(count):
    os.waitpid(os.posix_spawn("/bin/true", ["true", "flood-test", str(number)], {}), 0)
    time.sleep(max(0, begin + seconds * (number + 1) / count - time.monotonic()))
"""


class Cgroup:
    """A cgroup of the version 2 hierarchy; the programs run in it from their start."""

    def __init__(self, name):
        root = pathlib.Path("/sys/fs/cgroup")
        if not (root / "cgroup.procs").exists():
            root /= "unified"
        self.path = root / f"redoubt-{name}-{os.getpid()}"
        self.path.mkdir()
        self.id = self.path.stat().st_ino

    def start(self, *arguments):
        shell = f'echo 0 > {self.path}/cgroup.procs; exec "$@"'
        return subprocess.Popen(["/bin/sh", "-c", shell, "sh", *map(str, arguments)], stdout=subprocess.PIPE, text=True)

    def remove(self):
        wait_until(lambda: not (self.path / "cgroup.procs").read_text(), 10, "the cgroup is empty")
        self.path.rmdir()


@contextlib.contextmanager
def cgroup(name):
    made = Cgroup(name)
    try:
        yield made
    finally:
        made.remove()


def agent_status(product):
    return json.loads((product.home / "agent" / "status.json").read_text())


def settled(product):
    """The status once the node has all that was numbered and the kernel side has produced nothing since."""
    before = agent_status(product)
    time.sleep(4.5)  # two reports
    after = agent_status(product)
    quiet = after["kinds"] == before["kinds"] and after["stored_sequence"] == after["events_numbered"]
    whole = all(lane["produced"] == lane["taken"] + lane["lost"] for lane in after["lanes"].values())
    return after if quiet and whole else None


def count(product, query):
    rows = product.hunt(query + " | count by host.id")
    return sum(row["count"] for row in rows)


def flood(product, loud, quiet):
    """Runs both; returns how long the flood took and the agent's largest resident memory."""
    flooders = [loud.start(sys.executable, "-c", FLOOD, product.home / f"flooded-{n}", EVENTS // FLOODERS)
                for n in range(FLOODERS)]
    starts = quiet.start(sys.executable, "-c", STARTS, PROGRAMS, SECONDS_WANTED)
    memory = pathlib.Path(f"/proc/{product.pid('redoubt-agent')}/statm")
    rss = 0
    while any(child.poll() is None for child in [*flooders, starts]):
        rss = max(rss, int(memory.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        time.sleep(0.05)
    times = [[float(word) for word in child.communicate()[0].split()] for child in flooders]
    assert starts.returncode == 0
    return max(end for _, end in times) - min(begin for begin, _ in times), rss


def measure():
    with Product() as product, cgroup("loud") as loud, cgroup("quiet") as quiet:
        took, rss = flood(product, loud, quiet)
        status, _ = wait_until(lambda: settled(product), 240, "the node has everything")
        losses = product.hunt('EventType = "loss" | limit 100000', limit=10000)
        kinds = {}
        for kind in ("filechange", "process"):
            declared = sum(row["loss.count"] for row in losses if row.get("loss.kind") == kind)
            kinds[kind] = {"produced": status["kinds"][kind]["produced"], "lost": declared,
                           "stored": count(product, f'EventType = "{kind}"')}
        of_quiet = [row for row in losses if row.get("process.cgroup.id") == quiet.id]
        started = count(product, f'EventType = "process" AND process.cgroup.id = {quiet.id} '
                                 'AND process.command_line CONTAINS "flood-test"')
        return {"seconds": took, "rss": rss, "kinds": kinds, "started": started, "of_quiet": of_quiet,
                "causes": sorted({row["loss.cause"] for row in losses}),
                "cgroups": {row.get("loss.cgroup") for row in losses}, "loud": loud.path.name}


def main():
    found = measure()
    files = found["kinds"]["filechange"]
    note = (f"{EVENTS} file events offered in {found['seconds']:.1f} s by another cgroup: {files['stored']} stored, "
            f"{files['lost']} declared lost ({', '.join(found['causes'])}); agent {found['rss'] / 1e6:.0f} MB")
    if "--bench" in sys.argv:
        print(json.dumps({"name": "sensor.flood_exec_lost", "value": PROGRAMS - found["started"], "unit": "events",
                          "better": "lower", "peer": None, "peer_value": None, "ratio": None, "runs": 1, "note": note}))
        return
    print(note)
    assert found["started"] == PROGRAMS, f"{found['started']} of {PROGRAMS} program starts are stored"
    assert not found["of_quiet"], f"the quiet cgroup lost: {found['of_quiet']}"
    for kind, account in found["kinds"].items():
        assert account["produced"] == account["stored"] + account["lost"], f"{kind}: {account}"
    assert files["produced"] >= EVENTS, files
    if files["lost"]:
        assert f"/{found['loud']}" in found["cgroups"], found["cgroups"]
    assert found["rss"] <= RSS_MAX_BYTES, f"agent: {found['rss']} bytes resident"


if __name__ == "__main__":
    main()
