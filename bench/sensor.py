#!/usr/bin/env python3
"""What the sensor costs those it watches, side by side in one run: without the agent, while a tracepoint stands at a
system call that nobody makes, under a BPF program that does nothing, and with the agent: a system call that is of no
interest, one that is filtered in the kernel, one that is told, the rate at which programs start, a compilation. And what
it needs itself: memory at 10,000 events a second and under a fork bomb, bytes of an event on the wire. Prints JSON lines;
arguments: names of measurements to make, none: all.

Cycles are interleaved and the least of each is compared: a machine that others use only ever makes a loop slower."""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/vm")]
import call_cost_test  # noqa: E402
from flood_test import cgroup  # noqa: E402
from product import Product, wait_until  # noqa: E402

LOOPS = ROOT / "build/release/bin/bench_sensor_loops"
CYCLES = 5
ROUNDS = {"getppid": 2_000_000, "read": 300_000, "write": 100_000, "exec": 1500}
SOURCES = 24  # files of the compilation
EVENTS_PER_SECOND = 10_000
LOAD_SECONDS = 8
BOMB_PROCESSES = 2000
BOMB_SECONDS = 6

# Writes to files at a rate, for a while; to so many that the sensor does not count the opens of one together.
WRITER = """
import os, sys, time
path, rate, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
begin = time.monotonic()
done = 0
while (now := time.monotonic() - begin) < seconds:
    while done < now * rate:
        os.close(os.open(f"{path}-{done % 20000}", os.O_WRONLY | os.O_CREAT))
        done += 1
    time.sleep(0.001)
print(done)
"""

# Forks until it may not, for a while; the cgroup holds it.
BOMB = """
import os, signal, sys, time
until = time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    try:
        os.fork()
    except OSError:
        time.sleep(0.001)
os._exit(0)
"""


def report(name, unit, runs, note, better="lower", value=None, peer=None, peer_value=None):
    value = statistics.median(runs) if value is None else value
    print(json.dumps({"name": name, "value": value, "unit": unit, "better": better, "peer": peer,
                      "peer_value": peer_value, "ratio": value / peer_value if peer_value else None,
                      "runs": len(runs), "note": note}), flush=True)


def loop(name, path):
    done = subprocess.run([LOOPS, name, str(ROUNDS[name]), path], capture_output=True, text=True, check=True)
    return float(done.stdout)


def compile_seconds(directory):
    """CPU seconds of a compiler over many small files, with its assembler and all that it starts."""
    before = os.times()
    for number in range(SOURCES):
        subprocess.run(["gcc", "-O1", "-c", directory / f"part{number}.c", "-o", directory / f"part{number}.o"], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def write_sources(directory):
    for number in range(SOURCES):
        functions = "\n".join(f"int f{number}_{i}(int a) {{ int s = 0; for (int k = 0; k < a; ++k) s += k * {i}; return s; }}"
                              for i in range(60))
        (directory / f"part{number}.c").write_text(f"#include <stdio.h>\n#include <stdlib.h>\n{functions}\n")


@contextlib.contextmanager
def nothing():
    yield


@contextlib.contextmanager
def floor(name):
    with subprocess.Popen([LOOPS, name, "600"], stdout=subprocess.PIPE, text=True) as attached:
        assert attached.stdout.readline().strip() == "attached"
        yield
        attached.terminate()


@contextlib.contextmanager
def agent():
    with Product():
        time.sleep(1)  # its own start is not the workload's
        yield


SETTINGS = {"without": nothing, "tax": lambda: floor("tax"), "idle": lambda: floor("idle"), "agent": agent}


def measure_loops():
    figures = {setting: {name: [] for name in [*ROUNDS, "compile"]} for setting in SETTINGS}
    with tempfile.TemporaryDirectory() as home:
        directory = pathlib.Path(home)
        write_sources(directory)
        (directory / "read").touch()
        paths = {"getppid": "-", "read": directory / "read", "write": directory / ("write" + "x" * 240), "exec": "/bin/true"}
        for _ in range(CYCLES):
            for setting, enter in SETTINGS.items():
                with enter():
                    for name, path in paths.items():
                        figures[setting][name].append(loop(name, path))
                    figures[setting]["compile"].append(compile_seconds(directory))
    return figures


def report_loops(figures):
    least = {setting: {name: min(runs) for name, runs in rows.items()} for setting, rows in figures.items()}
    without, tax, idle, with_agent = (least[setting] for setting in ("without", "tax", "idle", "agent"))
    report("sensor.tax_ns", "ns", figures["tax"]["getppid"], "a getppid while a call that nobody makes has a tracepoint: "
           "no program runs, and no tracepoint at system calls costs less", value=tax["getppid"] - without["getppid"])

    def extra(name, calls):
        note = (f"one round {without[name]:.0f} ns without, {tax[name]:.0f} while another call has a tracepoint, "
                f"{idle[name]:.0f} under an idle program, {with_agent[name]:.0f} with the agent")
        return (with_agent[name] - without[name]) / calls, note

    for metric, name, calls, what in (("sensor.untraced_ns", "getppid", 1, "a getppid"),
                                      ("sensor.filtered_ns", "read", 2, "an open for reading and its close, each"),
                                      ("sensor.shipped_ns", "write", 1, "an open for writing that is told, and its close")):
        value, note = extra(name, calls)
        report(metric, "ns", figures["agent"][name], f"{what}; {note}", value=value,
               peer="a program that does nothing", peer_value=(idle[name] - without[name]) / calls)
    ratio = 100 * without["exec"] / with_agent["exec"]
    report("sensor.exec_ratio", "%", figures["agent"]["exec"],
           f"of {1e9 / without['exec']:.0f} programs a second; under an idle program {100 * without['exec'] / idle['exec']:.1f} %",
           better="higher", value=ratio)
    report("sensor.compile_ratio", "%", figures["agent"]["compile"],
           f"CPU time of {SOURCES} compilations, {without['compile']:.2f} s without the agent; under an idle program "
           f"{100 * idle['compile'] / without['compile']:.1f} %",
           value=100 * with_agent["compile"] / without["compile"])


def rss_mb(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def largest_rss(pid, done):
    """Looks until `done` says so."""
    memory = []
    while not done():
        memory.append(rss_mb(pid))
        time.sleep(0.05)
    return memory


def measure_load():
    with Product() as product:
        pid = product.pid("redoubt-agent")
        writer = subprocess.Popen([sys.executable, "-c", WRITER, product.home / "file", str(EVENTS_PER_SECOND),
                                   str(LOAD_SECONDS)], stdout=subprocess.PIPE, text=True)
        begin = time.monotonic()
        memory = largest_rss(pid, lambda: writer.poll() is not None)
        rate = int(writer.communicate()[0]) / (time.monotonic() - begin)
        report("sensor.rss_10k", "MB", memory, f"largest, at {rate:.0f} files written a second", value=max(memory))
        # Without its node the agent spools what it would send: the same bytes.
        wait_until(lambda: product.agent_status()["stored_sequence"] == product.agent_status()["events_numbered"], 60, "all is sent")
        product.kill("redoubtd")
        before = product.agent_status()
        with tempfile.TemporaryDirectory() as home:
            write_sources(pathlib.Path(home))
            compile_seconds(pathlib.Path(home))
        time.sleep(5)  # the status is written every two seconds
        after = product.agent_status()
        events = after["events_numbered"] - before["events_numbered"]
        spooled = after["spool_bytes"] - before["spool_bytes"]
        report("sensor.wire_bytes", "bytes", [spooled], f"an event, of {events} while a compiler ran", value=spooled / events)


def measure_fork_bomb():
    with Product() as product, cgroup("bomb") as bomb:
        limit = pids_limit(bomb)
        child = bomb.start(sys.executable, "-c", BOMB, str(BOMB_SECONDS))
        memory = largest_rss(product.pid("redoubt-agent"), lambda: child.poll() is not None)
        time.sleep(1)
        memory.append(rss_mb(product.pid("redoubt-agent")))
        limit.close()
        report("sensor.rss_forkbomb", "MB", memory, f"largest, at most {BOMB_PROCESSES} processes at a time",
               value=max(memory))


def pids_limit(bomb):
    """Holds the bomb in a cgroup of the pids controller, in version 2 or, where that has none, in version 1."""
    own = bomb.path / "pids.max"
    stack = contextlib.ExitStack()
    if own.exists():
        own.write_text(str(BOMB_PROCESSES))
        return stack
    group = pathlib.Path("/sys/fs/cgroup/pids") / bomb.path.name
    group.mkdir()
    (group / "pids.max").write_text(str(BOMB_PROCESSES))
    start = bomb.start
    bomb.start = lambda *arguments: start("/bin/sh", "-c", f'echo 0 > {group}/cgroup.procs; exec "$@"', "sh", *arguments)
    stack.callback(lambda: (wait_until(lambda: not (group / "cgroup.procs").read_text(), 30, "the bomb is over"),
                            group.rmdir()))
    return stack


def measure_instructions():
    """In both tiers, which this machine's kernel may not have, on a kernel in a guest."""
    figures = call_cost_test.measure("6.12")
    for metric, name, calls, what in (("untraced", "getppid", 1, "a getppid"),
                                      ("filtered", "read", 2, "an open for reading and its close, each")):
        rounds = {setting: rows[name] for setting, rows in figures.items()}
        note = f"{what}, in an emulated guest; a round: " + ", ".join(f"{key} {value:.0f}" for key, value in rounds.items())
        for tier in ("tracepoint", "lsm"):
            value = (rounds[tier] - rounds["without"]) / calls
            report(f"sensor.{metric}_{tier}_instructions", "instructions", [value], note,
                   peer="a program that does nothing", peer_value=(rounds["idle"] - rounds["without"]) / calls)


MEASUREMENTS = {
    ("sensor.tax_ns", "sensor.untraced_ns", "sensor.filtered_ns", "sensor.shipped_ns", "sensor.exec_ratio",
     "sensor.compile_ratio"): lambda: report_loops(measure_loops()),
    ("sensor.rss_10k", "sensor.wire_bytes"): measure_load,
    ("sensor.rss_forkbomb",): measure_fork_bomb,
    tuple(f"sensor.{metric}_{tier}_instructions" for metric in ("untraced", "filtered")
          for tier in ("tracepoint", "lsm")): measure_instructions,
}


def main():
    wanted = set(sys.argv[1:])
    for names, measure in MEASUREMENTS.items():
        if not wanted or wanted & set(names):
            measure()


if __name__ == "__main__":
    main()
