#!/usr/bin/env python3
"""The rules that the Falco project maintains fire on the real thing: they are loaded as they are into a real node, the
behaviour that each is about is done for real on this host, and the alert says what Falco's output would say, in the
console's API and in Falco's JSON lines over HTTP."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from product import ROOT, Product, wait_until

CORPORA = pathlib.Path(os.environ.get("REDOUBT_CORPORA", ROOT.parent / "shared" / "corpora")) / "falco"
FILES = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")
SCRIPT_SECONDS_MAX = 20
ALERT_SECONDS_MAX = 20

# What the scripts share. $1 is an empty scratch directory. stand_in NAME: a program of that name that does nothing;
# shell_as NAME: a shell of that name, which runs programs as that one would. Nothing outside the scratch directory is
# changed: files of the system are reached in a private mount namespace, addresses in a private network namespace.
PRELUDE = r"""
set -eu
stand_in() { cp /bin/true "$1"; }
shell_as() { cp "$(readlink -f "$(command -v bash)")" "$1"; }
private() { unshare -m sh -euc "mount --make-rprivate /; $1"; }
network() { unshare -n sh -euc "ip link set lo up; ip address add $1/32 dev lo; $2"; }
cd "$1"
"""

# Runs $0 … in a cgroup that is named as a container's.
IN_CONTAINER = r"""
root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
group=$root/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope
mkdir -p "$group"
(echo 0 > "$group/cgroup.procs"; CONTAINED)
for i in $(seq 50); do rmdir "$group" 2>/dev/null && break; sleep 0.05; done
"""


def contained(script):
    return IN_CONTAINER.replace("CONTAINED", script)


# rule: (script, what its output holds).
BEHAVIOUR = {
    "Run shell untrusted": ('shell_as nginx; ./nginx -c "sh -c \'exit 0\'; :"', "parent_exe=./nginx"),
    "System user interactive": ('chmod 755 .; shell_as sshd; ./sshd -c "setpriv --reuid=daemon --clear-groups id; :"', "user=daemon"),
    "Search Private Keys or Passwords": ("find . -name id_rsa", "command=find . -name id_rsa"),
    "Remove Bulk Data from Disk": ("stand_in shred; ./shred -u x", "command=shred -u x"),
    "Find AWS Credentials": ("grep aws_secret_access_key /dev/null || true", "command=grep aws_secret_access_key /dev/null"),
    "Disallowed SSH Connection Non Standard Port": (
        'shell_as ssh; network 192.0.2.1 "./ssh -c \'</dev/tcp/192.0.2.1/443\' || true"', "->192.0.2.1:443"),
    "Modify Shell Configuration File": ("cp /dev/null .bashrc", "/.bashrc"),
    "Schedule Cron Jobs": ("stand_in crontab; ./crontab -", "process=crontab"),
    "DB program spawned process": ("shell_as mysqld; ./mysqld -c 'ls; :'", "process=ls"),
    "System procs network activity": (
        'network 192.0.2.1 "bash -c \'</dev/tcp/192.0.2.1/9\' || true"', "->192.0.2.1:9"),
    "Launch Suspicious Network Tool on Host": ("stand_in nmap; ./nmap -sS", "command=nmap -sS"),
    "Delete or rename shell history": (": > .bash_history; rm .bash_history", "/.bash_history"),
    "Adding ssh keys to authorized_keys": (
        "private 'mount -t tmpfs tmpfs /root; mkdir /root/.ssh; cp /dev/null /root/.ssh/authorized_keys'",
        "file=/root/.ssh/authorized_keys"),
    "Update Package Repository": (
        "private 'mount -t tmpfs tmpfs /etc; mkdir -p /etc/apt/sources.list.d; cp /dev/null /etc/apt/sources.list.d/x.list'",
        "file=/etc/apt/sources.list.d/x.list"),
    "Write below binary dir": ("private 'mount -t tmpfs tmpfs /usr/sbin; cp /dev/null /usr/sbin/tool'", "file=/usr/sbin/tool"),
    "Write below monitored dir": (
        "private 'mount -t tmpfs tmpfs /usr/local/sbin; cp /dev/null /usr/local/sbin/tool'", "file=/usr/local/sbin/tool"),
    "Write below rpm database": (
        "private 'mount -t tmpfs tmpfs /var; mkdir -p /var/lib/rpm; cp /dev/null /var/lib/rpm/Packages'",
        "file=/var/lib/rpm/Packages"),
    "Modify binary dirs": (
        "private 'mount -t tmpfs tmpfs /usr/sbin; cp /dev/null /usr/sbin/tool; rm /usr/sbin/tool'", "evt_type=unlink"),
    "Detect crypto miners using the Stratum protocol": (
        "stand_in worker; ./worker -o stratum+tcp://127.0.0.1:1", "command=worker -o stratum+tcp://127.0.0.1:1"),
    "Sudo Potential Privilege Escalation": ("stand_in sudoedit; ./sudoedit -s 'x\\ y'", "process=sudoedit"),
    "Polkit Local Privilege Escalation Vulnerability (CVE-2021-4034)": ("stand_in pkexec; ./pkexec", "process=pkexec"),
    "Netcat/Socat Remote Code Execution on Host": ("stand_in nc; ./nc -e /bin/sh 127.0.0.1 1", "command=nc -e /bin/sh 127.0.0.1 1"),
    "Known Cryptominer Process Executed": ("stand_in xmrig; ./xmrig", "process=xmrig"),
    "Web Server Spawned Shell": ('shell_as nginx; ./nginx -c "sh -c \'exit 0\'; :"', "web_server=nginx"),
    "Web Server Spawned Suspicious Child Process": ("shell_as apache2; ./apache2 -c 'id; :'", "child=id web_server=apache2"),
    "Reverse Shell from Web Server": ("shell_as httpd; stand_in run; ./httpd -c './run bash -i; :'", "web_server=httpd"),
    "Terminal shell in container": (
        'cp "$(command -v script)" runc; ' + contained("./runc -qc 'sh -c :' /dev/null </dev/null >/dev/null"),
        "parent=runc"),
    "Netcat Remote Code Execution in Container": (
        "stand_in nc; " + contained("./nc -e /bin/sh 127.0.0.1 1"), "command=nc -e /bin/sh 127.0.0.1 1"),
    "Contact EC2 Instance Metadata Service From Container": (
        contained('network 169.254.169.254 "bash -c \'</dev/tcp/169.254.169.254/80\' || true"'), "->169.254.169.254:80"),
    "Launch Suspicious Network Tool in Container": ("stand_in dig; " + contained("./dig x"), "command=dig x"),
    "Launch Remote File Copy Tools in Container": ("stand_in scp; " + contained("./scp a b:"), "command=scp a b:"),
    "Launch Ingress Remote File Copy Tools in Container": (
        "stand_in wget; " + contained("./wget http://127.0.0.1:1/"), "command=wget http://127.0.0.1:1/"),
    "Network Tool Executed During NPM Package Install": (
        "stand_in nmap; shell_as npm; " + contained("./npm -c './nmap x; :'"), "process=nmap"),
    "Privileged Container Device Access": (
        contained("private 'mount -t tmpfs tmpfs /dev; : > /dev/sdz'"), "device=/dev/sdz"),
    "Container Access to Host Sensitive Paths": (
        contained("mkdir new; private 'mount -t tmpfs tmpfs new; mkdir new/old new/host; cd new; pivot_root . old; : > /host/x'"),
        "file=/host/x"),
}

# Rules that are judged and not exercised here. The files switch all of them off, so that a node does not load them.
NOT_EXERCISED = {
    "Interpreted procs inbound network activity": "disabled in its file",
    "Interpreted procs outbound network activity": "disabled in its file",
    "Unexpected K8s NodePort Connection": "disabled in its file",
    "Create Hidden Files or Directories": "disabled in its file",
    "Modify Container Entrypoint": "disabled in its file",
}


class Posts(http.server.BaseHTTPRequestHandler):
    """Takes Falco's lines."""

    lines = []

    def do_POST(self):
        assert self.headers["Content-Type"] == "application/json", self.headers
        Posts.lines.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def server():
    http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Posts)
    thread = threading.Thread(target=http_server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http_server.server_address[1]}/falco"
    finally:
        http_server.shutdown()
        thread.join()
        http_server.server_close()


def configure(product, url):
    """A rule directory with Falco's files alone, and both of the outputs."""
    rules = product.home / "falco-rules"
    rules.mkdir()
    for name in FILES:
        shutil.copy(CORPORA / name, rules / name)
    (product.home / "redoubtd.yaml").write_text(
        f"rules:\n  directory: {rules}\n"
        f"falco:\n  file_output:\n    filename: {product.home}/falco.json\n  http_output:\n    url: {url}\n")


def behave(script):
    # A file: a script on the command line would itself be what some rules look for there.
    with tempfile.TemporaryDirectory(prefix="redoubt-falco-") as scratch, \
            tempfile.NamedTemporaryFile("w", prefix="behaviour-", suffix=".sh") as file:
        file.write(PRELUDE + script)
        file.flush()
        done = subprocess.run(["bash", file.name, scratch], capture_output=True, text=True,
                              timeout=SCRIPT_SECONDS_MAX, stdin=subprocess.DEVNULL)
    return f"script exit {done.returncode}: {done.stderr.strip()[-300:]}"


def alerts_of(product, rule):
    found, cursor = [], {}
    while True:
        page = product.get("/alerts", limit=500, **cursor)
        found += [alert for alert in page["alerts"] if alert["title"] == rule]
        if not page.get("next_cursor"):
            return found
        cursor = {"cursor": page["next_cursor"]}


def exercise(product, rule):
    """Why the rule did not fire as it should; nothing where it did."""
    script, expected = BEHAVIOUR[rule]
    said = behave(script)

    def fired():
        return [alert for alert in alerts_of(product, rule) if expected in alert["message"]]
    try:
        wait_until(fired, ALERT_SECONDS_MAX, f"alert of {rule}")
    except AssertionError as error:
        others = [alert["message"] for alert in alerts_of(product, rule)]
        return f"{error}; '{expected}' is not in {others[:3]}; {said}"
    return None


def check_lines(rules, output_of):
    """Every rule that fired was posted once an alert at least, in Falco's shape, and stands in the file too."""
    in_file = [json.loads(line) for line in output_of.read_text().splitlines()]
    for rule in rules:
        lines = [line for line in Posts.lines if line["rule"] == rule]
        assert lines, f"{rule} was not posted"
        assert [line for line in in_file if line["rule"] == rule], f"{rule} is not in the file"
        line = lines[0]
        keys = ["time", "rule", "priority", "source", "hostname", "output", "tags", "message", "output_fields"]
        assert list(line) == keys, list(line)
        assert line["source"] == "syscall" and line["output"].endswith(f"{line['priority']} {line['message']}"), line
        assert line["time"].endswith("Z") and len(line["time"]) == len("2026-01-01T00:00:00.000000000Z"), line
        assert line["output_fields"]["evt.time"] > 0, line


def main():
    if not CORPORA.is_dir():
        print("skipped: no corpora")
        return 0
    if os.geteuid() != 0:
        print("skipped: needs root")
        return 0
    chosen = sys.argv[1:] or list(BEHAVIOUR)
    failures, slow = [], 0.0
    product = Product()
    with server() as url:
        configure(product, url)
        with product:
            loaded = {rule["title"] for rule in product.get("/rules")["rules"]}
            unlisted = loaded - set(BEHAVIOUR)
            assert not unlisted, f"judged and neither exercised nor listed: {sorted(unlisted)}"
            assert not loaded & set(NOT_EXERCISED), loaded & set(NOT_EXERCISED)
            assert set(BEHAVIOUR) <= loaded, f"not judged any more: {sorted(set(BEHAVIOUR) - loaded)}"
            for rule in chosen:
                started = time.monotonic()
                failure = exercise(product, rule)
                slow = max(slow, time.monotonic() - started)
                if failure:
                    failures.append(f"{rule}: {failure}")
            fired = [rule for rule in chosen if not any(failure.startswith(rule) for failure in failures)]
            wait_until(lambda: {line["rule"] for line in Posts.lines} >= set(fired), ALERT_SECONDS_MAX, "all posts")
            check_lines(fired, product.home / "falco.json")
            if failures:
                product.show_logs()
    print(f"{len(fired)} of {len(loaded)} loaded rules fired; slowest after {slow:.1f} s; {len(Posts.lines)} lines posted; "
          f"{len(NOT_EXERCISED)} judged rules are off in their files")
    for failure in failures:
        print("FAILED", failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
