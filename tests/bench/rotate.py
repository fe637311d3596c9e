#!/usr/bin/python3
"""Keys are turned and every row is sealed anew while eight clients call.

    make bench-rotate [CASES=3000] [RATE=0] [ROUNDS=3]

A training registry gets CASES cases, and is started before and after a
rotation that nobody disturbs.  Then, ROUNDS times over, so that what
is compared is of the same minute: a while of calls and nothing else; the
same with `cdop key rotate --all --reseal` under way; a while of calls again;
a rotation while nobody calls; what the cipher and the disk of the machine do
bare.  RATE is calls a second of all eight together; 0: each sends its next
call when the last is answered.  A call is timed from when it was due.  Only
shares within one run mean something.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

TMP = tempfile.mkdtemp(prefix="cdop-bench.")
os.environ["TMP"] = TMP
from parts import (Rotation, children_of, cpu_s, identity_of, mid,  # noqa: E402
                   progress, say)
from libflow import scene  # noqa: E402

CLIENTS = 8
CASES = int(os.environ.get("CASES") or 3000)
RATE = int(os.environ.get("RATE") or 0)
ROUNDS = int(os.environ.get("ROUNDS") or 3)
IDLE_S = 3            # of each of the two quiet whiles of a round
STARTS = 3
# A device has 50,000 calls before it is slowed.
DEVICES = 1 + (CASES // CLIENTS + ROUNDS * (8000 + CASES)) // 45000
# Phases of mix: fill is 0, then three a round.
KINDS = ("find", "show", "register", "amend")


def spread(values, form="%.0f"):
    return " / ".join(form % v for v in mid(values))


class Mix:
    """The clients."""

    def __init__(self, people):
        identities = [identity_of(person) for person in people]
        self.process = subprocess.Popen(
            [os.environ["MIX"], str(CLIENTS), str(DEVICES), *identities],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        if not said:
            sys.exit("the clients are gone")
        return said

    def stat(self, phase):
        return json.loads(self.tell("stat %d" % phase))

    def fill(self, cases):
        self.tell("fill %d" % cases)
        began = time.monotonic()
        done = 0
        while done < cases:
            time.sleep(0.5)
            done = self.stat(0)["cases"]
            progress("%d of %d cases" % (done, cases))
        self.tell("rest")
        return cases / (time.monotonic() - began)

    def load(self, phase, seconds=0.0):
        self.tell("load %d %d" % (phase, RATE))
        time.sleep(seconds)

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


def shares(registry, mix, before=None):
    """CPU seconds of vault, gate and clients, at this time."""
    now = (cpu_s(registry.pid_of("vault")), cpu_s(registry.pid_of("gate")),
           sum(cpu_s(int(pid)) for pid in children_of(mix.process.pid)),
           time.monotonic())
    if before is None:
        return now
    return [100 * (n - b) / (now[3] - before[3])
            for n, b in zip(now[:3], before[:3])]


def found_registry():
    """With room for what a copy of all that needs."""
    return scene(conf=["restarts = 100", "map_size_gib = 64"])[0]


def start_ms(registry):
    """From nothing to ready, several times, files in memory."""
    took = []
    for _ in range(STARTS):
        registry.stop()
        began = time.monotonic()
        registry.start()
        took.append(1000 * (time.monotonic() - began))
    return took


def one_round(number, registry, mix):
    """What one round comes to."""
    phase = 1 + 3 * number
    found = {}
    mix.load(phase, IDLE_S)
    rotation = Rotation(registry)
    before = shares(registry, mix)
    mix.load(phase + 1)
    began = time.monotonic()
    seconds = rotation.wait()
    found["during_s"] = time.monotonic() - began
    found["cpu"] = shares(registry, mix, before)
    mix.load(phase + 2, IDLE_S)
    mix.tell("rest")
    found["idle"] = [mix.stat(phase), mix.stat(phase + 2)]
    found["during"] = mix.stat(phase + 1)
    found["load_rows"] = rotation.rows() / seconds
    rotation = Rotation(registry)
    seconds = rotation.wait()
    found["rows"] = rotation.rows()
    found["alone_rows"] = found["rows"] / seconds
    found["raw"] = json.loads(mix.tell("raw " + os.path.join(
        registry.dir, "raw")))
    return found


def line(name, stat, seconds):
    say("%-12s %8d %6d %8.0f %8.2f %8.2f %8.1f" % (
        name, stat["calls"], stat["failed"], stat["calls"] / seconds,
        stat["p50"] / 1000, stat["p99"] / 1000, stat["max"] / 1000))


def show_round(number, found):
    progress("")
    if number == 0:
        say("%-12s %8s %6s %8s %8s %8s %8s" % (
            "", "calls", "failed", "calls/s", "p50 ms", "p99 ms", "max ms"))
    line("before", found["idle"][0], IDLE_S)
    line("rotating", found["during"], found["during_s"])
    line("after", found["idle"][1], IDLE_S)
    say("  %.1f s, %d rows; rows/s under load %.0f, alone %.0f; CPU: vault "
        "%.0f %%, gate %.0f %%, clients %.0f %%" % (
            found["during_s"], found["rows"], found["load_rows"],
            found["alone_rows"], *found["cpu"]))


def quiet(found, what):
    """Of both whiles of a round."""
    return sum(stat[what] for stat in found["idle"]) / 2


def kinds(rounds):
    say("%-12s %14s %14s   p99 ms: median / least / most" % (
        "", "without", "rotating"))
    for kind in KINDS:
        say("%-12s %20s %24s" % (
            kind,
            spread([(f["idle"][0][kind][2] + f["idle"][1][kind][2]) / 2000
                    for f in rounds], "%.2f"),
            spread([f["during"][kind][2] / 1000 for f in rounds], "%.2f")))


def summary(rounds):
    failed = sum(s["failed"] for f in rounds
                 for s in f["idle"] + [f["during"]])
    say()
    kinds(rounds)
    say()
    say("median / least / most of %d rounds" % len(rounds))
    say("failed calls            %d" % failed)
    say("p99, times without      " + spread(
        [f["during"]["p99"] / quiet(f, "p99") for f in rounds], "%.2f"))
    say("calls/s, times without  " + spread(
        [f["during"]["calls"] / f["during_s"] /
         (quiet(f, "calls") / IDLE_S) for f in rounds], "%.2f"))
    say("rows/s under load       " + spread(
        [f["load_rows"] for f in rounds]))
    say("rows/s alone            " + spread(
        [f["alone_rows"] for f in rounds]))
    say("bare cipher, 1 KiB/s    " + spread(
        [f["raw"]["mb_s"] * 1e6 / 1024 for f in rounds]))
    say("bare fdatasync/s        " + spread(
        [f["raw"]["flushes_s"] for f in rounds]))
    return failed


def main():
    registry = found_registry()
    people = []
    for i in range(CLIENTS * DEVICES):
        people.append(registry.invite(
            "Cora %d" % i, "--role", "coordinator", "--all-areas"))
        progress("%d of %d people" % (i + 1, CLIENTS * DEVICES))
    mix = Mix(people)
    say("%d cases, registered by %d clients: %.0f a second" % (
        CASES, CLIENTS, mix.fill(CASES)))
    starts = [start_ms(registry)]
    Rotation(registry).wait()
    starts.append(start_ms(registry))
    rounds = []
    for number in range(ROUNDS):
        rounds.append(one_round(number, registry, mix))
        show_round(number, rounds[-1])
    failed = summary(rounds)
    say("start, ms, with the cases alone: %s; keys turned: %s" % (
        spread(starts[0]), spread(starts[1])))
    say("start, ms, in the end, %d rows: %s" % (
        rounds[-1]["rows"], spread(start_ms(registry))))
    mix.end()
    registry.stop()
    return failed > 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        shutil.rmtree(TMP, ignore_errors=True)
