#!/usr/bin/python3
"""What the machine can do bare, and what the registry makes of it.

    make bench [SIZES="1000 30000"] [ROUNDS=3] [MS=700]

Registries of SIZES cases, filled through the protocol, are measured in
ROUNDS rounds, each of which begins with the limits of the machine, so that a
ratio is of the same minutes: register, amend, show, find, list and a scan of
all cases, MS milliseconds each, by 1, 8 and 64 clients over loopback TCP;
links; starts; memory.  Then keys are turned, and all is sealed anew, alone
and under the calls of 8 clients.  All runs on this machine: what the clients
take of it is told, and what others do on it is in the figures.

Writes build/bench.json and build/bench.svg.  Registries are kept in
build/bench/kept for the next time.  Exit 1: a call failed.
"""
import os
import signal
import subprocess
import sys
import time

import filled
from filled import BASE, RUN, TOP, Drive
from parts import Rotation, proc_lines, progress, say
from figures import Figures, machine

SIZES = sorted({int(s) for s in (os.environ.get("SIZES")
                                 or "1000 30000").split()})
ROUNDS = int(os.environ.get("ROUNDS") or 3)
MS = int(os.environ.get("MS") or 700)
CALLS = int(os.environ.get("CALLS") or 0)   # of a figure, rather than MS
KEEPS = os.environ.get("KEEPS") != "0"
TO = os.environ.get("TO") or os.path.join(TOP, "build", "bench")
LIMIT_MS = 200
CLIENTS = (1, 8, 64)
KINDS = ("register", "amend", "show", "find", "list", "scan")
LINKS = 120           # at a stretch; the vault answers 200 new ones a second
LOADED_MAX = 100000   # cases: more are not rotated under load
LOADED_S = 120        # of these: then there is no further one
# Clients that never rest write rows as fast as they are copied: what is left
# is copied when they stop, before each has had the calls of its device.
AT_WORK_S = 3 if CALLS else 30
SEES = os.geteuid() == 0   # what memory the processes of the daemon have
BARE = {1: "lmdb_put_1", 8: "lmdb_put_10", 64: "lmdb_put_64"}
FIGURES = Figures()


def on_cpu(pids):
    """Seconds that these were at work."""
    return sum(int(line.split()[0])
               for line in proc_lines(pids, "schedstat")) / 1e9


def limits():
    done = subprocess.run(
        [os.environ["LIMITS"], RUN, str(5 if CALLS else LIMIT_MS)],
        stdout=subprocess.PIPE, check=True)
    bare = filled.json.loads(done.stdout)
    for name, value in bare.items():
        FIGURES.add("limit." + name, "/s", value)
    return bare


# ---- calls -----------------------------------------------------------------

def call(one, kind, clients, bare):
    pids = one.pids()[1:]
    before = on_cpu(pids)
    said = one.drive.do(kind, clients, CALLS, 0 if CALLS else MS)
    server = on_cpu(pids) - before
    n, where = said["calls"], (clients, one.size)
    limit = BARE[clients]
    FIGURES.add(kind, "calls/s", n / said["seconds"], *where, limit,
                bare[limit])
    FIGURES.add(kind + ".p50", "ms", said["p50_us"] / 1000, *where)
    FIGURES.add(kind + ".p99", "ms", said["p99_us"] / 1000, *where)
    FIGURES.add(kind + ".server", "us CPU", 1e6 * server / n, *where)
    FIGURES.add(kind + ".client", "us CPU", 1e6 * said["cpu_s"] / n, *where)
    if kind == "scan":
        FIGURES.add("scan.cases", "cases/s",
                    said["listed"] / said["seconds"], *where)


def links(one, clients, bare):
    """New ones; between two stretches the vault gets its breath back."""
    one.drive.tell("rest")
    time.sleep(1.1)
    pids = one.pids()[1:]
    before = on_cpu(pids)
    said = one.drive.shake(clients, LINKS // clients * clients)
    server = on_cpu(pids) - before
    n = said["calls"]
    FIGURES.add("handshake", "/s", n / said["seconds"], clients, one.size,
                "x25519", bare["x25519"])
    FIGURES.add("handshake.server", "us CPU", 1e6 * server / n, clients,
                one.size)
    FIGURES.add("handshake.client", "us CPU", 1e6 * said["cpu_s"] / n,
                clients, one.size)


# ---- starts, memory, disk --------------------------------------------------

def memory(pids):
    """MiB of all processes: shares of what is mapped, and their own."""
    found = {"Pss": 0, "Pss_Anon": 0}
    for line in proc_lines(pids, "smaps_rollup"):
        name, _, value = line.partition(":")
        if name in found:
            found[name] += int(value.split()[0]) / 1024
    return found


def forget(one):
    """The file is on the disk and nowhere else."""
    fd = os.open(os.path.join(one.registry.data, "data.mdb"), os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def start_ms(one):
    began = time.monotonic()
    one.registry.start()
    return 1000 * (time.monotonic() - began)


def starts(one):
    """Cold and warm, and what it takes when nobody calls."""
    one.renew()
    forget(one)
    FIGURES.add("start.cold", "ms", start_ms(one), None, one.size)
    one.registry.stop()
    FIGURES.add("start.warm", "ms", start_ms(one), None, one.size)
    FIGURES.add("start.server", "ms CPU", 1000 * on_cpu(one.pids()), None,
                one.size)
    one.registry.stop()
    one.start()
    return idle(one)


def idle(one):
    """What of it is of no file; base: what each case's is measured from."""
    if not SEES:
        return 0
    used = memory(one.pids())
    FIGURES.add("memory.idle", "MiB", used["Pss"], None, one.size)
    return used["Pss_Anon"]


def connected(one):
    """64 clients that have just called, and that have nothing to say."""
    one.drive.do("show", 64, CALLS, 0 if CALLS else MS)
    FIGURES.add("memory.64", "MiB", memory(one.pids())["Pss"], 64, one.size)
    time.sleep(3 + one.size / 100000)
    FIGURES.add("memory.64.rest", "MiB", memory(one.pids())["Pss"], 64,
                one.size)


def base_memory():
    BASE.start()
    used = idle(BASE)
    BASE.stop()
    return used


def disk_used(one):
    """Bytes of the pages that the file has in use, by its newer meta page."""
    with open(os.path.join(one.registry.data, "data.mdb"), "rb") as f:
        metas = [f.read(4096) for _ in range(2)]
    # mdb.c, MDB_page (16 bytes) and MDB_meta: last page at 120, txn at 128.
    newest = max((int.from_bytes(m[16 + 128:16 + 136], "little"),
                  int.from_bytes(m[16 + 120:16 + 128], "little"))
                 for m in metas)
    return (newest[1] + 1) * 4096


def disk(one, empty):
    """Before anybody has looked at anything."""
    progress("%d cases: disk" % one.size)
    full = disk_used(one)
    one.start()
    Rotation(one.reach()).wait()
    resealed = disk_used(one)
    body = one.drive.do("register", 1, 1)["body"]
    one.stop()
    FIGURES.add("notification", "bytes", body, None, one.size)
    for name, used in (("disk.case", full), ("disk.resealed", resealed)):
        FIGURES.add(name, "bytes", (used - empty) / one.size, None, one.size,
                    "of its notification", body)


# ---- rotation --------------------------------------------------------------

def turn_alone(one, how, name, bare):
    one.drive.tell("rest")
    rotation = Rotation(one.reach(), how)
    if name == "rewrap":
        FIGURES.add("rewrap.keys", "s", rotation.wait_rewrapped(), None,
                    one.size)
    seconds = rotation.wait()
    FIGURES.add(name, "rows/s", rotation.rows() / seconds, None, one.size,
                "xchacha20_1k", bare["xchacha20_1k"])


def turn_loaded(one):
    """Eight clients before, meanwhile and after; seconds it took."""
    bare = limits()
    quiet_ms = 300 if CALLS else 2000
    quiet = [one.drive.do("mix", 8, 0, quiet_ms)]
    rotation = Rotation(one.reach())
    one.drive.say("do mix 8 0 0 1")
    began = time.monotonic()
    while not rotation.ended() and time.monotonic() - began < AT_WORK_S:
        time.sleep(0.02)
        progress("sealing anew under load: %d s" % (
            time.monotonic() - began))
    one.drive.say("stop")
    loaded = one.drive.count(one.drive.hear())
    seconds = rotation.wait()
    rows = rotation.rows()
    quiet.append(one.drive.do("mix", 8, 0, quiet_ms))
    FIGURES.add("reseal.loaded", "rows/s", rows / seconds, None, one.size,
                "xchacha20_1k", bare["xchacha20_1k"])
    rate = sum(q["calls"] / q["seconds"] for q in quiet) / 2
    p99 = sum(q["p99_us"] for q in quiet) / 2
    FIGURES.add("mix.while_resealed", "calls/s",
                loaded["calls"] / loaded["seconds"], 8, one.size,
                "of the mix alone", rate)
    FIGURES.add("mix.while_resealed.p99", "ms", loaded["p99_us"] / 1000, 8,
                one.size, "of the mix alone", p99 / 1000)
    return seconds


def rotations(one, number):
    note = "round %d, %d cases: " % (number + 1, one.size)
    bare = limits()
    one.renew().start()
    progress(note + "keys are turned")
    turn_alone(one, (), "rewrap", bare)
    progress(note + "all is sealed anew")
    turn_alone(one, ("--reseal",), "reseal", bare)


# ---- all of it -------------------------------------------------------------

def one_round(number, registries, empty):
    bare = limits()
    for one in registries:
        note = "round %d of %d, %d cases: " % (number + 1, ROUNDS, one.size)
        progress(note + "starts")
        anon = starts(one)
        if SEES:
            FIGURES.add("memory.case", "bytes",
                        (anon - empty) * (1 << 20) / one.size, None,
                        one.size)
    for clients in CLIENTS:
        for kind in KINDS:
            for one in registries:
                progress("round %d of %d, %d cases, %d clients: %s" % (
                    number + 1, ROUNDS, one.size, clients, kind))
                call(one, kind, clients, bare)
    for one in registries:
        if SEES:
            connected(one)
        for clients in CLIENTS:
            progress("round %d of %d, %d cases: links" % (
                number + 1, ROUNDS, one.size))
            links(one, clients, bare)


def measure():
    filled.found()
    registries, before = [], BASE
    for size in SIZES:
        before = filled.grow(before, size)
        registries.append(before)
    empty, empty_disk = base_memory(), disk_used(BASE)
    for one in registries:
        disk(one, empty_disk)
    for number in range(ROUNDS):
        one_round(number, registries, empty)
    for one in registries:
        loaded_s = 0
        for number in range(ROUNDS):
            rotations(one, number)
            if one.size <= LOADED_MAX and loaded_s < LOADED_S:
                loaded_s += turn_loaded(one)
        one.stop()
    progress("")


def note():
    """What the plot is of."""
    on = machine()
    return ("%s, %d cores, with the clients on them; median, and from least "
            "to most, of %d rounds; %s" % (
                on["cpu"], on["cores"], ROUNDS,
                time.strftime("%d %B %Y", time.gmtime())))


def show(began):
    FIGURES.table()
    if not SEES:
        say("memory was not measured: to see it takes root")
    FIGURES.write(TO + ".json", seconds=round(time.monotonic() - began),
                  sizes=SIZES, rounds=ROUNDS,
                  calls={"asked": Drive.asked, "answered": Drive.answered,
                         "failed": Drive.failed})
    FIGURES.draw(TO + ".svg", note())
    say("%d calls, %d failed; %s.json and %s.svg" % (
        Drive.answered, Drive.failed, TO, TO))


def main():
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    lock = filled.clear_place(KEEPS)
    try:
        measure()
        show(began)
    except KeyboardInterrupt:
        say("\nstopped")
        return 130
    finally:
        filled.clean()
        lock.close()
    return 1 if Drive.failed else 0


if __name__ == "__main__":
    sys.exit(main())
