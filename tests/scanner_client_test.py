#!/usr/bin/env python3
"""redoubt-gateway against a stand-in of a node's scanner API: what it does when the node is not the one it knows, has not
approved it, is busy, away, restarts, or answers in another shape. The real node is in folder_gateway_test.py."""

import collections
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile

from product import BIN, wait_until
from scanner_stand_in import StandIn


class Gateway:
    """The program over folders in a scratch directory."""

    def __init__(self, scratch, name, node, **keys):
        self.home = scratch / name
        self.input, self.output, self.quarantine = (self.home / part for part in ("in", "out", "quarantine"))
        for folder in (self.input, self.output, self.quarantine):
            folder.mkdir(parents=True)
        self.log = self.home / "log"
        made = subprocess.run([BIN / "redoubt-gateway", "certificate", "--out", self.home / "identity"], check=True,
                              capture_output=True, text=True).stdout
        self.identity = dict(line.split() for line in made.splitlines())
        node.trust(self.home / "identity" / "cert.pem")
        self.config = self.home / "config.json"
        self.configure({"kata_cn_addr": f"localhost:{node.port}", "system_id": self.identity["system_id"],
                        "cert_pem": "identity/cert.pem", "cert_key": "identity/key.pem", "state_dir": "state",
                        "server_fingerprint": node.fingerprint, "poll_seconds": 0.2,
                        "folders": [{"name": name, "in_dir": "in", "out_dir": "out", "qrnt_dir": "quarantine",
                                     "subfolders": True, "settle_seconds": 0.3, "sweep_seconds": 0.5, "retries": 1}], **keys})
        self.process = None

    def configure(self, keys):
        self.config.write_text(json.dumps({key: value for key, value in keys.items() if value is not None}))

    def __enter__(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([BIN / "redoubt-gateway", "folder", "--config", self.config], stderr=log)
        return self

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        if kind is not None:
            print(self.log.read_text(errors="replace"))
        else:
            assert code == 0, code

    def check(self):
        return subprocess.run([BIN / "redoubt-gateway", "folder", "--check", "--config", self.config], capture_output=True,
                              text=True, timeout=60)

    def put(self, name, content):
        (self.input / name).write_bytes(content)

    def said(self, text):
        return text in self.log.read_text(errors="replace")


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sorts(scratch, node):
    with Gateway(scratch, "sorts", node) as gateway:
        gateway.put("clean", b"text")
        gateway.put("virus", b"an EICAR")
        gateway.put("empty", b"")
        large = os.urandom(1 << 19).hex().encode()  # random bytes hold a word that the node knows once in 4,096 times
        gateway.put("large", large)
        gateway.put("too-large", large + b"x")
        wait_until(lambda: len(files(gateway.output)) + len(files(gateway.quarantine)) == 5, 30, "all have their place")
        assert set(files(gateway.output)) == {"clean", "empty", "large"}, files(gateway.output).keys()
        assert set(files(gateway.quarantine)) == {"virus", "too-large"}
        assert hashlib.sha256(large).hexdigest() in node.received, "the bytes that were sent"
        assert node.peers == {gateway.identity["fingerprint"]}, node.peers
        wait_until(lambda: not node.scans, 5, "results are deleted")
        sha = hashlib.sha256(b"text").hexdigest()
        assert gateway.said(f'"clean" size 4 sha256 {sha}: not detected'), "a line a file"
    assert gateway.said("stopping") and not files(gateway.input)


def keeps_connections(scratch, node):
    before = node.connections
    with Gateway(scratch, "keeps", node) as gateway:
        for i in range(40):
            gateway.put(f"{i}", b"text %d" % i)
        wait_until(lambda: len(files(gateway.output)) == 40, 30, "all have passed")
    made = node.connections - before
    assert made <= 20, f"{made} connections for 40 files"


def waits_for_approval_and_says_so_once(scratch, node):
    node.status = 401
    gateway = Gateway(scratch, "approval", node)
    refused = gateway.check()
    assert refused.returncode == 1 and "waits for its administrator to approve" in refused.stderr, refused.stderr
    with gateway:
        gateway.put("file", b"text")
        wait_until(lambda: gateway.said("waiting for the node's administrator"), 20, "it says so")
        assert not files(gateway.output) and not files(gateway.quarantine)
        node.status = 0
        wait_until(lambda: files(gateway.output), 20, "it goes on when approved")
        assert gateway.log.read_text().count("waiting for the node's administrator") == 1
    assert gateway.check().returncode == 0


def tries_on(scratch, node):
    """Busy, failing, and connections that end: the file gets its verdict in the end, and never goes anywhere without."""
    with Gateway(scratch, "tries", node) as gateway:
        for status, retry_after in ((503, None), (500, None), (429, "1"), (404, None), (403, None)):
            node.status, node.retry_after = status, retry_after
            gateway.put(f"file-{status}", b"text")
            wait_until(lambda: not (gateway.input / f"file-{status}").exists(), 10, "it is taken")
            assert not files(gateway.output) and not files(gateway.quarantine), status
            node.status, node.retry_after = 0, None
            wait_until(lambda: files(gateway.output), 30, f"it goes on after {status}")
            (gateway.output / f"file-{status}").unlink()
        node.drops = 3
        gateway.put("dropped", b"text")
        wait_until(lambda: files(gateway.output), 30, "it goes on after lost connections")
        node.refused_once = [413]
        gateway.put("large", b"text")
        node.wrapped = True
        wait_until(lambda: "large" in files(gateway.quarantine), 30, "what the node finds too large")
        gateway.put("wrapped", b"text")
        wait_until(lambda: "wrapped" in files(gateway.output), 30, "states inside an object")
        node.wrapped = False
        node.refused_once = [400] * 2
        gateway.put("refused", b"text")
        wait_until(lambda: "refused" in files(gateway.quarantine), 30, "what the node refuses is quarantined after retries")


def hears_a_refusal_while_it_sends(scratch, node):
    """A proxy or a node says "too large" after the first bytes, and takes no more."""
    node.limit = 1 << 30
    node.hasty = 413
    with Gateway(scratch, "hasty", node) as gateway:
        gateway.put("large", bytes(50 << 20))
        _, took = wait_until(lambda: "large" in files(gateway.quarantine), 20, "it is heard")
        assert gateway.said("too large")
        print(f"heard after {took:.1f} s", flush=True)


def knows_its_node(scratch, node):
    gateway = Gateway(scratch, "knows", node)
    keys = json.loads(gateway.config.read_text())
    for trust, good in (({"server_fingerprint": node.fingerprint}, True), ({"server_fingerprint": "0" * 64}, False),
                        ({"server_ca": str(node.certificate)}, True),
                        ({"server_ca": str(gateway.home / "identity" / "cert.pem")}, False),
                        ({"server_verification": "none"}, True)):
        gateway.configure({**keys, "server_fingerprint": None, **trust})
        checked = gateway.check()
        assert (checked.returncode == 0) == good, (trust, checked)
    # The certificate is not for this name.
    gateway.configure({**keys, "server_fingerprint": None, "server_ca": str(node.certificate),
                       "kata_cn_addr": f"127.0.0.1:{node.port}"})
    assert gateway.check().returncode == 1
    gateway.configure({**keys, "server_fingerprint": "0" * 64})
    received = len(node.received)
    with gateway:
        gateway.put("file", b"text")
        wait_until(lambda: gateway.said("shows another certificate"), 20, "it says so")
    assert files(gateway.input) == {"file": b"text"}, "given back"
    assert len(node.received) == received


def is_killed(scratch, node):
    """kill -9 at any moment: every file in one place."""
    gateway = Gateway(scratch, "killed", node)
    wanted = collections.Counter()
    for round_number in range(5):
        gateway.__enter__()
        for i in range(30):
            content = (b"EICAR %d %d" if i % 5 == 0 else b"text %d %d") % (round_number, i)
            wanted[content] += 1
            gateway.put(f"{round_number}-{i}", content)
        wait_until(lambda: len(files(gateway.output)) + len(files(gateway.quarantine)) > 30 * round_number + 5, 30, "begun")
        gateway.process.kill()
        gateway.process.wait()
    with gateway:
        wait_until(lambda: len(files(gateway.output)) + len(files(gateway.quarantine)) >= 150, 60, "all have their place")
    passed, kept = files(gateway.output), files(gateway.quarantine)
    assert collections.Counter([*passed.values(), *kept.values()]) == wanted
    assert all(b"EICAR" not in content for content in passed.values())
    assert all(b"EICAR" in content for content in kept.values())


def main():
    with tempfile.TemporaryDirectory(prefix="redoubt-scanner-") as folder:
        scratch = pathlib.Path(folder)
        for check in (sorts, keeps_connections, waits_for_approval_and_says_so_once, tries_on,
                      hears_a_refusal_while_it_sends, knows_its_node, is_killed):
            with StandIn(scratch) as node:
                check(scratch, node)
            print(f"{check.__name__}: good", flush=True)


if __name__ == "__main__":
    main()
