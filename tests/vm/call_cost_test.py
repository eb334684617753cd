#!/usr/bin/env python3
"""What a system call costs the one who makes it, in instructions of the guest, under both tiers and what any sensor would
cost at least: call_cost_test.py SERIES. In the tier lsm a call of no interest costs nothing."""

import os
import pathlib
import sys

from guest import Guest, GuestFailure
from kernel import ROOT, Kernel

BUILD = pathlib.Path(os.environ.get("REDOUBT_BUILD_DIR", ROOT / "build" / "release"))
LOOPS = BUILD / "bin" / "bench_sensor_loops"
LIMIT_S = 1500
ROUNDS = {"getppid": 200_000, "read": 40_000}
# Without anything; a tracepoint at a call that nobody makes; a program that does nothing at every call; the sensor.
SETTINGS = ("without", "tax", "idle", "tracepoint", "lsm")
# Instructions in a round that are the timer's and not the call's.
NOISE = 3
READ = "/root/read"


def script():
    loops = "\n".join(f"  echo $1 {name} $({LOOPS} {name} {rounds} {READ})" for name, rounds in ROUNDS.items())
    under = "\n".join(f"under {setting}" for setting in SETTINGS[1:])
    return f"""
set -e
echo > {READ}
mkfifo /tmp/said
measure() {{
{loops}
}}
under() {{
  {LOOPS} $1 100000 > /tmp/said &
  read -r said < /tmp/said
  sleep 5  # its own start is not the loop's
  measure $1
  kill $!
  wait $! || true
}}
measure without
{under}
"""


def measure(series):
    """Instructions a round: {setting: {loop: number}}."""
    guest = Guest(Kernel(series), processors=1, arguments="lsm=landlock,bpf", counts_instructions=True)
    guest.add_program(str(LOOPS))
    for path in ("/etc/group", "/etc/passwd", "/etc/nsswitch.conf"):
        guest.add_program(path)
    result = guest.run(script(), LIMIT_S)
    figures = {}
    for line in result.output.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] in SETTINGS and words[1] in ROUNDS:
            figures.setdefault(words[0], {})[words[1]] = float(words[2])
    if result.status != 0 or any(len(figures.get(setting, ())) != len(ROUNDS) for setting in SETTINGS):
        raise GuestFailure(f"the guest did not measure all:\n{result.output}")
    return figures


def main():
    series = sys.argv[1]
    try:
        figures = measure(series)
    except GuestFailure as failure:
        print(failure)
        return 1
    for setting, rows in figures.items():
        print(f"kernel {series}, {setting}: " + ", ".join(f"{name} {value:.1f}" for name, value in rows.items()))
    extra = figures["lsm"]["getppid"] - figures["without"]["getppid"]
    if abs(extra) > NOISE:
        print(f"call_cost_test: in the tier lsm a call of no interest costs {extra:.1f} instructions")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
