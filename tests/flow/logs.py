#!/usr/bin/python3
"""liblog.py against what others have published, before it judges us."""
import glob
import json
import os
import shutil

import liblog
from libflow import TMP, TOP, check, end
from liblog import Key, Log, Refused, Signer, unbase64

NOTES = os.path.join(TOP, "tests/vectors/notes")
MERKLE = os.path.join(
    os.environ.get("CDOP_VECTORS", os.path.join(TOP, "../shared/vectors")),
    "merkle")


def refused(call, *args):
    try:
        call(*args)
    except Refused:
        return True
    return False


def read(path):
    with open(path, "rb") as f:
        return f.read()


# ---- published notes -------------------------------------------------------

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


# ---- published proofs ------------------------------------------------------

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

def made(name, n):
    log = Log(Signer("%032x/1" % 7, b"s" * 32),
              [b"entry %d" % i for i in range(n)])
    folder = os.path.join(TMP, name)
    log.export(folder)
    return folder, str(log.signer)


def files_of(folder):
    for top, _, names in os.walk(folder):
        for name in names:
            yield os.path.join(top, name)


def changed(path):
    """Each way a file can be wrong, while it is."""
    data = read(path)
    for what, bad in (("altered", data[:-1] + bytes([data[-1] ^ 1])),
                      ("cut", data[:-1]), ("longer", data + b"\0"),
                      ("empty", b"")):
        with open(path, "wb") as f:
            f.write(bad)
        yield what
    os.rename(path, path + ".away")
    yield "missing"
    os.rename(path + ".away", path)
    with open(path, "wb") as f:
        f.write(data)


def exports():
    for n in 0, 1, 255, 256, 257, 70000:
        folder, vkey = made("log-%d" % n, n)
        export = liblog.verify_export(folder, vkey)
        check("an export of %d entries holds" % n,
              export.size == n and len(export.entries) == n)
        shutil.rmtree(folder)
    folder, vkey = made("log", 300)
    let_through = [
        (path, what) for path in list(files_of(folder))
        for what in changed(path)
        if not refused(liblog.verify_export, folder, vkey)]
    check("no changed export holds", not let_through, let_through)
    other = str(Signer("%032x/1" % 7, b"t" * 32))
    check("nor one under another key",
          refused(liblog.verify_export, folder, other))


notes()
proofs()
exports()
end()
