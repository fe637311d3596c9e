#!/usr/bin/python3
"""What the log says in words, act by act, as its auditor reads it."""
import re

from libflow import (CONFLICT, FORBIDDEN, NOT_FOUND, OK, check, end, equal,
                     scene)
import libsynthetic

# Index, day and time in front of an entry.
STAMP = re.compile(r"^ *(\d+)  \d+ \w+ \d{4} \d\d:\d\d [+-]\d{4}  ")
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
    return row, ["notify", "--json"] + [
        "--set=%s=%s" % (path, value) for path, value in row.items()
        if path[0] != "_" and value and "." in path]


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
           "about Sam Sefton (person %d)" % sam.person)
    log.says("what was done", act)
    about = [lines for _, lines in
             entries(audrey, "--person", str(sam.person))]
    check("found by the person it was done to", act.splitlines() in about,
          about)


def main():
    registry, cora = scene()
    wendy = registry.invite("Wendy Wirral", "--role", "partner", "--area",
                            "wirral")
    sam = registry.invite("Sam Sefton", "--role", "partner", "--area",
                          "sefton")
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    log = Log(audrey)
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
    cora.must(*notification(1, "liverpool")[1])
    log.new()
    questions(log, row, wendy, sam)
    looks(log, registry, reference, cora, audrey)
    people(log, registry, sam, audrey)
    equal("it stops in order", registry.stop(), OK)
    end()


main()
