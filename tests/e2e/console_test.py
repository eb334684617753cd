#!/usr/bin/env python3
"""The console in Chromium against the real product: console.spec.ts, with a fresh node and agent on this host. Writes the
pictures of the README where REDOUBT_SCREENSHOTS says."""

import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from external_system import System  # noqa: E402
from product import ROOT, Product  # noqa: E402

CHROMIUM = pathlib.Path(os.environ.get("REDOUBT_CHROMIUM", "/usr/bin/chromium"))
SECONDS_MAX = 900


def main():
    if not CHROMIUM.exists():
        print(f"skipped: no {CHROMIUM}")
        return 0
    with Product() as product, tempfile.TemporaryDirectory(prefix="redoubt-intrusion-") as scratch:
        system = System(product, pathlib.Path(scratch))
        assert system.submit(pathlib.Path(__file__), "waits for approval")[0] == 401
        environment = {
            **os.environ,
            "REDOUBT_URL": f"https://127.0.0.1:{product.api_port}",
            "REDOUBT_ACCOUNT": product.account,
            "REDOUBT_PASSWORD": product.password,
            "REDOUBT_CHROMIUM": str(CHROMIUM),
            "REDOUBT_TRIGGER": f"cd {shlex.quote(str(HERE))} && ./intrusion.sh {shlex.quote(scratch)}",
            "REDOUBT_TRIGGER_ALERT": "Download",
            "REDOUBT_SYSTEM": f"{system.id} {system.fingerprint}",
        }
        if "REDOUBT_SCREENSHOTS" in environment:
            environment["REDOUBT_SCREENSHOTS"] = str(pathlib.Path(environment["REDOUBT_SCREENSHOTS"]).resolve())
        done = subprocess.run([ROOT / "scripts" / "build-web.sh", "run", "npm", "run", "--silent", "e2e"], env=environment,
                              timeout=SECONDS_MAX)
        if done.returncode != 0:
            product.show_logs()
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
