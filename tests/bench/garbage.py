#!/usr/bin/python3
"""What a session feels of 10,000 connections that bring garbage (T12).

    make bench-garbage [N=10000]

Somebody asks for the status again and again, alone, and then while another
process connects N times, half with noise and half with a first message that
only mac1 tells from a good one; the limits of a source are off.  Told are the
median and the 99th percentile of both, and what the gate took.  Exit 1: in
none of three rounds was the 99th percentile below twice the one alone, a call
failed, or the gate kept memory or descriptors.
"""
import os
import shutil
import socket
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
os.environ["TMP"] = tempfile.mkdtemp(
    prefix="cdop-garbage.", dir=os.environ.get("TMP"))
sys.path[:0] = [os.path.join(TOP, "tests/flow/stranger"),
                os.path.join(TOP, "tests/flow")]
sys.dont_write_bytecode = True
import client  # noqa: E402
import libflow  # noqa: E402
from client import pb  # noqa: E402
from scene import Cast  # noqa: E402

ROUNDS, CALLS = 3, 400
PAUSE_S = 0.002
PREAMBLE = b"CDOP\x01\x01\x00\x00"
MEMORY_KIB, FDS = 2048, 3


def garbage(path, n):
    """In a process of its own; never more than a few at a time."""
    for i in range(n):
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(path)
            s.sendall(os.urandom(90) if i % 2 else
                      PREAMBLE + b"\x00\x51" + os.urandom(81))
        except OSError:
            pass  # refused, or hung up: that is what it is for
        s.close()


def beside(path, n):
    pid = os.fork()
    if pid == 0:
        garbage(path, n)
        os._exit(0)
    return pid


def is_over(pid):
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def ask(session):
    begun = time.perf_counter()
    good = session.call("Status").status == client.OK
    took = time.perf_counter() - begun
    time.sleep(PAUSE_S)
    return took * 1000, good


def kept(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        memory = [int(line.split()[1]) for line in f
                  if line.startswith("RssAnon:")]
    return memory[0], len(os.listdir("/proc/%d/fd" % pid))


def at(times, part):
    return sorted(times)[int(len(times) * part)]


def one_round(cast, session, n):
    """The ratio of the 99th percentiles, and whether each was answered."""
    alone = [ask(session) for _ in range(CALLS)]
    flood, under = beside(cast.registry.socket, n), []
    while not is_over(flood):
        under.append(ask(session))
    times = [[ms for ms, _ in some] for some in (alone, under)]
    ratio = at(times[1], 0.99) / at(times[0], 0.99)
    print("alone p50 %.2f p99 %.2f ms; under %d connections p50 %.2f p99 "
          "%.2f ms (%d calls): %.2f times" % (
              at(times[0], 0.5), at(times[0], 0.99), n, at(times[1], 0.5),
              at(times[1], 0.99), len(under), ratio), flush=True)
    return ratio, all(good for _, good in alone + under)


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    cast = Cast("garbage")
    cast.administrators()
    cast.welcome("cora", pb.COORDINATOR, name="Cora Coordinator",
                 all_areas=True)
    session = cast.open("cora")
    gate = cast.registry.pid_of("gate")
    before = kept(gate)
    rounds = [one_round(cast, session, n) for _ in range(ROUNDS)]
    libflow.wait_for(lambda: kept(gate)[1] <= before[1] + FDS, 20)
    after = kept(gate)
    print("gate: %d KiB and %d descriptors, then %d KiB and %d" % (
        before + after))
    libflow.check("p99 under the flood is below twice the one alone",
                  min(ratio for ratio, _ in rounds) < 2)
    libflow.check("every call was answered", all(good for _, good in rounds))
    libflow.check("the gate keeps nothing of it",
                  after[0] <= before[0] + MEMORY_KIB and
                  after[1] <= before[1] + FDS)
    session.link.close()
    libflow.equal("an orderly stop", cast.registry.stop(), 0)
    shutil.rmtree(libflow.TMP, ignore_errors=True)
    libflow.end()


if __name__ == "__main__":
    main()
