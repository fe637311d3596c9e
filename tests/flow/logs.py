#!/usr/bin/python3
"""Logs and receipts, judged twice: by cdop, which needs no registry and no
identity for it, and by liblog.py, which knows nothing of cdop.

First liblog.py against what others have published.
"""
import glob
import json
import os
import shutil
import subprocess

import liblog
from libflow import (CDOP, INTEGRITY, OK, TMP, TOP, USAGE, check, end,
                     equal)
from liblog import Key, Log, Refused, Signer, unbase64

NOTES = os.path.join(TOP, "tests/vectors/notes")
MERKLE = os.path.join(
    os.environ.get("CDOP_VECTORS", os.path.join(TOP, "../shared/vectors")),
    "merkle")
REGISTRY = "00112233445566778899aabbccddeeff"


def refused(call, *args):
    try:
        call(*args)
    except Refused:
        return True
    return False


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def signer(seed, incarnation=1):
    return Signer("%s/%d" % (REGISTRY, incarnation), seed * 32)


def cdop(*argv, env=None):
    done = subprocess.run(
        (CDOP, *argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=60, check=False,
        env=dict(os.environ, HOME=TMP, **(env or {})))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


# ---- published notes and proofs --------------------------------------------

def published():
    for path in sorted(glob.glob(NOTES + "/*.note")):
        note = read(path)
        for vkey in read(path[:-4] + "vkeys").decode().split():
            yield os.path.basename(path), note, vkey


def notes():
    for name, note, vkey in published():
        key = Key.parse(vkey)
        text = liblog.parse_note(note)[0]
        check("%s is signed by %s" % (name, key.name),
              liblog.open_note(note, key) == text and str(key) == vkey)
        bad = bytes([note[0] ^ 1]) + note[1:]
        check("%s altered is not" % name, refused(liblog.open_note, bad, key))


def holds(vector):
    proof = [unbase64(h) for h in vector["proof"] or []]
    if any(len(h) != 32 for h in proof):
        return False
    if "leafIdx" in vector:
        args = (liblog.check_inclusion, vector["leafIdx"], vector["treeSize"],
                unbase64(vector["leafHash"]), proof, unbase64(vector["root"]))
    else:
        args = (liblog.check_consistency, vector["size1"],
                unbase64(vector["root1"]), vector["size2"],
                unbase64(vector["root2"]), proof)
    return not refused(*args)


def proofs():
    paths = glob.glob(MERKLE + "/*/*/*.json")
    if not paths:
        print("skip the published proofs")
        return
    wrong = []
    for path in paths:
        vector = json.loads(read(path))
        if holds(vector) == vector["wantErr"]:
            wrong.append(path)
    check("published proofs are judged as they say", not wrong, wrong)


# ---- exports ---------------------------------------------------------------

def verify(folder, key, *more):
    return cdop("audit", "verify", folder, "--key", str(key), *more)


def whole_exports():
    for n in 0, 1, 255, 256, 257, 70000:
        log, folder = Log(signer(b"k")), os.path.join(TMP, "log-%d" % n)
        log.add(n)
        log.export(folder)
        theirs = liblog.verify_registry(folder, str(log.signer))
        code, out, err = verify(folder, log.signer, "--json")
        check("an export of %d entries holds" % n, code == OK, err)
        ours = json.loads(out)
        equal("and says what the other one says, %d" % n,
              (ours["origin"], ours["size"], ours["root"]),
              (theirs.origin, theirs.size, liblog.rebase64(theirs.root)))
        shutil.rmtree(folder)
    return ours


def files_of(folder):
    for top, _, names in os.walk(folder):
        for name in names:
            yield os.path.join(top, name)


def changed(path):
    """Each way a file can be wrong, while it is."""
    data = read(path)
    for what, bad in (("altered", data[:-2] + bytes([data[-2] ^ 1, data[-1]])),
                      ("cut", data[:-1]), ("longer", data + b"\0"),
                      ("empty", b"")):
        write(path, bad)
        yield what
    os.rename(path, path + ".away")
    yield "missing"
    os.rename(path + ".away", path)
    write(path, data)


def agree_on(folder, key):
    """Both refuse each changed file; where they do not, what it was."""
    wrong = []
    for path in sorted(files_of(folder)):
        for what in changed(path):
            code, _, err = verify(folder, key)
            theirs = refused(liblog.verify_registry, folder, str(key))
            if code != INTEGRITY or not theirs or not err:
                wrong.append((path, what, code, theirs))
    return wrong


def changed_exports():
    log, folder = Log(signer(b"k")), os.path.join(TMP, "log")
    log.add(300)
    log.export(folder)
    wrong = agree_on(folder, log.signer)
    check("no changed export holds, for either of the two", not wrong, wrong)
    code, _, err = verify(folder, signer(b"l"))
    check("nor one under another key",
          code == INTEGRITY and "another key" in err and
          refused(liblog.verify_registry, folder, str(signer(b"l"))), err)
    code, _, err = verify(folder, signer(b"k", 2))
    equal("nor under that of another incarnation", code, INTEGRITY)
    write(os.path.join(folder, "tile/0/000"),
          b"x" + read(os.path.join(folder, "tile/0/000"))[1:])
    code, out, err = verify(folder, log.signer, "--json")
    said = json.loads(err)
    check("what does not hold is said in words and in JSON",
          code == INTEGRITY and not out and not said["ok"] and
          said["exit"] == 13 and said["reason"] == "integrity" and
          "tile/0/000" in said["message"], err)


def signed_lies():
    """The server itself signs a log that is none."""
    def with_leaf(i, at, value):
        log = Log(signer(b"k"))
        log.add(5)
        bad = bytearray(log.entries[i])
        bad[at:at + len(value)] = value
        log.entries[i] = bytes(bad)
        return log

    untold = Log(signer(b"k"))
    untold.add(5)
    untold.entries[2] = liblog.leaf(
        2, 1700000002000, liblog.STATEMENT, 0, b"c" * 32)
    cases = {
        "a leaf of another version": with_leaf(2, 0, b"\2"),
        "a leaf of another kind": with_leaf(2, 1, b"\4"),
        "a leaf of another place": with_leaf(2, 15, b"\3"),
        "a leaf over another tree": with_leaf(2, 31, b"\3"),
        "a leaf older than the one before": with_leaf(2, 18, b"\0"),
        "bytes behind a leaf": with_leaf(2, 255, b"\1"),
        "a statement that is not there": untold,
    }
    short = Log(signer(b"k"))
    short.add(5)
    short.entries[2] = short.entries[2][:-1]
    cases["a short leaf"] = short
    for i, (name, log) in enumerate(cases.items()):
        folder = os.path.join(TMP, "lie-%d" % i)
        log.export(folder)
        liblog.verify_export(folder, str(log.signer))
        code, _, err = verify(folder, log.signer)
        check("%s is refused by both" % name, code == INTEGRITY and
              "entry 2" in err and
              refused(liblog.verify_registry, folder, str(log.signer)), err)


def statements():
    first, second, third = signer(b"k"), signer(b"l"), signer(b"m", 2)
    log, folder = Log(first), os.path.join(TMP, "turned")
    log.add(100)
    log.turn(second, "key", "every year")
    log.add(200)
    log.turn(third, "recover", "both administrators gone", between=3)
    log.export(folder)
    for key, which in (first, "first"), (second, "second"), (third, "last"):
        code, out, err = verify(folder, key, "--json")
        check("the %s key leads to the checkpoint" % which, code == OK and
              json.loads(out)["key"] == str(third) and
              json.loads(out)["statements"] == 2 and
              liblog.verify_registry(folder, str(key)).size == 305, err)
    code, out, err = verify(folder, first)
    check("and the key of today is said", str(third) in out, out + err)
    for path in sorted(files_of(os.path.join(folder, "statement"))):
        wrong = [what for what in changed(path)
                 if verify(folder, first)[0] != INTEGRITY or not refused(
                     liblog.verify_registry, folder, str(first))]
        check("%s has to be there as it was signed" % path[-11:], not wrong,
              wrong)
    shutil.copy(os.path.join(folder, "statement/2"),
                os.path.join(folder, "statement/3"))
    check("one statement too many is found",
          verify(folder, third)[0] == INTEGRITY and
          refused(liblog.verify_registry, folder, str(third)))
    os.unlink(os.path.join(folder, "statement/3"))
    lies = ((first, second, "key", 1, "a turn of the key goes on at once"),
            (first, third, "recover", -1, "a statement goes on from a tree "
             "that there is"))
    for before, after, kind, between, name in lies:
        log, folder = Log(before), os.path.join(TMP, "lie-" + kind)
        log.add(5)
        if between < 0:
            real, log.hashes = log.hashes, lambda size: [b"x" * 32] * size
        log.turn(after, kind, "another tree", between=max(between, 0))
        if between < 0:
            log.hashes = real
        log.export(folder)
        check(name, verify(folder, before)[0] == INTEGRITY and refused(
            liblog.verify_registry, folder, str(before)))


# ---- receipts --------------------------------------------------------------

def check_receipt(data, key, *more):
    path = os.path.join(TMP, "a.tlog-proof")
    write(path, data)
    return cdop("audit", "check-receipt", path, "--key", str(key), *more)


def receipts():
    log = Log(signer(b"k"))
    log.add(300)
    bad = []
    for index in 0, 1, 128, 254, 255, 256, 298, 299:
        for salt in b"s" * 32, b"":
            data = log.receipt(index, salt)
            code, out, err = check_receipt(data, log.signer, "--json")
            said = json.loads(out) if code == OK else {}
            place = liblog.verify_proof(data, log.entries[index], log.signer)
            if (said.get("index"), said.get("origin"),
                    said.get("size")) != place or (
                        said["salted"] != bool(salt)):
                bad.append((index, salt, code, err, said))
    check("receipts hold, and both say the same of them", not bad, bad)
    code, out, _ = check_receipt(log.receipt(7), log.signer)
    check("what it proves is said in words", code == OK and "entry 7 " in out
          and "Status" in out and REGISTRY in out, out)
    data = log.receipt(299)
    through = [at for at in range(0, len(data), 7)
               if (check_receipt(data[:at] + bytes([data[at] ^ 1]) +
                                 data[at + 1:], log.signer)[0] != INTEGRITY)]
    # All but the salt, which nothing vouches for without the request.
    salt = range(*(data.index(b"extra ") + 6 + 4 * n // 3
                   for n in (255, 290)))
    check("no changed receipt holds", all(at in salt for at in through),
          through)
    other = Log(signer(b"k"))
    other.add(299)
    for name, bad, key in (
            ("of another entry", log.proof(5, log.entries[6]), log.signer),
            ("with no entry", log.proof(5), log.signer),
            ("with a short entry", log.proof(5, log.entries[5][:-1]),
             log.signer),
            ("with something behind it", log.proof(
                5, log.entries[5] + b"s" * 33), log.signer),
            ("under another key", log.receipt(5), signer(b"l")),
            ("under that of another registry", log.receipt(5),
             Signer("f" * 32 + "/1", b"k" * 32)),
            ("with another checkpoint", data.partition(b"\n\n")[0] +
             b"\n\n" + other.checkpoint(), log.signer),
            ("that is empty", b"", log.signer)):
        code, out, err = check_receipt(bad, key, "--json")
        check("a receipt %s does not hold" % name, code == INTEGRITY and
              not out and json.loads(err)["reason"] == "integrity", err)


def wrong_usage():
    folder = os.path.join(TMP, "nowhere")
    key = str(signer(b"k"))
    witness = str(Signer("w", b"w" * 32, liblog.COSIGNATURE))
    for name, argv in (
            ("a folder that is not there",
             ("audit", "verify", folder, "--key", key)),
            ("a file that is not there",
             ("audit", "check-receipt", folder, "--key", key)),
            ("no key", ("audit", "verify", TMP)),
            ("half a key", ("audit", "verify", TMP, "--key", key[:-1])),
            ("a witness's key", ("audit", "verify", TMP, "--key", witness))):
        code, _, err = cdop(*argv)
        check("%s is no finding about a log" % name,
              code == USAGE and bool(err), err)
    code, _, err = cdop("audit", "check-receipt", folder)
    check("without a key it looks for the one that was pinned here",
          code not in (OK, INTEGRITY) and "enrol" in err, err)


notes()
proofs()
whole_exports()
changed_exports()
signed_lies()
statements()
receipts()
wrong_usage()
end()
