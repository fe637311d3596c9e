#!/usr/bin/python3
"""The commonest slips at the prompt: each is told by its name, with what is
next, and nothing is asked for or made before."""
import hashlib
import os
import subprocess

from libflow import (AUTH, CDOP, CDOPD, FORBIDDEN, INVALID, NOT_FOUND, OK,
                     PROFILE, SECOND, STOPPED, TMP, USAGE, Person, Registry,
                     check, end, equal, profile_with, scene)
import libsynthetic
import libtype

NEVER = os.path.join(TMP, "never")


def cdopd(*args, **how):
    how.setdefault("stdout", subprocess.PIPE)
    done = subprocess.run([CDOPD, *args], stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, timeout=60, check=False,
                          **how)
    return done.returncode, (done.stdout or b"").decode() + \
        done.stderr.decode()


def wrong_words(data):
    """Each kind of wrong word is told as what it is."""
    for args, words in (
            (["verify", data, "--keyfile", "x"],
             "verify: no such option: --keyfile"),
            (["verify", data, "--key-file"],
             "verify: --key-file wants a value"),
            (["verify", data, data], "verify: a word too many: " + data),
            (["slot", "add", data, "--by", "x", "--new-shares", "3"],
             "slot: --new-shares cannot be 3"),
            (["slot", "remove", data, "--slot", "two"],
             "slot: --slot cannot be two"),
            (["slot", "list", data, "x"], "slot: a word too many: x"),
            (["slot", "test", data, "--slot", "1"],
             "slot: no such option: --slot\nusage: cdopd slot test DIR ["),
            (["slot", "remove", data, "--slot", "1", "--label", "x"],
             "slot: no such option: --label"),
            (["recover-people", data, "--by", "A", "--by", "B", "--by", "C"],
             "recover-people: --by cannot be C, or stands too often"),
            (["restore", "a", "b", "c"], "restore: a word too many: c"),
            (["accept-rollback", data, "--why", "x"],
             "accept-rollback: no such option: --why"),
            (["renew-root", data, "--out"], "renew-root: --out wants a value"),
            (["unseal", "--key-file"], "unseal: --key-file wants a value"),
            (["unseal", "--passphrase", "x"],
             "unseal: no such option: --passphrase"),
            (["run", "-f"], "run: -f wants a value"),
            (["run", "x.conf"], "run: a word too many: x.conf\n"
             "cdopd: a configuration is named with -f FILE"),
            (["check", "--jsn"], "check: no such option: --jsn"),
            (["conjure"], "conjure: no such verb")):
        code, said = cdopd(*args)
        check("cdopd %s" % " ".join(args[:3]), code == 64 and words in said,
              (code, said))


def help_is_help():
    _, whole = cdopd("--help")
    for args in ["-h"], ["help"]:
        equal("cdopd %s is its help" % " ".join(args), cdopd(*args),
              (0, whole))
    for verb in "conjure", "gate":
        equal("there is no help on " + verb, cdopd("help", verb),
              (64, "cdopd: %s: no such verb; see cdopd --help\n" % verb))
    for args in ["help", "slot"], ["--help", "slot"]:
        equal("cdopd %s is that of the verb" % " ".join(args), cdopd(*args),
              cdopd("slot", "--help"))


def answers_that_nobody_has(registry):
    for args in (["--version"], ["--help"], ["-T", "-f", registry.conf],
                 ["verify", "--help"],
                 ["verify", registry.data, "--key-file", registry.key]):
        with open("/dev/full", "wb") as full:
            code, said = cdopd(*args, stdout=full)
        check("on a full disk cdopd %s is no success" % args[0], code == 1 and
              "cannot be written to standard output" in said, (code, said))


def init(profile, data, *more):
    return cdopd("init", data, "--mode", "training", "--profile", profile,
                 "--slot", "keyfile:" + NEVER + ".key", "--slot",
                 "passphrase", "--address", "a:1", "--degraded",
                 "--out", NEVER + ".out", *more)


def init_asks_for_nothing_in_vain(registry):
    """What cannot be made is refused before words and passphrases."""
    bad = os.path.join(TMP, "bad.conf")
    with open(PROFILE, encoding="utf-8") as f:
        text = f.read()
    with open(bad, "w", encoding="utf-8") as f:
        f.write(text + "\n[conjure x]\n")
    line = text.count("\n") + 2
    for profile, data, words in (
            (bad, NEVER, "%s: line %d: " % (bad, line)),
            ("/dev/null", NEVER, "/dev/null: empty"),
            (PROFILE, registry.data, "there is a registry already")):
        code, said = init(profile, data)
        check("init: " + words, code == 1 and words in said and
              "understand" not in said and "key file" not in said,
              (code, said))
    check("and makes nothing", not any(os.path.exists(NEVER + end_of)
                                       for end_of in ("", ".key", ".out")))


def editors(registry):
    """What editors of another system leave in a file is passed over."""
    other = os.path.join(TMP, "other.conf")
    with open(registry.conf, "rb") as f:
        text = f.read()
    plain = cdopd("-T", "-f", registry.conf)
    for name, bytes_of in (("a mark", b"\xef\xbb\xbf" + text),
                           ("their lines", text.replace(b"\n", b"\r\n"))):
        with open(other, "wb") as f:
            f.write(bytes_of)
        equal("a configuration with " + name, cdopd("-T", "-f", other), plain)


def one_name(registry, cora):
    """Two areas of one name: neither is taken for the other."""
    path = profile_with("one-name.conf", "\nname = Sefton\n",
                        "\nname = ISLE OF MAN\n")
    registry.ada.must("profile", "apply", path, "--yes", "--reason", "x",
                      code=SECOND)
    registry.bob.approve()
    done = cora.cdop("case", "list", "--area", "Isle of Man")
    check("a name that two areas have", done.code == USAGE and
          "more than one area is called so\nnext: by its id: sefton, isle-of-man"
          in done.err, done)
    cora.must("case", "list", "--area", "sefton")


def areas(ada, cora, reference):
    """By name or by id; what is neither is told with those that there are."""
    listed = cora.must("case", "list", "--area", "knowsley").out
    check("one case is Knowsley's", reference in listed, listed)
    for typed in ("Knowsley", "KNOWSLEY", " knowsley "):
        equal("an area called %r" % typed, cora.must(
            "case", "list", "--area", typed).out, listed)
    for typed, words in (("Know", "the nearest is: knowsley"),
                         ("Kn", "knowsley, liverpool, sefton, "),
                         ("Ambridge", "knowsley, liverpool, sefton, "),
                         ("", "knowsley, liverpool, sefton, ")):
        done = cora.cdop("case", "list", "--area", typed)
        check("no area is called %r" % typed, done.code == USAGE and
              "not an area of this panel\nnext: " + words in done.err, done)
    done = cora.cdop("case", "list", "--area", "ambridge")
    check("what may be an id is the registry's to know",
          done.code == INVALID and "cdop profile show" in done.err, done)
    cora.must("case", "show", reference)
    cora.must("case", "interest", reference, "Isle of Man", "--reason", "x")
    cora.must("case", "show", reference)
    done = cora.cdop("case", "owner", reference, "Nowhere")
    check("nobody is asked for the reason of what cannot be",
          "not an area" in done.err, done)
    cora.must("case", "owner", reference, "Sefton", "--reason", "x")
    cora.must("case", "show", reference)
    shown = cora.must("case", "show", reference).out
    check("it is Sefton's", "owner: Sefton" in shown, shown)
    out = os.path.join(TMP, "two.txt")
    ada.must("people", "invite", "--name", "Tess", "--role", "partner",
             "--area", "Wirral", "--area", "St Helens", "--out", out)
    people = ada.must("people", "list").out
    check("an invitation has ids", "st-helens" in people and
          "wirral" in people, people)
    check("keys have the names of areas", "St Helens" in ada.must(
        "key", "status").out)
    done = ada.cdop("key", "rotate", "--area", "Wirrall", "--reason", "x",
                    "--json")
    check("so has a turn of keys", done.code == USAGE and
          "not an area" in done.err, done)


def words_of_commands(cora, reference):
    """What was meant is named, where it can be known."""
    for args, words in (
            (["case", "find", "--family", "x"],
             "no such option: --family (the nearest is: --family-name)"),
            (["case", "find", "--famly-name", "x"],
             "no such option: --famly-name (the nearest is: --family-name)"),
            (["case", "list", "--jsn"],
             "no such option: --jsn (the nearest is: --json)"),
            (["case", "list", "--JSON"], "(the nearest is: --json)"),
            (["case", "list", "--yes"],
             "no such option: --yes\nnext: cdop case list --help"),
            (["case", "--json"], "there is no command behind case"),
            (["--json"], "there is no command\""),
            (["case", "list", "--since", "2/1/2026", "--until", "1/1/2026"],
             "--until is before --since"),
            (["case", "find", "--conjure", "x"],
             "no such option: --conjure\nnext: cdop case find --help"),
            (["case", "find", "--" + "x" * 80],
             "x\nnext: cdop case find --help"),
            (["show", "case", reference], "no such command: show\nnext: "
             "cdop case show, cdop certificate show, "),
            (["conjure"], "no such command: conjure\nnext: cdop help"),
            (["cas", "list"],
             "no such command: cas list (the nearest is: cdop case list)"),
            (["case", "sho"],
             "no such command: case sho (the nearest is: cdop case show)"),
            (["notfy", "3"],
             "no such command: notfy (the nearest is: cdop notify)"),
            (["case", "conjure"],
             "no such command: case conjure\nnext: cdop case"),
            (["retry", "--list", "--drop", "1"], "one of these at a time: "),
            (["retry", "--again", "abcdef", "--drop", "1"],
             "one of these at a time: "),
            (["notify", "--resume", "--like", reference],
             "a draft goes on as it is"),
            (["notify", "--from", "-", "--set", "child.sex=1"],
             "--set is for one notification, not for a file of rows\n"
             "next: the column of that path"),
            (["notify", "--from", "-", "--resume"],
             "--resume is for one notification, not for a file of rows"),
            (["case", "show"] + reference.split("-"),
             "next: a reference is one word: K7M4-QX2Q"),
            (["status", "now"], "a word too many: now\n"
             "next: cdop status --help"),
            (["case", "responsible", reference, "Cora", "--reason", "x"],
             "PERSON: a number is wanted\nnext: cdop case history"),
            (["status", "--timeout", "x"],
             "--timeout: a number up to 60 is wanted")):
        done = cora.cdop(*args)
        check("cdop %s" % " ".join(args)[:40], done.code == USAGE and
              words in done.err, done)


def asked_in_vain(who, words, *args):
    """Nobody types a reason for what is refused in any case."""
    code, shown = libtype.run([CDOP, *args], {"Reason": ["a reason"]},
                              env=dict(who.env(), TERM="dumb"))
    check("before any question: cdop %s" % " ".join(args)[:40],
          code in (USAGE, NOT_FOUND) and words in shown and
          "Reason" not in shown and "assphrase" not in shown, (code, shown))


def nobody_is_asked_in_vain(ada, cora, reference):
    none = os.path.join(TMP, "none")
    cora.must("case", "show", reference, "--notifications")
    for who, words, *args in (
            (cora, "--set: there is no field sex", "case", "amend", reference,
             "--set", "sex=1"),
            (cora, "--set wants path=value", "case", "correct", reference, "1",
             "--set", "child.sex"),
            (cora, none + " cannot be read: No such file", "case", "amend",
             reference, "--from", none),
            (cora, none + " cannot be read: No such file", "notify", "--from",
             none),
            (cora, "--owner is for one notification", "notify", "--from",
             none, "--owner", "wirral"),
            (cora, "--set: there is no field x", "notify", "--set", "x=1"),
            (cora, "PERSON: a number is wanted", "case", "responsible",
             reference, "Cora"),
            (cora, "no such role: king", "whoami", "--as", "king"),
            (ada, "no such role: king", "people", "change", "2", "--role",
             "king"),
            (ada, none + " cannot be read: No such file", "profile", "apply",
             none),
            (ada, "next: cdop profile show", "profile", "show",
             "--profile-version", "99")):
        asked_in_vain(who, words, *args)


def half_said(ada, cora, reference):
    """What says nothing, or two things, is no request."""
    empty, book = os.path.join(TMP, "empty"), os.path.join(TMP, "book.csv")
    with open(empty, "wb"):
        pass
    with open(book, "wb") as f:
        f.write(b"PK\3\4" + bytes(60))
    for who, words, *args in (
            (ada, "nothing is to be changed", "people", "change", "3",
             "--reason", "x"),
            (ada, "one of these: --area AREA, or --all-areas", "people",
             "change", "3", "--area", "wirral", "--all-areas", "--reason",
             "x"),
            (cora, "--limit: one at least", "case", "list", "--limit", "0"),
            (cora, "--limit: one at least", "audit", "by", "3", "--limit",
             "0"),
            (cora, "--until is before --since", "audit", "by", "3", "--since",
             "2/1/2026", "--until", "1/1/2026"),
            (cora, "--until: there was no registry before 1970", "audit",
             "by", "3", "--since", "1/1/1926", "--until", "2/1/1926"),
            (ada, "a further device has the roles", "people", "invite",
             "--device-for", "3", "--role", "auditor", "--label", "x",
             "--out", os.path.join(TMP, "device.txt")),
            (cora, "in the file of --from, or on the command line", "case",
             "find", "--from", "-", "--nhs-number", "9990000018"),
            (cora, "--set: child.sex stands twice", "case", "amend",
             reference, "--set", "child.sex=1", "--set", "child.sex=2",
             "--reason", "x", "--source", "y"),
            (cora, "child.sex is given and cleared", "case", "amend",
             reference, "--set", "child.sex=1", "--clear", "child.sex",
             "--reason", "x", "--source", "y", "--seen", "1"),
            (cora, "one of these: --known, or --remove", "case", "interest",
             reference, "sefton", "--known", "--remove", "--reason", "x"),
            (ada, "say the NUMBER of what", "approve", "--decline"),
            (ada, "--device: they are numbered from 1", "people", "suspend",
             "3", "--device", "0", "--reason", "x"),
            (cora, "DRAFT: they are numbered from 1\nnext: cdop retry --list",
             "notify", "--resume", "0"),
            (cora, "PERSON: they are numbered from 1", "case", "responsible",
             reference, "0", "--reason", "x"),
            (ada, "the person's number (typed again) is missing", "people",
             "revoke", "3", "--reason", "x"),
            (cora, empty + " is empty", "audit", "compare", empty),
            (cora, TMP + " cannot be read: Is a directory", "audit",
             "compare", TMP),
            (cora, 'save it as "CSV UTF-8"', "notify", "--from", book)):
        done = who.cdop(*args)
        check(words, done.code == USAGE and words in done.err, done)
    done = ada.cdop("people", "suspend", str(cora.person), "--confirm", "99",
                    "--reason", "x")
    check("a number that is said again is the same one",
          done.code == STOPPED and "that is another number" in done.err and
          cora.cdop("whoami").code == OK, done)
    done = ada.cdop("people", "invite", "--name", "", "--role", "auditor",
                    "--out", os.path.join(TMP, "nobody.txt"))
    check("what is refused of a person says of what", done.code == INVALID and
          "cdop: name: is needed" in done.err, done)
    done = ada.cdop("people", "invite", "--name", "X", "--role", "auditor",
                    "--from", "2/1/2020", "--until", "1/1/2020",
                    "--out", os.path.join(TMP, "nobody.txt"))
    check("and of a day that was typed by its option", done.code == INVALID
          and "cdop: roles: the last day is before the first" in done.err
          and "  --until: the last day" in done.err, done)
    path = os.path.join(TMP, "accent.txt")
    ada.must("people", "invite", "--name", "Zo", "--role", "auditor",
             "--out", path)
    with open(path + ".pass", "w", encoding="utf-8") as f:
        f.write("four words at a cafe\u0301\n")
    os.chmod(path + ".pass", 0o600)
    done = cora.must("enrol", path, "--context", "accent", "--label", "x",
                     "--passphrase-file", path + ".pass")
    check("a passphrase that another keyboard may send otherwise is said",
          "beyond ASCII" in done.err and "cafe" not in done.err, done)
    with open(path + ".pass", "w", encoding="utf-8") as f:
        f.write("four words at a caf\u00e9\n")
    done = cora.cdop("whoami", "--context", "accent", "--passphrase-file",
                     path + ".pass")
    check("and where it does not open, as from such a keyboard",
          done.code == AUTH and "beyond ASCII" in done.err and
          "passphrase is wrong" in done.err, done)
    cora.must("context", "use", "training")
    cora.must("case", "show", reference)
    words = ["case", "correct", reference, "7", "--set", "child.sex=1",
             "--reason", "x"]
    done = cora.cdop(*words)
    check("it is the notification that was not shown", done.code == USAGE and
          "notification 7 of " + reference in done.err and
          "--notification 7, then" in done.err, done)
    equal("and what it says next tells that there is none", cora.cdop(
        "case", "show", reference, "--notification", "7").code, NOT_FOUND)
    done = cora.cdop("case", "responsible", reference, "99", "--reason", "x")
    check("a coordinator is sent to no list that is not hers", done.code ==
          INVALID and "next: cdop case history" in done.err, done)
    cora.must("case", "erase", reference, "--reason", "court_order", "--yes",
              code=SECOND)
    number = cora.must("approve", "--json").lines()[0]["number"]
    code, shown = libtype.run([CDOP, "approve", number], {},
                              env=dict(cora.env(), TERM="dumb"))
    check("nobody is asked for a yes that does not count",
          code == FORBIDDEN and "it is not yours to approve" in shown and
          "Approve exactly" not in shown, (code, shown))


def answers_of_cdop(cora):
    """Why it could not be written, not what failed last."""
    for args in (["profile", "show"], ["case", "list"], ["help"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([CDOP, *args], env=cora.env(), stdout=full,
                                  stdin=subprocess.DEVNULL, timeout=60,
                                  stderr=subprocess.PIPE, check=False)
        check("on a full disk cdop %s" % args[0], done.returncode == 1 and
              b"output: No space left on device" in done.stderr, done)


def shown_and_typed(registry, cora):
    """A purpose is named by its code, or as the log and the prompt show it."""
    cora.must("case", "list", "--purpose", "Living child at risk")
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    equal("the log has its code", audrey.must(
        "audit", "list", "--person", str(cora.person), "--limit", "1",
        "--purpose", "Audit", "--json").lines()[0]["purpose"]["code"],
        "living_child")


def read_in_part(cora):
    """A reader that has enough is no failure, and nothing is said of it."""
    for words in ["case list", "case list --json", "help", "profile show"]:
        # The shell waits for true, so nobody reads what comes.
        done = subprocess.run(
            ["bash", "-c", "set -o pipefail; { sleep 0.2; %s %s; } | true" %
             (CDOP, words)], env=cora.env(), stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, timeout=60, check=False)
        check("cdop %s, read in part" % words, done.returncode == 0 and
              b"cannot be written" not in done.stderr, done)


def at_the_prompt():
    registry, cora = scene(name="serving")
    path = os.path.join(TMP, "one.csv")
    libsynthetic.save(path, libsynthetic.rows(1))
    equal("a child of Knowsley", cora.cdop("notify", "--from", path).code, OK)
    reference = cora.must("case", "list", "--json").lines()[0]["reference"]
    areas(registry.ada, cora, reference)
    words_of_commands(cora, reference)
    nobody_is_asked_in_vain(registry.ada, cora, reference)
    half_said(registry.ada, cora, reference)
    answers_of_cdop(cora)
    read_in_part(cora)
    shown_and_typed(registry, cora)
    one_name(registry, cora)


def clock_of_the_computer(registry):
    """It may be what is wrong, and then another invitation is no help."""
    with open(os.path.join(registry.out, "invitation-1.txt"), "rb") as f:
        lines = f.read().splitlines(keepends=True)[:-1]
    text = b"".join(b"expires 1000000000000\n" if line.startswith(b"expires ")
                    else line for line in lines)
    check_line = hashlib.blake2b(text, digest_size=32).hexdigest()[:16]
    path = os.path.join(TMP, "ended.txt")
    with open(path, "wb") as f:
        f.write(text + b"check %s\n" % check_line.encode())
    done = Person("late", registry).cdop("enrol", path, "--no-passphrase")
    check("an invitation that has ended says by which clock, and when",
          done.code == AUTH and "by this computer's clock" in done.err and
          "9 Sep 2001" in done.err and "is the clock" in done.err, done)


def nothing_to_work_in():
    """Less memory than any command takes, and more than its libraries do."""
    done = subprocess.run(
        ["sh", "-c", 'ulimit -v 65536; exec "$0" status', CDOP],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, timeout=60, check=False)
    equal("what has no memory says so", (done.returncode, done.stderr),
          (1, b"cdop: not enough memory\n"))


def main():
    nothing_to_work_in()
    registry = Registry()
    registry.init()
    clock_of_the_computer(registry)
    wrong_words(registry.data)
    help_is_help()
    answers_that_nobody_has(registry)
    init_asks_for_nothing_in_vain(registry)
    editors(registry)
    at_the_prompt()
    end()


main()
