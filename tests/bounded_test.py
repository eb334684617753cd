#!/usr/bin/env python3
"""What the agent may cost: memory at 10,000 events a second and under a fork bomb, and CPU beyond its budget: it then tells
less step by step, says so, and comes back."""

import os
import pathlib
import signal
import subprocess
import sys
import time

from product import BIN, Product, alive, wait_until

SECONDS = float(os.environ.get("REDOUBT_SECONDS", "10"))
EVENTS_A_SECOND = 10_000
RSS_STEADY_MAX = 60_000_000
RSS_FLOOD_MAX = 100_000_000
PIDS_MAX = 2000

# RATE opens for writing a second, in small bursts, for SECONDS; says how many. Of a name that is so long that the sensor
# tells each instead of counting them.
FILES = """
import os, sys, time
path, rate, seconds = sys.argv[1] + "-" + "x" * 240, float(sys.argv[2]), float(sys.argv[3])
begin = time.monotonic()
done = 0
while (now := time.monotonic() - begin) < seconds:
    while done < now * rate:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
        done += 1
    time.sleep(0.002)
print(done)
"""

# Forks itself without end; the cgroup bounds it, the parent kills all.
BOMB = """
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    try:
        os.fork()
    except OSError:
        pass
"""


def rss(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def largest_rss(pid, child, seconds):
    largest, end = 0, time.monotonic() + seconds
    while time.monotonic() < end and child.poll() is None:
        largest = max(largest, rss(pid))
        time.sleep(0.05)
    return largest


def at_a_steady_rate(product, pid):
    child = subprocess.Popen([sys.executable, "-c", FILES, product.home / "steady", str(EVENTS_A_SECOND), str(SECONDS)],
                             stdout=subprocess.PIPE, text=True)
    largest = largest_rss(pid, child, 4 * SECONDS + 30)
    made = int(child.communicate()[0])
    print(f"{made / SECONDS:.0f} events a second: {largest / 1e6:.1f} MB resident", flush=True)
    assert largest <= RSS_STEADY_MAX, largest


def pids_cgroup():
    """A cgroup that bounds its processes, in the version 1 or 2 hierarchy; None where there is none to be had."""
    for root in (pathlib.Path("/sys/fs/cgroup/pids"), pathlib.Path("/sys/fs/cgroup")):
        group = root / f"redoubt-bomb-{os.getpid()}"
        try:
            group.mkdir()
            (group / "pids.max").write_text(str(PIDS_MAX))
            return group
        except OSError:
            if group.is_dir():
                group.rmdir()
    return None


def under_a_fork_bomb(product, pid):
    group = pids_cgroup()
    if group is None:
        print("fork bomb: no cgroup that bounds processes")
        return
    shell = f'echo 0 > {group}/cgroup.procs; exec "$@"'
    bomb = subprocess.Popen(["/bin/sh", "-c", shell, "sh", sys.executable, "-c", BOMB])
    try:
        largest = largest_rss(pid, bomb, SECONDS)
    finally:
        (group / "pids.max").write_text("0")  # who is killed is not made anew

        def all_gone():
            for line in (group / "cgroup.procs").read_text().split():
                try:
                    os.kill(int(line), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not (group / "cgroup.procs").read_text()
        wait_until(all_gone, 60, "the bomb is defused")
        bomb.wait()
        group.rmdir()
    largest = max(largest, rss(pid))
    print(f"fork bomb of {PIDS_MAX} processes for {SECONDS:.0f} s: {largest / 1e6:.1f} MB resident", flush=True)
    assert largest <= RSS_FLOOD_MAX, largest
    assert alive(pid), "the agent ended"


def beyond_its_budget(product):
    """The same agent with a budget that any load exceeds."""
    os.kill(product.pid("redoubt-agent"), signal.SIGTERM)
    wait_until(lambda: not alive(product.pid("redoubt-agent")), 15, "the agent stops")
    data = product.home / "agent"
    with open(product.home / "log" / "budget.log", "w") as output:
        agent = subprocess.Popen([BIN / "redoubt-agent", "run", "--data", data, "--cpu-budget", "5"], stdout=output,
                                 stderr=output)
    load = subprocess.Popen([sys.executable, "-c", FILES, product.home / "load", "20000", "300"], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: product.agent_status()["degradation"] == "bulk_scarce", 90, "every step is taken")
        rows, _ = wait_until(lambda: product.hunt('EventType = "agent" AND event.action = "degraded"'), 20, "it says so")
        assert {"hashing_off", "bulk_scarce"} <= {row["agent.degradation"] for row in rows}, rows
        host = product.get("/hosts")["hosts"][0]
        assert host["degradation"] != "none", host
        losses, _ = wait_until(lambda: product.hunt('EventType = "loss" AND loss.cause = "budget_bulk"'), 20,
                               "what is left out is declared")
        assert losses[0]["loss.kind"] == "filechange", losses[0]
    finally:
        load.kill()
        load.wait()
    wait_until(lambda: product.agent_status()["degradation"] != "bulk_scarce", 120, "it comes back when the load has gone")
    wait_until(lambda: product.hunt('EventType = "agent" AND event.action = "recovered"'), 20, "it says that too")
    agent.terminate()
    assert agent.wait() == 0


def main():
    with Product() as product:
        pid = product.pid("redoubt-agent")
        at_a_steady_rate(product, pid)
        under_a_fork_bomb(product, pid)
        beyond_its_budget(product)


if __name__ == "__main__":
    main()
