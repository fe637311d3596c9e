#!/usr/bin/python3
"""kill -9 of gate, vault and parent at any moment under a stream of changes:
no answer was ever given whose leaf is not in the log that came back."""
import json
import os
import random
import time

import liblog
from kill_import import kill
from libflow import OK, PARTIAL, TMP, check, end, equal, scene
import libsynthetic

COUNT = 100
SAMPLE = 8  # of each log, whose signatures are looked at: they take long


def state(person, *names):
    return os.path.join(person.home, ".local/state/cdop/training", *names)


def kept(person):
    """Receipts as they came, by name."""
    folder, found = state(person, "receipts"), {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".tlog-proof"):
            with open(os.path.join(folder, name), "rb") as f:
                found[name] = f.read()
    return found


def disturbed(registry, person, turn, role, after):
    """An import, and a death meanwhile; the leaves that it was told of."""
    path = os.path.join(TMP, "changes-%d.csv" % turn)
    libsynthetic.save(path, libsynthetic.rows(COUNT, turn * COUNT))
    with open(path + ".told", "w+b") as out:
        client = person.popen("notify", "--from", path, "--json", stdout=out)
        time.sleep(after)
        kill(registry, role)
        _, err = client.communicate(timeout=90)
        out.seek(0)
        lines = out.read().decode().splitlines()
    if role == "parent":
        registry.start()
    told = set()
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue  # cut in the middle
        if row.get("ok") and "leaf" in row:
            told.add(row["leaf"])
    equal("%s killed after %d ms, %d told: no receipt was bad" % (
        role, after * 1000, len(told)), b"does not hold" in err, False)
    again = person.cdop("notify", "--from", path)
    check("the rest of it goes in", again.code in (OK, PARTIAL), again)
    return told


def exported(audrey, number):
    """The log as it is now, checked from its leaves up; its key."""
    folder = os.path.join(TMP, "log-%d" % number)
    done = audrey.must("audit", "export", folder, "--json").json()
    return liblog.verify_export(folder, done["key"]), done["key"]


def in_the_log(receipts, log, key):
    """Those whose leaf, or checkpoint, is no part of it."""
    missing, roots = [], {}
    hashes = [liblog.leaf_hash(entry) for entry in log.entries]
    for name, text in receipts.items():
        index, _, note, extra = liblog.parse_proof(text)
        _, size, root = liblog.parse_checkpoint(liblog.parse_note(note)[0])
        if size not in roots:
            roots[size] = liblog.tree_root(hashes[:size])
        if size > log.size or log.entries[index] != extra[:256] or \
                root != roots[size]:
            missing.append(name)
    for name in random.sample(sorted(receipts), SAMPLE):
        extra = liblog.parse_proof(receipts[name])[3]
        liblog.verify_proof(receipts[name], extra[:256],
                            liblog.Key.parse(key))
    return missing


def main():
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 30)
    random.seed(seed)
    print("# SEED=%d" % seed)
    registry, cora = scene(conf=["restarts = 100"])
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    path = os.path.join(TMP, "first.csv")
    libsynthetic.save(path, libsynthetic.rows(COUNT))
    begun = time.monotonic()
    cora.must("notify", "--from", path)
    usual, ever = time.monotonic() - begun, kept(cora)
    equal("each change leaves its receipt", len(ever), COUNT)
    for turn, role in enumerate(
            ["vault", "parent", "vault", "gate", "vault", "parent"], 1):
        told = disturbed(registry, cora, turn, role,
                         random.uniform(0.05, 0.95) * usual)
        ever.update(kept(cora))
        log, key = exported(audrey, turn)
        check("every leaf that was told is there", all(
            index < log.size for index in told), sorted(told)[-3:])
        equal("every receipt ever given is of this log, %d of them" %
              len(ever), in_the_log(ever, log, key), [])
    check("and there is one for nearly all", len(ever) > 6 * COUNT,
          len(ever))
    equal("the client takes the log for the one that it knows",
          cora.cdop("case", "list").code, OK)
    with_all = ["--with=" + state(cora, "receipts", name)
                for name in random.sample(sorted(ever), 40)]
    done = audrey.cdop("audit", "verify", os.path.join(TMP, "log-6"),
                       "--key", key, *with_all)
    check("as another program says, too", done.code == OK and
          done.out.count(": its beginning, of ") == 40, done)
    equal("it stops in order", registry.stop(), 0)
    code, said = registry.verify()
    check("verify says fine", code == 0 and said.endswith("fine\n"),
          said[-500:])
    end()


main()
