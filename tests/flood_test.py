#!/usr/bin/env python3
"""One cgroup offers REDOUBT_EVENTS file events as fast as it can while another starts programs: every start is at the node,
and the account balances: what the kernel side produced is stored, or declared lost with its kind and cgroup. The agent
stays within its memory. As bench (--bench) it prints sensor.flood_exec_lost instead of judging."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from product import Product, alive, wait_until

EVENTS = int(os.environ.get("REDOUBT_EVENTS", "1000000"))
FLOODERS = 2
PROGRAMS = 1000
SECONDS_WANTED = 2.0
RSS_MAX_BYTES = 100_000_000

# Opens the file PATH-xxx… for writing COUNT times; says when it began and ended. The name is so long that the sensor
# tells each open instead of counting them.
FLOOD = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char** argv) {
  char path[4096], tail[241] = {0};
  if (argc != 3) return 2;
  memset(tail, 'x', sizeof(tail) - 1);
  snprintf(path, sizeof(path), "%s-%s", argv[1], tail);
  double begin = now();
  for (long i = atol(argv[2]); i > 0; i--) {
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    if (file < 0) return 1;
    close(file);
  }
  printf("%f %f\n", begin, now());
  return 0;
}
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


def closed_account(product):
    """The agent's last word: it is stopped, since there is always something to tell on a machine, and started again to send
    what its spool still holds."""
    pid = product.pid("redoubt-agent")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not alive(pid), 30, "the agent stops")
    status = product.agent_status()
    for name, lane in status["lanes"].items():
        assert lane["produced"] == lane["taken"] + lane["lost"], (name, lane)
    product.up()
    wait_until(lambda: product.agent_status()["stored_sequence"] >= status["events_numbered"], 240, "the node has everything")
    return status


def count(product, query):
    rows = product.hunt(query + " | count by host.id")
    return sum(row["count"] for row in rows)


def flood(product, loud, quiet):
    """Runs both; returns how long the flood took and the agent's largest resident memory."""
    program = product.home / "flood"
    subprocess.run(["cc", "-O2", "-x", "c", "-", "-o", program], input=FLOOD, text=True, check=True)
    flooders = [loud.start(program, product.home / f"flooded-{n}", EVENTS // FLOODERS) for n in range(FLOODERS)]
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
        status = closed_account(product)
        told = f'event.sequence <= {status["events_numbered"]}'
        losses = product.hunt(f'EventType = "loss" AND {told}', limit=10000)
        kinds = {}
        for kind in ("filechange", "process"):
            declared = sum(row["loss.count"] for row in losses if row.get("loss.kind") == kind)
            kinds[kind] = {"produced": status["kinds"][kind]["produced"], "lost": declared,
                           "stored": count(product, f'EventType = "{kind}" AND {told}')}
        of_quiet = [row for row in losses if row.get("process.cgroup.id") == quiet.id]
        started = count(product, f'EventType = "process" AND {told} AND process.cgroup.id = {quiet.id} '
                                 'AND process.name = "true" AND process.command_line CONTAINS "flood-test"')
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
