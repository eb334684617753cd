#!/usr/bin/env python3
"""The folder gateway with the real node: mixed files come into the input folder while gateway and node are killed (-9) at
random moments; in the end every file lies in exactly one place, clean ones in the output, others in quarantine.
REDOUBT_FILES, REDOUBT_ROUNDS and REDOUBT_SEED make it longer or the same again."""

import collections
import io
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import zipfile

from product import BIN, Product, alive, wait_until

FILES = int(os.environ.get("REDOUBT_FILES", "1000"))
ROUNDS = int(os.environ.get("REDOUBT_ROUNDS", "6"))
SEED = int(os.environ.get("REDOUBT_SEED", str(random.SystemRandom().randrange(1 << 30))))
# Split, so that no scanner takes this file for one.
EICAR = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*").encode()
FOLDERS = ("", "", "a", "a/b c", "d/e/f", "Größe", "new\nline")
ENDINGS = (".txt", ".zip", ".exe", "", " (1).txt", ".tar.gz")


class Gateway:
    def __init__(self, product, scratch, elsewhere):
        self.product = product
        self.home = scratch
        self.input, self.output, self.quarantine = scratch / "in", elsewhere / "out", scratch / "quarantine"
        for folder in (self.input, self.output, self.quarantine):
            folder.mkdir()
        made = subprocess.run([BIN / "redoubt-gateway", "certificate", "--out", scratch / "identity"], check=True,
                              capture_output=True, text=True).stdout
        self.identity = dict(line.split() for line in made.splitlines())
        self.config = scratch / "config.json"
        self.config.write_text(json.dumps({
            "kata_cn_addr": f"127.0.0.1:{product.scanner_port}", "server_fingerprint": product.fingerprint,
            "system_id": self.identity["system_id"], "cert_pem": "identity/cert.pem", "cert_key": "identity/key.pem",
            "state_dir": "state", "poll_seconds": 0.5, "parallel": 8,
            "folders": [{"name": "test", "in_dir": str(self.input), "out_dir": str(self.output),
                         "qrnt_dir": str(self.quarantine), "subfolders": True, "settle_seconds": 0.5, "sweep_seconds": 1,
                         "temporary_settle_seconds": 2}]}))
        self.process = None

    def start(self):
        with open(self.home / "gateway.log", "a") as log:
            self.process = subprocess.Popen([BIN / "redoubt-gateway", "folder", "--config", self.config], stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def check(self):
        return subprocess.run([BIN / "redoubt-gateway", "folder", "--check", "--config", self.config], capture_output=True,
                              text=True, timeout=60)

    def show_log(self):
        print(*(self.home / "gateway.log").read_text(errors="replace").splitlines()[-80:], sep="\n")


def get_approved(product, gateway):
    """The first contact, and the administrator's word, as docs/folder-gateway.md tells."""
    waiting = gateway.check()
    assert waiting.returncode == 1 and "waits for its administrator" in waiting.stderr, waiting
    systems = product.get("/external-systems")["external_systems"]
    row = [row for row in systems if gateway.identity["fingerprint"] in json.dumps(row)]
    assert len(row) == 1, systems
    product.cli("external-systems", "approve", str(row[0]["id"]))
    approved = gateway.check()
    assert approved.returncode == 0, approved


def zipped(content, name):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(name, content)
    return archive.getvalue()


def make_files(dice):
    """[(relative path, content, must be quarantined)]: each content is unique but for some that are the same on purpose."""
    files = []
    for number in range(FILES):
        kind = dice.random()
        name = f"{number} file{dice.choice(ENDINGS)}"
        bad = False
        if kind < 0.10:
            content, bad = EICAR, True
        elif kind < 0.15:
            content = b""
        elif kind < 0.35:
            content = zipped(b"text %d" % number, f"{number}.txt")
        elif kind < 0.40:
            content = dice.randbytes(dice.randrange(200_000, 2_000_000))
        else:
            content = b"a text, number %d\n" % number * dice.randrange(1, 200)
        files.append((os.path.join(dice.choice(FOLDERS), name), content, bad))
    return files


def drop(gateway, scratch, files, seconds):
    """Files come over so many seconds, some written in place, some moved in."""
    for number, (relative, content, _) in enumerate(files):
        target = gateway.input / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        if number % 2:
            target.write_bytes(content)
        else:
            outside = scratch / "outside"
            outside.write_bytes(content)
            outside.rename(target)
        time.sleep(seconds / len(files))


def found(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and ".redoubt-" not in str(path)}


def count(folder):
    return sum(1 for path in folder.rglob("*") if path.is_file())


def kill_at_random(product, gateway, dice, writer):
    """Kills while files come and are carried; both run again in the end."""
    for number in range(ROUNDS):
        time.sleep(dice.uniform(0.5, 2.5))
        both = dice.random()
        if both < 0.7:
            gateway.kill()
        if both > 0.4:
            product.kill("redoubtd")
        time.sleep(dice.uniform(0, 0.5))
        if both > 0.4:
            product.up()
        if both < 0.7:
            gateway.start()
        print(f"kill {number + 1}: {count(gateway.output)} passed, {count(gateway.quarantine)} in quarantine", flush=True)
    writer.join()


def check_places(gateway, files):
    passed, kept = found(gateway.output), found(gateway.quarantine)
    everything = collections.Counter([*passed.values(), *kept.values()])
    assert everything == collections.Counter(content for _, content, _ in files), "lost or twice"
    wanted = {relative: content for relative, content, bad in files if not bad}
    assert passed == wanted, (len(passed), len(wanted), sorted(set(wanted) ^ set(passed))[:10])
    assert kept == {relative: content for relative, content, bad in files if bad}
    assert not found(gateway.input)
    hidden = [path for folder in (gateway.input, gateway.output, gateway.quarantine)
              for path in folder.rglob(".redoubt-*") if path.is_file() or any(path.iterdir())]
    assert not hidden, hidden


def run(product, scratch, elsewhere, dice):
    gateway = Gateway(product, scratch, elsewhere)
    get_approved(product, gateway)
    files = make_files(dice)
    gateway.start()
    try:
        writer = threading.Thread(target=drop, args=(gateway, scratch, files, 2 * ROUNDS))
        writer.start()
        kill_at_random(product, gateway, dice, writer)
        _, took = wait_until(lambda: count(gateway.output) + count(gateway.quarantine) >= FILES and not found(gateway.input),
                             60 + FILES / 5, "every file has its place")
        print(f"{took:.1f} s after the last kill every file has its place", flush=True)
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(20) == 0
        check_places(gateway, files)
        detected = sum(bad for _, _, bad in files)
        print(f"{FILES} files, {detected} in quarantine, {ROUNDS} kills: each in one place", flush=True)
    except BaseException:
        gateway.show_log()
        raise
    finally:
        if alive(gateway.process.pid):
            gateway.kill()


def main():
    if not hasattr(Product(), "scanner_port"):
        print("skipped: this node has no scanner API yet")
        return
    print(f"seed {SEED}", flush=True)
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # another file system than the input's
    elsewhere = pathlib.Path(tempfile.mkdtemp(prefix="redoubt-gateway-", dir=shared))
    try:
        with tempfile.TemporaryDirectory(prefix="redoubt-gateway-") as scratch, Product() as product:
            run(product, pathlib.Path(scratch), elsewhere, random.Random(SEED))
    finally:
        shutil.rmtree(elsewhere)


if __name__ == "__main__":
    main()
