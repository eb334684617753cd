#!/usr/bin/env python3
"""The sensor's root tests on another kernel: sensor_test.py SERIES boots it in a guest, and there the test program of
this build runs whole, so the kernel's verifier judges every BPF program and the events are compared. None may skip: a
guest has all that the tests ask for."""

import os
import pathlib
import sys

from guest import Guest, GuestFailure
from kernel import ROOT, Kernel

BUILD = pathlib.Path(os.environ.get("REDOUBT_BUILD_DIR", ROOT / "build" / "release"))
TEST = BUILD / "bin" / "test_sensor_root"
LIMIT_S = 900

# What the tests run or read.
FILES = (
    "/bin/sh", "/bin/cat", "/bin/mkdir", "/bin/mv", "/bin/rm", "/bin/rmdir", "/bin/sleep", "/bin/true",
    "/etc/group", "/etc/nsswitch.conf", "/etc/passwd",
)
# Measure the speed of a machine, or need it to overflow a ring; an emulated one has none. And a guest has cgroups of
# version 2 alone, and no server of names.
LEFT_OUT = "*keeps_up_with_a_loop*:LossTest.*:*in_version_1*:DnsTest.*"


def main():
    guest = Guest(Kernel(sys.argv[1]), modules=("overlay",), arguments="lsm=landlock,bpf")
    for path in (TEST, *FILES):
        guest.add_program(str(path))
    guest.add_bytes("/etc/shadow", b"root:*:1::::::\n", 0o600)
    guest.add_bytes("/etc/pam.d/login", b"")
    try:
        result = guest.run(f"{TEST} --gtest_brief=1 --gtest_filter=-{LEFT_OUT}", LIMIT_S)
    except GuestFailure as failure:
        print(failure)
        return 1
    print(result.output)
    print(f"sensor_test: kernel {sys.argv[1]}, {result.boot_and_run_s:.1f} s")
    if "[  SKIPPED ]" in result.output or "skipped:" in result.output:
        print("sensor_test: a test was skipped; in a guest none may be")
        return 1
    return 0 if result.status == 0 and "[  PASSED  ]" in result.output else 1


if __name__ == "__main__":
    sys.exit(main())
