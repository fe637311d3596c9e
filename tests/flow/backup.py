#!/usr/bin/python3
"""A backup is taken while cases come in, proved, restored elsewhere, and is
then the registry as it was; and what is wrong with one has words of its own."""
import base64
import glob
import hashlib
import json
import os
import re
import signal
import subprocess
import time

from libflow import (CDOP, CDOPD, FINDINGS, INVALID, NOT_FOUND, OK, SECOND,
                     TMP, USAGE, Registry, cdopd, check, end, equal, scene,
                     wait_for)
import libslots
import libsynthetic
import libtype

FILE = os.path.join(TMP, "one.cdop")


def cases_of(ada):
    """As an administrator sees them.  What the coordinator sees waits for
    the keys of her device, which her import may hold while it stands still."""
    return sum(int(epoch.get("case_keys", 0)) for epoch in
               ada.must("key", "status", "--json").json()["epoch"])


def held_half_way(client, ada):
    """The import goes on by hundredths of a second until it has begun, and
    stands still then: how fast this machine is decides nothing."""
    for _ in range(2000):
        time.sleep(0.01)
        client.send_signal(signal.SIGSTOP)
        if cases_of(ada) > 60:
            return
        client.send_signal(signal.SIGCONT)


def taken_meanwhile(registry, cora):
    """While a file of notifications goes in; what create said."""
    path = os.path.join(TMP, "import.csv")
    libsynthetic.save(path, libsynthetic.rows(400))
    with open(path + ".told", "w+b") as out:
        client = cora.popen("notify", "--from", path, "--json", stdout=out)
        held_half_way(client, registry.ada)
        backup = registry.ada.popen("backup", "create", FILE, "--json")
        begun = wait_for(lambda: os.path.exists(FILE) and
                         os.path.getsize(FILE) > 0)
        client.send_signal(signal.SIGCONT)
        check("it is half in the file when the import goes on", begun)
        said = backup.communicate(timeout=120)
        check("the import goes on to its end",
              client.wait(timeout=120) == OK, client.returncode)
    check("a backup is taken while the registry serves",
          backup.returncode == OK, said)
    return json.loads(said[0])


def not_written(ada):
    """What was sent and lies in no file is no backup."""
    path = os.path.join(TMP, "full.cdop")
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 8; trap "" XFSZ; exec "$@"', "sh", CDOP,
         "backup", "create", path], env=ada.env(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
        check=False)
    check("a file that cannot be written is said and removed",
          done.returncode == 1 and b"too large" in done.stdout.lower() and
          not os.path.exists(path), done.stdout)
    check("and counts as no backup", "no backup was ever taken" in
          ada.must("status").out and "not known to be whole" in
          ada.must("backup", "list").out)


def proved(registry, shares, made):
    ada = registry.ada
    number = str(made["number"])
    done = ada.cdop("backup", "proved", number)
    check("nobody's word is enough", done.code == INVALID and
          "cdopd verify FILE prints" in done.err, done)
    code, said = cdopd("verify", FILE, *shares)
    proof = re.search(r"^proof  (\S+)$", said, re.M).group(1)
    check("and that nobody has looked who signed it",
          "who has signed its manifest was not looked at" in said, said)
    check("it says what is to be typed", "say so: cdop backup proved %s %s"
          % (number, proof) in said, said)
    check("every row of it opens with shares", code == 0 and
          "%d cases, %d rows" % (made["cases"], made["rows"]) in said and
          "%d rows, %d fine, 0 findings\nfine" % (made["rows"], made["rows"])
          in said, said)
    check("and nothing is left where it was unpacked", not [
        name for name in os.listdir(os.environ["TMPDIR"])
        if name.startswith("cdopd-verify")])
    code, said = cdopd("verify", FILE, "--key-file", registry.key)
    check("the key file of the registry opens no backup",
          code != 0 and "no slot of that kind: a backup opens with --shares"
          in said, said)
    code, said = cdopd("verify", FILE)
    check("nor does nothing, which says what would",
          code != 0 and "--share-file FILE" in said, said)
    status = ada.must("status").out
    check("status asks for the proof",
          "no backup was ever proved" in status and "last proved: never"
          in status, status)
    equal("which is said by number",
          ada.cdop("backup", "proved", "7", proof).code, NOT_FOUND)
    equal("and by what is a code",
          ada.cdop("backup", "proved", number, proof[1:]).code, USAGE)
    done = ada.cdop("backup", "proved", number,
                    ("A" if proof[0] != "A" else "B") + proof[1:])
    check("of that backup and no other", done.code == INVALID and
          "not what opening this backup gives" in done.err, done)
    check("nothing was proved by it",
          "last proved: never" in ada.must("status").out)
    ada.must("backup", "proved", number, proof.lower())
    said_destroyed(registry, number)
    ada.must("backup", "proved", number, proof)
    check("the list does not call it a word",
          "by word" not in ada.must("backup", "list").out)
    status = ada.must("status").out
    check("and then does not", "proved to be" not in status, status)


def said_destroyed(registry, number):
    """By two people, whom the list names; who opens it shows that it is there."""
    ada = registry.ada
    for words in ("x", "--reason", "shredded"), (number,):
        equal("it has a number and a reason", ada.cdop(
            "backup", "destroyed", *words, "--yes").code, USAGE)
    done = ada.cdop("backup", "destroyed", "77", "--reason", "shredded",
                    "--yes", "--json")
    equal("of a backup that there is", done.code, NOT_FOUND)
    equal("one alone says it", ada.cdop(
        "backup", "destroyed", number, "--reason", "shredded",
        "--yes").code, SECOND)
    registry.bob.approve()
    listed = ada.must("backup", "list").out
    check("the other one, too", re.search(
        "said to be destroyed on .* by Ada Admin and Bob", listed), listed)
    check("with the shares that opened it",
          "3 of the shares of slot 3" in listed, listed)
    status = ada.must("status").out
    check("and status counts it no more", "no backup is left" in status,
          status)
    ada.must("key", "rotate", "--area", "wirral", "--reason", "once a year",
             "--yes", code=SECOND)
    registry.bob.approve()
    ada.must("key", "status", "--watch")
    issued = ada.must("certificate", "list", "--json").lines()[0]["number"]
    shown = ada.must("certificate", "show", str(issued)).out
    check("a certificate names whose word that is", re.search(
        r"said-destroyed backup %s \([^)]*\), said on .* by person %d and "
        r"person %d" % (number, ada.person, registry.bob.person), shown), shown)
    check("and sends nobody to a list where it names none that is there",
          ("cdop backup list" in shown) == ("\n  backup " in shown), shown)


def with_byte(name, at, byte=None):
    """A copy of the backup with another byte; negative: from its end."""
    path = os.path.join(TMP, name)
    with open(FILE, "rb") as f:
        data = bytearray(f.read())
    data[at] = data[at] ^ 1 if byte is None else byte
    with open(path, "wb") as f:
        f.write(data)
    return path


def damaged(shares, other):
    """Each fault in its own words, and none of them touches anything."""
    size = os.path.getsize(FILE)
    cut = os.path.join(TMP, "cut.cdop")
    with open(FILE, "rb") as f, open(cut, "wb") as to:
        to.write(f.read(size - 1))
    plain = os.path.join(TMP, "plain.cdop")
    with open(plain, "w", encoding="ascii") as f:
        f.write("PK")
    wanted = [
        (cut, shares, "it is cut off, or was changed"),
        (with_byte("bytes.cdop", size // 2), shares, "damaged"),
        (with_byte("later.cdop", 12, ord("2")), shares, "of a later version"),
        (plain, shares, "no backup of a registry"),
        (os.path.join(TMP, "none.cdop"), shares, "or this user may not"),
        (FILE, other, "of another registry"),
    ]
    place = os.path.join(TMP, "elsewhere")
    for path, key, words in wanted:
        code, said = cdopd("restore", path, place, "--by", "Olga Operator",
                           "--reason", "drill", *key)
        check("%s: %s" % (os.path.basename(path), words),
              code == 1 and words in said, said)
        check("and nothing stays", not os.path.exists(place))
    code, said = cdopd("verify", with_byte("bytes.cdop", size // 2), *shares)
    equal("verify has its own status for it", code, FINDINGS)
    check("and prints no code", "proof" not in said, said)
    code, said = cdopd("verify", FILE, *other)
    check("verify names the file that it was given", code == 1 and
          FILE + ": that key, passphrase or these shares do not open it" in
          said and "cdopd-verify" not in said, said)


def with_manifest(name, old, new):
    """A copy whose manifest says something else, in as many bytes."""
    path = os.path.join(TMP, name)
    with open(FILE, "rb") as f:
        data = f.read()
    at = data.rfind(b"\ncdop-backup/1\nnumber")
    at = data.rfind(b"\n", 0, data.rfind(b"\n", 0, at))  # before its size
    tail, n = re.subn(old, new, data[at:], count=1)
    check(name + " is another one", n == 1 and len(tail) == len(data) - at
          and tail != data[at:])
    with open(path, "wb") as f:
        f.write(data[:at] + tail)
    return path


def other(match):
    """Its last digit, or letter, is another one."""
    text = match.group(0)
    return text[:-1] + (b"1" if text[-1:] != b"1" else b"2")


def forged(shares):
    """What the log has not signed is no backup of it."""
    place = os.path.join(TMP, "forged")
    wanted = [
        ("cases.cdop", rb"\ncases [0-9]+", "not signed by the key"),
        ("size.cdop", rb"\n[0-9]+(?=\n)", "not signed by the key"),
        ("sha256.cdop", rb"\nsha256 .{20}", "its bytes are not those"),
        ("rows.cdop", rb"\nrows [0-9]+", "and its manifest says"),
    ]
    for name, part, words in wanted:
        path = with_manifest(name, part, other)
        code, said = cdopd("restore", path, place, "--by", "Olga Operator",
                           "--reason", "drill", *shares)
        check("restore %s: %s" % (name, words), code == 1 and words in said,
              said)
        check("and nothing of it stays", not os.path.exists(place))
    code, said = cdopd("verify", os.path.join(TMP, "size.cdop"), *shares)
    check("verify compares the log with the manifest", code == FINDINGS and
          "not the one that the manifest has signed" in said, said)
    code, said = cdopd("verify", os.path.join(TMP, "sha256.cdop"), *shares)
    check("and the bytes", code == FINDINGS and "its bytes are not those"
          in said, said)


def of_another(vkey):
    """The key of nobody, under the name of this log."""
    name = vkey.split("+", 2)[0]
    made = b"\x01" + bytes(range(32))
    return "%s+%s+%s" % (
        name, hashlib.sha256(name.encode() + b"\n" + made).hexdigest()[:8],
        base64.b64encode(made).decode())


def under_key(shares, vkey):
    """--key: whose log it has to be, known from elsewhere."""
    place = os.path.join(TMP, "keyed")
    restore = ("restore", FILE, place, "--by", "Olga Operator", "--reason",
               "drill")
    for command, status in (("verify", FILE), FINDINGS), (restore, 1):
        code, said = cdopd(*command, "--key", of_another(vkey), *shares)
        check("%s under another log's key" % command[0], code == status and
              "not signed by the key of that log" in said, said)
        code, said = cdopd(*command, "--key", "no/1+key", *shares)
        check("under what is none", code != 0 and "not the key of a log"
              in said, said)
    check("nothing of it stays", not os.path.exists(place))
    code, said = cdopd("verify", os.path.dirname(FILE), "--key",
                       of_another(vkey))
    check("a directory is not said to be fine under it", code == 64 and
          "--key is of a backup" in said, said)
    for command in ("verify", FILE), restore:
        code, said = cdopd(*command, "--key", vkey, *shares)
        equal("%s under its own" % command[0], code, 0) or print("# " + said)
        check("then it was looked at", "not looked at" not in said, said)


def stopped(registry, shares):
    """Whoever stops it at the question for shares leaves nothing behind."""
    place = os.path.join(TMP, "stopped")
    unpacked = os.environ["TMPDIR"]
    wanted = [(place, ("restore", FILE, place, "--by", "Olga Operator",
                       "--reason", "drill")),
              (unpacked, ("verify", FILE))]
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL:
        for where, command in wanted:
            name = "%s, %s: " % (command[0], number.name)
            # Its own: the child of the one before may still read that one's.
            fifo = os.path.join(TMP, "fifo-%s-%d" % (command[0], number))
            os.mkfifo(fifo, 0o600)
            waiting = subprocess.Popen(
                [CDOPD, *command, "--share-file", fifo],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            with open(fifo, "wb"):  # when it has come to that
                check(name + "no registry while it waits",
                      not os.path.exists(os.path.join(where, "data.mdb"))
                      and glob.glob(os.path.join(where, "cdopd-*", "data.mdb")))
                waiting.send_signal(number)
                equal(name + "it ends", waiting.wait(timeout=60), -number)
            # The child of a verify that was killed takes it away, soon.
            stays = number == signal.SIGKILL and command[0] == "restore"
            check(name + "what stays", wait_for(lambda: len(glob.glob(
                os.path.join(where, "cdopd-*"))) == stays))
    if os.geteuid() == 0:
        given(shares)
    equal("Ctrl-C at the question ends it", libtype.interrupted(
        [CDOPD, "verify", FILE, "--shares"]), 1)
    code, said = cdopd(*wanted[1][1], *shares)
    equal("the next one", code, 0) or print("# " + said)
    code, said = cdopd(*wanted[0][1], *shares)
    equal("clears it away", code, 0) or print("# " + said)
    equal("all of it", glob.glob(os.path.join(unpacked, "cdopd-*")) +
          glob.glob(os.path.join(place, "cdopd-*")), [])


def given(shares):
    """Root restores for the user whose directory it is."""
    theirs = os.path.join(TMP, "theirs")
    os.mkdir(theirs, 0o700)
    os.chown(theirs, 65534, 65534)
    left = os.path.join(theirs, "cdopd-restore.killed")
    os.mkdir(left)
    for name in "data.mdb", "held":
        with open(os.path.join(left, name), "wb"):
            pass
    for name, age in (("oldone", 90), ("newone", 10),
                      ("thoseOfMonday", 90)):
        empty = os.path.join(theirs, "cdopd-restore." + name)
        os.mkdir(empty)
        os.utime(empty, (time.time() - age,) * 2)
    code, said = cdopd("restore", FILE, theirs, "--by", "Olga Operator",
                       "--reason", "drill", *shares)
    equal("root restores for another user", code, 0) or print("# " + said)
    equal("who can open it",
          os.stat(os.path.join(theirs, "data.mdb")).st_uid, 65534)
    equal("what a killed one had left is gone, what another one begins is not",
          sorted(os.listdir(theirs)), [
              "cdopd-restore.newone", "cdopd-restore.thoseOfMonday",
              "data.mdb"])


def without_room(shares):
    """A file that may not grow any more, and words that nobody reads."""
    place = os.path.join(TMP, "limited")
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", CDOPD, "restore", FILE,
         place, "--by", "Olga Operator", "--reason", "drill", *shares],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60, check=False)
    check("a file that may not grow is said", done.returncode == 1 and
          b"not enough room" in done.stdout, done)
    check("and nothing stays", not os.path.exists(place))
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [CDOPD, "restore", FILE, place, "--by", "Olga Operator", "--reason",
         "drill", *shares], stdin=subprocess.DEVNULL, stdout=writes,
        stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writes)
    equal("what stands has its status, read or not", done.returncode, 0)
    check("and that nobody reads it is said",
          b"cannot be written" in done.stderr, done)
    equal("and is all there is", os.listdir(place), ["data.mdb"])


def never_over(registry, shares):
    """Neither one that runs nor one that is stopped, in whose place it is."""
    before = sorted(os.listdir(registry.data))
    code, said = cdopd("restore", FILE, registry.data, "--by",
                       "Olga Operator", "--reason", "slip", *shares)
    check("never over a registry that runs", code == 1 and
          "in use: stop cdopd" in said, said)
    equal("nothing of it goes", sorted(os.listdir(registry.data)), before)
    registry.stop()
    code, said = cdopd("restore", FILE, registry.data, "--by",
                       "Olga Operator", "--reason", "slip", *shares)
    check("nor over one that is stopped", code == 1 and
          "there is a registry" in said, said)
    equal("nothing of that", sorted(os.listdir(registry.data)), before)
    mine = os.path.join(TMP, "mine")
    os.mkdir(mine, 0o700)
    code, said = cdopd("restore", FILE, mine, "--by", "Olga Operator",
                       "--reason", "slip", "--key-file", registry.key)
    check("the words are of the backup", code == 1 and
          "no slot of that kind in " + FILE in said, said)
    equal("a directory that was there stays, empty", os.listdir(mine), [])
    registry.start()


def everything(person):
    """What the registry says of each case, and of one of them all."""
    about = ("request", "leaf")  # the call, not the case
    rows = [{key: value for key, value in row.items() if key not in about}
            for row in person.must(
                "case", "list", "--limit", "1000", "--json").lines()]
    rows = {row["reference"]: row for row in rows}
    one = min(rows, key=lambda name: rows[name]["registered"])
    whole = person.must("case", "show", one, "--json").json()
    rows[one]["whole"] = {key: value for key, value in whole.items()
                          if key not in about}
    return rows


def registered(audrey):
    """Each case with the log entry that made it."""
    return {released["reference"]: int(entry["index"])
            for entry in audrey.must("audit", "list", "--json", "--purpose",
                                     "audit").lines()
            if entry["call"] == "NotificationRegister" and
            entry["outcome"]["code"] == "OK"
            for released in entry.get("released", [])}


def restored(registry, cora, shares, made, audrey):
    """In another directory, by two administrators, as it was then."""
    before, made_by = everything(cora), registered(audrey)
    check("it was taken in the middle of the import",
          60 < made["cases"] < len(before) == len(made_by) == 450,
          (made, len(before), len(made_by)))
    copy = registry.data + ".lost"
    registry.stop()
    os.rename(registry.data, copy)
    code, said = cdopd("restore", FILE, registry.data, "--by",
                       "Olga Operator", "--reason", "the disk died", *shares)
    check("it is restored, and it is said what is next", code == 0 and
          "incarnation 2" in said and "cdop restore accept" in said, said)
    code, said = cdopd("restore", FILE, registry.data, "--by",
                       "Olga Operator", "--reason", "again", *shares)
    check("never over a registry", code == 1 and "there is a registry" in said,
          said)
    code, said = cdopd("slot", "add", registry.data, "--by", "Olga Operator",
                       "--new-key-file", registry.key + ".new", *shares)
    equal("it is given a key file of its own", code, 0) or print("# " + said)
    os.replace(registry.key + ".new", registry.key)
    registry.start()
    check("and waits for two people", "state=restored" in registry.ready,
          registry.ready)
    ada, bob = registry.ada, registry.bob
    equal("one asks", ada.cdop("restore", "accept", "--reason",
                               "disk failure", "--yes").code, SECOND)
    act = bob.approve()
    check("what has to be done again is said", "cases erased, holds set" in
          " ".join(act["words"]), act["words"])
    for person in ada, bob, cora:
        person.must("trust", "restore", "--yes")
    status = ada.must("status").out
    check("what it was restored from is known, and proved by that",
          "no backup was ever" not in status and
          "%d cases" % made["cases"] in ada.must("backup", "list").out, status)
    after = everything(cora)
    equal("as many cases as its manifest says", len(after), made["cases"])
    equal("those that the log has up to its checkpoint, and no other",
          set(after), {reference for reference, index in made_by.items()
                       if index < made["log_entries"]})
    equal("each of them as it was", [
        (row, before[name]) for name, row in after.items()
        if {**before[name], **row} != before[name]], [])
    registry.stop()
    code, said = registry.verify()
    check("every row opens", code == 0 and "fine" in said, said)


def main():
    registry, cora = scene()
    ada = registry.ada
    done = ada.cdop("backup", "create", FILE)
    check("without shares nothing could open it", done.code != OK and
          "cdopd slot add" in done.err and not os.path.exists(FILE), done)
    check("status asks for a backup",
          "no backup was ever taken" in ada.must("status").out)
    registry.stop()
    libslots.add_shares(registry)
    shares = libslots.shares(registry, 2, 3, 5)
    registry.start()
    libsynthetic.save(os.path.join(TMP, "first.csv"), libsynthetic.rows(50, 500))
    cora.must("notify", "--from", os.path.join(TMP, "first.csv"))
    not_written(ada)
    made = taken_meanwhile(registry, cora)
    check("what its client has read back counts", "no backup was ever taken"
          not in ada.must("status").out)
    check("it has at least what was there before", made["cases"] >= 50, made)
    equal("a file that is there is not written over",
          ada.cdop("backup", "create", FILE).code, USAGE)
    equal("nobody reads cases and takes backups",
          cora.cdop("backup", "create", FILE + "2").code, 5)
    listed = ada.must("backup", "list").out
    check("it is listed", "one.cdop" in listed and "Ada Admin" in listed,
          listed)
    proved(registry, shares, made)
    audrey = registry.invite("Audrey Auditor", "--role", "auditor",
                             "--all-areas")
    told = audrey.must("audit", "exposure", str(ada.person)).out
    check("all that was in it is told of who took it",
          "No record left unsealed." in told and
          "Took 2 backups: every record" in told, told)
    told = audrey.must("audit", "by", str(ada.person)).out
    check("and how much that was", re.search(r"[1-9][0-9]* bytes", told) and
          "count" not in told, told)

    stranger = Registry("stranger")
    stranger.init()
    libslots.add_shares(stranger)
    damaged(shares, libslots.shares(stranger, 2, 3, 5))
    forged(shares)
    under_key(shares, audrey.must("audit", "export", os.path.join(
        TMP, "log"), "--json").json()["key"])
    stopped(registry, shares)
    never_over(registry, shares)
    without_room(shares)
    restored(registry, cora, shares, made, audrey)
    end()


main()
