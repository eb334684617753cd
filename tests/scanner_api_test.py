#!/usr/bin/env python3
"""External systems on the real product, as existing clients speak to it: curl with a self-signed certificate submits a
file, waits for its approval, reads states and detections, and deletes; and what is wrong gets the status that says so."""

import hashlib
import http.client
import json
import pathlib
import ssl
import sys
import tempfile

from external_system import System
from product import Product, wait_until

EICAR = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*").encode()
OPEN_MAX = 3
PER_MINUTE_MAX = 60
OBJECT_BYTES_MAX = 1 << 20
CONFIG = f"""
scanner:
  open_max: {OPEN_MAX}
  per_minute_max: {PER_MINUTE_MAX}
objects:
  size_max: 1MiB
"""


def connect(system):
    """A connection with the system's certificate, however weak that is."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(system.certificate, system.key)
    return http.client.HTTPSConnection("127.0.0.1", system.product.scanner_port, context=context, timeout=30)


def row_of(product, system, fingerprint=None):
    """The row of a system's certificate as the API shows it."""
    wanted = (system.id, fingerprint or system.fingerprint)
    rows = product.get("/external-systems")["external_systems"]
    return next((row for row in rows if (row["system_id"], row["fingerprint"]) == wanted), None)


def approve(product, system):
    product.cli("external-systems", "approve", row_of(product, system)["id"], "--name", "test system")


def check_registration(product, system, clean):
    assert system.submit(clean, "first")[0] == 401
    row = row_of(product, system)
    assert row["state"] == "pending" and row["address"] == "127.0.0.1", row
    status, body = system.submit(clean, "first")
    assert status == 401 and system.fingerprint in body, body
    listed = product.cli("external-systems", "list").stdout
    assert system.id in listed and system.fingerprint in listed, listed
    approve(product, system)
    assert row_of(product, system)["state"] == "approved"
    assert row_of(product, system)["decided_by"] == "admin"
    assert system.submit(clean, "first") == (200, "OK")


def check_strangers(product, system, clean):
    """Whoever lacks the approved pair of id and certificate stays out."""
    status, body = system.curl("-F", f"content=@{clean}", certificate=False)
    assert status == 401 and "certificate" in body, body
    other = System(product, system.scratch)
    other.id, stolen = system.id, other.id
    assert other.submit(clean, "x")[0] == 401, "the right id with another certificate"
    assert row_of(product, other)["state"] == "pending" and row_of(product, system)["state"] == "approved"
    product.cli("external-systems", "reject", row_of(product, other)["id"])
    status, body = other.submit(clean, "x")
    assert status == 401 and "rejected" in body, body
    mine = system.id
    system.id = stolen
    assert system.submit(clean, "x")[0] == 401, "another id with the right certificate"
    for name in ("no%20id", "x" * 65, "%c3%bc"):
        system.id = name
        assert system.curl(path="/scans/state")[0] == 401
        assert all(row["system_id"] != name for row in product.get("/external-systems")["external_systems"])
    system.id = mine
    weak = System(product, system.scratch, bits=1024)
    weak_connection = connect(weak)
    weak_connection.request("GET", f"/kata/scanner/v1/sensors/{weak.id}/scans/state")
    answer = weak_connection.getresponse()
    assert answer.status == 401 and b"2048" in answer.read()
    assert row_of(product, weak) is None


def check_new_certificate(product, system, clean):
    before = system.key, system.certificate, system.fingerprint
    system.new_certificate()
    assert system.submit(clean, "renewed")[0] == 401
    assert row_of(product, system)["state"] == "pending"
    assert row_of(product, system, before[2])["state"] == "approved", "the one before stays as it was"
    approve(product, system)
    assert system.submit(clean, "renewed")[0] == 200
    product.cli("external-systems", "remove", row_of(product, system, before[2])["id"])
    fresh = system.key, system.certificate, system.fingerprint
    system.key, system.certificate, system.fingerprint = before
    assert system.submit(clean, "old")[0] == 401
    system.key, system.certificate, system.fingerprint = fresh


def check_states(system, clean, eicar):
    assert system.submit(eicar, "virus") == (200, "OK")
    system.judged("first")
    system.judged("virus")
    states = system.states()
    assert states["first"] == "not detected" and states["virus"] == "detect", states
    assert system.states("?state=detect") == {"virus": "detect"}
    assert "virus" not in system.states("?state=not%20detected,error")
    assert system.curl(path="/scans/state?state=timeout") == (204, "")
    assert system.curl(path="/scans/state?state=infected")[0] == 400
    status, body = system.curl(path="/scans/virus?wait_ms=1000")
    report = json.loads(body)
    assert status == 200 and report["object"]["report"]["detections"][0]["rule"], body
    assert system.curl(path="/scans/unknown")[0] == 404


def check_spellings(system, clean, scratch):
    """Names of fields in every writing, parts in any order, files of any name."""
    assert system.curl("-F", f"content=@{clean}", "-F", "scanID=spelled", "-F", "objectType=file")[0] == 200
    assert system.curl("-F", f"content=@{clean};filename=\"a\\\"b ü.txt\"", "-F", "scanId=named")[0] == 200
    assert system.submit(clean, "by-query", path="/scans?sensorInstanceId=node-a")[0] == 200
    assert system.submit(clean, "by-field", "-F", "sensorInstanceId=node-b")[0] == 200
    assert set(system.states("?sensorInstanceId=node-a")) == {"by-query"}
    assert set(system.states("?sensorInstanceId=node-b")) == {"by-field"}
    assert {"by-query", "by-field", "spelled", "named"} <= set(system.states())
    before = set(system.states())
    assert system.submit(clean, "")[0] == 200, "without an id: judged, not to be read"
    assert set(system.states()) == before
    empty = scratch / "empty"
    empty.write_bytes(b"")
    assert system.submit(empty, "empty")[0] == 200


def check_errors(system, clean, eicar, scratch):
    assert system.curl("-F", "scanId=nothing")[0] == 400
    assert system.curl("-F", f"content=@{clean}", "-F", "scanId=a b")[0] == 400
    assert system.curl("-F", f"content=@{clean}", "-F", "objectType=url")[0] == 400
    assert system.curl("-H", "Content-Type: application/json", "-d", "{}")[0] == 400
    assert system.curl("-H", "Content-Type: multipart/form-data; boundary=b", "--data-binary", "no form")[0] == 400
    assert system.submit(clean, "first")[0] == 200, "sent again: the same"
    assert system.submit(eicar, "first")[0] == 400, "sent again: something else"
    assert system.states()["first"] == "not detected"
    assert system.curl("-X", "PUT")[0] == 405
    assert system.curl(path="/nothing")[0] == 404
    large = scratch / "large"
    large.write_bytes(b"x" * (OBJECT_BYTES_MAX + 1))
    assert system.submit(large, "large")[0] == 413
    assert system.submit(large, "large", "-H", "Transfer-Encoding: chunked")[0] == 413
    large.write_bytes(b"x" * OBJECT_BYTES_MAX)
    assert system.submit(large, "largest")[0] == 200
    status, body = system.curl(path="/scans/filters")
    assert status == 200 and json.loads(body)["maxObjectSize"] == OBJECT_BYTES_MAX and json.loads(body)["version"], body


def check_delete(system):
    assert system.curl("-X", "DELETE", path="/scans/first") == (200, "OK")
    assert "first" not in system.states()
    assert system.curl("-X", "DELETE", path="/scans/first")[0] == 404
    assert system.curl("-X", "DELETE", path="/scans?sensorInstanceId=node-a") == (200, "OK")
    assert system.states("?sensorInstanceId=node-a") == {} and system.states("?sensorInstanceId=node-b")
    assert system.curl("-X", "DELETE") == (200, "OK")
    assert system.curl(path="/scans/state") == (204, "")


def check_detects(product, system, scratch):
    """A reader of detections sees each once, whatever it asks for at a time and when the node is killed in between."""
    for number in range(5):
        file = scratch / f"virus-{number}"
        file.write_bytes(EICAR)
        assert system.submit(file, f"virus-{number}")[0] == 200
    for number in range(5):
        system.judged(f"virus-{number}")
    names, token = [], ""
    for page in range(20):
        found, token = system.detects(token, "&limit=2&detect_type=yara")
        names += [detect["object"]["processedObject"]["name"] for detect in found]
        if page == 0:
            product.kill("redoubtd")
            product.up()
        if not found:
            break
    assert sorted(names) == ["eicar.com", *(f"virus-{number}" for number in range(5))], names
    again, same = system.detects(token)
    assert not again and same == token
    late = scratch / "late"
    late.write_bytes(EICAR)
    assert system.submit(late, "late")[0] == 200
    system.judged("late")
    found, _ = system.detects(token)
    detect = found[0]
    assert len(found) == 1 and detect["technology"] == "yara" and detect["objectType"] == "file", found
    assert detect["object"]["processedObject"] == detect["object"]["detectedObject"]
    assert detect["object"]["processedObject"]["MD5"] == hashlib.md5(EICAR).hexdigest()
    assert detect["object"]["processedObject"]["SHA256"] == hashlib.sha256(EICAR).hexdigest()
    assert detect["object"]["processedObject"]["size"] == len(EICAR)
    assert detect["detection"]["detect"] and detect["detection"]["dataBaseVersion"] > 202600000000
    assert detect["importance"] in ("high", "medium", "low") and detect["objectSource"] == "external"
    assert product.get(f"/alerts/{detect['alertID']}")["object"]["sha256"] == hashlib.sha256(EICAR).hexdigest()
    assert system.detects("", "&detect_type=am,sb")[0] == []
    for query in ("limit=0", "limit=10001", "limit=x", "detect_type=taa2", "token=zz", "token=7b7d"):
        assert system.curl(path=f"/detects?{query}")[0] == 400, query
    assert len(system.detects(json.dumps({"offset": 0}).encode().hex())[0]) == 7


def open_submission(system):
    """A connection whose form has begun, and does not end yet."""
    connection = connect(system)
    connection.putrequest("POST", f"/kata/scanner/v1/sensors/{system.id}/scans")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", "1000")
    connection.endheaders(b'--b\r\nContent-Disposition: form-data; name="content"; filename="slow"\r\n\r\n')
    return connection


def flood(system, count):
    """How many of so many quick submissions over one connection were taken before the first 429."""
    connection = connect(system)
    form = b'--b\r\nContent-Disposition: form-data; name="content"; filename="x"\r\n\r\nx\r\n--b--\r\n'
    for taken in range(count):
        connection.request("POST", f"/kata/scanner/v1/sensors/{system.id}/scans", form,
                           {"Content-Type": "multipart/form-data; boundary=b"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 429:
            return taken
    return count


def check_limits(product, system, clean):
    slow = [open_submission(system) for _ in range(OPEN_MAX)]
    wait_until(lambda: system.submit(clean, "over")[0] == 429, 10, "too many at once are refused")
    status, head = system.curl("-D", "-", "-o", "/dev/null", "-F", f"content=@{clean}")
    assert status == 429 and "retry-after:" in head.lower(), head
    for connection in slow:
        connection.close()
    wait_until(lambda: system.submit(clean, "over")[0] == 200, 10, "and taken again when there are fewer")
    assert flood(system, 10 * PER_MINUTE_MAX) < 10 * PER_MINUTE_MAX
    assert 'redoubt_http_requests_total{door="scanner"}' in product.get("/metrics")


def check_flood_of_strangers(product, system):
    """Registrations from one address are bounded."""
    mine = system.id
    for number in range(30):
        system.id = f"stranger-{number}"
        assert system.curl(path="/scans/state")[0] == 401
    system.id = mine
    pending = [row for row in product.get("/external-systems")["external_systems"] if row["state"] == "pending"]
    assert len(pending) == 20, len(pending)


def main():
    product = Product()
    (product.home / "redoubtd.yaml").write_text(CONFIG)
    with product, tempfile.TemporaryDirectory(prefix="redoubt-scanner-") as directory:
        scratch = pathlib.Path(directory)
        clean, eicar = scratch / "clean.txt", scratch / "eicar.com"
        clean.write_text("nothing bad\n")
        eicar.write_bytes(EICAR)
        system = System(product, scratch)
        check_registration(product, system, clean)
        check_states(system, clean, eicar)
        check_spellings(system, clean, scratch)
        check_errors(system, clean, eicar, scratch)
        check_delete(system)
        check_detects(product, system, scratch)
        check_strangers(product, system, clean)
        check_new_certificate(product, system, clean)
        check_flood_of_strangers(product, system)
        check_limits(product, system, clean)
        print("external systems: registered, served, limited")
    return 0


if __name__ == "__main__":
    sys.exit(main())
