#!/usr/bin/python3
"""The commonest slips at the prompt: each is told by its name, with what is
next, and nothing is asked for or made before."""
import os
import subprocess

from libflow import CDOPD, PROFILE, TMP, Registry, check, end, equal

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
    for args in ["-h"], ["help"], ["help", "conjure"]:
        equal("cdopd %s is its help" % " ".join(args), cdopd(*args),
              (0, whole))
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


def main():
    registry = Registry()
    registry.init()
    wrong_words(registry.data)
    help_is_help()
    answers_that_nobody_has(registry)
    init_asks_for_nothing_in_vain(registry)
    editors(registry)
    end()


main()
