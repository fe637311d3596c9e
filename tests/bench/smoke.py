#!/usr/bin/python3
"""All of bench.py with a handful of cases: is every figure there, was every
call answered?  How fast it was is not looked at.

    make bench-smoke
"""
import json
import math
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TO = os.path.join(HERE, "..", "..", "build", "bench-smoke")
SIZES, ROUNDS, CALLS = (64, 128), 1, 64
CLIENTS = (1, 8, 64)
LIMITS = ("fdatasync_append", "fdatasync_overwrite", "lmdb_put_1",
          "lmdb_put_10", "lmdb_put_64", "xchacha20_1k", "x25519",
          "ed25519_sign", "ed25519_verify", "blake2b_64", "echo_1", "echo_8",
          "echo_64")
KINDS = ("register", "amend", "show", "find", "list", "scan")
OF_CALLS = ("", ".p50", ".p99", ".server", ".client")
OF_SIZE = ("start.cold", "start.warm", "start.server", "memory.idle",
           "memory.case", "notification", "disk.case", "disk.resealed",
           "rewrap.keys", "rewrap", "reseal", "reseal.loaded")
FIELDS = {"name", "clients", "cases", "unit", "median", "min", "max", "runs",
          "limit", "ratio"}


def wanted():
    """Memory is seen by root alone."""
    for key in all_figures():
        if os.geteuid() == 0 or not key[0].startswith("memory."):
            yield key


def all_figures():
    yield "memory.idle", None, 0
    for name in LIMITS:
        yield "limit." + name, None, None
    for size in SIZES:
        for name in OF_SIZE:
            yield name, None, size
        yield "memory.64", 64, size
        yield "memory.64.rest", 64, size
        yield "mix.while_resealed", 8, size
        yield "mix.while_resealed.p99", 8, size
        for clients in CLIENTS:
            yield "scan.cases", clients, size
            for part in ("", ".server", ".client"):
                yield "handshake" + part, clients, size
            for kind in KINDS:
                for part in OF_CALLS:
                    yield kind + part, clients, size


def wrong(said):
    """What is not as it has to be, a line each."""
    there = {(f["name"], f["clients"], f["cases"]): f
             for f in said["figures"]}
    for key in sorted(set(wanted()) ^ set(there), key=str):
        yield "%s %s" % ("has too much:" if key in there else "lacks",
                         str(key))
    for key, f in there.items():
        if set(f) != FIELDS:
            yield "%s has the fields %s" % (key, sorted(f))
        elif not all(math.isfinite(f[x]) for x in ("median", "min", "max")):
            yield "%s is no number" % (key,)
        elif not f["min"] <= f["median"] <= f["max"] or f["runs"] < ROUNDS:
            yield "%s is out of order: %s" % (key, f)
        elif (f["limit"] is None) != (f["ratio"] is None):
            yield "%s has a limit without a ratio, or the reverse" % (key,)
    calls = said["calls"]
    if calls["failed"] or calls["asked"] != calls["answered"]:
        yield "calls: %s" % calls
    least = len(SIZES) * ROUNDS * len(CLIENTS) * len(KINDS) * CALLS
    if calls["answered"] < least:
        yield "%d calls, not %d" % (calls["answered"], least)


def main():
    done = subprocess.run(
        [sys.executable, os.path.join(HERE, "bench.py")],
        env=dict(os.environ, SIZES=" ".join(map(str, SIZES)),
                 ROUNDS=str(ROUNDS), CALLS=str(CALLS), KEEPS="0", TO=TO),
        stdout=subprocess.PIPE, timeout=300, check=False)
    if done.returncode != 0:
        sys.exit("bench.py: exit %d\n%s" % (
            done.returncode, done.stdout.decode("utf-8", "replace")))
    with open(TO + ".json", encoding="ascii") as f:
        said = json.load(f)
    found = list(wrong(said))
    lines = 15 if os.geteuid() == 0 else 12
    with open(TO + ".svg", encoding="ascii") as f:
        if f.read().count("<polyline") != lines:
            found.append("the plot does not have %d lines" % lines)
    for line in found:
        print("not ok " + line)
    print("%d figures, %d calls, %d findings" % (
        len(said["figures"]), said["calls"]["answered"], len(found)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
