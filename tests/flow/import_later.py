#!/usr/bin/python3
"""A file that is sent while the registry looks at nothing: no row of it is
rejected for that, and what was corrected by hand is not written over."""
import csv
import json
import os

import libflow
from libflow import CONFLICT, OK, PARTIAL, TMP, check, end, equal, scene
import libsynthetic


def strict():
    """A profile in which two references may lead nowhere in an hour."""
    with open(libflow.PROFILE, encoding="utf-8") as f:
        text = f.read()
    path = os.path.join(TMP, "strict.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("reference_misses_per_hour = 20",
                             "reference_misses_per_hour = 2"))
    return path


def save(path, head, rows):
    with open(path, "w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, head, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def read(path):
    with open(path, newline="", encoding="utf-8-sig") as f:
        return list(csv.DictReader(f))


def main():
    libflow.PROFILE = strict()
    _, cora = scene()
    made = libsynthetic.rows(3, 700)
    for field in "child.family_name", "death.date", "received.notified_date":
        made[2][field] = made[0][field]
    path = os.path.join(TMP, "portal.csv")
    rejects = os.path.join(TMP, "portal.rejects.csv")
    save(path, libsynthetic.COLUMNS, made)
    send = ["notify", "--json", "--from"]
    equal("a possible duplicate is rejected", cora.cdop(*send, path).code,
          PARTIAL)
    rows = read(rejects)
    reference = cora.must("case", "list", "--json", "--limit",
                          "1").lines()[0]["reference"]
    rows[0]["decision"] = "join:" + reference
    rows[0]["decision_reason"] = "the same child"
    save(rejects, list(rows[0]), rows)
    typed = read(rejects)
    done = cora.cdop(*send, path)
    check("the first file is not sent over it", done.code == CONFLICT and
          "rejects" in done.out + done.err, done)
    equal("what was typed is there", read(rejects), typed)

    for _ in range(3):
        cora.cdop("case", "show", "T-435A-4N5Y")
    done = cora.cdop(*send, rejects)
    lines = [json.loads(line) for line in done.out.splitlines()]
    check("a limit is no word on a row", done.code not in (OK, PARTIAL) and
          lines[0].get("open") and lines[1]["rejected"] == 0 and
          lines[1]["open"] == 1, done)
    equal("so it is not written back", read(rejects), typed)
    equal("nor was anything registered", len(cora.must(
        "case", "list", "--json").lines()), 2)
    end()


main()
