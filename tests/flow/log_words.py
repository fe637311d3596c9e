#!/usr/bin/python3
"""What the log says in words, act by act, as its auditor reads it."""
import re

from libflow import (CONFLICT, FORBIDDEN, NOT_FOUND, OK, SECOND, check, end,
                     equal, profile_with, scene)
import libsynthetic

# Index, day and time in front of an entry.
STAMP = re.compile(r"^ *(\d+)  \d+ \w+ \d{4} \d\d:\d\d (?:[+-]\d{4}|[A-Z]{2,5})  ")
# What every command leaves besides the act that it is.
ALONGSIDE = re.compile(r"  (signed in|read the profile|read the log|looked "
                       r"at the state|turned the key)\b")


def entries(auditor, *more):
    """Index and lines of each entry, oldest first, stamps taken off."""
    found = []
    for line in auditor.must("audit", "list", *more).out.splitlines():
        stamp = STAMP.match(line)
        if stamp:
            found.append((int(stamp.group(1)), [line[stamp.end():]]))
        else:
            assert found, line
            found[-1][1].append(line.strip())
    return found[::-1]


class Log:
    """What is new in the log since it was looked at last."""

    def __init__(self, auditor):
        self.auditor, self.seen, self.names = auditor, -1, {}
        self.new()

    def new(self):
        fresh = [(n, lines) for n, lines in entries(self.auditor)
                 if n > self.seen]
        self.seen = max([n for n, _ in fresh] + [self.seen])
        return [self.named(lines) for _, lines in fresh
                if not ALONGSIDE.search(lines[0])]

    def named(self, lines):
        text = "\n".join(lines)
        for name, word in self.names.items():
            text = text.replace(name, word)
        return text.splitlines()

    def says(self, name, *wanted):
        equal(name, self.new(), [w.splitlines() for w in wanted])


def notification(i, area):
    row = dict(libsynthetic.rows(i + 1)[i])
    row["area.residence"] = area
    return row, ["notify", "--json"] + libsynthetic.said(row)


def questions(log, row, wendy, sam):
    """Three answers, and each is in the log as it was given."""
    number = row["child.nhs_number"]
    nobody = libsynthetic.rows(9)[8]["child.nhs_number"]
    living = ["ask", "--purpose", "living_child"]
    wendy.must(*living, "--nhs-number", number)
    log.says("known", "Wendy Wirral (partner, wendy-wirral laptop)  asked, "
             "told \"known to you\"  for: Living child at risk  to a file\n"
             "REF-1  no field  Wirral\nsearched by child.nhs_number")
    wendy.must(*living, "--family-name", row["child.family_name"])
    log.says("not enough to ask with", "Wendy Wirral (partner, wendy-wirral "
             "laptop)  asked, told \"not enough to ask with\"  for: Living "
             "child at risk  to a file\nsearched by child.family_name")
    sam.must(*living, "--nhs-number", number)
    log.says("another area's child", "Sam Sefton (partner, sam-sefton laptop)"
             "  asked, told \"not known to you\" (another area has one)  for: "
             "Living child at risk  to a file\nsearched by child.nhs_number")
    sam.must(*living, "--nhs-number", nobody)
    log.says("no child", "Sam Sefton (partner, sam-sefton laptop)  asked, "
             "told \"not known to you\"  for: Living child at risk  to a file"
             "\nsearched by child.nhs_number")


def acts(log, cora, reference, other):
    """What a coordinator is answered, and what the log says of each act."""
    cora_did = "Cora Coordinator (coordinator, cora-coordinator laptop)  "

    def act(argv, answer, entry):
        name = " ".join(argv[:2])
        told = log.named(cora.must(
            *argv, "--reason", "for the test").out.splitlines())
        # What is still missing is the dictionary's, and tested there.
        equal(name + ", as it is answered", [
            line for line in told if not line.startswith(
                ("Today: ", "To ask ", "For the national "))],
              answer.splitlines())
        # Some read what is there before they send what is to be.
        equal(name + ", as it is logged", log.new()[-1],
              (cora_did + entry).splitlines())

    act(["case", "amend", reference, "--set", "gp.name=Dr Sample",
         "--source", "telephone"],
        "Amended: REF-1, version 2",
        "amended it  for: Case work\nREF-1  no field  Wirral")
    act(["case", "correct", reference, "1", "--set",
         "child.postcode=CH41 0AA"],
        "Corrected: REF-1, version 2\n"
        "  the case record says otherwise: amend it where this is right\n"
        "  it differs in: child.postcode",
        "corrected a notification  for: Case work\nREF-1  no field  Wirral")
    act(["case", "interest", reference, "knowsley", "--known"],
        "Interested areas changed: REF-1, version 2",
        "marked an interested area  for: Case work\nREF-1  no field  Wirral")
    act(["case", "link", reference, other, "--kind", "same_incident"],
        "Linked: REF-1, version 2",
        "linked cases  for: Case work\nREF-1  no field  Wirral\n"
        "REF-2  no field  Liverpool")
    act(["case", "withdraw", other],
        "Marked as entered in error: REF-2, version 2",
        "withdrew it  for: Case work\nREF-2  no field  Liverpool")
    act(["case", "reinstate", other], "Taken up again: REF-2, version 3",
        "took it up again  for: Case work\nREF-2  no field  Liverpool\n"
        "searched by child.nhs_number, child.family_name, "
        "mother.family_name, birth.date, death.date")
    act(["case", "owner", other, "sefton"],
        "Owner changed: REF-2, version 4\n  owner is now Sefton",
        "changed the owner  for: Case work\nREF-2  no field  Sefton")
    cora.must("case", "history", reference)
    log.says("case history, as it is logged", cora_did +
             "looked at its history  for: Case work  to a file\n"
             "REF-1  narrative, administrative  Wirral\n"
             "REF-2  administrative  Sefton")
    equal("a change that is no more possible", cora.cdop(
        "case", "reinstate", other, "--reason", "again").code, CONFLICT)
    log.says("and it is logged as what it was", cora_did +
             "took it up again: refused, not possible as things were "
             "[already_so]  for: Case work\nREF-2  nothing left")


def looks(log, registry, reference, cora, audrey):
    equal("an administrator sees no case", registry.ada.cdop(
        "case", "show", reference).code, FORBIDDEN)
    log.says("a role", "Ada Admin (administrator, ada laptop)  looked at it: "
             "refused, forbidden for this role [role]  to a file\n"
             "REF-1  nothing left")
    carl = registry.invite("Carl Sefton", "--role", "coordinator", "--area",
                           "sefton")
    log.new()
    equal("nor does another area", carl.cdop("case", "show", reference).code,
          NOT_FOUND)
    log.says("an area", "Carl Sefton (coordinator, carl-sefton laptop)  "
             "looked at it: refused, not in an area of theirs, and told that "
             "there is none [no_such_case]  for: Case work  to a file\n"
             "REF-1  nothing left")
    cora.must("case", "show", reference, "--purpose", "other",
              "--purpose-text", "a parent asked")
    log.says("a purpose in words", "Cora Coordinator (coordinator, "
             "cora-coordinator laptop)  looked at it  for: Other: say what  to a "
             "file\nREF-2  administrative  Sefton\nREF-1  child identity, "
             "family identity, professional identity, location, exact "
             "date, clinical, narrative, administrative  Wirral\n"
             "for, in words: a parent asked")
    cora.must("case", "list")
    log.new()
    listed = [lines for _, lines in entries(audrey, "--case", reference)
              if "listed cases" in lines[0]]
    equal("of a list that named it, it alone is shown", log.named(listed[0]),
          ["Cora Coordinator (coordinator, cora-coordinator laptop)  listed "
           "cases  for: Case work  to a file",
           "REF-1  exact date, administrative  Wirral", "and 1 other"])


def people(log, registry, sam, audrey):
    registry.ada.must("people", "suspend", str(sam.person), "--reason",
                      "laptop stolen")
    act = ("Ada Admin (ada laptop)  suspended\n"
           "about Sam Sefton (person %d)\n"
           "because: laptop stolen" % sam.person)
    log.says("what was done", act)
    about = [lines for _, lines in
             entries(audrey, "--person", str(sam.person))]
    check("found by the person it was done to", act.splitlines() in about,
          about)


def waits(log, person):
    """The number of the one act that waits."""
    number = person.must("approve", "--json").lines()[0]["number"]
    log.names[number] = "NUMBER"
    return number


def two_people(log, registry, cora, wendy):
    """Asked for, declined; asked for again, approved; and what it changed."""
    bob = registry.bob
    path = profile_with("limit.conf", "asks_per_day = 60", "asks_per_day = 2")
    cora.must("profile", "apply", path, "--reason", "fewer questions",
              "--yes", code=SECOND)
    digest = cora.must("profile", "diff", path, "--json").json()["hash"]
    log.names[digest] = "HASH"
    number = waits(log, bob)
    asked = ("Cora Coordinator (coordinator, cora-coordinator laptop)  asked "
             "for: change the profile\nbecause: fewer questions\n"
             "number NUMBER\nprofile HASH")
    compared = ("Cora Coordinator (coordinator, cora-coordinator laptop)  "
                "compared a profile")
    looked = ("Bob Admin (administrator, bob laptop)  looked at what waits "
              "for approval")
    log.says("asked for", compared, asked, compared, looked)
    bob.must("approve", number, "--decline", "--confirm", number, "--reason",
             "too few")
    log.says("declined", looked, "Bob Admin (administrator, bob laptop)  "
             "declined: change the profile, asked for by Cora Coordinator "
             "(person 3)\nbecause: too few\nnumber NUMBER")
    cora.must("profile", "apply", path, "--reason", "fewer questions",
              "--yes", code=SECOND)
    number = waits(log, bob)
    bob.must("approve", number, "--confirm", number)
    log.says("approved", compared, asked, looked, looked,
             "Bob Admin (administrator, bob laptop)  approved: change the "
             "profile, asked for by Cora Coordinator (person 3)\n"
             "number NUMBER\nprofile HASH")
    told = cora.must("profile", "show").err
    check("profile show has both by name and number", re.search(
        r"asked for by Cora Coordinator \(person 3\), approved by [A-Z][^(]+ "
        r"\(person \d+\)\n", told), told)
    now = cora.must("profile", "show", "--json").json()
    equal("what the log names is in force", now["hash"], digest)
    before = cora.must("profile", "show", "--profile-version",
                       str(now["version"] - 1), "--json").json()
    check("and what was before is kept", "asks_per_day = 60" in
          before["text"] and "asks_per_day = 2\n" in now["text"])
    equal("with who asked, who approved and why",
          (now["person"], now["reason"]), ([3, 2], "fewer questions"))
    log.new()
    equal("a limit is no dead line", wendy.cdop(
        "ask", "--purpose", "living_child", "--family-name", "Nobody",
        "--birth-date", "2024-05-14").code, CONFLICT)
    log.says("and it is called what it is", "Wendy Wirral (partner, "
             "wendy-wirral laptop)  asked: refused, the questions of the day "
             "were used up [ask_limit]  for: Living child at risk  to a file\n"
             "searched by child.family_name, birth.date")


def main():
    registry, cora = scene()
    wendy = registry.invite("Wendy Wirral", "--role", "partner", "--area",
                            "wirral")
    sam = registry.invite("Sam Sefton", "--role", "partner", "--area",
                          "sefton")
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    log = Log(audrey)
    audrey.must("audit", "list", "--limit", "1")
    read = [lines for _, lines in entries(audrey)
            if "read the log" in lines[0]]
    equal("whoever reads the log says what for", read[-1],
          ["Audrey Auditor (auditor, audrey-auditor laptop)  read the log  "
           "for: Audit  to a file"])
    opened = [lines for _, lines in entries(audrey)
              if "registry opened" in lines[0]]
    equal("which slot opened it", opened, [["-  registry opened",
                                           "through slot 1"]])
    row, tell = notification(0, "wirral")
    reference = cora.must(*tell).json()["reference"]
    log.names[reference] = "REF-1"
    log.says("a registration", "Cora Coordinator (coordinator, "
             "cora-coordinator laptop)  registered a notification  for: New "
             "notification\nREF-1  no field  Wirral\nsearched by "
             "child.nhs_number, child.family_name, mother.family_name, birth.date, death.date")
    other = cora.must(*notification(1, "liverpool")[1]).json()["reference"]
    log.names[other] = "REF-2"
    log.new()
    acts(log, cora, reference, other)
    questions(log, row, wendy, sam)
    looks(log, registry, reference, cora, audrey)
    people(log, registry, sam, audrey)
    two_people(log, registry, cora, wendy)
    equal("it stops in order", registry.stop(), OK)
    end()


main()
