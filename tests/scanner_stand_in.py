"""A node's scanner API as a stand-in for tests of its clients: HTTPS with a client certificate, verdicts by content, and
answers as awkward as a real node's may be.

    with StandIn(directory) as node:
        node.status = 503
"""

import email.parser
import email.policy
import hashlib
import http.server
import json
import ssl
import subprocess
import threading
import urllib.parse


class StandIn:
    """`status`: answered to everything instead (0: nothing is). `wrapped`: states inside an object. `scans`: states by id."""

    def __init__(self, directory):
        key, certificate = directory / "stand-in.key", directory / "stand-in.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        key, "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-days", "2"], check=True, capture_output=True)
        self.certificate = certificate
        self.fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
        self.lock = threading.Lock()
        self.status = 0
        self.retry_after = None
        self.wrapped = False
        self.limit = 1 << 20    # maxObjectSize
        self.hasty = 0          # answered to a submission before its body is read
        self.refused_once = []  # statuses for the next submissions, one each
        self.drops = 0          # so many connections are closed instead of answered
        self.scans = {}
        self.received = []      # sha256 of each content
        self.peers = set()      # fingerprints of client certificates
        self.connections = 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=certificate.read_text())
        self.context = context
        self.server = None

    def trust(self, client_certificate):
        self.context.load_verify_locations(client_certificate)

    def __enter__(self):
        outer = self

        class Handler(Answers):
            node = outer
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # clients that are killed or refuse the certificate


def verdict(content):
    for word, state in ((b"EICAR", "detect"), (b"BROKEN", "error"), (b"SLOW", "timeout")):
        if word in content:
            return state
    return "not detected"


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    node = None

    def setup(self):
        super().setup()
        with self.node.lock:
            self.node.connections += 1

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuses(self):
        """Answers what the test has set, if it has."""
        with self.node.lock:
            certificate = self.connection.getpeercert(binary_form=True)
            self.node.peers.add(hashlib.sha256(certificate).hexdigest() if certificate else None)
            status, drops = self.node.status, self.node.drops
            self.node.drops = max(0, drops - 1)
        if drops:
            self.close_connection = True
            return True
        if status:
            headers = {"Retry-After": self.node.retry_after} if self.node.retry_after else {}
            self.answer(status, b"told to", headers)
        return bool(status)

    def do_POST(self):
        if self.node.hasty:
            self.close_connection = True
            return self.answer(self.node.hasty, b"hasty")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.refuses():
            return None
        with self.node.lock:
            once = self.node.refused_once.pop(0) if self.node.refused_once else 0
        if once:
            return self.answer(once, b"once", {"Retry-After": "1"} if once == 429 else {})
        head = b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n"
        parts = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
                 for part in email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body).iter_parts()}
        assert parts["objectType"] == b"file", parts
        with self.node.lock:
            self.node.scans[parts["scanId"].decode()] = verdict(parts["content"])
            self.node.received.append(hashlib.sha256(parts["content"]).hexdigest())
        return self.answer(200, b"OK")

    def do_GET(self):
        if self.refuses():
            return None
        path = urllib.parse.urlparse(self.path).path
        if path.endswith("/scans/filters"):
            return self.answer(200, json.dumps({"maxObjectSize": self.node.limit, "version": "stand-in"}).encode())
        if not path.endswith("/scans/state"):
            return self.answer(404)
        with self.node.lock:
            scans = [{"scanId": scan, "state": state} for scan, state in self.node.scans.items()]
        if not scans:
            return self.answer(204)
        return self.answer(200, json.dumps({"scans": scans} if self.node.wrapped else scans).encode())

    def do_DELETE(self):
        if self.refuses():
            return None
        with self.node.lock:
            known = self.node.scans.pop(self.path.split("?")[0].rsplit("/", 1)[1], None)
        return self.answer(200 if known else 404, b"OK" if known else b"")
