#!/usr/bin/python3
"""Keys that somebody had: of an area every case gets another key; of the root
two people ask, and on the host another root is made with other slots, which
whatever opened the registry before does not open."""
import os
import shutil
import signal
import subprocess

from libflow import (CDOPD, OK, PASSPHRASE, SECOND, TMP, USAGE, cdopd, check,
                     end, equal, scene, wait_for)
from libslots import add_shares, named, shares
import libsynthetic

OTHER = "four quite other words"


def ask(registry, *what):
    registry.ada.must("key", "rotate", *what, "--yes", code=SECOND)
    words = " ".join(registry.bob.approve()["words"])
    check("the second person is told", "COMPROMISED" in words, words)
    return words


def certificate(ada):
    number = ada.must("certificate", "list", "--json").lines()[0]["number"]
    return ada.must("certificate", "show", str(number)).out


def areas(registry):
    ada = registry.ada
    words = ask(registry, "--area", "wirral", "--reason", "compromised")
    check("the word alone is enough", "every case a new key" in words and
          "moved since" in words, words)
    ada.must("key", "status", "--watch")
    done = ada.must("key", "status")
    check("status says why", "COMPROMISED: somebody had these keys" in
          done.out, done)
    words = ask(registry, "--all", "--compromised")
    check("of all areas it is more", "registry, log and searches" in words,
          words)
    ada.must("key", "status", "--watch")
    done = ada.must("key", "status", "--json").json()
    equal("no key of before is left", [e["key"] for e in done["epoch"]
                                       if not e["newest"]], [])
    check("every row was sealed anew", done["past"][0]["reseal"] and
          done["past"][0]["compromised"], done["past"][0])
    for key in "--log", "--link":
        equal("of %s it is not said" % key, ada.cdop(
            "key", "rotate", key, "--compromised", "--yes").code, USAGE)


def new_slots(registry):
    path = os.path.join(registry.dir, "other-passphrase")
    with open(path, "w", encoding="ascii") as f:
        f.write(OTHER + "\n")
    return ["--new-key-file", registry.key + "-other", "--new-passphrase",
            "--new-passphrase-file", path, "--kdf-memory", "8",
            "--kdf-passes", "1", "--new-shares", "2/4", "--holder",
            "Dora Director"]


def renew_args(registry, out, slots=None):
    return ["renew-root", registry.data, "--by", "Olga Operator", "--reason",
            "the medium is gone", "--out", os.path.join(registry.dir, out),
            *(new_slots(registry) if slots is None else slots),
            "--key-file", registry.key]


def renew(registry, out="renewed", slots=None):
    return cdopd(*renew_args(registry, out, slots))


def asked(registry):
    """Nothing is made before two people have said so."""
    ada = registry.ada
    equal("it stops", registry.stop(), 0)
    code, said = renew(registry)
    check("nobody does it alone", code == 1 and "two persons ask for it" in
          said, said)
    registry.start()
    words = ask(registry, "--root", "--compromised", "--reason",
                "the medium is gone")
    check("what opens it today will not", "none of the 3 that there are opens "
          "the registry" in words and "--link" in words and
          "the log says which" in words and
          "the medium is gone" in words, words)
    done = ada.must("key", "status")
    check("it waits", "waits for the holders of slots" in done.out and
          "renew-root" in done.out, done)
    equal("and can not be held", ada.cdop("key", "pause",
                                          "--reason", "disk").code in (8, 9),
          True)
    done = ada.must("status")
    check("which status says", "COMPROMISED: somebody has the root" in
          done.out and "renew-root" in done.out, done)
    equal("it stops again", registry.stop(), 0)


def left_behind(registry):
    """What one that was killed leaves is told from what is in the way."""
    out = os.path.join(registry.dir, "left")
    os.mkdir(out, 0o700)
    sheet = os.path.join(out, "cdop-recovery.txt")
    with open(sheet, "w", encoding="ascii"):
        pass
    code, said = renew(registry, "left")
    check("sheets of a run that did not end", code == 1 and
          "destroy the sheets in " + out in said, said)
    os.unlink(sheet)
    empty = registry.key + "-other"
    with open(empty, "w", encoding="ascii"):
        pass
    code, said = renew(registry, "left")
    check("an empty key file is none", code == 1 and
          "no whole key file, left by one that did not end" in said, said)
    os.unlink(empty)
    equal("and nothing more is left", os.listdir(out), [])


def one_secret(registry):
    paths = [os.path.join(registry.dir, name) for name in ("one", "same")]
    for path in paths:
        with open(path, "wb") as f:
            f.write(b"only a test: one secret, twice !")
        os.chmod(path, 0o400)
    return ["--new-key-file", paths[0], "--new-credential", paths[1]]


def wrong_words(registry):
    """What is missing or too much is said, and nothing begins."""
    by, out = ["--by", "Olga Operator"], ["--out", registry.dir + "/renewed"]
    new = new_slots(registry)
    for args, word in (
            (by + out + new, "DIR and --by"),
            ([registry.data] + out + new, "DIR and --by"),
            ([registry.data] + by + new, "--out DIR"),
            ([registry.data, registry.data] + by + out + new,
             "a word too many: " + registry.data),
            ([registry.data] + out + new + ["--by"], "--by"),
            ([registry.data] + by + out + new + ["--old"],
             "no such option: --old")):
        code, said = cdopd("renew-root", *args)
        check("renew-root %s is asked for" % word, code == 64 and
              "renew-root: " + word in said, (code, said))
    for option in "--by", "--reason":
        code, said = cdopd("renew-root", registry.data, *by, *out, *new,
                           option, b"Jos\xe9")
        check("renew-root %s is text" % option, code == 64 and
              option + ": one line of UTF-8" in said, (code, said))


def refused(registry):
    wrong_words(registry)
    code, said = renew(registry, slots=new_slots(registry)[:2])
    check("one kind is too few", code == 64 and "two kinds" in said, said)
    slots = new_slots(registry)
    slots[1] = registry.key
    code, said = renew(registry, slots=slots)
    check("not with a key file of before", code == 1 and
          "opens slot 1 already" in said, said)
    slots = new_slots(registry)
    slots[4] = os.path.join(registry.dir, "passphrase")
    code, said = renew(registry, slots=slots)
    check("nor with a passphrase of before", code == 1 and
          "opens slot 2 already" in said, said)
    code, said = renew(registry, slots=new_slots(registry)[:9])
    check("nor without shares, where there are some", code == 1 and
          "--without-shares" in said and "no backup" in said, said)
    code, said = renew(registry, os.path.join(registry.data, "sheets"))
    check("nor with sheets in the data", code == 1 and "lies in" in said and
          not os.path.exists(os.path.join(registry.data, "sheets")), said)
    code, said = renew(registry, slots=one_secret(registry) +
                       new_slots(registry)[2:])
    check("nor with one secret in two files", code == 1 and
          "are one secret" in said, said)
    check("and nothing is left of it", not os.path.exists(
        os.path.join(registry.dir, "renewed")))
    equal("the registry is as it was", registry.verify()[0], 0)


def opens(registry, data, *args, stdin=b""):
    return cdopd("slot", "test", data, *args, stdin=stdin)[0] == 0


def old_ways(registry):
    return {"key file": (["--key-file", registry.key], b""),
            "passphrase": (["--passphrase-stdin"], PASSPHRASE.encode() +
                           b"\n"),
            "shares": (shares(registry, 1, 3, 5), b"")}


def new_ways(registry, out):
    return {"key file": (["--key-file", registry.key + "-other"], b""),
            "passphrase": (["--passphrase-stdin"], OTHER.encode() + b"\n"),
            "shares": (named(os.path.join(
                registry.dir, out, "share-%d.txt" % n) for n in (2, 4)), b"")}


def kill_when(registry, out, there):
    """SIGKILL to one that makes it, once there() is; true: it was met."""
    process = subprocess.Popen(
        [CDOPD, *renew_args(registry, out)], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    while process.poll() is None and not there():
        pass
    met = process.poll() is None
    process.kill()
    process.wait()
    return met


def as_saved(registry, saved):
    """And without the key file of the last run, which may be half a one."""
    shutil.rmtree(registry.data)
    shutil.copytree(saved, registry.data)
    if os.path.exists(registry.key + "-other"):
        os.unlink(registry.key + "-other")


def killed(registry, saved):
    """At each thing that it makes: the old registry is whole, or the new.
    Each write of the copy is tests/unit/server/vault/copy_crash_test.c."""
    data = os.path.join(registry.data, "data.mdb")
    for name in ("cdop-recovery.txt", "share-1.txt", "share-4.txt",
                 "copy.mdb", "data.mdb"):
        as_saved(registry, saved)
        before = os.stat(data).st_ino
        out = "killed-" + name
        folder = os.path.join(registry.dir, out)
        path = os.path.join(registry.data if name == "copy.mdb" else folder,
                            name)
        met = kill_when(registry, out, lambda: os.path.exists(path)
                        if name != "data.mdb"
                        else os.stat(data).st_ino != before)
        old = opens(registry, registry.data, "--key-file", registry.key)
        check("killed at %s: it is one of both" % name, old or all(
            opens(registry, registry.data, *args, stdin=stdin)
            for args, stdin in new_ways(registry, out).values()))
        if name == "data.mdb":
            check("and after it is there, the new one", not old or met)
    as_saved(registry, saved)


def without(registry, saved):
    """Where it is said, nobody has a share; and what that means is said."""
    code, said = renew(registry, "without", new_slots(registry)[:9] +
                       ["--without-shares"])
    check("without shares, as it was meant", code == 0 and
          "no backup can be taken" in said, said)
    as_saved(registry, saved)


def damaged(registry, saved):
    """What a start does not read is read here, and is not taken over."""
    path = os.path.join(registry.data, "data.mdb")
    with open(path, "r+b") as f:
        whole = f.read()
        for at in range(8192 + 2048, len(whole), 4096):
            f.seek(at)
            f.write(bytes([whole[at] ^ 1]))
            f.flush()
            code, found = registry.verify()
            if "damaged" in found and opens(registry, registry.data,
                                            "--key-file", registry.key):
                break
            f.seek(at)
            f.write(whole[at:at + 1])
    code, said = renew(registry, "damaged")
    check("a log that was changed is found, and the registry is as it was",
          code == 1 and "the registry is as it was: DATA_LOSS" in said and
          opens(registry, registry.data, "--key-file", registry.key),
          found + said)
    check("and nothing is left of it", not os.path.exists(
        os.path.join(registry.dir, "damaged")) and not os.path.exists(
            registry.key + "-other"))
    as_saved(registry, saved)


def ended(registry):
    """By a signal, with the sheets there already: it takes them away."""
    out = os.path.join(registry.dir, "ended")
    pipe = os.path.join(registry.dir, "slow")
    os.mkfifo(pipe)
    args = renew_args(registry, "ended", [
        "--new-passphrase", "--new-passphrase-file", pipe, "--kdf-memory", "8",
        "--kdf-passes", "1", "--new-shares", "2/4"])
    for number in signal.SIGINT, signal.SIGTERM:
        process = subprocess.Popen([CDOPD, *args], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        wait_for(lambda: os.path.exists(os.path.join(
            out, "cdop-recovery.txt")), 60)
        process.send_signal(number)
        # It may not have opened the pipe yet: then it reads what it wants.
        wait_for(lambda p=process: p.poll() is not None or fed(pipe),
                 60)
        said = process.communicate(timeout=60)[0].decode()
        check("it says that it was ended", process.returncode == 1 and
              "ended by a signal: the registry is as it was" in said, said)
        check("and nothing stays", not os.path.exists(out), said)
    equal("every row opens", registry.verify()[0], 0)


def fed(pipe):
    """Never true: whoever read it goes on to its end."""
    try:
        with open(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK), "wb",
                  buffering=0) as f:
            f.write(b"correct horse battery\n")
    except OSError:
        pass
    return False


def made(registry, saved):
    code, said = renew(registry)
    check("it is made", code == 0 and "What is left to do" in said and
          "slot 4 key file: opened" in said and "slot 6 shares: opened" in
          said, said)
    for kind, (args, stdin) in old_ways(registry).items():
        check("%s of before: the file of before" % kind,
              opens(registry, saved, *args, stdin=stdin))
        check("%s of before: nothing now" % kind,
              not opens(registry, registry.data, *args, stdin=stdin))
    for kind, (args, stdin) in new_ways(registry, "renewed").items():
        check("%s that is new opens it" % kind,
              opens(registry, registry.data, *args, stdin=stdin))
    with open(os.path.join(registry.dir, "renewed", "cdop-recovery.txt"),
              encoding="utf-8") as f:
        sheet = f.read()
    check("a sheet of what there is now", "slot 4  key file" in sheet and
          "any 2 of these 4" in sheet and "Dora Director" in sheet and
          "slot 1 " not in sheet, sheet)
    code, said = renew(registry, "again")
    check("the old key does nothing more", code == 1 and "does not open" in
          said, said)
    check("and it is said that it is done", "is there already, and is tried"
          in said and "it is done: start cdopd" in said, said)
    equal("the new key file belongs to whose the data is",
          os.stat(registry.key + "-other").st_uid,
          os.stat(registry.data).st_uid)


def serves(registry, cora, case):
    ada = registry.ada
    with open(registry.conf, encoding="ascii") as f:
        conf = f.read()
    with open(registry.conf, "w", encoding="ascii") as f:
        f.write(conf.replace(registry.key + "\n", registry.key + "-other\n"))
    registry.start()
    check("the new key file starts it", "state=open" in registry.ready,
          registry.ready)
    ada.must("key", "status", "--watch")
    done = ada.must("key", "status")
    check("it is written down", "of the root: done" in done.out and
          "the old root opens none" in done.out, done)
    done = ada.must("status")
    check("and nobody has the root", "somebody has the root" not in done.out)
    check("but keys that are older than it", "the link key is older than the "
          "root" in done.out and "the log key is older" in done.out, done)
    ada.must("key", "rotate", "--log", "--reason", "renewed", "--yes",
             code=SECOND)
    registry.bob.approve()
    done = ada.must("status")
    check("until they are turned", "the log key is older" not in done.out and
          "the link key is older" in done.out, done)
    note = certificate(ada)
    check("and certified", "compromised" in note and "renewed" in note, note)
    equal("what was there is there", cora.cdop(
        "case", "show", case).code, OK)
    check("the sheet is the one of now", "recovery sheet" not in
          ada.must("status").out)
    entries = registry.audrey.must("audit", "list", "--json", "--purpose",
                                   "audit").lines()
    said = [(e["call"], e.get("reason")) for e in entries]
    for one in (("keys turned", "renewed"), ("key destroyed", "ring"),
                ("key destroyed", "root")):
        check("the log says %s, %s" % one, one in said, said[:20])
    meant = [e.get("reason_text") for e in entries
             if e["call"] == "root to be made anew on the host"]
    equal("and who did it, why, with which slots", meant[0], "Olga Operator: "
          "the medium is gone (slots to be made: key file, passphrase, "
          "shares 2/4)")


def sheet(registry):
    """Status tells when the paper says something else than the registry."""
    add_shares(registry)
    registry.start()
    done = registry.ada.must("status")
    check("the sheet is out of date", "recovery sheet" in done.out and
          "cdopd slot sheet" in done.out, done)
    equal("it stops", registry.stop(), 0)
    path = os.path.join(registry.dir, "sheet.txt")
    code, said = cdopd("slot", "sheet", registry.data, "--out", path,
                       "--key-file", registry.key)
    check("another one", code == 0 and path in said, said)
    code, said = cdopd("slot", "sheet", registry.data, "--out", path,
                       "--key-file", registry.key)
    check("never over one that is there, and what to do is said",
          code == 1 and "File exists" in said and
          "say the name of a new file" in said, said)
    with open(path, encoding="utf-8") as f:
        check("which is as it was", "share 1: Dora Director" in f.read())
    code, said = cdopd("slot", "sheet", registry.data, "--out",
                       os.path.join(registry.dir, "none", "sheet.txt"),
                       "--key-file", registry.key)
    check("of another mistake its own words", code == 1 and
          "No such file" in said and "a new file" not in said, said)
    code, said = cdopd("slot", "sheet", registry.data, "--key-file",
                       registry.key)
    check("or to the printer", code == 0 and "slot 3  shares: custodians" in
          said and "share 1: Dora Director" in said, said)
    with open(path, encoding="utf-8") as f:
        check("both say the same", f.read().split("This sheet:")[0] ==
              said.split("This sheet:")[0])
    registry.start()
    check("and status is content", "recovery sheet" not in
          registry.ada.must("status").out)


def main():
    registry, cora = scene()
    registry.audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    path = os.path.join(TMP, "cases.csv")
    libsynthetic.save(path, libsynthetic.rows(20))
    cora.cdop("notify", "--from", path)
    case = cora.must("case", "list", "--json").lines()[0]["reference"]
    equal("it stops", registry.stop(), 0)
    sheet(registry)
    areas(registry)
    asked(registry)
    left_behind(registry)
    refused(registry)
    saved = registry.data + "-saved"
    shutil.copytree(registry.data, saved)
    killed(registry, saved)
    ended(registry)
    without(registry, saved)
    damaged(registry, saved)
    made(registry, saved)
    serves(registry, cora, case)
    equal("it stops in order", registry.stop(), 0)
    code, said = cdopd("verify", registry.data, "--key-file",
                       registry.key + "-other")
    check("verify says fine", code == 0, said)
    end()


if __name__ == "__main__":
    main()
