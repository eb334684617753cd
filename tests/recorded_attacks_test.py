"""The public Sigma rules over recorded attacks, through `redoubt replay`: every rule loads or is refused as docs/sigma.md says, every
recording gives the counts of an independent engine but for the differences that stand there with their reason, and every
recorded true positive matches its rule.
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

import yaml

from product import BIN, ROOT

CORPORA = pathlib.Path(os.environ.get("REDOUBT_CORPORA", ROOT.parent / "shared" / "corpora"))
PAGE = ROOT / "docs" / "sigma.md"
SECURITY_PROCESS_START = 4688
RULES = CORPORA / "sigma" / "rules"


def section(name):
    """The rows of a table of docs/sigma.md between its two comments, without head."""
    text = PAGE.read_text()
    body = re.search(rf"<!-- {name}:.*?-->\n(.*?)<!-- /{name} -->", text, re.S).group(1)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()[2:]]


def replay(recordings):
    """(matches as dictionaries, lines of standard error) of all rules over the files."""
    done = subprocess.run([BIN / "redoubt", "replay", "--rules", RULES, *recordings], capture_output=True, text=True,
                          timeout=500)
    assert done.returncode in (0, 3), f"exit {done.returncode}\n{done.stderr[-2000:]}"
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.splitlines()


def check_loading(notes):
    refused = collections.Counter(re.search(r": refused: (S\d+)", line).group(1) for line in notes if ": refused: " in line)
    loaded = int(re.search(r"(\d+) rules", notes[-1]).group(1))
    found = {"load": loaded, **{f"refused {code}": count for code, count in refused.items()}}
    written = {row[0]: int(row[1]) for row in section("counts")}
    assert found == written, f"docs/sigma.md says {written}, found {found}"
    print(f"rules: {found}")


def unpack(folder):
    """File name by recording of the corpora."""
    expected = json.loads((CORPORA / "telemetry" / "otrf_expected.json").read_text())
    for name, row in expected.items():
        with zipfile.ZipFile(CORPORA / "telemetry" / "otrf" / name) as archive:
            member = next(each for each in archive.namelist() if pathlib.PurePath(each).name == row["member"])
            (folder / row["member"]).write_bytes(archive.read(member))
    return expected


def check_recordings(folder):
    expected = unpack(folder)
    matches, notes = replay([folder / row["member"] for row in expected.values()])
    check_loading(notes)
    events = int(re.search(r"(\d+) events", notes[-1]).group(1))
    assert events == sum(row["events"] for row in expected.values()), notes[-1]
    ours = collections.defaultdict(collections.Counter)
    audited = collections.defaultdict(collections.Counter)
    for match in matches:
        at_security_log = match["event"].get("event.code") == SECURITY_PROCESS_START
        counts = audited if at_security_log else ours
        counts[pathlib.PurePath(match["recording"]).name][match["rule"]["id"]] += 1
    compared = 0
    differences = {}
    for row in expected.values():
        member = row["member"]
        for rule in set(row["rules"]) | set(ours[member]) | set(audited[member]):
            theirs, mine = row["rules"].get(rule, 0), ours[member][rule]
            compared += 1
            # Rules for the security log count its process starts, in both engines.
            if theirs in (mine, mine + audited[member][rule]):
                continue
            recordings, all_theirs, all_mine = differences.get(rule, (0, 0, 0))
            differences[rule] = (recordings + 1, all_theirs + theirs, all_mine + mine)
    written = {row[0]: tuple(int(cell) for cell in row[1:4]) for row in section("differences")}
    assert differences == written, f"docs/sigma.md says {written}, found {differences}"
    print(f"recordings: {len(expected)}, {events} events, {len(matches)} matches, {compared} counts compared, "
          f"{len(differences)} rules differ as docs/sigma.md says")


def check_true_positives():
    root = CORPORA / "sigma" / "regression"
    matches, _ = replay(sorted(root.glob("*/*.json")))
    found = collections.Counter((pathlib.PurePath(match["recording"]).parent.name, match["rule"]["id"]) for match in matches)
    missing = []
    cases = 0
    for path in sorted(root.glob("*/info.yml")):
        info = yaml.safe_load(path.read_text())
        wanted = max(test.get("match_count", 1) for test in info["regression_tests_info"])
        for rule in info["rule_metadata"]:
            cases += 1
            if found[(path.parent.name, rule["id"])] < wanted:
                missing.append((path.parent.name, rule["id"], wanted, found[(path.parent.name, rule["id"])]))
    assert cases > 100 and not missing, missing
    print(f"true positives: {cases} of {cases}")


def main():
    if not RULES.is_dir():
        print("skipped: no corpora")
        return
    check_true_positives()
    with tempfile.TemporaryDirectory(prefix="redoubt-test-") as scratch:
        check_recordings(pathlib.Path(scratch))


if __name__ == "__main__":
    sys.exit(main())
