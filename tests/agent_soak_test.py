#!/usr/bin/env python3
"""An agent's hard life: it is killed and restarted, its node goes away and comes back, its spool overflows, its clock jumps,
while events flow. At the end its account balances: every number is in the store once or inside a declared loss.
REDOUBT_SECONDS makes it longer (./do soak agent: an hour)."""

import glob
import os
import random
import signal
import subprocess
import sys
import time

from crash_test import boots, check_account
from product import BIN, Product, alive, wait_until

SECONDS = float(os.environ.get("REDOUBT_SECONDS", "30"))
SPOOL_SIZE = "1MiB"
CHECK_EVERY = 300
STATUS_SECONDS = 3  # the agent writes its status every two

# Turns of create, write, rename and delete, of files with long names, so that the spool fills, until it is killed.
GENERATOR = """
import os, sys, time
turn = 0
while True:
    turn += 1
    path = f"{sys.argv[1]}/{turn:060d}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
    os.close(os.open(path, os.O_WRONLY))
    os.rename(path, path + "x")
    os.unlink(path + "x")
    if turn % 20 == 0:
        time.sleep(0.01)
"""


class Host:
    """The node and the agent of a product, each of which can be taken away and brought back."""

    def __init__(self, product):
        self.product = product
        self.clock = product.home / "clock"
        self.set_clock(0)
        for program in ("redoubt-agent", "redoubtd"):
            os.kill(product.pid(program), signal.SIGTERM)
            wait_until(lambda program=program: not alive(product.pid(program)), 30, f"{program} stops")
        self.agent = self.node = None
        self.start_node()
        self.start_agent()

    def start_node(self):
        product = self.product
        with open(product.home / "log" / "soak-node.log", "a") as log:
            self.node = subprocess.Popen([BIN / "redoubtd", "serve", "--data", product.home / "node", "--api",
                                          f"127.0.0.1:{product.api_port}", "--link", f"127.0.0.1:{product.link_port}",
                                          "--scanner", f"127.0.0.1:{product.scanner_port}"],
                                         stdout=log, stderr=log)

    def start_agent(self):
        environment = dict(os.environ)
        libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if libraries:
            environment.update(LD_PRELOAD=libraries[0], FAKETIME_TIMESTAMP_FILE=str(self.clock), FAKETIME_NO_CACHE="1",
                               FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1")
        with open(self.product.home / "log" / "soak-agent.log", "a") as log:
            self.agent = subprocess.Popen([BIN / "redoubt-agent", "run", "--data", self.product.home / "agent",
                                           "--spool-size", SPOOL_SIZE], stdout=log, stderr=log, env=environment)

    def set_clock(self, seconds):
        """What the agent takes for the time of day, from now on: so much before or behind."""
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.rename(self.clock)

    def end(self, process, number):
        process.send_signal(number)
        process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for process in (self.agent, self.node):
            if process.poll() is None:
                self.end(process, signal.SIGTERM if kind is None else signal.SIGKILL)


def kill_agent(host, chance):
    host.end(host.agent, signal.SIGKILL)
    time.sleep(chance.uniform(0, 1))
    host.start_agent()


def restart_agent(host, _):
    host.end(host.agent, signal.SIGTERM)
    assert host.agent.returncode == 0, host.agent.returncode
    host.start_agent()


def kill_node(host, chance):
    host.end(host.node, signal.SIGKILL)
    time.sleep(chance.uniform(0, 1))
    host.start_node()


def overflow_spool(host, _):
    """The node stays away until the spool has been past its limit."""
    host.end(host.node, signal.SIGTERM)
    log = host.product.home / "log" / "soak-agent.log"
    given_up = lambda: log.read_text().count("past its limits")  # noqa: E731
    before = given_up()
    wait_until(lambda: given_up() > before, 120, "the spool overflows")
    host.start_node()


def jump_clock(host, chance):
    host.set_clock(chance.choice([-1800, -60, 0, 60, 3000]))


def account_text(checked):
    return f"stored {sum(c[1] for c in checked.values())}, declared lost {sum(c[2] for c in checked.values())}"


def wait_until_stored(product):
    """Until the node has all that the agent has numbered by now. Returns that number: on a busy machine there are always
    later ones."""
    time.sleep(STATUS_SECONDS)
    number = product.agent_status()["events_numbered"]
    wait_until(lambda: number and product.agent_status()["stored_sequence"] >= number, 180, f"the node has event {number}")
    return number


def check_accounts(host, generator, checked):
    """Holds the generator until the node has everything, and checks what came since the last time."""
    generator.send_signal(signal.SIGSTOP)
    host.set_clock(0)
    number = wait_until_stored(host.product)
    wait_until_stored(host.product)  # what is declared of the numbers until then may have a later one
    for boot in boots(host.product):
        check_account(host.product, boot, checked.setdefault(boot, [0, 0, 0]), number)
    generator.send_signal(signal.SIGCONT)


def check_clock_set_back(host):
    """What the agent does every few seconds it does every few seconds, whatever the time of day is said to be."""
    path = host.product.home / "agent" / "status.json"
    host.set_clock(3000)
    time.sleep(STATUS_SECONDS)
    host.set_clock(0)
    time.sleep(STATUS_SECONDS)
    before = path.stat().st_mtime_ns
    wait_until(lambda: path.stat().st_mtime_ns > before, 3 * STATUS_SECONDS, "a status after the clock was set back")


ACTIONS = [kill_agent, kill_node, overflow_spool, jump_clock, restart_agent]


def main():
    seed = int(os.environ.get("REDOUBT_SEED", random.randrange(1 << 30)))
    print(f"seed {seed}", flush=True)
    chance = random.Random(seed)
    done = {}
    with Product() as product, Host(product) as host:
        check_clock_set_back(host)
        folder = product.home / "work"
        folder.mkdir()
        generator = subprocess.Popen([sys.executable, "-c", GENERATOR, folder])
        checked = {}
        try:
            end = time.monotonic() + SECONDS
            next_check = time.monotonic() + CHECK_EVERY
            turn = 0
            # Each at least once, then as chance has it.
            while turn < len(ACTIONS) or time.monotonic() < end:
                action = ACTIONS[turn] if turn < len(ACTIONS) else chance.choice(ACTIONS)
                action(host, chance)
                done[action.__name__] = done.get(action.__name__, 0) + 1
                turn += 1
                time.sleep(chance.uniform(0.5, 2))
                if time.monotonic() > next_check:
                    check_accounts(host, generator, checked)
                    print(f"{done}; {account_text(checked)}", flush=True)
                    next_check = time.monotonic() + CHECK_EVERY
            check_accounts(host, generator, checked)
        finally:
            generator.kill()
            generator.wait()
        causes = {row["value"] for row in product.hunt('EventType = "loss" | count by loss.cause top 20')}
        print(f"{done}; {account_text(checked)} ({', '.join(sorted(causes))})", flush=True)
        assert "spool_full" in causes and "sensor_down" in causes, causes


if __name__ == "__main__":
    main()
