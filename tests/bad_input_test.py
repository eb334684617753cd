#!/usr/bin/env python3
"""Bad input at every door of the running product: a clear error, a node that stays up, nothing lost."""

import contextlib
import http.client
import json
import ssl
import subprocess
import tempfile

from product import BIN, ApiError, Product, wait_until


def expect_error(status, message, call):
    try:
        call()
    except ApiError as error:
        assert error.status == status, f"{error.status} where {status} was due: {error.body}"
        text = error.body["error"]["message"]
        assert message in text, f"'{message}' is not in '{text}'"
        return error.body["error"]
    raise AssertionError(f"no error where {status} '{message}' was due")


def query_with_a_typo(product):
    error = expect_error(400, "EventTyp", lambda: product.post("/hunts", {"query": 'EventTyp = "process"'}))
    diagnostic = error["diagnostic"]
    assert diagnostic["line"] == 1 and diagnostic["column"] == 1, diagnostic
    assert "EventType" in diagnostic["hint"], diagnostic
    done = product.cli("hunt", 'EventTyp = "process"', check=False)
    assert done.returncode != 0 and "^^^^" in done.stderr and "EventType" in done.stderr, done.stderr


def upload_of_5_gb(product):
    """Refused from its announced size, before the body is sent; and cut off where no size is announced."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for headers in ({"Content-Length": str(5 << 30)}, {"Transfer-Encoding": "chunked"}):
        connection = http.client.HTTPSConnection("127.0.0.1", product.api_port, context=context, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest("POST", "/api/v1/objects?name=big.bin")
            connection.putheader("Authorization", f"Bearer {product.token()}")
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            if "Transfer-Encoding" in headers:
                block = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
                with contextlib.suppress(OSError):
                    for _ in range(5 << 10):
                        connection.send(block)
            answer = connection.getresponse()
            assert answer.status == 413, answer.status
            assert "limit" in json.loads(answer.read())["error"]["message"]


def bad_json(product):
    status, body, _ = product.request("POST", "/hunts", raw="{", headers={"Content-Type": "application/json"})
    assert status == 400 and body["error"]["code"] == "invalid_argument", body
    deep = "[" * 100_000
    status, _, _ = product.request("POST", "/hunts", raw=deep, headers={"Content-Type": "application/json"})
    assert status == 400, status
    expect_error(404, "", lambda: product.get("/alerts/none-such"))


def revoked_agent(product):
    """A second agent is enrolled and revoked: its stream ends, its new ones are refused, the first goes on."""
    token = product.post("/enrollment-tokens", {})
    with tempfile.TemporaryDirectory(prefix="redoubt-agent-") as data:
        token_file = f"{data}/token"
        with open(token_file, "w") as out:
            out.write(token["token"])
        enroll = [BIN / "redoubt-agent", "enroll", "--server", f"127.0.0.1:{product.api_port}", "--fingerprint",
                  token["fingerprint"], "--token-file", token_file, "--data", data]
        subprocess.run(enroll, check=True, timeout=60, capture_output=True)
        again = subprocess.run([*enroll[:-1], f"{data}/second"], timeout=60, capture_output=True, text=True)
        assert again.returncode != 0 and "token" in again.stderr, "a one-time token was taken twice"
        wrong = [word if word != token["fingerprint"] else "00" * 32 for word in enroll]
        wrong = subprocess.run([*wrong[:-1], f"{data}/third"], timeout=60, capture_output=True, text=True)
        assert wrong.returncode != 0 and "fingerprint" in wrong.stderr, "a wrong fingerprint was trusted"

        before = {host["id"] for host in product.get("/hosts")["hosts"] if host["state"] == "connected"}
        agent = subprocess.Popen([BIN / "redoubt-agent", "run", "--data", data], stderr=subprocess.DEVNULL)
        try:
            new, _ = wait_until(lambda: [h for h in product.get("/hosts")["hosts"]
                                         if h["state"] == "connected" and h["id"] not in before], 30, "the second agent")
            product.post(f"/hosts/{new[0]['id']}/revoke")

            def refused():
                host = product.get(f"/hosts/{new[0]['id']}")
                status = subprocess.run([BIN / "redoubt-agent", "status", "--data", data, "--json"],
                                        capture_output=True, text=True)
                return host["state"] == "revoked" and status.returncode == 0 and \
                    json.loads(status.stdout)["state"] == "refused"
            wait_until(refused, 30, "the revoked agent is refused")
            assert all(product.get(f"/hosts/{host}")["state"] == "connected" for host in before)
        finally:
            agent.terminate()
            agent.wait(timeout=30)


def yara_rule_that_does_not_compile():
    with tempfile.TemporaryDirectory(prefix="redoubt-yara-") as folder:
        with open(f"{folder}/broken.yar", "w") as out:
            out.write("rule broken {\n  condition: nothing_such\n}\n")
        done = subprocess.run([BIN / "redoubt-scan", "check", folder], capture_output=True, text=True, timeout=60)
        assert done.returncode != 0, "a broken rule was taken"
        assert "broken.yar" in done.stderr and "2" in done.stderr and "nothing_such" in done.stderr, done.stderr


def main():
    yara_rule_that_does_not_compile()
    with Product() as product:
        for check in (query_with_a_typo, bad_json, upload_of_5_gb, revoked_agent):
            check(product)
            health = product.get("/health")
            assert health["status"] == "ok", health
            print(f"{check.__name__}: ok", flush=True)


if __name__ == "__main__":
    main()
