#!/usr/bin/python3
"""The auditor's day: who read a case, and what one person has read, as a
breach report wants it; on a screen and in copies, here and on the Isle."""
import csv
import io
import os
import re
import resource
import stat

from libflow import (FORBIDDEN, NOT_FOUND, OK, PARTIAL, TMP, USAGE, Person, check, end,
                     equal, scene)
import libsynthetic


# A cell that a spreadsheet would work out.
FORMULA = re.compile(r'(^|,)"?[=+@-]', re.M)


def register(cora, i, area, **more):
    row = dict(libsynthetic.rows(i + 1)[i], **more)
    row["area.residence"] = area
    done = cora.must("notify", "--json", *libsynthetic.said(row)).json()
    return row, done["reference"]


def read_all(cora, wendy, row, here, isle):
    """What Cora and Wendy look at; here is Wirral's, isle the Isle's."""
    cora.must("case", "show", here, "--use", "screen")
    cora.must("case", "show", here, "--print")
    cora.must("case", "show", isle, "--use", "screen")
    cora.must("case", "find", "--family-name", "nobody-of-that-name",
              "--birth-date", "2020")
    wendy.must("ask", "--purpose", "living_child", "--nhs-number",
               row["child.nhs_number"], "--use", "screen")


def who_read(audrey, here, isle):
    told = audrey.must("audit", "who-read", here).out
    lines = told.splitlines()
    check("one line each, oldest first", "registered a notification" in
          lines[0] and "asked" in lines[-1], told)
    check("with what left and where it went", any(
        "looked at it, printed" in line and "child identity" in line
        for line in lines), told)
    seen = audrey.must("audit", "who-read", here, "--json").lines()
    check("a program gets the same", len(seen) == len(lines) and
          [e["call"] for e in seen][0] == "NotificationRegister", seen)
    check("and of a list this case alone", all(
        [r["reference"] for r in e["released"]] in ([here], [])
        for e in seen), seen)
    rows = list(csv.DictReader(io.StringIO(audrey.must(
        "audit", "who-read", here, "--format", "csv").out)))
    equal("so does a spreadsheet", len(rows), len(seen))
    check("nobody else's case is in it", isle not in told)
    equal("a slip is no reference", audrey.cdop(
        "audit", "who-read", "T-AAAA-AAAA").code, USAGE)


def exposure(audrey, cora, wendy, here, isle):
    told = audrey.must("audit", "exposure", "cora coordinator",
                       "--json").json()
    equal("found by name", told["person"], cora.person)
    equal("both children", told["children"], 2)
    equal("both with what was in them", told["what_left"]["content"], 2)
    living = {k["kind"]: k["n"] for k in told["living"]}
    check("and the living by kind", living.get("mother", 0) >= 1 and
          told["living_people"] == sum(living.values()), told["living"])
    places = {p["jurisdiction"]: p for p in told["jurisdiction"]}
    equal("each Commissioner has one", {
        name: (p["children"], p["report_to"]) for name, p in places.items()},
        {"england": (1, "Information Commissioner's Office"),
         "isle-of-man": (1, "Isle of Man Information Commissioner")})
    equal("two on a screen, one in a copy",
          (told["records_on_screen"], told["records_in_copies"]), (2, 1))
    classes = {c["class"]["code"]: (c["screen"], c["copies"])
               for c in told["classes"]}
    equal("classes apart", classes["CHILD_IDENTITY"], (2, 1))
    check("one search without an answer",
          told["searches"] == 1 and told["searches_with_no_answer"] == 1)
    check("first and last, with the hour of the place",
          told["first"] < told["last"] and
          told["first_local"] <= told["last_local"], told)
    equal("a record has its own line", sorted(
        r["reference"] for r in told["record"]), sorted([here, isle]))

    partner = audrey.must("audit", "exposure", str(wendy.person),
                          "--json").json()
    equal("a partner was told that it is known", (
        partner["what_left"]["known"], partner["living_people"],
        partner["classes"]), (1, 0, []))
    text = audrey.must("audit", "exposure", str(cora.person)).out
    for word in ("Children 2", "living people", "Isle of Man Information "
                 "Commissioner", "IN COPIES", "with no answer"):
        check("in words: " + word, word in text, text)
    equal("nothing before that day", audrey.must(
        "audit", "exposure", str(cora.person), "--until", "2020-01-01",
        "--json").json()["records"], 0)
    equal("nor with another device", audrey.must(
        "audit", "exposure", str(cora.person), "--device",
        str(wendy.device), "--json").json()["records"], 0)


def spreadsheet(audrey, cora, here):
    path = os.path.join(TMP, "breach.csv")
    audrey.must("audit", "exposure", str(cora.person), "--format", "csv",
                "--out", path)
    equal("the file is one's own", stat.S_IMODE(os.stat(path).st_mode), 0o600)
    with open(path, newline="", encoding="utf-8") as f:
        text = f.read()
    rows = {r["reference"]: r for r in csv.DictReader(io.StringIO(text))}
    check("a line a record", here in rows and len(rows) == 2, text)
    equal("with its Commissioner", rows[here]["report_to"],
          "Information Commissioner's Office")
    check("and no formula", not FORMULA.search(text), text)
    asked = ["audit", "exposure", str(cora.person), "--format", "csv", "--out"]
    for name, says in ((path, "File exists"), ("/nonexistent/x", "No such")):
        done = audrey.cdop(*asked, name)
        check("no such file can be made: " + says, done.code == USAGE and
              says in done.err and "next: say" in done.err, done)
    path = os.path.join(TMP, "part.csv")
    room = 3000  # bytes of a file: what the client notes is less, this is more
    full = cora.popen("case", "show", here, "--json", "--out", path,
                      preexec_fn=lambda: resource.setrlimit(
                          resource.RLIMIT_FSIZE, (room, room)))
    said = full.communicate(timeout=60)[1].decode()
    check("a part is not taken for the whole", full.returncode != OK and
          0 < os.stat(path).st_size <= room, said)
    # What somebody typed into a form comes back in the rejects.
    made = libsynthetic.rows(2, 60, bad=1)
    for row in made:
        row["circumstances.narrative"] = '=HYPERLINK("http://x","y")'
    path = os.path.join(TMP, "typed.csv")
    libsynthetic.save(path, made)
    equal("one of two is rejected",
          cora.cdop("notify", "--from", path).code, PARTIAL)
    with open(os.path.join(TMP, "typed.rejects.csv"), newline="",
              encoding="utf-8-sig") as f:
        text = f.read()
    check("its formula is there, and is none", "=HYPERLINK" in text and
          not FORMULA.search(text), text)


def one_entry(audrey, here):
    seen = audrey.must("audit", "list", "--case", here, "--json").lines()
    index = [e["index"] for e in seen if e["call"] == "CaseShow"][0]
    told = audrey.must("audit", "show", str(index)).out
    check("one entry, whole", here in told and "living people" in told and
          "jurisdiction" in told and "case record" in told, told)
    equal("as a program reads it", audrey.must(
        "audit", "show", str(index), "--json").lines()[0]["index"], index)
    equal("there is no such entry", audrey.cdop(
        "audit", "show", "99999999").code, NOT_FOUND)


def by_person(audrey, wendy, cora):
    told = audrey.must("audit", "by", "Wendy Wirral").out
    check("what one did", "asked" in told and "Wendy" in told and
          "amended" not in told, told)
    equal("by number too", audrey.must(
        "audit", "by", str(wendy.person), "--limit", "1", "--json"
        ).lines()[0]["person"], wendy.person)
    equal("nobody is called that", audrey.cdop(
        "audit", "by", "No Such Person").code, NOT_FOUND)
    check("of nobody there is nothing, which is said", "No entry of the log" in
          audrey.must("audit", "by", "9999").err)
    equal("no coordinator reads the log", cora.cdop(
        "audit", "exposure", str(wendy.person)).code, FORBIDDEN)
    equal("a format there is not", audrey.cdop(
        "audit", "exposure", "1", "--format", "xls").code, USAGE)


def join_often(cora, row, reference, times):
    """The same child again and again, from others who heard of it."""
    path = os.path.join(TMP, "again.csv")
    fields = [name for name in row if name[0] != "_"]
    with open(path, "w", newline="", encoding="utf-8") as f:
        out = csv.DictWriter(f, fields + ["decision", "decision_reason"])
        out.writeheader()
        for _ in range(times):
            out.writerow(dict(
                {name: row[name] for name in fields},
                decision="join:" + reference, decision_reason="the same"))
    done = cora.cdop("notify", "--from", path, "--json")
    return sum(line.get("ok", False) for line in done.lines())


def many_pages(audrey, cora, row, here):
    """More entries than a message of the log holds, and than two do."""
    joined = join_often(cora, row, here, 210)
    equal("told of 210 times", joined, 210)
    seen = audrey.must("audit", "who-read", here, "--json").lines()
    indexes = [e["index"] for e in seen]
    check("all of them, oldest first", len(seen) > 210 and
          indexes == sorted(set(indexes)), indexes)
    equal("none of another case", {r["reference"] for e in seen
                                   for r in e["released"]}, {here})
    told = audrey.must("audit", "exposure", str(cora.person), "--json").json()
    check("and counted as one record", told["entries"] > 210 and
          sum(r["reference"] == here for r in told["record"]) == 1, told)


def second_device(registry, audrey, cora, isle):
    """A person with two devices is one person, and each can be looked at."""
    path = os.path.join(registry.out, "cora2.txt")
    registry.ada.must("people", "invite", "--device-for", str(cora.person),
                      "--label", "tablet", "--out", path)
    tablet = Person("tablet", registry)
    done = tablet.enrol(path)
    registry.bob.must("people", "activate", str(done["device"]),
                      "--comparison", done["comparison"])
    third = register(cora, 2, "sefton")[1]
    tablet.must("case", "show", third, "--use", "screen", "--purpose", "other",
                "--purpose-text", "asked by the chair")
    told = audrey.must("audit", "exposure", str(cora.person), "--device",
                       str(tablet.device), "--json").json()
    equal("what one device read", [r["reference"] for r in told["record"]],
          [third])
    told = audrey.must("audit", "exposure", str(cora.person), "--json").json()
    refs = [r["reference"] for r in told["record"]]
    check("the person has read what both did", third in refs and
          isle in refs, refs)
    for form in "text", "csv", "json":
        told = audrey.must("audit", "who-read", third, "--format", form).out
        check("why, in words, as " + form, "asked by the chair" in told and
              "tablet" in told, told)


def gone(registry, audrey, cora, isle):
    """Who has left has read all the same."""
    before = audrey.must("audit", "exposure", str(cora.person),
                         "--json").json()
    registry.ada.must("people", "revoke", str(cora.person), "--reason",
                      "left", "--confirm", str(cora.person))
    told = audrey.must("audit", "exposure", "Cora Coordinator",
                       "--json").json()
    equal("revoked, and found by name", told["person"], cora.person)
    equal("with all that was read", (told["record"], told["classes"]),
          (before["record"], before["classes"]))
    check("and in the list of who read it", "Cora Coordinator" in audrey.must(
        "audit", "who-read", isle).out)


def linked(audrey, cora, here, isle):
    """Who looks at one case is told which others belong to it."""
    cora.must("case", "link", here, isle, "--kind", "siblings", "--reason",
              "one mother")
    cora.must("case", "show", here, "--use", "screen")
    seen = audrey.must("audit", "who-read", isle, "--json").lines()
    check("a case that was named beside another one is in it",
          [e["call"] for e in seen][-2:] == ["CaseLinkAdd", "CaseShow"], seen)


def main():
    registry, cora = scene()
    wendy = registry.invite("Wendy Wirral", "--role", "partner", "--area",
                            "wirral")
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    mother = {"mother.family_name": "Synthetic",
              "parent.1.family_name": "Synthetic",
              "professional.1.name": "Dr Sample"}
    row, here = register(cora, 0, "wirral", **mother)
    _, isle = register(cora, 1, "isle-of-man")
    read_all(cora, wendy, row, here, isle)
    who_read(audrey, here, isle)
    exposure(audrey, cora, wendy, here, isle)
    spreadsheet(audrey, cora, here)
    one_entry(audrey, here)
    by_person(audrey, wendy, cora)
    linked(audrey, cora, here, isle)
    many_pages(audrey, cora, row, here)
    second_device(registry, audrey, cora, isle)
    gone(registry, audrey, cora, isle)
    equal("it stops in order", registry.stop(), OK)
    end()


main()
