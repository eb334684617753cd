#!/usr/bin/env python3
"""The agent as a citizen of a fleet: it applies the node's policy and says so, its certificate is renewed before it ends, its
silence is an alert that contact clears, and it reaches its node through an HTTP proxy."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from product import BIN, ROOT, Product, alive, free_port, wait_until

CERTIFICATE_LIFE_SECONDS = 40
SILENT_AFTER_SECONDS = 6


def configure(product):
    shutil.copytree(ROOT / "rules", product.home / "rules")
    (product.home / "redoubtd.yaml").write_text(
        f"rules:\n  directory: {product.home}/rules\n"
        f"link:\n  certificate_life: {CERTIFICATE_LIFE_SECONDS}s\nfleet:\n  silent_after: {SILENT_AFTER_SECONDS}s\n")


def this_host(product, data="agent"):
    identity = json.loads((product.home / data / "identity.json").read_text())
    return product.get(f"/hosts/{identity['host_id']}")


def write_in_child(path):
    """Another process: nothing of it is this one's."""
    subprocess.run(["/bin/sh", "-c", f"echo x > {path}"], check=True)


def stored(product, path):
    return bool(product.hunt(f'EventType = "filechange" AND file.path = "{path}"'))


def policy_reaches_the_agent(product):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="redoubt-policy-"))
    try:
        (folder / "quiet").mkdir()
        wait_until(lambda: this_host(product)["policy"]["state"] == "applied", 30, "the agent reports")
        product.cli("policy", "exclude", "path", folder / "quiet", "--note", "test")
        version = product.get("/policy")["version"]
        host, took = wait_until(lambda: (h := this_host(product))["policy"]["state"] == "applied"
                                and h["policy"]["version"] == version and h, 30, "the policy is applied")
        print(f"policy {version} applied after {took:.1f} s", flush=True)
        write_in_child(folder / "quiet" / "1")
        write_in_child(folder / "told")
        wait_until(lambda: stored(product, folder / "told"), 20, "what is not excluded is told")
        assert not stored(product, folder / "quiet" / "1"), "an excluded path is told"
        excluded = product.get("/policy")["exclusions"][0]
        assert excluded["author"] == product.account and excluded["note"] == "test", excluded
        product.cli("policy", "include", excluded["id"])
        wait_until(lambda: this_host(product)["policy"]["version"] == version + 1, 30, "the policy is changed")
        write_in_child(folder / "quiet" / "2")
        wait_until(lambda: stored(product, folder / "quiet" / "2"), 20, "it is told again")
    finally:
        shutil.rmtree(folder)


READ_RULE = """\
- rule: A reader of {path}
  desc: for a test
  condition: evt.type = openat and evt.is_open_read = true and fd.name = {path}
  output: read by %proc.name
  priority: WARNING
"""


def reads_are_told_where_a_rule_asks(product):
    """The rule is new: the policy goes to the host, whose kernel tells of that file from then on."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="redoubt-reads-"))
    rule = product.home / "rules" / "reader.yaml"
    try:
        secret = folder / "ledger"
        write_in_child(secret)
        subprocess.run(["cat", secret], check=True)
        rule.write_text(READ_RULE.format(path=secret))
        product.cli("rule", "reload")
        policy = product.get("/policy")
        assert str(secret) in policy["read_paths"], policy
        wait_until(lambda: this_host(product)["policy"]["version"] == policy["version"], 30, "the host asks its kernel")

        def alerts():
            return [alert for alert in product.get("/alerts", limit=100)["alerts"]
                    if alert["title"] == f"A reader of {secret}"]
        assert not alerts(), "a read before that is told"
        subprocess.run(["cat", secret], check=True)
        alert, _ = wait_until(alerts, 20, "the reader is an alert")
        assert alert[0]["message"].endswith("read by cat"), alert[0]["message"]
        rule.unlink()
        product.cli("rule", "reload")
        assert str(secret) not in product.get("/policy")["read_paths"]
    finally:
        rule.unlink(missing_ok=True)
        shutil.rmtree(folder)


def certificate_is_renewed(product):
    path = product.home / "agent" / "identity.json"
    before = json.loads(path.read_text())
    after, _ = wait_until(lambda: (now := json.loads(path.read_text()))["certificate"] != before["certificate"] and now,
                          2 * CERTIFICATE_LIFE_SECONDS, "the certificate is renewed")
    assert after["key"] != before["key"] and after["host_id"] == before["host_id"]
    assert (path.stat().st_mode & 0o777) == 0o600
    marker = product.home / "after-renewal"
    write_in_child(marker)
    wait_until(lambda: stored(product, marker), 30, "events flow under the new certificate")
    assert this_host(product)["state"] == "connected"


def silence_is_an_alert(product):
    def alerts():
        return [alert for alert in product.get("/alerts", limit=100)["alerts"] if alert["title"] == "Host fell silent"]

    assert not alerts(), alerts()
    os.kill(product.pid("redoubt-agent"), signal.SIGTERM)
    found, took = wait_until(alerts, SILENT_AFTER_SECONDS + 20, "silence is an alert")
    print(f"silent for {SILENT_AFTER_SECONDS} s: alert after {took:.1f} s", flush=True)
    assert len(found) == 1 and found[0]["status"] == "new" and found[0]["source"] == "fleet", found
    wait_until(lambda: this_host(product)["silent"], 10, "the host's card says so")
    product.up()
    wait_until(lambda: not this_host(product)["silent"], 30, "contact clears it")
    closed = product.get(f"/alerts/{found[0]['id']}")
    assert closed["status"] == "closed", closed


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def proxy(product):
    """A tinyproxy that wants a password and lets through to the node's ports only. Gives its URL and its log."""
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="redoubt-proxy-"))
    port = free_port()
    (scratch / "conf").write_text(
        f"Port {port}\nListen 127.0.0.1\nTimeout 600\nAllow 127.0.0.1\nLogLevel Info\nLogFile \"{scratch}/log\"\n"
        f"BasicAuth agent secret\nConnectPort {product.api_port}\nConnectPort {product.link_port}\n")
    server = subprocess.Popen(["tinyproxy", "-d", "-c", scratch / "conf"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), 20, "tinyproxy runs")
        yield f"http://agent:secret@127.0.0.1:{port}", scratch / "log"
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(scratch)


def node_is_reached_through_a_proxy(product):
    os.kill(product.pid("redoubt-agent"), signal.SIGTERM)
    wait_until(lambda: not alive(product.pid("redoubt-agent")), 15, "the agent stops")
    data = product.home / "proxied"
    with proxy(product) as (url, log):
        (product.home / "proxy").write_text(url + "\n")
        (product.home / "token").write_text(product.post("/enrollment-tokens")["token"])
        common = ["--data", data, "--proxy-file", product.home / "proxy"]
        subprocess.run([BIN / "redoubt-agent", "enroll", "--server", f"127.0.0.1:{product.api_port}", "--fingerprint",
                        product.fingerprint, "--token-file", product.home / "token", *common], check=True)
        with open(product.home / "log" / "proxied.log", "w") as output:
            agent = subprocess.Popen([BIN / "redoubt-agent", "run", *common], stdout=output, stderr=output)
        try:
            wait_until(lambda: this_host(product, "proxied")["state"] == "connected", 60, "connected through the proxy")
            marker = product.home / "proxied-file"
            write_in_child(marker)
            wait_until(lambda: stored(product, marker), 30, "events come through the proxy")
        finally:
            agent.terminate()
            agent.wait()
        text = log.read_text()
        for port in (product.api_port, product.link_port):
            assert f"CONNECT 127.0.0.1:{port}" in text, text
        wrong = product.home / "wrong-proxy"
        wrong.write_text(url.replace("secret", "guess"))
        refused = subprocess.run([BIN / "redoubt-agent", "enroll", "--server", f"127.0.0.1:{product.api_port}",
                                  "--fingerprint", product.fingerprint, "--token-file", product.home / "token", "--data",
                                  product.home / "refused", "--proxy-file", wrong], capture_output=True, text=True)
        assert refused.returncode == 1 and "proxy answers 40" in refused.stderr, refused.stderr
    product.up()


def main():
    product = Product()
    configure(product)
    with product:
        for check in (policy_reaches_the_agent, reads_are_told_where_a_rule_asks, certificate_is_renewed,
                      silence_is_an_alert, node_is_reached_through_a_proxy):
            check(product)
            print(f"{check.__name__}: good", flush=True)


if __name__ == "__main__":
    main()
