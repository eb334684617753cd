#!/usr/bin/env python3
"""The sensor's root tests on another kernel: sensor_test.py SERIES TIER EXTENT… boots it in a guest, and there the test
program of this build runs in that tier: all tests, or those of the extents that are named. So the kernel's verifier judges
every BPF program and the events are compared. None may skip: a guest has all that the tests ask for. The word `preemptible`
among the extents makes the kernel so."""

import os
import pathlib
import sys

from guest import Guest, GuestFailure
from kernel import ROOT, Kernel

BUILD = pathlib.Path(os.environ.get("REDOUBT_BUILD_DIR", ROOT / "build" / "release"))
TEST = BUILD / "bin" / "test_sensor_root"
LIMIT_S = 2400

# What the tests run or read.
FILES = (
    "/bin/sh", "/bin/cat", "/bin/mkdir", "/bin/mv", "/bin/rm", "/bin/rmdir", "/bin/sleep", "/bin/true",
    "/usr/bin/getent", "/usr/sbin/dnsmasq",
    "/etc/group", "/etc/nsswitch.conf", "/etc/passwd",
)
# Measures the speed of a machine, and an emulated one has none; needs modules of PAM, which a guest has not.
LEFT_OUT = "*keeps_up_with_a_loop*:*sessions_that_su_opens*"
NEEDS_VERSION_1 = "*in_version_1*"
# These choose the tier themselves: a kernel's guest in the tier lsm runs them, and the other need not.
CHOOSE_TIER = "TierTest.goes_on_*:TierTest.says_what*:TierTest.has_programs*:ProbeOnThisHost.*"
LEFT_OUT_IN = {"tracepoint": CHOOSE_TIER, "lsm": ""}
# Each starts a sensor of its own, which takes a guest half a minute, and sees the same in both tiers.
OWN_SENSORS = ("LossTest.*:SensorLossTest.*:ContainerTest.*:SensorTest.knows_processes*:SensorTest.reads_the_container*"
               ":SensorTest.is_quiet*:ProcessStartTest.tells_other_variables*:TamperTest.tells_who_killed*"
               ":NetworkTest.tells_the_datagrams_of*:NetworkTest.counts_the_datagrams*:NetworkTest.tells_more_peers*")
# What runs, and what of it does not.
EXTENTS = {
    "whole": ("*", ""),
    "most": ("*", OWN_SENSORS),
    "functions": ("TierTest.*:ProbeOnThisHost.*:SensorFileTest.*:PrivilegeTest.*", ""),
    "losses": ("LossTest.*", ""),
    "containers": ("ContainerTest.*", ""),
}
# What can be asked of the kernel.
ARGUMENTS = {"preemptible": "preempt=full"}
# How a guest's cgroups are mounted, as cgroups.sh knows it. Containers are looked for under each where they are asked for.
LAYOUTS = {"unified": NEEDS_VERSION_1, "hybrid": "", "legacy": ""}


def command(tier, extents):
    """The tests one after the other; the guest's status is that of the first that failed."""
    runs = []
    for layout, lacking in LAYOUTS.items():
        here = [EXTENTS[extent] for extent in extents if layout == "unified" or extent == "containers"]
        for left_out in dict.fromkeys(left_out for _, left_out in here):
            wanted = ":".join(tests for tests, without in here if without == left_out)
            unwanted = ":".join(tests for tests in (LEFT_OUT, LEFT_OUT_IN[tier], lacking, left_out) if tests)
            runs.append(f"cgroups {layout} && REDOUBT_TIER={tier} {TEST} --gtest_brief=1 "
                        f"--gtest_filter='{wanted}-{unwanted}' 2>&1")
    return " && ".join(runs)


def passed(result):
    if "[  SKIPPED ]" in result.output or "skipped:" in result.output:
        print("sensor_test: a test was skipped; in a guest none may be")
        return False
    return result.status == 0 and "[  PASSED  ]" in result.output


def main():
    series, tier, *words = sys.argv[1:]
    extents = [word for word in words if word not in ARGUMENTS]
    arguments = " ".join(["lsm=landlock,bpf", *(ARGUMENTS[word] for word in words if word in ARGUMENTS)])
    guest = Guest(Kernel(series), modules=("overlay",), arguments=arguments)
    for path in (TEST, *FILES):
        guest.add_program(str(path))
    guest.add_bytes("/etc/shadow", b"root:*:1::::::\n", 0o600)
    guest.add_bytes("/etc/pam.d/login", b"")
    try:
        result = guest.run(command(tier, extents), LIMIT_S)
    except GuestFailure as failure:
        print(failure)
        return 1
    print(result.output)
    print(f"sensor_test: kernel {series}, tier {tier}, {' '.join(words)}: {result.boot_and_run_s:.1f} s")
    return 0 if passed(result) else 1


if __name__ == "__main__":
    sys.exit(main())
