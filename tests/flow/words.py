#!/usr/bin/python3
"""What the programs say about themselves, and their manual pages.

Verbs, flags, configuration keys and exit statuses of cdopd stand in its
pages, and nothing else does.  cdop(1) has a test of its own,
tests/unit/client/man_test.c; here it is compared with bash completion.
"""
import glob
import os
import re
import subprocess

from libflow import CDOP, CDOPD, TOP, check, end, equal

FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+|(?<![\w-])-[fT]\b")
NOWHERE = "/nonexistent/cdopd.conf"
KEY = "server/offline_key.c"  # what opens a registry, of every verb
PEOPLE = "server/restore_people.c"


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def run(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=False)
    return done.returncode, done.stdout.decode()


def page_flags(page):
    """Every .Fl of a page: "Fl -key-file" is --key-file."""
    return {"-" + name for name in
            re.findall(r"\bFl (-?[A-Za-z][a-z-]*)", page)}


def section(page, name):
    return page.partition(".Sh %s\n" % name)[2].partition("\n.Sh ")[0]


def source_flags(*paths):
    """Flags that an argument is compared with."""
    return {flag for path in paths for flag in
            re.findall(r'strcmp\(\w+(?:\[\w+\])?, "(--?[\w-]+)"\)',
                       read(path))}


def verbs():
    code, said = run(CDOPD, "--help")
    equal("cdopd --help succeeds", code, 0)
    named = set(re.findall(r"^  cdopd ([a-z][a-z-]*) ", said, re.M))
    page = read("packaging/man/cdopd.8")
    on_page = set(re.findall(r"^\.Cm ([a-z-]+)$", section(page, "SYNOPSIS"),
                             re.M))
    equal("the verbs of cdopd(8) are those of the program", on_page, named)
    equal("each has a part of its own",
          set(re.findall(r"^\.Ss ([a-z-]+)$", page, re.M)), named)
    said += "".join(run(CDOPD, verb, "--help")[1]
                    for verb in ("run", "unseal", "check", "verify"))
    equal("the flags of cdopd(8) are those of the program",
          page_flags(page), set(FLAG.findall(said)) - {
              "--by", "--mode", "--profile",  # of those with an own page
              "--reason"})
    equal("each is explained",
          page_flags(section(page, "OPTIONS")), page_flags(page))
    for verb in sorted(named):
        code, said = run(CDOPD, verb, "--help")
        check("cdopd %s --help" % verb,
              code == 0 and said.startswith("usage: cdopd %s " % verb), said)
        code, said = run(CDOPD, verb, "--no-such-flag")
        equal("cdopd %s with a wrong flag" % verb, code, 64)


def own_page(verb, *sources):
    """A verb with a page of its own."""
    page = read("packaging/man/cdopd-%s.8" % verb)
    told = set(FLAG.findall(run(CDOPD, verb, "--help")[1])) | {"--help"}
    parsed = source_flags(*sources) | {"--help"}
    equal("cdopd %s --help names what it takes" % verb, told, parsed)
    equal("so does its page", page_flags(page) | {"--help"}, parsed)


def keys():
    page = read("packaging/man/cdopd.conf.5")
    example = read("packaging/examples/cdopd.conf")  # made by the program
    told = re.findall(r"^\.It Cm (\S+)\n((?:[^.].*\n)+)", page, re.M)
    blocks = example.strip().split("\n\n")[1:]
    wanted = []
    for block in blocks:
        lines = block.split("\n")
        name, _, default = lines[-1][1:].partition(" =")
        text, end_of = [], []
        for line in (line[2:] for line in lines[:-1]):
            bounds = re.fullmatch(r"\d+ to \d+", line)
            (end_of if bounds or line == "(r)" else text).append(line)
        default = "default " + (default.strip() or "none")
        end_of.insert(1 if end_of and end_of[0] != "(r)" else 0, default)
        tail = "; ".join(end_of).replace("(r)", "read again on SIGHUP")
        wanted.append((name, "%s. %s." % (" ".join(text), tail)))
    equal("cdopd.conf(5) has the keys of the program, in their order",
          [name for name, _ in told], [name for name, _ in wanted])
    for (name, text), (_, want) in zip(told, wanted):
        equal("what it says of %s" % name,
              " ".join(text.split()).lower(), want.lower())
    code, said = run(CDOPD, "-T", "-f",
                     os.path.join(TOP, "packaging/examples/cdopd.conf"))
    equal("cdopd -T prints each of them",
          [line.split(" =")[0] for line in said.splitlines()],
          [name for name, _ in wanted])


def statuses():
    on_page = {int(n) for n in re.findall(
        r"^\.It (\d+)$", section(read("packaging/man/cdopd.8"),
                                 "EXIT STATUS"), re.M)}
    defined = set()
    for path in glob.glob(os.path.join(TOP, "server/*.[ch]")) + glob.glob(
            os.path.join(TOP, "server/base/*.[ch]")):
        defined |= {int(n) for n in re.findall(
            r"^#define (?:CMD|CONTROL_EXIT|PARENT_EXIT|EXIT)_"
            r"[A-Z]+ +(\d+)\b", read(path), re.M)}
    equal("exit statuses of cdopd(8) are those of the program", on_page,
          defined)
    equal("no configuration", run(CDOPD, "run", "-f", NOWHERE)[0], 78)
    equal("no registry to verify",
          run(CDOPD, "verify", "/nonexistent", "--key-file", NOWHERE)[0], 78)
    equal("no verb of that name", run(CDOPD, "conjure")[0], 64)


def versions():
    defined = re.search(r'CDOP_VERSION "([^"]+)"',
                        read("include/cdop/version.h")).group(1)
    equal("cdopd --version", run(CDOPD, "--version"),
          (0, "cdopd %s\n" % defined))
    equal("cdop version", run(CDOP, "version"), (0, "cdop %s\n" % defined))
    heading = re.search(r"^\.TH CDOP 1 .*$", read("packaging/man/cdop.1"),
                        re.M).group(0)
    check("cdop(1) is of this version", '"cdop %s"' % defined in heading,
          heading)


def completed(*words):
    """What completion offers for the last of these words."""
    script = ('. "$0"; COMP_WORDS=(cdop "$@"); COMP_CWORD=$#; _cdop cdop; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    path = os.path.join(TOP, "packaging/completions/cdop")
    done = subprocess.run(
        ["bash", "-c", script, path, *words], check=False, timeout=60,
        stdout=subprocess.PIPE, env=dict(
            os.environ, PATH=os.path.dirname(CDOP) + ":" + os.environ["PATH"]))
    return set(done.stdout.decode().split())


def completion():
    page = read("packaging/man/cdop.1").replace("\\-", "-")
    commands = page.partition("\n.SH COMMANDS\n")[2].partition("\n.SH ")[0]
    found = re.findall(r"^\.B cdop ([a-z-]+)(?: ([a-z-]+))?(?= \\f|$)",
                       commands, re.M)
    first = {one for one, _ in found}
    equal("completion offers the commands of cdop(1)", completed(""), first)
    bodies = re.split(r"^\.B cdop ", commands, flags=re.M)[1:]
    everywhere = set(re.findall(
        r"^\.B (--?[a-z-]+)", page.partition("\n.SH OPTIONS\n")[2]
        .partition("\n.SH ")[0], re.M))
    for (one, two), body in zip(found, bodies):
        words = [one, two] if two else [one]
        options = set(re.findall(r"^\.B (--[a-z-]+)", body, re.M))
        equal("and the options of cdop %s" % " ".join(words),
              completed(*words, "-"), options | everywhere)


def main():
    verbs()
    own_page("init", "server/init_args.c")
    own_page("recover-people", "server/cmd_recover.c", KEY)
    own_page("accept-rollback", "server/cmd_accept.c", PEOPLE, KEY)
    own_page("slot", "server/cmd_slot.c", "server/slot_make.c", KEY)
    own_page("renew-root", "server/cmd_renew.c", "server/slot_make.c", KEY)
    own_page("restore", "server/cmd_restore.c", PEOPLE, KEY)
    keys()
    statuses()
    versions()
    completion()
    end()


main()
