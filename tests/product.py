"""The real product for a test: `redoubt up` in a scratch home on free loopback ports, its API, and its end.

    with Product() as product:
        product.get("/hosts")
"""

import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("REDOUBT_BUILD_DIR", ROOT / "build" / "release"))
BIN = BUILD / "bin"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds, what):
    """Polls `condition` until it gives something true; returns that and how long it took."""
    started = time.monotonic()
    while True:
        value = condition()
        if value:
            return value, time.monotonic() - started
        if time.monotonic() - started > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class ApiError(Exception):
    def __init__(self, status, body):
        super().__init__(f"HTTP {status}: {body}")
        self.status = status
        self.body = body


class Product:
    def __init__(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="redoubt-test-")
        self.home = pathlib.Path(self.scratch.name)
        self.api_port = free_port()
        self.link_port = free_port()
        self.scanner_port = free_port()
        self.account = self.password = self.fingerprint = None

    def __enter__(self):
        try:
            self.up()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.show_logs()
        self.cli("down", check=False)
        self.scratch.cleanup()

    # ---- programs

    def cli(self, *words, check=True, timeout=120):
        """`redoubt WORDS… --home HOME`: the finished process."""
        done = subprocess.run([BIN / "redoubt", *words, "--home", self.home], capture_output=True, text=True,
                              timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"redoubt {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def up(self):
        done = self.cli("up", "--api-port", str(self.api_port), "--link-port", str(self.link_port),
                        "--scanner-port", str(self.scanner_port), "--json")
        facts = json.loads(done.stdout.strip().splitlines()[-1])
        self.fingerprint = facts["fingerprint"]
        self.account = facts["account"]
        self.password = facts.get("password") or self.password
        return facts

    def pid(self, program):
        return int((self.home / "run" / f"{program}.pid").read_text().split()[0])

    def kill(self, program):
        """SIGKILL, and wait until it is gone."""
        pid = self.pid(program)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid), 10, f"{program} is gone")

    def agent_status(self):
        """What the agent wrote of itself last; read from its file, for a program that is started to ask would be an event."""
        try:
            return json.loads((self.home / "agent" / "status.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {"state": "", "events_numbered": 0, "stored_sequence": 0}

    def show_logs(self):
        for log in sorted((self.home / "log").glob("*.log")):
            text = log.read_text(errors="replace").splitlines()
            print(f"--- {log.name}, last lines of {len(text)}", *text[-60:], sep="\n", file=sys.stderr)

    # ---- API

    def token(self):
        return json.loads((self.home / "cli.json").read_text())["token"]

    def request(self, method, path, body=None, headers=None, raw=None):
        """(status, parsed JSON, text or a ZIP's bytes, headers) of one call with the CLI's token."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.api_port, context=context, timeout=60)
        with contextlib.closing(connection):
            connection.connect()
            certificate = connection.sock.getpeercert(binary_form=True)
            assert hashlib.sha256(certificate).hexdigest() == self.fingerprint, "another certificate than printed"
            sent = {"Authorization": f"Bearer {self.token()}", **(headers or {})}
            payload = raw
            if body is not None:
                payload = json.dumps(body)
                sent["Content-Type"] = "application/json"
            connection.request(method, "/api/v1" + path, body=payload, headers=sent)
            answer = connection.getresponse()
            content = answer.read()
            if answer.getheader("Content-Type", "") == "application/zip":
                return answer.status, content, dict(answer.getheaders())
            text = content.decode()
            is_json = answer.getheader("Content-Type", "").split(";")[0] == "application/json"
            return answer.status, json.loads(text) if is_json and text else text, dict(answer.getheaders())

    def call(self, method, path, body=None, **kwargs):
        status, parsed, _ = self.request(method, path, body, **kwargs)
        if status >= 400:
            raise ApiError(status, parsed)
        return parsed

    def get(self, path, **query):
        return self.call("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def post(self, path, body=None):
        return self.call("POST", path, body if body is not None else {})

    def hunt(self, query, limit=1000):
        """Rows of a hunt as dictionaries by column name."""
        found = self.post("/hunts", {"query": query, "limit": limit})
        assert not found["partial"], found
        names = [column["name"] for column in found["columns"]]
        return [dict(zip(names, row)) for row in found["rows"]]


def alive(pid):
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"
