#!/usr/bin/env python3
"""The life of objects in the running product: judged once however often they come, carried in a ZIP, previewed, known by
reputation, judged again when lists change, removed."""

import csv
import io
import json
import pathlib
import tempfile
import zipfile

from product import ApiError, Product, wait_until

EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*"


def submit(product, content, name):
    status, body, _ = product.request("POST", f"/objects?name={name}", raw=content)
    assert status == 202, (status, body)
    return body


def judged(product, object_id):
    return product.get(f"/objects/{object_id}?wait_ms=30000")


def known_content_is_answered_at_once(product):
    first = submit(product, b"an ordinary letter", "letter.txt")
    assert judged(product, first["id"])["verdict"] == "not detected"
    again = submit(product, b"an ordinary letter", "letter.txt")
    assert again["verdict"] == "not detected", again
    found = product.get(f"/objects?sha256={first['sha256']}&verdict=not%20detected")["objects"]
    assert [each["id"] for each in found] == [again["id"], first["id"]], found
    assert product.get("/objects?name=nothing")["objects"] == []


def content_is_carried_and_shown_harmless(product):
    bad = submit(product, EICAR, "a.com")
    assert judged(product, bad["id"])["verdict"] == "detect"
    status, archive, _ = product.request("GET", f"/objects/{bad['id']}/archive")
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        assert packed.namelist() == [bad["sha256"]]
        try:
            packed.read(bad["sha256"])
            raise AssertionError("it opens without the password")
        except RuntimeError:
            pass
        assert packed.read(bad["sha256"], pwd=b"infected").decode() == EICAR
    preview = product.get(f"/objects/{bad['id']}/preview?offset=16")
    assert preview["lines"][0] == {"offset": 16, "hex": EICAR[16:32].encode().hex(), "text": EICAR[16:32]}, preview
    assert preview["next_offset"] == len(EICAR)
    assert product.get(f"/objects/{bad['id']}/preview?offset=9999999")["lines"] == []


def lists_judge_what_was_let_pass(product):
    passed = submit(product, b"let pass for now", "tool.bin")
    assert judged(product, passed["id"])["verdict"] == "not detected"
    with tempfile.TemporaryDirectory() as scratch:
        feed = pathlib.Path(scratch) / "feed.csv"
        feed.write_text(f"# partner\n{passed['sha256']};Trojan.Own\nevil.example.com\n")
        report = json.loads(product.cli("reputation", "import", str(feed), "--source", "partner", "--json").stdout)
        assert (report["format"], report["added"], report["skipped"]) == ("list", 2, 0), report
        feed.write_text("no indicator at all\n")
        refused = product.cli("reputation", "import", str(feed), "--source", "partner", check=False)
        assert refused.returncode != 0 and "tells of no hash" in refused.stderr, refused.stderr
    now, _ = wait_until(lambda: (o := judged(product, passed["id"]))["verdict"] == "detect" and o, 30, "it is judged again")
    found = now["report"]["detections"][0]
    assert (found["engine"], found["rule"], found["rule_set"]) == ("reputation", "Trojan.Own", "partner"), found
    assert now["rescanned"]
    alert = product.get(f"/alerts/{now['alert_id']}")
    assert alert["source"] == "rescan" and "handed in by" in alert["message"], alert
    word = json.loads(product.cli("reputation", "check", "hxxp://EVIL[.]example.com/x", "--json").stdout)
    assert word["reputation"] == "unknown" and word["kind"] == "url", word
    assert "bad" in product.cli("reputation", "check", "evil.example.com").stdout
    product.cli("reputation", "add", passed["sha256"], "--reputation", "good", "--note", "our own tool")
    wait_until(lambda: judged(product, passed["id"])["verdict"] == "not detected", 30, "a person says it is good")
    product.cli("reputation", "forget", "partner")
    assert product.cli("reputation", "check", "evil.example.com").stdout.strip().endswith("unknown")
    assert product.cli("reputation", "check", "not an indicator", check=False).returncode != 0


def yara_rules_are_switched(product):
    listed = json.loads(product.cli("yara", "list", "--json").stdout)
    assert "EICAR_Test_File" in {rule["name"] for rule in listed["rules"]} and listed["refused"] == [], listed
    bad = submit(product, EICAR, "switched.com")
    assert judged(product, bad["id"])["verdict"] == "detect"
    product.cli("yara", "disable", "EICAR_Test_File")
    wait_until(lambda: judged(product, bad["id"])["verdict"] == "not detected", 30, "the rule is off")
    product.cli("yara", "enable", "EICAR_Test_File")
    product.cli("yara", "set", "EICAR_Test_File", "--importance", "low")
    now, _ = wait_until(lambda: (o := judged(product, bad["id"]))["verdict"] == "detect" and o, 30, "the rule is on")
    assert now["report"]["detections"][0]["importance"] == "low", now
    assert product.cli("yara", "set", "EICAR_Test_File", "--importance", "much", check=False).returncode != 0
    assert product.cli("yara", "disable", "No_Such_Rule", check=False).returncode == 3


def rules_are_tried_before_they_are_in_force(product):
    word = submit(product, b"the word is abracadabra", "word.txt")
    assert judged(product, word["id"])["verdict"] == "not detected"
    text = 'rule Word { strings: $w = "abracadabra" condition: $w }\nrule Broken { condition: nonsense }'
    trial = product.call("POST", "/yara/trial", {"text": text})
    assert [(hit["rule"], hit["object_id"]) for hit in trial["hits"]] == [("Word", word["id"])], trial
    assert trial["complete"] and trial["tried"] > 3, trial
    assert trial["refused"][0]["line"] == 2 and "nonsense" in trial["refused"][0]["message"], trial
    try:
        product.call("POST", "/yara/trial", {"text": "rule Nothing { condition: nonsense }"})
        raise AssertionError("a trial without a rule")
    except ApiError as error:
        assert error.status == 400, error
    assert judged(product, word["id"])["verdict"] == "not detected"


def addresses_are_objects(product):
    product.cli("reputation", "add", "evil.example.net", "--note", "phishing of Tuesday")
    url = product.call("POST", "/objects/url", {"url": "hxxps://www.example.net/a"})
    assert judged(product, url["id"])["verdict"] == "not detected"
    bad = judged(product, product.call("POST", "/objects/url", {"url": "hxxps://evil[.]example.net/login"})["id"])
    assert bad["name"] == "https://evil.example.net/login" and bad["verdict"] == "detect", bad
    assert "phishing of Tuesday" in bad["report"]["detections"][0]["rule"], bad
    for body in ({"url": "not an address"}, {"url": "https://a.example.net/", "webhook": "http://127.0.0.1:1/"}):
        try:
            product.call("POST", "/objects/url", body)
            raise AssertionError(f"accepted: {body}")
        except ApiError as error:
            assert error.status in (400, 403), error


def history_is_a_file(product):
    status, lines, headers = product.request("GET", "/objects/export?verdict=detect")
    assert status == 200
    rows = [json.loads(line) for line in lines.splitlines()]
    assert len(rows) == int(headers["Redoubt-Rows"]) > 1, headers
    assert {row["verdict"] for row in rows} == {"detect"}
    submit(product, b"a formula for a name", "=1%2B1")
    status, table, _ = product.request("GET", "/objects/export?format=csv")
    cells = list(csv.reader(io.StringIO(table)))
    assert cells[0][:4] == ["id", "submitted", "name", "sha256"], cells[0]
    assert cells[1][2] == "'=1+1", cells[1]


def removed_content_leaves_its_history(product):
    gone = submit(product, b"to be removed", "gone.txt")
    assert judged(product, gone["id"])["verdict"] == "not detected"
    product.request("POST", f"/objects/{gone['id']}/rescan", body={})
    product.request("DELETE", f"/objects/{gone['id']}/content")
    for path in ("archive", "preview"):
        try:
            product.get(f"/objects/{gone['id']}/{path}")
            raise AssertionError("the content is still there")
        except ApiError as error:
            assert error.status == 404, error
    assert judged(product, gone["id"])["verdict"] == "not detected"


def main():
    with Product() as product:
        known_content_is_answered_at_once(product)
        content_is_carried_and_shown_harmless(product)
        lists_judge_what_was_let_pass(product)
        yara_rules_are_switched(product)
        rules_are_tried_before_they_are_in_force(product)
        addresses_are_objects(product)
        history_is_a_file(product)
        removed_content_leaves_its_history(product)
    print("objects: judged, carried, shown, listed, removed")


if __name__ == "__main__":
    main()
