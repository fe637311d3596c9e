#!/usr/bin/python3
"""What programs read: every command with --json --no-input, on success and
on failure.  Each line on standard output has the envelope, a list ends with
its count, an error is one object of the same shape on standard error."""
import glob
import json
import os
import re
import subprocess

from libflow import (CDOP, OK, SECOND, TMP, TOP, check, end, equal,
                     profile_with, scene)
import libsynthetic

ENVELOPE = ["schema", "ok", "mode", "registry", "request"]
SECONDS = 30


def commands():
    """The words of every command, as the program lists them."""
    said = subprocess.run([CDOP, "help", "--list"], stdout=subprocess.PIPE,
                          check=True, timeout=SECONDS).stdout.decode()
    return [line.split("\t")[1] for line in said.splitlines()
            if line.startswith("command\t")]


def shape(name, line):
    """An object of the envelope; None and a finding when it is none."""
    try:
        told = json.loads(line)
    except ValueError:
        check(name + ": a line is JSON", False, line)
        return None
    missing = [key for key in ENVELOPE if key not in told]
    if missing or not told["schema"].startswith("cdop."):
        check(name + ": a line has the envelope", False, line)
        return None
    return told


CODED = ("role", "state", "owner_area", "purpose", "use", "outcome")
WORDS = ("status", "scope", "jurisdiction")


def as_promised(told, schema):
    """Is each code with its label, and each word alone, as cdop(1) says?"""
    if isinstance(told, list):
        return all(as_promised(one, schema) for one in told)
    if not isinstance(told, dict):
        return True
    word = WORDS + (("state",) if schema == "cdop.people.invitation/1" else ())
    return all(
        isinstance(value, str)
        if key in word and not isinstance(value, list) else
        isinstance(value, dict) and {"code", "label"} == set(value)
        if key in CODED else as_promised(value, schema)
        for key, value in told.items() if key != "form")


def judge(name, done, schema, is_list):
    lines = [shape(name, line) for line in done.out.splitlines()]
    if None in lines:
        return
    if done.code in (OK,):
        equal(name + ": nothing on standard error", done.err, "")
    else:
        said = shape(name, done.err)
        check(name + ": one object on standard error", said and
              said["schema"] == "cdop.error/1" and said["ok"] is False and
              said["exit"] == done.code and said["reason"] and
              said["message"] and "next" in said, done)
    if done.code != OK and not lines:
        return
    check(name + ": its schema", {line["schema"] for line in lines} <= {
        "cdop.%s/1" % s for s in schema}, done.out[:500])
    check(name + ": codes have labels, and words none", all(
        as_promised(line, line["schema"]) for line in lines), done.out[:2000])
    if is_list:
        last = lines[-1]
        check(name + ": it ends with the count", last.get("end") is True and
              last["count"] == len(lines) - 1 and
              not [line for line in lines[:-1] if "end" in line], done.out)
    else:
        equal(name + ": one object", len(lines), 1)


def good(table, cora, ada, audrey, wendy):
    """Every command, by somebody who may."""
    who = {"cora": cora, "ada": ada, "audrey": audrey, "wendy": wendy}
    for person, words, code, schema, is_list in table:
        done = who[person].cdop(*words, "--json", "--no-input",
                                seconds=SECONDS)
        name = " ".join(words[:2]) if words[1:2] and words[1][:1] not in \
            "-/T" else words[0]
        if equal(name + ": exit", done.code, code):
            judge(name, done, schema, is_list)
        else:
            check(name + ": said", False, done)


def scenes(reference, other, files, people):
    """Who, words, exit, schemas, list or object."""
    why = ["--reason", "why"]
    return [
        ("cora", ["notify", "--blank"], OK, ["notify.blank"], True),
        ("cora", ["notify", "--from", files["csv"]], 10, ["notify.row"],
         True),
        ("wendy", ["ask", "--purpose", "living_child", "--nhs-number",
                   "9990000018"], OK, ["ask"], False),
        ("cora", ["retry", "--list"], OK, ["retry", "retry.draft"], True),
        ("cora", ["retry"], OK, ["retry", "retry.draft"], True),
        ("ada", ["approve"], OK, ["approve.list"], True),
        ("cora", ["status"], OK, ["status"], False),
        ("cora", ["whoami"], OK, ["whoami"], False),
        ("cora", ["doctor"], OK, ["doctor"], False),
        ("cora", ["device", "turn"], OK, ["device.turn"], False),
        ("cora", ["context", "list"], OK, ["context.list"], True),
        ("cora", ["context", "use", "training"], OK, ["context.use"], False),
        ("cora", ["case", "show", reference, "--notifications"], OK,
         ["case.show"], False),
        ("cora", ["case", "list"], OK, ["case.list"], True),
        ("cora", ["case", "list", "--since", "2199-01-01"], OK,
         ["case.list"], True),
        ("cora", ["case", "find", "--nhs-number", "9990000018"], OK,
         ["case.find"], True),
        ("cora", ["case", "history", reference], OK, ["case.history"], True),
        ("cora", ["case", "pairs"], OK, ["case.pairs"], True),
        ("cora", ["case", "amend", reference, *why, "--source", "GP", "--set",
                  "gp.name=Dr Sample"], OK, ["change"], False),
        ("cora", ["case", "correct", reference, "1", *why, "--set",
                  "received.channel=email"], OK, ["change"], False),
        ("cora", ["case", "owner", reference, "wirral", *why], OK,
         ["change"], False),
        ("cora", ["case", "interest", reference, "sefton", *why], OK,
         ["change"], False),
        ("cora", ["case", "responsible", reference, people["cora"], *why], OK,
         ["change"], False),
        ("cora", ["case", "link", reference, other, "--kind", "siblings",
                  *why], OK, ["change"], False),
        ("cora", ["case", "unlink", reference, other, "--kind", "siblings",
                  *why], OK, ["change"], False),
        ("cora", ["case", "move-notification", reference, "1", "--seen", "1",
                  *why], 8, ["case.changed"], False),
        ("cora", ["case", "withdraw", reference, *why], OK, ["change"],
         False),
        ("cora", ["case", "reinstate", reference, *why], OK, ["change"],
         False),
        ("cora", ["hold", "set", reference, *why], OK, ["change"], False),
        ("cora", ["hold", "lift", reference, *why], SECOND, [], False),
        ("ada", ["people", "list", "--all"], OK,
         ["people.list", "people.invitation"], True),
        ("ada", ["people", "invite", "--name", "Ina", "--role", "auditor",
                 "--out", "-"], OK, ["people.invite"], False),
        ("ada", ["people", "suspend", people["wendy"], *why], OK,
         ["people.suspend"], False),
        ("ada", ["people", "resume", people["wendy"], *why], SECOND,
         [], False),
        ("ada", ["people", "revoke", people["wendy"], "--confirm",
                 people["wendy"], *why], OK, ["people.revoke"], False),
        ("ada", ["people", "change", people["cora"], "--job-title", "Lead",
                 *why], SECOND, [], False),
        ("ada", ["people", "activate", "99", "--comparison", "x"], 6, [],
         False),
        ("ada", ["people", "cancel", "00" * 16, *why], 6, [], False),
        ("ada", ["approve", "0" * 16], 6, [], False),
        ("ada", ["profile", "show"], OK, ["profile.show"], False),
        ("ada", ["profile", "diff", files["profile"]], OK, ["profile.diff"],
         False),
        ("ada", ["profile", "apply", files["profile"], "--yes", *why], SECOND,
         [], False),
        ("ada", ["approve"], OK, ["approve.list"], True),
        ("audrey", ["audit", "list", "--case", reference], OK,
         ["audit.list"], True),
        ("audrey", ["audit", "by", people["cora"]], OK, ["audit.list"], True),
        ("audrey", ["audit", "show", "1"], OK, ["audit.show"], False),
        ("audrey", ["audit", "show", "999999"], 6, [], False),
        ("audrey", ["audit", "who-read", reference], OK, ["audit.who-read"],
         True),
        ("audrey", ["audit", "exposure", people["cora"]], OK,
         ["audit.exposure"], False),
        ("audrey", ["audit", "searched"], 2, [], False),
        ("audrey", ["audit", "check-receipt", files["csv"]], 13, [], False),
        ("audrey", ["audit", "verify", TMP], 2, [], False),
        ("audrey", ["audit", "witness", os.path.join(TMP, "note")], OK,
         ["audit.witness"], False),
        ("audrey", ["audit", "compare", os.path.join(TMP, "note")], OK,
         ["audit.compare"], False),
        ("audrey", ["audit", "export", os.path.join(TMP, "log")], OK,
         ["audit.export"], False),
        ("audrey", ["trust", "show"], OK, ["trust.show"], False),
        ("audrey", ["trust", "restore"], OK, ["trust.restore"], False),
        ("ada", ["key", "rotate", "--log", "--yes", *why], SECOND, [], False),
        ("ada", ["key", "rotate", "--all", "--yes", *why], SECOND, [], False),
        ("ada", ["key", "status"], OK, ["key.status"], False),
        ("ada", ["key", "status", "--watch"], OK, ["key.status"], False),
        ("ada", ["key", "pause", "--reason", "disk"], 8, [], False),
        ("ada", ["key", "resume"], 8, [], False),
        ("ada", ["key", "remove-slot", "2", "--one-kind", "--yes", *why],
         SECOND, [], False),
        ("ada", ["custodian", "list"], OK, ["custodian.list"], False),
        ("ada", ["custodian", "drill", "--from", files["csv"]], 7, [],
         False),
        ("ada", ["custodian", "submit", "--from", files["csv"]], 7, [],
         False),
        ("ada", ["backup", "create", os.path.join(TMP, "one.cdop")], 8, [],
         False),
        ("ada", ["backup", "list"], OK, ["backup.list"], True),
        ("ada", ["backup", "proved", "1"], 6, [], False),
        ("ada", ["backup", "destroyed", "1", "--yes", *why], 6, [], False),
        ("cora", ["case", "erase", other, "--reason", "not_a_case",
                  "--seen", "99", "--yes"], 8, [], False),
        ("ada", ["certificate", "list"], OK, ["certificate.list"], True),
        ("ada", ["certificate", "show", "1"], 6, [], False),
        ("ada", ["restore", "show"], 8, [], False),
        ("ada", ["restore", "accept", "--yes", *why], 8, [], False),
        ("cora", ["enrol", files["csv"], "--no-passphrase"], 2, [], False),
        ("cora", ["unlock", "never"], 2, [], False),
        ("cora", ["lock"], OK, ["lock"], False),
        ("wendy", ["context", "remove", "training", "--yes"], OK,
         ["context.remove"], False),
        ("cora", ["version"], OK, ["version"], False),
    ]


def alone(cora):
    """With nothing but its words a command names what is missing."""
    for words in commands():
        done = cora.cdop(*words.split(), "--json", "--no-input",
                         seconds=SECONDS)
        if done.code == OK or words == "help":
            continue
        said = shape(words + " alone", done.err)
        check(words + " alone: it says what is missing", said and
              said["exit"] == done.code and said["message"], done)


def documented():
    """cdop(1) names the schemas that the source has, and no other."""
    with open(os.path.join(TOP, "packaging/man/cdop.1"),
              encoding="utf-8") as f:
        page = f.read().replace("\\-", "-")
    made = {"error"}
    for path in glob.glob(os.path.join(TOP, "client/*.c")):
        with open(path, encoding="utf-8") as f:
            source = f.read()
        made |= set(re.findall(
            r'(?:print_envelope|json_line|print_end|answer|show_summaries|'
            r'statement_print)'
            r'\(\s*(?:[a-z]->)?ctx,\s*"([a-z.-]+)"', source))
    equal("cdop(1) has the schemas of the program", set(re.findall(
        r"\bcdop\.([a-z.-]+)/1", page)), made)


def codes(audrey, cora, reference):
    """Codes have labels, wherever they stand."""
    entry = next(e for e in audrey.must("audit", "list", "--case", reference,
                                        "--json").lines() if "purpose" in e)
    equal("a purpose has its label", entry["purpose"],
          {"code": "case_work", "label": "Case work"})
    equal("an outcome, too", entry["outcome"], {"code": "OK", "label": "ok"})
    case = cora.must("case", "show", reference, "--json").json()["case"]
    for path in (("owner_area",), ("record", "form", "child", "name_kind"),
                 ("record", "form", "child", "sex"),
                 ("record", "form", "area", "residence")):
        at = case
        for key in path:
            at = at[key]
        check("codes of a case: " + ".".join(path), set(at) ==
              {"code", "label"}, at)


def main():
    registry, cora = scene()
    ada = registry.ada
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    wendy = registry.invite("Wendy Wirral", "--role", "partner", "--area",
                            "wirral")
    rows = libsynthetic.rows(8, 300, bad=1)
    path = os.path.join(TMP, "portal.csv")
    libsynthetic.save(path, rows)
    profile = profile_with("new.conf", "asks_per_day = 60",
                           "asks_per_day = 61")
    made = libsynthetic.rows(2, 900)
    reference, other = [cora.must(
        "notify", "--json", *libsynthetic.said(row)).json()["reference"]
        for row in made]
    table = scenes(reference, other, {"csv": path, "profile": profile}, {
        "cora": str(cora.person), "wendy": str(wendy.person)})
    told = {" ".join(words[:n]) for _, words, *_ in table for n in (1, 2)}
    equal("every command is looked at",
          [c for c in commands() if c not in told and c != "help"], [])
    good(table, cora, ada, audrey, wendy)
    alone(cora)
    codes(audrey, cora, reference)
    documented()
    equal("it stops in order", registry.stop(), 0)
    end()


main()
