#!/usr/bin/env python3
"""kill -9 of the agent and of the node while events flow: afterwards every sequence number is in the store exactly once
or inside a declared loss. REDOUBT_ROUNDS and REDOUBT_EVENTS make it longer."""

import os
import random
import subprocess
import sys

from product import Product, wait_until

ROUNDS = int(os.environ.get("REDOUBT_ROUNDS", "10"))
EVENTS = int(os.environ.get("REDOUBT_EVENTS", "200000"))
PAGE = 10_000

# Each turn of the loop makes four events: create, write, rename, delete.
GENERATOR = """
import os, sys, time
folder, turns = sys.argv[1], int(sys.argv[2])
for turn in range(turns):
    path = f"{folder}/{turn}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
    os.close(os.open(path, os.O_WRONLY))
    os.rename(path, path + "x")
    os.unlink(path + "x")
    if turn % 100 == 99:
        time.sleep(0.008)
"""


def boots(product):
    return [row["value"] for row in product.hunt("| count by host.boot.id top 100")]


def highest(product, boot):
    rows = product.hunt(f'host.boot.id = "{boot}" | sort event.sequence desc | limit 1 | fields event.sequence')
    return rows[0]["event.sequence"]


def check_account(product, boot):
    """(stored, declared lost) of one boot; fails on a duplicate or an undeclared gap."""
    last = highest(product, boot)
    losses = product.hunt(f'EventType = "loss" AND host.boot.id = "{boot}" | limit 10000', limit=PAGE)
    declared = [(row["loss.first_sequence"], row["loss.last_sequence"]) for row in losses
                if row.get("loss.first_sequence") is not None]
    stored = lost = 0
    for start in range(1, last + 1, PAGE):
        end = min(start + PAGE - 1, last)
        rows = product.hunt(f'host.boot.id = "{boot}" AND event.sequence >= {start} AND event.sequence <= {end}'
                            f" | limit {PAGE} | fields event.sequence", limit=PAGE)
        numbers = [row["event.sequence"] for row in rows]
        assert len(numbers) == len(set(numbers)), f"duplicates between {start} and {end}"
        missing = set(range(start, end + 1)) - set(numbers)
        undeclared = [n for n in missing if not any(first <= n <= until for first, until in declared)]
        assert not undeclared, f"{len(undeclared)} numbers are neither stored nor declared lost: {sorted(undeclared)[:5]}"
        stored += len(numbers)
        lost += len(missing)
    return stored, lost


def settled(product):
    """True when the agent's spool is empty: everything numbered has been acknowledged."""
    done = subprocess.run([product_bin("redoubt-agent"), "status", "--data", str(product.home / "agent"), "--json"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        return False
    import json
    status = json.loads(done.stdout)
    return status["link"] == "connected" and status["spool"]["frames"] == 0


def product_bin(name):
    from product import BIN
    return BIN / name


def one_round(product, number, victim, chance):
    folder = product.home / f"work{number}"
    folder.mkdir()
    generator = subprocess.Popen([sys.executable, "-c", GENERATOR, folder, str(EVENTS // 4)])
    delay = chance.uniform(0.5, 3.0)
    try:
        generator.wait(timeout=delay)
    except subprocess.TimeoutExpired:
        pass
    product.kill(victim)
    product.up()
    if generator.wait(timeout=300) != 0:
        raise AssertionError("the generator failed")


def main():
    seed = int(os.environ.get("REDOUBT_SEED", random.randrange(1 << 30)))
    print(f"seed {seed}")
    chance = random.Random(seed)
    with Product() as product:
        for number in range(ROUNDS):
            victim = ["redoubt-agent", "redoubtd"][number % 2]
            one_round(product, number, victim, chance)
            wait_until(lambda: settled(product), 120, "the agent's spool is empty")
            totals = [check_account(product, boot) for boot in boots(product)]
            print(f"round {number}: killed {victim}; stored {sum(t[0] for t in totals)}, "
                  f"declared lost {sum(t[1] for t in totals)}", flush=True)


if __name__ == "__main__":
    main()
