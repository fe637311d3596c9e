#!/usr/bin/python3
"""All of peers.py with a handful of cases: is every figure there, of ours and
of theirs, and was every call answered?  How fast it was is not looked at.

    make bench-smoke       (where PostgreSQL 15, SQLCipher and etcd are)
"""
import json
import math
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TO = os.path.join(HERE, "..", "..", "build", "bench-peers-smoke")
CASES, ROUNDS, MS = 200, 1, 100
CLIENTS = (1, 8, 64)
KINDS = ("register", "amend", "show", "find")
PARTS = ("", ".p50", ".p99", ".cpu")
WHOLES = ("scan of all", "rewrap of all", "reseal of all")


def wanted():
    for clients in CLIENTS:
        for kind in KINDS:
            whom = ["pg-aes", "pg-pgp"]
            if kind != "amend":
                whom.append("pg-plain")
            for part in PARTS:
                yield "%s%s, ours" % (kind, part), clients
                yield "%s%s, bare" % (kind, part), clients
                yield "%s%s, bare / ours" % (kind, part), clients
                yield "%s%s, bare / pg-aes" % (kind, part), clients
                for who in whom:
                    yield "%s%s, %s" % (kind, part, who), clients
                    yield "%s%s / %s" % (kind, part, who), clients
    for name in WHOLES:
        clients = 1 if name.startswith("scan") else None
        yield name + ", ours", clients
        yield name + " / pg-aes", clients
    yield "rewrap of all, bare / ours", None
    yield "rewrap of all, bare / pg-aes", None
    yield "read, sqlcipher", 1
    yield "register / sqlcipher", 1
    yield "links / pg-aes", 8
    yield "links / etcd", 8
    yield "start / pg-aes", None
    for part in PARTS:
        yield "register.long%s / pg-aes" % part, 64


def wrong(said):
    there = {(f["name"], f["clients"]) for f in said["figures"]}
    for key in sorted(set(wanted()) - there, key=str):
        yield "lacks %s" % (key,)
    for f in said["figures"]:
        if not math.isfinite(f["median"]) or f["median"] < 0:
            yield "%s is no number: %s" % (f["name"], f["median"])
    if len(said["targets"]) < 22:
        yield "has %d targets" % len(said["targets"])
    calls = said["calls"]
    if calls["failed"] or calls["asked"] != calls["answered"]:
        yield "calls: %s" % calls


def main():
    done = subprocess.run(
        [sys.executable, os.path.join(HERE, "peers.py")],
        env=dict(os.environ, SIZE=str(CASES), ROUNDS=str(ROUNDS), MS=str(MS),
                 LONG="1", TO=TO),
        stdout=subprocess.PIPE, timeout=600, check=False)
    if done.returncode != 0:
        sys.exit("peers.py: exit %d\n%s" % (
            done.returncode, done.stdout.decode("utf-8", "replace")))
    with open(TO + ".json", encoding="ascii") as f:
        said = json.load(f)
    found = list(wrong(said))
    for line in found:
        print("not ok " + line)
    print("%d figures beside others, %d calls, %d findings" % (
        len(said["figures"]), said["calls"]["answered"], len(found)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
