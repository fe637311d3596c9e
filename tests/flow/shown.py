#!/usr/bin/python3
"""Commands that the papers show.

Each command line of the programs, and each make line, in README.md and in
the manual pages, is one that they would take: there are the verb and its
flags, by the program's own help.  Each reference of a case that they, the
help and the headers show is one that there can be.
"""
import functools
import glob
import os
import re
import shlex
import subprocess

from libflow import CDOP, CDOPD, TOP, check, end, equal

WORD = re.compile(r"[a-z][a-z-]*$")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+|(?<![\w-])-[fT]\b")
START = re.compile(r"(?:^|-- )((?:cdopd?|make)(?: .*|$))")


SYMBOLS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE = re.compile(r"(?<![\w-])(?:T-)?[%s]{4}-[%s]{4}(?![\w-])" %
                       (SYMBOLS, SYMBOLS))


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


@functools.lru_cache(maxsize=None)
def run(*argv):
    done = subprocess.run(argv, timeout=60, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.DEVNULL)
    return done.stdout.decode()


@functools.lru_cache(maxsize=None)
def table():
    """The commands of cdop, each with its flags; those of all under ""."""
    flags = {"": {"--help", "--version", "--exit-codes"}}
    for line in run(CDOP, "help", "--list").splitlines():
        kind, *cell = line.split("\t")
        if kind == "global":
            flags[""].add(cell[0])
        elif kind == "command":
            flags[cell[0]] = set()
        else:
            flags[cell[0]].add(cell[1])
    return flags


def of_cdop(words):
    """Flags of the command that these words begin with; None: there is none.

    A noun alone ("cdop certificate") prints its verbs.
    """
    commands = table()
    for command in (" ".join(words[:n]) for n in (2, 1, 0)):
        if command in commands and (command or not words):
            return commands[command] | commands[""]
    nouns = {command.partition(" ")[0] for command in commands}
    return commands[""] if words[0] in nouns and not words[1:] else None


def of_cdopd(words):
    """Likewise, by the usage of a verb; slot has a usage a verb below it."""
    usage = run(CDOPD, *words[:1], "--help")
    if words[:1] == ["slot"] and len(words) > 1:
        parts = re.split(r"\bcdopd slot (?=[a-z])", usage)[1:]
        usage = "".join(part for part in parts
                        if part.startswith(words[1] + " "))
    return set(FLAG.findall(usage)) | {"--help"} if usage else None


def of_make(argv):
    """What is wrong with the target, or with a variable that it is told."""
    makefile = read("Makefile")
    for word in argv:
        name, is_variable, _ = word.partition("=")
        where = r"\$[({]%s[)}]|\b%s\b *[:?]?=" if is_variable else \
            r"^%s\b[^:=\n]*:(?!=)"
        if not re.search(where.replace("%s", re.escape(name)), makefile,
                         re.M):
            return "make has no %s" % name
    return None


def fault(line):
    """What is wrong with a command line, or None."""
    try:
        program, *argv = shlex.split(line, comments=True)
    except ValueError as err:
        return str(err)
    if program == "make":
        return of_make(argv)
    words = []
    for word in argv:
        if not WORD.match(word):
            break
        words.append(word)
    flags = (of_cdop if program == "cdop" else of_cdopd)(words)
    if flags is None:
        return "%s has no such verb" % program
    wrong = {word.partition("=")[0] for word in argv
             if re.match(r"--?[A-Za-z]", word)} - flags
    return "no flag %s" % ", ".join(sorted(wrong)) if wrong else None


def of_paper(path):
    """The code blocks of a paper, and what stands between backticks."""
    text = read(path)
    block = re.sub(r"\\\n +", "", "\n".join(re.findall(r"^    (.*)$", text,
                                                       re.M)))
    inline = (" ".join(one.split()) for one in
              re.findall(r"`([^`]+)`", text))
    return [said.group(1) for line in [*block.splitlines(), *inline]
            for said in [START.search(line)] if said]


def of_page(path):
    """Examples of a page, and the commands that it names."""
    text = read(path).replace("\\-", "-").replace("\\(dq", "''")
    text = re.sub(r'^\.Dl "(.*)"$', r".Dl \1", text, flags=re.M)
    text = re.sub(r"\\e\n\.Dl +", "", text).replace("''", '"')
    found = re.findall(r"^(?:\.(?:Dl|Ic|B) )?(cdopd? .*?)(?: [.,;:])?$",
                       text, re.M)
    return [re.sub(r"\b(?:Ar|Fl|Op|Ns|No) |\\f[IRBP]", "", line).strip()
            for line in found]


def is_reference(text):
    """As include/cdop/reference.h has it."""
    mode = 2 if text.startswith("T-") else 1
    eight = text.replace("-", "")[-8:]
    return sum(3 ** i * SYMBOLS.index(one)
               for i, one in enumerate(eight)) % 31 == mode


def references(paths):
    n = 0
    for path in paths:
        found = REFERENCE.findall(read(path).replace("\\-", "-"))
        wrong = sorted({text for text in found if not is_reference(text)})
        n += len(found)
        if wrong:
            equal("references in " + path, wrong, [])
    check("references that are shown have the right check symbol", n > 30, n)
    for text, right in (("K7M4-QX2Q", True), ("T-K7M4-QX23", True),
                        ("K7M4-QX2R", False), ("K7M4-QX23", False),
                        ("T-K7M4-QX2Q", False)):
        equal("%s is a reference" % text, is_reference(text), right)


def sources(*patterns):
    return sorted(os.path.relpath(path, TOP) for pattern in patterns
                  for path in glob.glob(os.path.join(TOP, pattern)))


def main():
    references(["README.md", "SECURITY.md", "server/DESIGN.md",
                *sources("proto/*.md", "proto/*.proto", "packaging/man/*",
                         "client/*.[ch]", "include/cdop/*.h",
                         "server/adr/*.md")])
    shown = of_paper("README.md")
    check("README.md shows commands", len(shown) > 40, len(shown))
    for path in ("SECURITY.md", "server/DESIGN.md", "proto/PROTOCOL.md"):
        shown += of_paper(path)
    for page in sorted(glob.glob(os.path.join(TOP, "packaging/man/*"))):
        shown += of_page(os.path.relpath(page, TOP))
    for line in sorted(set(shown)):
        wrong = fault(line)
        check(line, wrong is None, wrong)
    for line, wrong in (
            ("cdop key conjure", "cdop has no such verb"),
            ("cdop key status --conjure", "no flag --conjure"),
            ("cdopd conjure", "cdopd has no such verb"),
            ("cdopd slot conjure DIR", "cdopd has no such verb"),
            ("cdopd slot list DIR --holder", "no flag --holder"),
            ("make conjure", "make has no conjure"),
            ("make fuzz CONJURE=1", "make has no CONJURE")):
        equal("one that is wrong: " + line, fault(line), wrong)
    end()


main()
