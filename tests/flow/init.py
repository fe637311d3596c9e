#!/usr/bin/python3
"""cdopd init: what it refuses, that it leaves nothing half made, what it
writes (RECORDS M20)."""
import os
import shutil
import stat
import subprocess

from libflow import (CDOPD, PASSPHRASE, PROFILE, TMP, cdopd, check, end, equal,
                     wait_for)

DIR = os.path.join(TMP, "data")
OUT = os.path.join(TMP, "out")
KEY = os.path.join(TMP, "key")
PASS = os.path.join(TMP, "passphrase")


def init(*more, without=(), stdin=b""):
    options = {"--mode": "training", "--profile": PROFILE,
               "--slot": "keyfile:" + KEY, "--passphrase-file": PASS,
               "--kdf-memory": "8", "--kdf-passes": "1",
               "--address": "unix:/nowhere/link.sock", "--out": OUT,
               "--confirm": "I understand"}
    argv = ["init", DIR, "--slot", "passphrase"]
    for name, value in options.items():
        if name not in without:
            argv += [name, value]
    return cdopd(*argv, *more, stdin=stdin)


def nothing_left(name):
    files = sum((len(f) for _, _, f in os.walk(OUT)), 0)
    check(name + " leaves nothing",
          not os.path.exists(DIR) and not os.path.exists(KEY) and not files,
          os.listdir(TMP))


def refused(name, wanted, *more, **how):
    code, said = init(*more, **how)
    equal("%s is refused" % name, code, wanted)
    nothing_left(name)
    return said


def two_at_once():
    """One waits for its passphrase while another makes the registry."""
    slow = subprocess.Popen(
        [CDOPD, "init", DIR, "--slot", "passphrase", "--mode", "training",
         "--profile", PROFILE, "--slot", "keyfile:" + KEY, "--kdf-memory",
         "8", "--kdf-passes", "1", "--address", "unix:/nowhere/link.sock",
         "--out", os.path.join(TMP, "slow"), "--confirm", "I understand",
         "--degraded", "--passphrase-stdin"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # Its name alone is no key yet.
    wait_for(lambda: os.path.exists(KEY) and os.path.getsize(KEY) == 32)
    code, said = init("--degraded")
    check("one is made while another waits for its passphrase", code == 0,
          said)
    said = slow.communicate(b"another passphrase\n", timeout=60)[0]
    check("the other one is refused", slow.returncode == 1 and
          b"already" in said, said)
    check("and takes nothing with it", os.path.exists(KEY) and
          os.path.exists(os.path.join(DIR, "data.mdb")), os.listdir(TMP))
    for path in DIR, OUT:
        shutil.rmtree(path)
    os.unlink(KEY)


def in_no_directory():
    """A file of that name is no registry."""
    with open(DIR, "wb"):
        pass
    code, said = init("--degraded")
    check("a file is no directory for one", code == 1 and
          "has to be a directory of mode 0700" in said, said)
    os.unlink(DIR)
    nothing_left("that")


def verify():
    equal("and fine", cdopd("verify", DIR, "--key-file", KEY)[0], 0)
    code, said = cdopd("verify", DIR, "--passphrase-file", PASS)
    check("through the other slot, too", code == 0 and said.endswith("fine\n"),
          said)
    code, said = cdopd("verify", DIR, start_new_session=True)
    check("no terminal is not called in use", code == 1 and
          "no terminal" in said and "in use" not in said, said)
    code, said = cdopd("verify", DIR, "--key-file", KEY + "-gone")
    check("a key file that is not there is named", code == 1 and
          KEY + "-gone: No such file" in said and
          "no registry" not in said, said)
    empty = os.path.join(TMP, "empty")
    os.mkdir(empty, 0o700)
    code, said = cdopd("verify", empty, "--key-file", KEY)
    check("nor is a folder that holds none a matter of keys", code != 0 and
          "no registry there" in said and "key" not in said, said)
    code, said = cdopd("verify", DIR, "--keyfile", KEY)
    check("which word was wrong is said", code == 64 and
          "verify: no such option: --keyfile" in said, said)
    with open(os.path.join(TMP, "out", "cdop-recovery.txt"),
              encoding="utf-8") as f:
        said = f.read()
    check("the sheet says how a backup is restored",
          "cdopd restore FILE NEW-DIR" in said, said)
    for argv in (["verify", DIR], ["recover-people", DIR],
                 ["accept-rollback", DIR], ["init", DIR]):
        code, said = cdopd(*argv, "--help")
        check("cdopd %s DIR --help" % argv[0], code == 0 and
              said.startswith("usage: cdopd %s " % argv[0]), said)
    for verb, needs in (("verify", "DIR or FILE is needed"),
                        ("recover-people", "DIR is needed"),
                        ("restore", "FILE and DIR are needed")):
        code, said = cdopd(verb)
        check("cdopd %s alone says what it wants" % verb, code == 64 and
              said.startswith("cdopd: %s: %s\nusage: " % (verb, needs)), said)


def cut_off():
    """A key file that one left who was killed opens nothing."""
    with open(KEY, "wb") as f:
        f.write(b"short")
    code, said = init("--degraded")
    check("half a key file is no key file", code == 1 and
          "no whole key file" in said and not os.path.exists(DIR), said)
    os.remove(KEY)


def for_the_daemon():
    """By root, in the directory of the user that the daemon runs as."""
    if os.geteuid() != 0:
        print("skip what root makes for another: this is not root")
        return
    os.mkdir(DIR, 0o700)
    os.chown(DIR, 65534, 65534)
    code, said = init("--degraded")
    equal("root makes one for another user", code, 0)
    for path in KEY, os.path.join(DIR, "data.mdb"):
        equal("whose is " + os.path.basename(path),
              os.stat(path).st_uid, 65534)
    for path in DIR, OUT:
        shutil.rmtree(path)
    os.remove(KEY)


def main():
    with open(PASS, "w", encoding="ascii") as f:
        f.write(PASSPHRASE + "\n")
    in_no_directory()
    refused("one slot", 64, without=("--slot",))
    refused("no mode", 64, without=("--mode",))
    for address in ("nowhere", "host:0", "host:99999", "two words:4433",
                    "unix:relative", "::1:4433", ""):
        said = refused("address %r" % address, 64, "--address", address)
        check("before anything is made", "--address" in said, said)
    said = refused("a mode that there is not", 64, "--mode", "foo",
                   without=("--mode",))
    check("and it says which there are", "--mode: live or training" in said,
          said)
    check("an option without its value is told so", "--out needs a value" in
          refused("no value", 64, "--out", without=("--out",)))
    check("and one that there is not", "--foo: no such option" in
          refused("no option", 64, "--foo"))
    said = refused("no confirmation", 1, "--degraded",
                   without=("--confirm",), stdin=b"yes\n")
    check("and it says in words what is at stake", "lost for ever" in said)
    said = refused("a key file beside the data", 1)
    check("and it says why", "whoever takes the disk has both" in said)
    broken = os.path.join(TMP, "broken.conf")
    with open(broken, "w", encoding="ascii") as f:
        f.write("cdop-profile 1\n[panel]\nnonsense = 1\n")
    with open(PROFILE, encoding="utf-8") as f:
        text = f.read()
    with open(broken + "2", "w", encoding="utf-8") as f:
        f.write(text.replace("code = 1 | Male", "code = 1 | 2"))
    said = refused("a name of two codes", 1, "--degraded", "--profile",
                   broken + "2", without=("--profile",))
    check("the name and both codes are said",
          "list sex, code 1: '2' is 2 as well" in said, said)
    said = refused("a broken profile", 1, "--degraded", "--profile", broken,
                   without=("--profile",))
    check("with its line", "line " in said, said)
    short = os.path.join(TMP, "short")
    with open(short, "w", encoding="ascii") as f:
        f.write("short\n")
    refused("a short passphrase", 1, "--degraded", "--passphrase-file", short,
            without=("--passphrase-file",))
    two_at_once()
    cut_off()
    for_the_daemon()
    refused("the same name twice", 1, "--degraded", "--admin", "Ada",
            "--admin", "Ada")

    code, said = init("--degraded", "--admin", "Ada", "--admin", "Bob")
    equal("then it makes one", code, 0)
    check("both slots were opened from what was kept",
          "slot 1 key file: opened" in said and
          "slot 2 passphrase: opened" in said, said)
    check("degraded is said", "DEGRADED" in said)
    for name, mode in ((KEY, 0o400), (DIR, 0o700),
                       (os.path.join(DIR, "data.mdb"), 0o600),
                       (os.path.join(OUT, "invitation-1.txt"), 0o600),
                       (os.path.join(OUT, "cdop-recovery.txt"), 0o600)):
        equal("mode of " + os.path.basename(name),
              stat.S_IMODE(os.stat(name).st_mode), mode)
    with open(os.path.join(OUT, "cdop-recovery.txt"), "rb") as f:
        sheet = f.read()
    with open(KEY, "rb") as f:
        key = f.read()
    check("the sheet holds no secret",
          PASSPHRASE.encode() not in sheet and
          key.hex().encode() not in sheet.replace(b" ", b""))

    before = os.stat(os.path.join(DIR, "data.mdb")).st_ino
    code, said = init("--degraded", "--out", os.path.join(TMP, "out2"),
                      without=("--out",))
    check("a second one is refused", code == 1 and "already" in said, said)
    equal("and the first is as it was",
          os.stat(os.path.join(DIR, "data.mdb")).st_ino, before)
    verify()
    end()


main()
