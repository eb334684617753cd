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
EVENTS_A_TURN = 4

# A turn makes EVENTS_A_TURN events: create, write, rename, delete.
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


def check_account(product, boot, checked, last=None):
    """Checks the numbers of one boot above checked = [highest, stored, declared lost] up to `last`, or all, and moves it
    on; fails on a duplicate or an undeclared gap."""
    last = last or highest(product, boot)
    losses = product.hunt(f'EventType = "loss" AND host.boot.id = "{boot}" | limit {PAGE}', limit=PAGE)
    declared = [(row["loss.first_sequence"], row["loss.last_sequence"]) for row in losses
                if row.get("loss.first_sequence") is not None]
    for start in range(checked[0] + 1, last + 1, PAGE):
        end = min(start + PAGE - 1, last)
        rows = product.hunt(f'host.boot.id = "{boot}" AND event.sequence >= {start} AND event.sequence <= {end}'
                            f" | limit {PAGE} | fields event.sequence", limit=PAGE)
        numbers = [row["event.sequence"] for row in rows]
        assert len(numbers) == len(set(numbers)), f"duplicates between {start} and {end}"
        missing = set(range(start, end + 1)) - set(numbers)
        undeclared = [n for n in missing if not any(first <= n <= until for first, until in declared)]
        assert not undeclared, f"{len(undeclared)} numbers are neither stored nor declared lost: {sorted(undeclared)[:5]}"
        checked[0] = end
        checked[1] += len(numbers)
        checked[2] += len(missing)


def settled(product):
    """True when the node has acknowledged everything that the agent numbered."""
    status = product.agent_status()
    return status["state"] == "connected" and status["stored_sequence"] == status["events_numbered"]


def one_round(product, number, chance):
    """Kills the agent and the node, in either order, while the generator runs. Returns how the kills fell."""
    folder = product.home / f"work{number}"
    folder.mkdir()
    generator = subprocess.Popen([sys.executable, "-c", GENERATOR, folder, str(EVENTS // EVENTS_A_TURN)])
    victims = ["redoubt-agent", "redoubtd"]
    chance.shuffle(victims)
    fell = []
    for victim in victims:
        try:
            generator.wait(timeout=chance.uniform(0.3, 2.5))
        except subprocess.TimeoutExpired:
            fell.append(victim)
        product.kill(victim)
        product.up()
    assert generator.wait(timeout=300) == 0, "the generator failed"
    return fell


def main():
    seed = int(os.environ.get("REDOUBT_SEED", random.randrange(1 << 30)))
    print(f"seed {seed}", flush=True)
    chance = random.Random(seed)
    checked = {}
    kills = 0
    with Product() as product:
        for number in range(ROUNDS):
            fell = one_round(product, number, chance)
            kills += len(fell)
            wait_until(lambda: settled(product), 120, "the node has everything")
            for boot in boots(product):
                checked.setdefault(boot, [0, 0, 0])
                check_account(product, boot, checked[boot])
            print(f"round {number}: killed under load: {', '.join(fell)}; stored {sum(c[1] for c in checked.values())}, "
                  f"declared lost {sum(c[2] for c in checked.values())}", flush=True)
    assert kills >= ROUNDS, f"only {kills} kills fell into the load"


if __name__ == "__main__":
    main()
