#!/usr/bin/python3
"""What opens a registry: every kind of slot, added, proved, used whatever the
start-up mode, and k of n shares of which a bad one is named."""
import atexit
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile

from libflow import (CDOPD, OK, PASSPHRASE, SEALED, TMP, TOP, Registry,
                     cdopd, check, end, equal, wait_for)
from libslots import changed, forge, named, sheet

SECOND = "another five plain words, at a café"


def slot(registry, deed, *args, key=None, **how):
    key = ["--key-file", registry.key] if key is None else key
    return cdopd("slot", deed, registry.data, *args, *key, **how)


def add(registry, *args, **how):
    return slot(registry, "add", "--by", "Ada Admin", *args, **how)


def unseal(registry, *args, **how):
    return cdopd("unseal", "-f", registry.conf, *args, **how)


def adding(registry):
    """Offline, with the key file there is."""
    equal("no kind, no slot", add(registry)[0], 1)
    code, said = add(registry, "--new-shares", "3/4", "--out", registry.out)
    check("two shares more than needed, at least", code == 1 and
          "two may be lost" in said, said)
    # It would stand in the log and in lists, which nobody could read then.
    for option in "--by", "--reason", "--label", "--holder":
        code, said = add(registry, "--new-shares", "3/5", "--out",
                         os.path.join(registry.out, "none"), option,
                         b"Jos\xe9")
        check("%s is UTF-8" % option, code in (1, 64) and
              option + ": one line of UTF-8" in said, said)
    link = os.path.join(registry.dir, "elsewhere")
    os.symlink(registry.data, link)
    for out in (os.path.join(registry.data, "sheets"), link):
        before = sorted(os.listdir(registry.data))
        code, said = add(registry, "--new-shares", "3/5", "--out", out)
        check("no sheets in the data", code == 1 and "lies in" in said and
              sorted(os.listdir(registry.data)) == before, said)
    code, said = add(registry, "--new-shares", "3/5", "--out",
                     os.path.join(registry.out, "shares"), "--holder",
                     "Dora Director", "--label", "custodians")
    check("five shares, any three", code == 0 and "slot 3 custodians: opened"
          in said and "Any 3 of these 5" in said, said)
    code, said = add(registry, "--new-key-file", registry.key + "-2",
                     "--label", "copy in the safe")
    check("another key file", code == 0 and "slot 4" in said, said)
    code, said = add(registry, "--new-credential", os.path.join(
        registry.dir, "cdopd.key"))
    check("a credential", code == 0 and "slot 5 credential: opened" in said,
          said)
    pass_file = os.path.join(registry.dir, "passphrase-2")
    with open(pass_file, "w", encoding="utf-8") as f:
        f.write(SECOND + "\n")
    code, said = add(registry, "--new-passphrase", "--new-passphrase-file",
                     pass_file, "--kdf-memory", "8", "--kdf-passes", "1")
    check("another passphrase", code == 0 and "slot 6" in said and
          "beyond ASCII" in said, said)
    code, said = add(registry, "--new-shares", "3/5", "--out",
                     os.path.join(registry.out, "shares"))
    check("sheets that are there are not written over", code == 1 and
          "exists" in said, said)
    check("no sheets where none can be", "destroy it" not in add(
        registry, "--new-shares", "3/5", "--out", "/proc")[1])
    check("and it is said whose they may be", "cdopd slot list" in said and
          "opens nothing: destroy it" in said, said)
    code, said = add(registry, "--new-shares", "2/4", "--out",
                     os.path.join(registry.out, "alike"), "--holder", "Eve",
                     "--holder", "Fay", "--holder", "Eve", "--label", "alike")
    check("two shares of one holder are told", code == 0 and
          "share 1 and share 3 are of one holder, Eve" in said and
          "Fay" not in said.partition("WARNING")[2].partition("\n")[0], said)


def full(registry):
    """Sheets that cannot be written: there is no such slot, and no sheet."""
    out = os.path.join(registry.dir, "small")
    os.mkdir(out, 0o700)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "cdop", out],
                      stderr=subprocess.DEVNULL, check=False).returncode != 0:
        print("skip sheets on a full disk: no tmpfs can be mounted here")
        return
    try:
        before = slot(registry, "list")
        code, said = add(registry, "--new-shares", "3/5", "--out", out)
        check("sheets that find no room are no slot", code == 1 and
              "no slot was added" in said, said)
        equal("which nobody is told of", slot(registry, "list"), before)
        equal("and no sheet stays", os.listdir(out), [])
    finally:
        subprocess.run(["umount", out], check=False)


def listing(registry):
    code, said = cdopd("slot", "list", registry.data)
    check("list needs no key, and names them", code == 0 and
          "custodians" in said and "any 3 of 5" in said and
          "share 1: Dora Director" in said and "proved" not in said, said)
    code, said = slot(registry, "list")
    check("with one it says when each was proved",
          code == 0 and re.search(r"slot 4 +key file +copy in the safe  proved "
                                  r"\S+, when it was made", said), said)
    with open(sheet(registry, 1), encoding="ascii") as f:
        letters = f.read().splitlines()[-1]
    check("and no letter of a share", letters.split()[0] not in said, said)


def damaged(registry):
    """Pages that are none, one after the other: LMDB believes what they say,
    and what it is ended by is no word for an operator."""
    there = os.path.join(TMP, "damaged")
    shutil.copytree(registry.data, there)
    with open(os.path.join(there, "data.mdb"), "r+b") as f:
        pages = f.read().rstrip(b"\0")
        ended = []
        for at in range(2 * 4096, len(pages), 4096):
            os.pwrite(f.fileno(), b"\xcc" * 4096, at)
            code, said = cdopd("slot", "list", there, "--key-file",
                               registry.key)
            ended += [said] if code < 0 else []
            os.pwrite(f.fileno(), pages[at:at + 4096].ljust(4096, b"\0"), at)
    check("a damaged page can end a command", ended)
    equal("which then says what looks for it",
          [said for said in ended if "cdopd verify" not in said], [])


def on_disk(registry):
    """What is read in the data without a key: of slots what slot list says,
    and no other line."""
    with open(os.path.join(registry.data, "data.mdb"), "rb") as f:
        data = f.read()
    for one in (b"copy in the safe", b"custodians", b"Dora Director",
                b"credential"):
        check("%s is in the clear" % one.decode(), one in data)
    for one in b"Ada Admin", b"merseyside":
        check("%s is not" % one.decode(), one not in data)
    # So long a line is not made by chance.
    equal("no other words", set(re.findall(b"[A-Za-z][A-Za-z0-9 .,]{15,}",
                                           data)), {b"copy in the safe"})


def testing(registry):
    files = [sheet(registry, n) for n in range(1, 6)]
    for three in itertools.combinations(files, 3):
        code, said = slot(registry, "test", key=named(three))
        if code != 0:
            break
    check("any three shares open it", code == 0 and "slot 3" in said, said)
    code, said = slot(registry, "test", key=named(files[:2]))
    check("two do not", code == 1 and "it takes 3" in said, said)
    code, said = slot(registry, "test", key=named(files[:2] + files[:1]))
    equal("nor one twice", code, 1)
    slip = changed(files[1], "slip.txt", lambda t: ("B" if t[40] != "B" else
                                                    "C").join(
        (t[:40], t[41:])))
    code, said = slot(registry, "test", key=named([files[0], slip, files[2]]))
    check("a slip is found before anything is tried", code == 1 and
          "slip.txt: there is a slip" in said, said)
    short = changed(files[1], "short.txt", lambda t: t[:-1])
    code, said = slot(registry, "test", key=named([files[0], short]))
    check("so is a letter too few", code == 1 and "79 letters" in said, said)
    code, said = slot(registry, "test", key=[
        "--passphrase-file", os.path.join(registry.dir, "passphrase-2")])
    check("each passphrase finds its slot", code == 0 and "slot 6" in said,
          said)
    code, said = slot(registry, "test", key=[
        "--key-file", os.path.join(registry.dir, "cdopd.key")])
    check("each file, too", code == 0 and "slot 5" in said, said)
    code, said = slot(registry, "list")
    check("what was tested is noted", len(re.findall(
        "tested on the host", said)) == 8, said)
    equal("verify opens with shares", cdopd(
        "verify", registry.data, *named(files[2:]))[0], 0)


def sealed_state(registry, ada):
    return wait_for(lambda: ada.cdop("status").code == SEALED, 5)


def opening(registry, ada):
    """A registry without a key file in its configuration: all still work."""
    files = [sheet(registry, n) for n in range(1, 6)]
    registry.start()
    check("it starts sealed", "state=sealed" in registry.ready,
          registry.ready)
    code, said = unseal(registry, *named(files[:1]))
    check("one share, and it is said how many", code == 0 and
          "1 of 3" in said, said)
    code, said = unseal(registry, *named(files[:1]))
    check("the same once more", code == 0 and "given before: 1 of 3" in said,
          said)
    other = forge(files[1])
    code, said = unseal(registry, *named([other]))
    check("a share that was never given out is named", code == 1 and
          "not the share that was given out" in said, said)
    equal("and it is closed still", ada.cdop("status").code, SEALED)
    code, said = unseal(registry, *named(files[3:]))
    check("the third opens it", code == 0 and "opened with 3 shares" in said,
          said)
    ada.must("status")
    registry.kill_role("vault")
    check("a vault that died forgets them", sealed_state(registry, ada))
    code, said = unseal(registry, "--key-file", registry.key + "-2")
    check("a key file opens it from the host", code == 0 and "slot 4" in said,
          said)
    registry.kill_role("vault")
    check("sealed again", sealed_state(registry, ada))
    code, said = unseal(registry, "--passphrase-stdin",
                        stdin=SECOND.encode() + b"\n")
    check("so does the second passphrase", code == 0 and "slot 6" in said,
          said)
    code, said = unseal(registry, *named(files[:1]))
    check("what is open is not unsealed", code == 1 and "it is open"
          in said, said)
    registry.stop()
    os.environ["CREDENTIALS_DIRECTORY"] = registry.dir
    registry.start()
    del os.environ["CREDENTIALS_DIRECTORY"]
    check("with a credential it opens by itself", "state=open" in
          registry.ready, registry.ready)
    registry.kill_role("vault")
    check("and comes back open", wait_for(
        lambda: ada.cdop("status").code == OK, 10))
    registry.stop()


def slip(line):
    """One letter is another."""
    return line[:3] + ("B" if line[3] != "B" else "C") + line[4:]


def given_up(registry):
    """Two slips are no line, and who has nothing more types nothing."""
    with open(sheet(registry, 1), encoding="ascii") as f:
        lines = [line.strip() for line in f if not line.startswith("#")]
    for answers, prompt in (
            (["Share=" + slip(lines[0]), "Share=", "and on=" + slip(lines[1])],
             "Share ("),
            (["Share=" + slip(lines[0]), "and on=" + lines[1]], "Line 1")):
        done = subprocess.run(
            [sys.executable, os.path.join(TOP, "tests/flow/libtype.py"),
             *answers, *("and on=" + line for line in lines[2:]), "--", CDOPD,
             "unseal", "-f", registry.conf, "--shares"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=60, check=False)
        said = done.stdout.decode("utf-8", "replace")
        check("a share that is given up at " + prompt, "no share was given" in
              said and prompt in said, said)


def typed(registry, ada):
    """On a terminal, line by line as the sheet has it."""
    registry.start()
    code, said = cdopd("run", "-f", registry.conf)
    check("another one beside it is told so", code == 78 and
          "something is there already" in said, said)
    code, said = cdopd("-T")
    check("no configuration, and how to name one", code == 0 or
          "-f FILE names another one" in said, said)
    given_up(registry)
    for n in 1, 2, 3:
        with open(sheet(registry, n), encoding="ascii") as f:
            lines = [line.strip() for line in f if not line.startswith("#")]
        done = subprocess.run(
            [sys.executable, os.path.join(TOP, "tests/flow/libtype.py"),
             "Share=" + lines[0], "and on=" + slip(lines[1]),
             *("and on=" + line for line in lines[2:]),
             "Line 2 again=" + lines[1][:9], "Line 2 again=" + lines[1],
             "--", CDOPD, "unseal", "-f", registry.conf, "--shares"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=60, check=False)
        said = done.stdout.decode("utf-8", "replace")
    check("typed shares open it", "opened with 3 shares" in said, said)
    check("of a slip its line alone is typed again", "line 2 of the letters"
          in said and said.count("Share (") == 1 and
          said.count("Line 2 again: ") == 2, said)
    check("and no part of a line", "a line has 20 letters, and this has" in
          said, said)
    check("and are not shown", lines[0].split()[0] not in said, said)
    equal("people come in", ada.cdop("status").code, OK)
    registry.stop()


def removing(registry):
    code, said = slot(registry, "remove", "--slot", "6", "--by", "Ada Admin",
                      "--reason", "no use")
    check("one person removes no slot", code == 1 and
          "cdop key remove-slot 6" in said, said)
    code, said = slot(registry, "remove", "--by", "Ada Admin", "--reason",
                      "no use")
    check("which one has to be said", code == 64 and "--slot N" in said, said)
    code, said = slot(registry, "remove", "--slot", "6", "--by", "Ada Admin")
    check("and why", code == 64 and "--reason TEXT: why" in said, said)


def in_setup():
    """Before two administrators are active, the host may."""
    registry = Registry("setup")
    registry.init()
    code, said = slot(registry, "remove", "--slot", "2", "--by", "Ada Admin",
                      "--reason", "wrong one")
    check("in setup it is taken away", code == 0 and "slot 2 is gone" in said
          and "key rotate --root" in said, said)
    code, said = slot(registry, "remove", "--slot", "1", "--by", "Ada Admin",
                      "--reason", "wrong one")
    check("never the last one", code == 1 and "last one" in said, said)
    equal("nothing opens with the passphrase now", slot(
        registry, "test", key=["--passphrase-stdin"],
        stdin=PASSPHRASE.encode())[0], 1)
    equal("verify is fine", registry.verify()[0], 0)


def beside():
    """A key is not put beside the data unless somebody says so."""
    registry = Registry("beside")
    others = [top for top in ("/dev/shm", "/var/tmp")
              if os.stat(top).st_dev != os.stat(registry.dir).st_dev]
    if not others:
        print("skip a key beside the data: there is one file system here")
        return
    safe = tempfile.mkdtemp(prefix="cdop-slots-", dir=others[0])
    atexit.register(shutil.rmtree, safe, ignore_errors=True)
    registry.key = os.path.join(safe, "key")
    registry.init()
    before = slot(registry, "list")
    near = os.path.join(registry.dir, "near")
    code, said = add(registry, "--new-key-file", near)
    check("a key beside the data is refused", code == 1 and
          "same file system" in said and "--degraded" in said, said)
    check("and not left there", not os.path.exists(near))
    code, said = add(registry, "--new-key-file", registry.key)
    check("a key that opens a slot already is no second one", code == 1 and
          "opens slot 1 already" in said, said)
    check("and is left", os.path.exists(registry.key))
    code, said = add(registry, "--new-passphrase", "--new-passphrase-file",
                     os.path.join(registry.dir, "passphrase"),
                     "--kdf-memory", "8", "--kdf-passes", "1")
    check("nor is a passphrase", code == 1 and "opens slot 2 already" in said,
          said)
    equal("nothing was added", slot(registry, "list"), before)
    open_to_all = os.path.join(safe, "another")
    with open(open_to_all, "wb") as f:
        f.write(os.urandom(32))
    os.chmod(open_to_all, 0o644)
    code, said = add(registry, "--new-key-file", open_to_all)
    check("of one that others may read it warns", code == 0 and
          "chmod 0400" in said and "slot 3 key file: opened" in said, said)
    check("elsewhere is not degraded", "DEGRADED" not in said +
          slot(registry, "sheet")[1], said)
    code, said = add(registry, "--new-key-file", near, "--degraded")
    check("beside the data where it is said", code == 0 and "DEGRADED" in
          said and "chmod" not in said, said)
    check("which is remembered", "DEGRADED" in slot(registry, "sheet")[1])


def main():
    beside()
    registry = Registry(key_file=False)
    registry.init()
    registry.start()
    unseal(registry, "--passphrase-stdin", stdin=PASSPHRASE.encode())
    ada, _ = registry.people()
    code, said = add(registry, "--new-key-file", registry.key + "-2")
    check("not while it runs", code == 1 and "in use" in said, said)
    registry.stop()
    full(registry)
    adding(registry)
    listing(registry)
    on_disk(registry)
    damaged(registry)
    testing(registry)
    opening(registry, ada)
    typed(registry, ada)
    removing(registry)
    equal("every row opens", registry.verify()[0], 0)
    in_setup()
    end()


main()
