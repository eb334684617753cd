"""An external system as existing clients are: curl, a UUID and a self-signed certificate.

    system = System(product, scratch)
    status, body = system.submit(file, "scan-1")
"""

import hashlib
import json
import pathlib
import ssl
import subprocess
import uuid

from product import wait_until


class System:
    """An external system: a UUID and a certificate, made as the guides of such systems tell."""

    def __init__(self, product, scratch, bits=2048):
        self.product = product
        self.id = str(uuid.uuid4())
        self.scratch = scratch
        self.new_certificate(bits)

    def new_certificate(self, bits=2048):
        stem = self.scratch / f"{uuid.uuid4()}"
        self.key, self.certificate = f"{stem}.key", f"{stem}.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", f"rsa:{bits}", "-nodes", "-sha256", "-subj", "/CN=client", "-days",
                        "1000", "-keyout", self.key, "-out", self.certificate], check=True, capture_output=True)
        der = ssl.PEM_cert_to_DER_cert(pathlib.Path(self.certificate).read_text())
        self.fingerprint = hashlib.sha256(der).hexdigest()

    def url(self, path):
        return f"https://127.0.0.1:{self.product.scanner_port}/kata/scanner/v1/sensors/{self.id}{path}"

    def curl(self, *words, path="/scans", certificate=True):
        """(status, body) of one call of curl."""
        shown = ["--cert", self.certificate, "--key", self.key] if certificate else []
        done = subprocess.run(["curl", "-sS", "-k", *shown, "-w", "\n%{http_code}", *words, self.url(path)],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        body, status = done.stdout.rsplit("\n", 1)
        return int(status), body

    def submit(self, file, scan_id, *more, path="/scans"):
        fields = ["-F", f"scanId={scan_id}"] if scan_id else []
        return self.curl("-X", "POST", *fields, "-F", "objectType=file", "-F", f"content=@{file}", *more, path=path)

    def states(self, query=""):
        status, body = self.curl(path="/scans/state" + query)
        assert status in (200, 204), (status, body)
        return {row["scanId"]: row["state"] for row in json.loads(body)} if status == 200 else {}

    def judged(self, scan_id):
        return wait_until(lambda: self.states().get(scan_id, "processing") != "processing", 60, f"{scan_id} is judged")

    def detects(self, token="", query=""):
        status, body = self.curl(path=f"/detects?token={token}{query}")
        assert status == 200, (status, body)
        answer = json.loads(body)
        return answer["detects"], answer["token"]
