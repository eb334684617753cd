#!/usr/bin/env python3
"""The harness itself: what a command in a guest leaves behind comes back, and what goes wrong is told with evidence."""

import pathlib
import re
import shutil
import sys
import unittest

from guest import Guest, GuestFailure
from kernel import Kernel

SERIES = "6.12"


class GuestTest(unittest.TestCase):
    def test_brings_back_output_status_and_files(self):
        kernel = Kernel(SERIES)
        guest = Guest(kernel)
        guest.add_program("/bin/sh")
        guest.add_bytes("/data/in", b"\0binary\xff")
        command = "/bin/sh -c 'uname -r; id -u; cp /data/in /tmp/out.1; echo told >&2; exit 7'"
        result = guest.run(command, limit_s=60, collect=("/tmp/out.*", "/no/such"))
        self.assertEqual(result.output, f"{kernel.release}\n0\ntold\n")
        self.assertEqual(result.status, 7)
        self.assertEqual(result.files, {"tmp/out.1": b"\0binary\xff"})

    def test_keeps_the_output_of_what_does_not_end(self):
        with self.assertRaises(GuestFailure) as caught:
            Guest(Kernel(SERIES)).run("echo begun; sleep 600", limit_s=25)
        self.assertIn("over 25 s", str(caught.exception))
        self.assertIn("begun", str(caught.exception))
        kept = pathlib.Path(re.search(r"see (\S+):", str(caught.exception))[1])
        self.assertEqual((kept / "output").read_bytes(), b"begun\n")
        shutil.rmtree(kept)

    def test_tells_of_a_kernel_that_panics(self):
        with self.assertRaises(GuestFailure) as caught:
            Guest(Kernel(SERIES)).run("echo c > /proc/sysrq-trigger", limit_s=60)
        self.assertIn("ended early", str(caught.exception))
        self.assertIn("sysrq triggered crash", str(caught.exception))
        shutil.rmtree(re.search(r"see (\S+):", str(caught.exception))[1])


if __name__ == "__main__":
    sys.exit(unittest.main())
