#!/usr/bin/python3
"""The registry beside what people would use instead, in the same minutes.

    make bench-peers [SIZE=30000] [ROUNDS=3] [MS=1000]
    make bench-peers ROUNDS=1 LONG=60

PostgreSQL 15 with pgcrypto over TLS, in a temporary cluster that is removed
in the end: each call is one prepared statement that seals or opens the same
number of bytes and appends a sealed audit row in the same transaction, with
an HMAC column for look-ups; `aes` is AES-CBC without integrity, its fastest,
`pgp` is pgp_sym_encrypt, `plain` is aes without the audit row, which promises
less.  SQLCipher is in the process of its one client, without a network.  Of
etcd only links are measured: mutual TLS 1.3, a certificate a client.  `bare`
is none that anybody could use: the calls that our vault makes to libsodium,
nettle and LMDB, commits and all, without what is around them (bare.py).  What
has to be faster than `bare` cannot be had with the rows that we keep, by a
vault of one thread.

Each round goes through all of them call by call, ours and theirs in turn, so
that a ratio is of the same seconds.  What others do on the machine is in
them: PostgreSQL is a process a client and gets the more of a busy core; `cpu`,
what the servers take of it a call, does not depend on that.  Ours always has
the audit leaf, the seal and the check for duplicates.  Clients run on the same
machine: pgbench's and ours.  With LONG each round ends with so many seconds of
registering by 64 clients, ours and then theirs, long enough for what is put
off to come.  Writes build/bench-peers.json.
"""
import json
import os
import signal
import subprocess
import sys
import threading
import time

import filled
from bare import Bare
from bench import SEES, memory, on_cpu
from cluster import Cluster
from etcd import Etcd
from filled import BASE, PLACE, RUN, Drive
from figures import Figures, short
from parts import Rotation, progress, say

CASES = int(os.environ.get("SIZE") or 30000)
ROUNDS = int(os.environ.get("ROUNDS") or 3)
MS = int(os.environ.get("MS") or 1000)
LONG_S = int(os.environ.get("LONG") or 0)
LONG_MAX_S = 75  # by then some 700,000 children more are registered
TO = os.environ.get("TO") or PLACE + "-peers"
KINDS = ("register", "amend", "show", "find")
CLIENTS = (1, 8, 64)
PLAIN = ("register", "show", "find")
PARTS = (("p50", "ms"), ("p99", "ms"), ("cpu", "us"))  # cpu: of the server
FIGURES = Figures()

# Of PERFORMANCE: figure, clients, gate, goal; below: less is better.
TARGETS = (
    ("register / pg-aes", 64, 4, 6, False),
    ("register / pg-pgp", 64, None, 12, False),
    ("register / pg-plain", 64, 3, None, False),
    ("register / pg-aes", 8, 1.1, 1.8, False),
    ("register.p50 / pg-aes", 1, 2, 1, True),
    ("show / pg-aes", 64, 4, 6, False),
    ("find / pg-aes", 64, 4, 6, False),
    ("show / pg-plain", 64, None, 3, False),
    ("find / pg-plain", 64, None, 3, False),
    ("show / pg-aes", 8, 1.1, 1.5, False),
    ("find / pg-aes", 8, 1.1, 1.5, False),
    ("show.p50 / pg-aes", 1, 1.7, 1, True),
    ("find.p50 / pg-aes", 1, 1.7, 1, True),
    ("register.p99 / pg-aes", 64, 0.2, 0.1, True),
    ("show.p99 / pg-aes", 64, 0.2, 0.1, True),
    ("find.p99 / pg-aes", 64, 0.2, 0.1, True),
    ("amend.p99 / pg-aes", 64, 0.2, 0.1, True),
    ("amend / pg-aes", 64, 1.5, 3, False),
    ("scan of all / pg-aes", 1, 10, 100, False),
    ("rewrap of all / pg-aes", None, 4, None, False),
    ("links / etcd", 8, 2, 4, False),
    ("register.long / pg-aes", 64, 3.5, 5, False),
)


def compare(name, unit, ours, theirs, clients, who):
    FIGURES.add("%s, %s" % (name, who), unit, theirs, clients, CASES)
    FIGURES.add("%s / %s" % (name, who), "times", ours / theirs, clients,
                CASES)


def versus(kind, clients, ours, theirs, who):
    compare(kind, "calls/s", ours["rate"], theirs["rate"], clients, who)
    for part, unit in PARTS:
        compare("%s.%s" % (kind, part), unit, ours[part], theirs[part],
                clients, who)


def stand_bare(name, unit, value, clients=None):
    """Beside ours and theirs of the same round."""
    FIGURES.add(name + ", bare", unit, value, clients, CASES)
    for who in ("ours", "pg-aes", "pg-pgp", "pg-plain"):
        other = "%s, %s" % (name, who)
        if FIGURES.has(other, clients, CASES):
            FIGURES.add("%s, bare / %s" % (name, who), "times",
                        value / FIGURES.last(other, clients, CASES), clients,
                        CASES)


def bares(one, cases):
    """What the libraries alone would make of our calls."""
    one.stop()
    bare = Bare(one)
    for clients in CLIENTS:
        for kind in KINDS:
            said = bare.call(kind, clients)
            stand_bare(kind, "calls/s", said["rate"], clients)
            for part, unit in PARTS:
                stand_bare("%s.%s" % (kind, part), unit, said[part], clients)
    stand_bare("rewrap of all", "cases/s", bare.rewrap(cases))
    bare.end()
    one.start()


def own(one, kind, clients, ms=MS, name=None):
    name = name or kind
    before = on_cpu(one.pids())
    said = one.drive.do(kind, clients, 0, ms)
    ours = {"rate": said["calls"] / said["seconds"],
            "p50": said["p50_us"] / 1000, "p99": said["p99_us"] / 1000,
            "cpu": 1e6 * (on_cpu(one.pids()) - before) / said["calls"]}
    FIGURES.add(name + ", ours", "calls/s", ours["rate"], clients, CASES)
    for part, unit in PARTS:
        FIGURES.add("%s.%s, ours" % (name, part), unit, ours[part], clients,
                    CASES)
    return ours


def calls(one, pg, clients):
    seconds = max(1, MS // 1000)
    for kind in KINDS:
        ours = own(one, kind, clients)
        for variant in ("aes", "pgp"):
            versus(kind, clients, ours, pg.call(
                kind, variant, True, clients, seconds, CASES),
                "pg-" + variant)
        if kind in PLAIN:
            versus(kind, clients, ours, pg.call(
                kind, "aes", False, clients, seconds, CASES), "pg-plain")


def embedded(one, body):
    """One client, in its own process: no link, no other user."""
    done = subprocess.run(
        [os.environ["SQLCIPHER"], os.path.join(RUN, "sqlcipher.db"),
         str(CASES), str(MS), str(body)], stdout=subprocess.PIPE, check=True)
    for kind, rate in json.loads(done.stdout).items():
        if kind == "read":
            FIGURES.add("read, sqlcipher", "calls/s", rate, 1, CASES)
        else:
            compare(kind, "calls/s", own(one, kind, 1)["rate"], rate, 1,
                    "sqlcipher")


def links(one, pg, etcd):
    """Of theirs as many as they have in a second; of ours a burst, as the
    vault lets in so many and no more."""
    said = one.drive.shake(8, 120)
    ours = said["calls"] / said["seconds"]
    FIGURES.add("links, ours", "/s", ours, 8, CASES)
    compare("links", "/s", ours, pg.connections(8, 1), 8, "pg-aes")
    compare("links", "/s", ours, etcd.connections(8, 1), 8, "etcd")


def wholes(one, pg):
    """All of it: looked through, turned, sealed anew; how many cases."""
    said = one.drive.do("scan", 1, -(-CASES // 100))
    ours = said["listed"] / said["seconds"]
    FIGURES.add("scan of all, ours", "cases/s", ours, 1, CASES)
    for variant in ("aes", "pgp"):
        compare("scan of all", "cases/s", ours, CASES / pg.report(variant), 1,
                "pg-" + variant)
    cases = said["cases"]
    one.drive.tell("rest")
    theirs = pg.seal_anew("aes")
    rotation = Rotation(one.reach(), ())
    keys = cases / rotation.wait_rewrapped()
    rotation.wait()
    rotation = Rotation(one.registry)
    rows = cases / rotation.wait()
    FIGURES.add("rewrap of all, ours", "cases/s", keys, None, CASES)
    FIGURES.add("reseal of all, ours", "cases/s", rows, None, CASES)
    compare("rewrap of all", "cases/s", keys, theirs, None, "pg-aes")
    compare("reseal of all", "cases/s", rows, theirs, None, "pg-aes")
    return cases


def footprint(one, pg):
    """Starts, and memory of all processes, idle and with 64 clients."""
    one.stop()
    began = time.monotonic()
    one.registry.start()
    one.reach().ada.must("status")
    ours = 1000 * (time.monotonic() - began)
    one.registry.stop()
    one.start()
    FIGURES.add("start, ours", "ms", ours, None, CASES)
    pg.stop()
    compare("start", "ms", ours, pg.start(), None, "pg-aes")
    if SEES:
        compare_memory(one, pg)


def compare_memory(one, pg):
    idle = memory(one.pids())["Pss"]
    FIGURES.add("memory, ours", "MiB", idle, None, CASES)
    compare("memory", "MiB", idle, memory(pg.pids())["Pss"], None, "pg-aes")
    one.drive.do("show", 64, 0, MS)
    busy = memory(one.pids())["Pss"]
    seen = []
    timer = threading.Timer(
        3, lambda: seen.append(memory(pg.pids())["Pss"]))
    timer.start()
    pg.call("show", "aes", True, 64, 3, CASES)
    timer.join()
    FIGURES.add("memory, ours", "MiB", busy, 64, CASES)
    compare("memory", "MiB", busy, seen[0], 64, "pg-aes")


def long(one, pg):
    """Of PostgreSQL its checkpoints, of ours the pages that come back."""
    ours = own(one, "register", 64, 1000 * LONG_S, "register.long")
    versus("register.long", 64, ours, pg.call(
        "register", "aes", True, 64, LONG_S, CASES), "pg-aes")


def meets(ratio, target, below):
    return ratio <= target if below else ratio >= target


def verdict(which, target, ratio, bare, below):
    """In words: met, missed, or beyond what the libraries alone can do."""
    if target is None:
        return ""
    said = "%s %s: " % (which, target)
    if meets(ratio, target, below):
        return said + "met"
    if bare is not None and not meets(bare, target, below):
        return said + "beyond bare"
    return said + "MISSED"


def targets():
    """Which are met: by the median of what was measured here.  bare: the same
    ratio of the libraries alone, where that was measured."""
    found = []
    for name, clients, gate, goal, below in TARGETS:
        if not FIGURES.has(name, clients, CASES):
            continue
        ratio = FIGURES.median(name, clients, CASES)
        bare = name.replace(" /", ", bare /")
        bare = FIGURES.median(bare, clients, CASES) \
            if FIGURES.has(bare, clients, CASES) else None
        words = [verdict(which, target, ratio, bare, below)
                 for which, target in (("gate", gate), ("goal", goal))]
        say("%-24s %3s clients %8s times  %-22s %-22s %s" % (
            name, clients or "-", short(ratio), *words,
            "" if bare is None else "bare: %s" % short(bare)))
        found.append({"figure": name, "clients": clients, "ratio": ratio,
                      "bare": bare, "gate": gate, "goal": goal,
                      "gate_met": gate and meets(ratio, gate, below),
                      "goal_met": goal and meets(ratio, goal, below)})
    return found


def prepare():
    filled.found()
    one = filled.grow(BASE, CASES)
    one.start()
    body = round(one.drive.do("register", 1, 1)["body"])
    progress("PostgreSQL: a cluster, and %d cases in it, twice" % CASES)
    return one, body


def measure(one, pg, etcd, body):
    for number in range(ROUNDS):
        note = "round %d of %d: " % (number + 1, ROUNDS)
        for clients in CLIENTS:
            progress(note + "%d clients" % clients)
            calls(one, pg, clients)
        progress(note + "SQLCipher")
        embedded(one, body)
        progress(note + "all cases")
        cases = wholes(one, pg)
        progress(note + "the libraries alone")
        bares(one, cases)
        progress(note + "links")
        time.sleep(1.1)  # a burst is allowed again
        links(one, pg, etcd)
        progress(note + "starts and memory")
        footprint(one, pg)
        if LONG_S:
            progress(note + "%d s of registering, twice" % LONG_S)
            long(one, pg)
    progress("")


def main():
    if ROUNDS * LONG_S > LONG_MAX_S:
        sys.exit("LONG=%d in %d rounds is too long: there are a million "
                 "numbers of synthetic children; ROUNDS=1" % (LONG_S, ROUNDS))
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    lock = filled.clear_place(True)
    pg = etcd = None
    try:
        one, body = prepare()
        pg = Cluster(body)
        if os.stat(pg.dir).st_dev != os.stat(RUN).st_dev:
            say("the two do not lie on the same disk: %s, %s" % (
                pg.dir, RUN))
        pg.make()
        for variant in ("aes", "pgp"):
            pg.fill(variant, CASES)
        etcd = Etcd()
        etcd.start()
        measure(one, pg, etcd, body)
        FIGURES.table()
        say()
        FIGURES.write(TO + ".json", seconds=round(time.monotonic() - began),
                      cases=CASES, rounds=ROUNDS, body=body,
                      targets=targets(), calls={
                          "asked": Drive.asked, "answered": Drive.answered,
                          "failed": Drive.failed})
        say("%d calls of ours, %d failed; %s.json" % (
            Drive.answered, Drive.failed, TO))
    except KeyboardInterrupt:
        say("\nstopped")
        return 130
    finally:
        for other in filter(None, (pg, etcd)):
            other.remove()
        filled.clean()
        lock.close()
    return 1 if Drive.failed else 0


if __name__ == "__main__":
    if not os.path.exists("/usr/lib/postgresql/15/bin/initdb"):
        sys.exit("no PostgreSQL 15 here: packaging/quickstart bench")
    if not os.path.exists("/usr/bin/etcd"):
        sys.exit("no etcd here: packaging/quickstart bench")
    sys.exit(main())
