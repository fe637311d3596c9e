#!/usr/bin/python3
"""500 awkward rows: each is taken or refused for the reason it should be,
and what was taken is read back as it was written, byte for byte."""
import json
import os
import re
import time

from libflow import PARTIAL, TMP, check, end, equal, scene
import libsynthetic

COUNT = 500
NOT_FIELDS = ("decision", "decision_reason", "warnings_accepted")
ABSENT = {"NOT_KNOWN": "#nk", "NOT_APPLICABLE": "#na", "WITHHELD": "#ws"}


def wanted(row):
    """Path to text of everything that was said in a row."""
    return {path: row["_want"].get(path, value)
            for path, value in row.items()
            if path[0] != "_" and path not in NOT_FIELDS and value}


def text_of(value):
    if isinstance(value, dict) and "absent" in value:
        return ABSENT[value["absent"]]
    if isinstance(value, dict) and "code" in value:
        return value["code"]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def fields_of(form):
    """The same of a form in JSON."""
    said = {}
    for group, value in form.items():
        if isinstance(value, list):
            for entry in value:
                for field, inner in entry.items():
                    if field != "number":
                        said["%s.%s.%s" % (group, entry["number"], field)] = \
                            text_of(inner)
        elif isinstance(value, dict):
            for field, inner in value.items():
                said["%s.%s" % (group, field)] = text_of(inner)
    return said


def differences(said, want):
    return ["%s: %r, not %r" % (path, said.get(path), want.get(path))
            for path in sorted(set(said) | set(want))
            if said.get(path) != want.get(path)]


# The vault lets in 200 sessions a second, which a quick machine is beyond.
LET_IN_S = 0.006


def main():
    registry, cora = scene()
    made = libsynthetic.rows(COUNT, 1000, odd=True)
    path = os.path.join(TMP, "awkward.csv")
    libsynthetic.save(path, made)
    done = cora.cdop("notify", "--from", path, "--json")
    equal("the import is partial", done.code, PARTIAL)
    answers = {a["row"]: a for a in done.lines() if "row" in a}
    equal("every row has an answer", len(answers), COUNT)

    taken = [(n, row) for n, row in enumerate(made, 1) if not row["_rule"]]
    wrong = ["row %d: %s" % (n, json.dumps(answers.get(n)))
             for n, _ in taken if not answers.get(n, {}).get("ok")]
    check("rows are taken: %d" % len(taken), not wrong, "\n".join(wrong[:8]))

    refused = [(n, row) for n, row in enumerate(made, 1) if row["_rule"]]
    for rule in sorted({row["_rule"] for _, row in refused}):
        wrong = ["row %d: %s" % (n, json.dumps(answers.get(n)))
                 for n, row in refused if row["_rule"] == rule and
                 rule not in [f["rule"] for f in
                              answers.get(n, {}).get("findings", [])]]
        check("refused for " + rule, not wrong, "\n".join(wrong[:3]))

    wrong = []
    for n, row in taken:
        if not answers.get(n, {}).get("ok"):
            continue
        time.sleep(LET_IN_S)
        shown = cora.must("case", "show", answers[n]["reference"], "--json",
                          "--notifications").json()["case"]
        want = wanted(row)
        # How it reached us is said of a notification, not of the child.
        record = {path: value for path, value in want.items()
                  if path.split(".")[0] not in ("received", "notifier")}
        for form, said in ((shown["record"]["form"], record),
                           (shown["notification"][-1]["form"], want)):
            wrong += ["row %d: %s" % (n, line)
                      for line in differences(fields_of(form), said)]
    check("all of it reads back as it was written", not wrong,
          "%d:\n%s" % (len(wrong), "\n".join(wrong[:20])))

    twins = [(n, answers[n]["reference"]) for n, row in taken
             if row.get("decision") == "new:twin" and answers[n].get("ok")]
    alone = []
    for n, reference in twins:
        links = cora.must("case", "show", reference, "--json").json()["case"] \
            .get("link", [])
        if [link["reference"] for link in links] != \
                [answers[n - 1]["reference"]]:
            alone.append((n, links))
    check("twins are linked, each to the other: %d" % len(twins),
          twins and not alone, alone[:3])

    again = {a["row"]: a for a in cora.cdop(
        "notify", "--from", path, "--json").lines() if "row" in a}
    wrong = [json.dumps(again.get(n)) for n, _ in taken
             if not again.get(n, {}).get("replayed") or
             again[n].get("reference") != answers[n].get("reference")]
    check("sent again, all of it had arrived", not wrong,
          "%d\n%s" % (len(wrong), "\n".join(wrong[:5])))

    rejects = re.sub(r"\.csv$", ".rejects.csv", path)
    equal("only the owner can read the rejects",
          oct(os.stat(rejects).st_mode & 0o777), "0o600")
    equal("it stops in order", registry.stop(), 0)
    equal("verify says fine", registry.verify()[0], 0)
    end()


main()
