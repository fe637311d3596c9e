"""The table of mutants: each takes one mitigation of SECURITY.md away.

A *.txt of this folder holds entries, an empty line between them:

    T4 in words, what is taken away (maybe over
      several lines that begin with two spaces)
    @ server/vault/rows_scan.c
    -	the text that is there,
    -	exactly and once, a line each or a part of one
    +	what stands there instead
    ! tests/unit/server/vault/attack_test.c:the_test_that_must_fail

Behind the sign of - and + all is meant as it stands, tabs too.  Several @ of
one entry are changed together; each ! has to fail by itself.  "! release
tests/..." runs a unit test with the shipping flags, for one that the
sanitizers pass over; "by tests/flow/stranger.py" behind a test says which
program calls it.  Lines that begin with # say something to readers.
"""
import os
import re

FOLDER = "tests/mutants"
PAGE = "SECURITY.md"
THREAT = re.compile(r"(T\d+) (\S.*)$")
TEST = re.compile(
    r"! (release )?(tests/[\w./-]+):(\w+)(?: by (tests/[\w./-]+))?$")
ROW = re.compile(r"\| (T\d+) \|")
NAMED = re.compile(r"`(tests/[\w./-]+:\w+)`")


class Change:
    """One place in one file."""

    def __init__(self, path, line):
        self.path, self.line = path, line
        self.old, self.new = [], []


class Test:
    def __init__(self, found, line):
        release, self.path, self.name, by = found.groups()
        self.program = by or self.path
        self.release, self.line = bool(release), line

    def __str__(self):
        return "%s:%s" % (self.path, self.name)


class Mutant:
    def __init__(self, threat, words, file, line):
        self.threat, self.words = threat, words
        self.file, self.line = file, line
        self.changes, self.tests = [], []

    def title(self):
        return "%s %s" % (self.threat, self.words)


class Bad(Exception):
    def __init__(self, line, text):
        super().__init__(text)
        self.line = line


def first_line(line, file, n):
    found = THREAT.match(line)
    if not found:
        raise Bad(n, "an entry begins with its threat and words")
    return Mutant(found.group(1), found.group(2), file, n)


def next_line(mutant, line, n):
    """One line of an entry, behind its first."""
    if line.startswith("  "):
        mutant.words += " " + line.strip()
    elif line.startswith("@ "):
        mutant.changes.append(Change(line[2:], n))
    elif line[0] in "-+" and mutant.changes:
        change = mutant.changes[-1]
        (change.old if line[0] == "-" else change.new).append(line[1:])
    elif TEST.match(line):
        mutant.tests.append(Test(TEST.match(line), n))
    else:
        raise Bad(n, "neither @, -, + nor ! tests/FILE:NAME")


def parse(text, file):
    """The entries of one file."""
    entries, mutant = [], None
    for n, line in enumerate(text.splitlines(), 1):
        if not line:
            mutant = None
        elif line.startswith("#"):
            continue
        elif mutant is None:
            mutant = first_line(line, file, n)
            entries.append(mutant)
        else:
            next_line(mutant, line, n)
    for mutant in entries:
        if not mutant.tests or not mutant.changes or not all(
                change.old for change in mutant.changes):
            raise Bad(mutant.line, "it lacks a change or a test")
    return entries


def tables(root):
    folder = os.path.join(root, FOLDER)
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted("%s/%s" % (FOLDER, name) for name in names
                  if name.endswith(".txt"))


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", newline="") as f:
        return f.read()


def change_text(change, text):
    """The text with the change made; ValueError: it is not there once."""
    old = "\n".join(change.old)
    if text.count(old) != 1:
        raise ValueError("%d times in %s: %s" % (
            text.count(old), change.path, change.old[0].strip()))
    return text.replace(old, "\n".join(change.new))


def threats(page):
    """What SECURITY.md says: threat -> (line, row, tests it names)."""
    found = {}
    for n, line in enumerate(page.splitlines(), 1):
        row = ROW.match(line)
        if row:
            found[row.group(1)] = (n, line, set(NAMED.findall(line)))
    return found
