#!/usr/bin/python3
"""A long run of everything: cases come, are amended, held, withdrawn, shown
and erased, people come and are revoked, keys turn, backups are taken, clocks
are set, processes are killed and the daemon starts again; one act after the
other, and files of notifications meanwhile.

    soak.py SECONDS         (make soak S=3600; SEED=n plays the same again)

Each act is played once to begin with; with 0 seconds that is all, and only the
model is looked at.

A model of what the registry should hold is kept here, and in the end each
case, each person and each certificate is as it says.  From the second
quarter to the last, memory, descriptors and reader slots stay where they
were, and the file grows by its log alone.
"""
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
# A folder of its own: it is taken away in the end, with all that is in it.
os.environ["TMP"] = tempfile.mkdtemp(
    prefix="cdop-soak.", dir=os.environ.get("TMP"))
sys.path.insert(0, os.path.join(TOP, "tests/flow"))
sys.dont_write_bytecode = True
import libflow  # noqa: E402
import libsynthetic  # noqa: E402
from libflow import (AUTH, CDOPD, CONFLICT, NOT_FOUND, OK, OUTCOME,  # noqa
                     PARTIAL, SEALED, SECOND, TMP, UNREACHABLE, check, end,
                     equal, wait_for)

CASES_MAX = 60       # alive at a time: what comes has to go
PER_FILE = 6
LOOK_S = 2.0
LEAVERS_MAX = 200    # one invites no more than 250 in a day
LATER = (OUTCOME, UNREACHABLE, SEALED)
WHY = ["--reason", "as the plan of the run says"]
LEAF_BYTES = 2048    # of the file, an entry of the log with all its rows
FILE_SLACK = 8 << 20
AHEAD_MAX = 64 << 20  # room that the largest batch is given, and more
MEMORY_SLACK = 6144  # KiB


def cdopd(*args):
    return subprocess.run([CDOPD, *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=300, check=False)


# ---- what is measured ------------------------------------------------------

def memory_of(pid):
    """KiB that only this process has."""
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        for line in f:
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    return 0


def reader_slots(path):
    """High-water mark of LMDB's table of readers."""
    with open(path, "rb") as f:
        return struct.unpack_from("I", f.read(64), 56)[0]


def pages(path):
    """Bytes that LMDB has in use, by the newer of its two meta pages: the file
    itself is longer by the room that was asked for ahead."""
    with open(path, "rb") as f:
        metas = [struct.unpack_from("<QQ", f.read(4096), 136)
                 for _ in range(2)]
    return (max(metas, key=lambda meta: meta[1])[0] + 1) * 4096


class Watch:
    """Looks at the daemon now and then; what was seen, by quarter."""

    def __init__(self, registry, seconds):
        self.registry, self.seconds = registry, seconds
        self.begun = self.next = time.monotonic()
        self.seen = []

    def share(self):
        return (time.monotonic() - self.begun) / self.seconds \
            if self.seconds else 1.0

    def look(self):
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + LOOK_S
        row = {"share": self.share()}
        try:
            for role in "gate", "vault":
                pid = self.registry.pid_of(role)
                row[role] = memory_of(pid)
                row[role + " fds"] = len(os.listdir("/proc/%d/fd" % pid))
            row["parent fds"] = len(os.listdir(
                "/proc/%d/fd" % self.registry.process.pid))
            data = self.registry.data
            row["slots"] = reader_slots(os.path.join(data, "lock.mdb"))
            file = os.path.join(data, "data.mdb")
            row["file"], row["size"] = pages(file), os.path.getsize(file)
            row["names"] = len(os.listdir(data))
        except (OSError, AttributeError):
            return  # in the midst of a death
        self.seen.append(row)

    def quarter(self, n, what):
        found = sorted(row[what] for row in self.seen
                       if n <= row["share"] * 4 < n + 1)
        if not found:
            return 0
        # A copy or a large batch has room ahead for a while.
        return found[len(found) // 2] if what == "file" else found[-1]

    def judge(self, leaves):
        """leaves: how many there were at the end of the second quarter, and
        at the end."""
        for what in "gate", "vault":
            early, late = self.quarter(1, what), self.quarter(3, what)
            check("memory of the %s stays: %d KiB, then %d KiB" % (
                what, early, late), 0 < late <= early * 1.1 + MEMORY_SLACK)
        for what in "gate fds", "vault fds", "parent fds", "slots", "names":
            early, late = self.quarter(1, what), self.quarter(3, what)
            check("%s stay: %d, then %d" % (what, early, late),
                  0 < late <= early + 1)
        early, late = self.quarter(1, "file"), self.quarter(3, "file")
        more = leaves[1] - leaves[0]
        check("the file grows by its log alone: %d KiB, then %d KiB, with %d "
              "entries more" % (early >> 10, late >> 10, more),
              0 < late <= early + more * LEAF_BYTES + FILE_SLACK)
        ahead = max(row["size"] - row["file"] for row in self.seen)
        check("room ahead of it has an end: %d KiB" % (ahead >> 10),
              ahead <= AHEAD_MAX)


# ---- the world -------------------------------------------------------------

class World:
    """The registry, its people, and what it should hold."""

    def __init__(self):
        self.clock = os.path.join(TMP, "clock")
        self.offset = 0
        with open(self.clock, "wb") as f:
            f.write(struct.pack("=q", 0))
        self.registry = registry = libflow.Registry(
            conf=["restarts = 100", "gate_source_handshakes = 6000"])
        shim = os.environ.get("SOAK_SHIM", os.path.join(
            TOP, "build/release/soak/clock.so"))
        os.environ.update(LD_PRELOAD=shim, SOAK_CLOCK=self.clock)
        registry.init()
        registry.start()
        self.ada, self.bob = registry.people()
        self.cora = registry.invite("Cora Coordinator", "--role",
                                    "coordinator", "--all-areas")
        self.dora = registry.invite("Dora Coordinator", "--role",
                                    "coordinator", "--all-areas")
        self.cuno = registry.invite("Cuno Custodian", "--role", "custodian")
        self.audrey = registry.invite("Audrey Auditor", "--role", "auditor")
        registry.stop()
        folder = os.path.join(TMP, "shares")
        done = cdopd("slot", "add", registry.data, "--by", "Ada Admin",
                     "--new-shares", "2/4", "--out", folder, "--key-file",
                     registry.key)
        if done.returncode != 0:
            sys.exit(done.stdout.decode())
        self.shares = [word for n in (2, 4) for word in (
            "--share-file", os.path.join(folder, "share-%d.txt" % n))]
        registry.start()
        self.cases = {}     # reference: what is known of it
        self.erased = []
        self.revoked = []
        self.rows = 0       # notifications made
        self.backups = 0
        self.count = {}
        self.patience = 40

    def settle(self, person, *args):
        """The act, and again what was cut off until it is answered."""
        done = person.cdop(*args)
        for _ in range(self.patience):
            if done.code not in LATER:
                return done
            time.sleep(0.5)
            kept = person.cdop("retry")
            if kept.code in LATER:
                continue
            # It was kept and is sent; or it was none to be kept.
            done = libflow.Done(OK, kept.out, kept.err) \
                if done.code == OUTCOME else person.cdop(*args)
        return done

    def must(self, person, *args, codes=(OK,)):
        done = self.settle(person, *args)
        if done.code not in codes:
            check("cdop " + " ".join(args[:3]), False, "as %s: %r" % (
                person.name, done))
            end()
        return done

    def read(self, person, *args, codes=(OK,)):
        """A look: asked again until there is an answer."""
        for _ in range(self.patience):
            done = person.cdop(*args)
            if done.code not in LATER:
                break
            time.sleep(0.5)
        if done.code not in codes:
            check("cdop " + " ".join(args[:3]), False, "as %s: %r" % (
                person.name, done))
            end()
        return done

    def approve(self, person, what):
        """Every act that waits and has this in its words."""
        for act in self.read(person, "approve", "--json").lines():
            if what in json.dumps(act):
                self.settle(person, "approve", act["number"], "--confirm",
                            act["number"])

    def leaves(self):
        return self.read(self.ada, "status", "--json").json()["leaf"]

    def destroyed(self, *facts):
        """References in certificates with all these facts.  To show what is
        not there would be counted."""
        return {c["reference"] for c in self.read(
            self.cuno, "certificate", "list", "--json").lines()
                if all(fact in c for fact in ("reference", *facts))}

    def alive(self, **facts):
        """A case of which all this is so, or None."""
        fit = [name for name, case in self.cases.items()
               if all(case[key] == value for key, value in facts.items())]
        return random.choice(fit) if fit else None

    def file(self):
        """A file of new notifications; its rows."""
        made = libsynthetic.rows(PER_FILE, self.rows)
        self.rows += PER_FILE
        path = os.path.join(TMP, "rows.csv")
        libsynthetic.save(path, made)
        return path, made

    def sent(self, path, made):
        """Sent until all of it is in: each child is there once."""
        for _ in range(self.patience):
            done = self.cora.cdop("notify", "--from", path, "--json")
            if done.code in (OK, PARTIAL):
                break
            time.sleep(0.5)
        told = {row["row"]: row["reference"] for row in done.lines()
                if row.get("ok") and "reference" in row}
        if len(told) != PER_FILE:
            check("a file of notifications is taken", False, done)
            end()
        for number, row in enumerate(made, 1):
            self.cases[told[number]] = {
                "number": row["child.nhs_number"], "gp": None, "hold": False,
                "withdrawn": False}
        for name in os.listdir(TMP):
            if name.startswith("rows."):
                os.unlink(os.path.join(TMP, name))


# ---- acts ------------------------------------------------------------------

def register(w):
    if len(w.cases) > CASES_MAX:
        return erase(w)
    w.sent(*w.file())
    return True


def killed_meanwhile(w):
    """A process dies while a file goes in."""
    if len(w.cases) > CASES_MAX:
        return erase(w)
    path, made = w.file()
    with open(os.path.join(TMP, "told"), "wb") as out:
        client = w.cora.popen("notify", "--from", path, "--json", stdout=out)
        time.sleep(random.uniform(0.02, 0.6))
        role = random.choice(["gate", "vault", "vault", "parent"])
        pid = w.registry.pid_of(role) if role != "parent" else 0
        if role == "parent":
            w.registry.kill()
            w.registry.start()
        elif pid:
            os.kill(pid, signal.SIGKILL)
        client.communicate(timeout=120)
    w.sent(path, made)
    return True


def restart(w):
    equal("it stops in order", w.registry.stop(), 0)
    w.registry.start()
    return True


def amend(w):
    name = w.alive(withdrawn=False)
    if name is None:
        return False
    gp = "Dr Plan %d" % random.randrange(1 << 30)
    w.read(w.cora, "case", "show", name)
    w.must(w.cora, "case", "amend", name, *WHY, "--source", "GP", "--set",
           "gp.name=" + gp)
    w.cases[name]["gp"] = gp
    return True


def look(w):
    """One case as the model has it, and one by its number."""
    name = w.alive()
    if name is not None:
        compare(w, name)
    return name is not None


def hold(w):
    name = w.alive(hold=False, withdrawn=False)
    if name is None:
        return False
    w.read(w.cora, "case", "show", name)
    w.must(w.cora, "hold", "set", name, *WHY)
    w.cases[name]["hold"] = True
    return True


def lift(w):
    name = w.alive(hold=True)
    if name is None:
        return False
    w.read(w.cora, "case", "show", name)
    w.must(w.cora, "hold", "lift", name, *WHY, codes=(SECOND, OK))
    w.approve(w.dora, name)
    w.cases[name]["hold"] = False
    return True


def withdraw(w):
    name = w.alive(hold=False)
    if name is None:
        return False
    back = w.cases[name]["withdrawn"]
    w.read(w.cora, "case", "show", name)
    w.must(w.cora, "case", "reinstate" if back else "withdraw", name, *WHY)
    w.cases[name]["withdrawn"] = not back
    return True


def erase(w):
    name = w.alive(hold=False)
    if name is None:
        return False
    w.read(w.cora, "case", "show", name)
    done = w.settle(w.cora, "case", "erase", name, "--reason", "court_order",
                    "--yes")
    if done.code == CONFLICT:
        return False  # keys are turning: another time
    if done.code not in (SECOND, OK):
        check("an erasure is asked for", False, done)
    w.approve(w.cuno, name)
    gone = name in w.destroyed()
    if gone:
        del w.cases[name]
        w.erased.append(name)
    return gone


def rotate(w):
    what = random.choice([
        ["--area", "wirral"], ["--area", "sefton"], ["--all"],
        ["--area", "liverpool", "--reseal"], ["--root"]])
    done = w.settle(w.ada, "key", "rotate", *what, *WHY, "--yes")
    if done.code in (SECOND, OK):
        w.approve(w.bob, "KeyRotate")
    return done.code in (SECOND, OK)


def revoke(w):
    """Somebody comes, works, and is out."""
    number = len(w.revoked)
    if number == LEAVERS_MAX:
        return True
    left = w.registry.invite("Leaver %d" % number, "--role", "partner",
                             "--area", "wirral")
    w.read(left, "whoami")
    w.must(w.ada, "people", "revoke", str(left.person), *WHY, "--confirm",
           str(left.person))
    code = w.read(left, "whoami", codes=(AUTH,)).code
    w.revoked.append(left.person)
    shutil.rmtree(left.home)
    return code == AUTH


def backup(w):
    """Of one person the registry takes 64 a day."""
    path = os.path.join(TMP, "one.cdop")
    taker = random.choice((w.ada, w.bob))
    done = taker.cdop("backup", "create", path, "--json")
    if done.code != OK:
        return done.code in LATER + (CONFLICT,)
    w.backups += 1
    if w.backups % 3 == 1:
        seen = cdopd("verify", path, *w.shares)
        check("backup %d opens" % w.backups, seen.returncode == 0,
              seen.stdout.decode())
        proof = re.search(rb"^proof  (\S+)$", seen.stdout, re.M)
        w.must(taker, "backup", "proved", str(done.json()["number"]),
               proof.group(1).decode() if proof else "none")
    os.unlink(path)
    return True


def set_clock(w):
    """Of the daemon alone; never so far that keys of clients are too old."""
    w.offset = random.choice([0, 0, 3, -3, 60, -60, 3600, -3600, 40000])
    with open(w.clock, "r+b") as f:
        f.write(struct.pack("=q", w.offset))
    return True


ACTS = [(register, 12), (amend, 14), (look, 20), (hold, 3), (lift, 3),
        (withdraw, 4), (erase, 12), (rotate, 3), (revoke, 2), (backup, 2),
        (set_clock, 4), (killed_meanwhile, 3), (restart, 1)]


# ---- the end ---------------------------------------------------------------

def compare(w, name):
    """Is the case as the model has it?"""
    case, known = w.read(w.cora, "case", "show", name,
                         "--json").json()["case"], w.cases[name]
    form = case["record"]["form"]
    seen = {
        "number": form["child"]["nhs_number"],
        "gp": form.get("gp", {}).get("name"),
        "hold": "hold" in case,
        "withdrawn": case["status"] == "entered-in-error",
    }
    if seen != known:
        check("case %s is as it should be" % name, False,
              "%r, not %r" % (seen, known))
    return seen == known


def settled(w):
    """Nothing turns any more, and every certificate is there."""
    def done():
        status = w.ada.cdop("key", "status", "--json").json()
        time.sleep(0.5)
        return status is not None and "running" not in status and \
            w.destroyed("issued") == set(w.erased)
    return check("rotations and erasures come to their end",
                 wait_for(done, 120))


def final(w):
    with open(w.clock, "r+b") as f:
        f.write(struct.pack("=q", 0))
    settled(w)
    shown = {o["reference"] for o in w.read(
        w.cora, "case", "list", "--limit", "10000", "--json").lines()}
    equal("the list has what the model has", shown, {
        name for name, case in w.cases.items() if not case["withdrawn"]})
    wrong = [name for name in w.cases if not compare(w, name)]
    equal("each of %d cases is as it should be" % len(w.cases), wrong, [])
    equal("each of %d erased cases has its certificate" % len(w.erased),
          w.destroyed("issued"), set(w.erased))
    back = [name for name in w.erased[:5]
            if w.cora.cdop("case", "show", name).code != NOT_FOUND]
    equal("and is gone", back, [])
    people = {p["number"]: p["state"]["code"] for p in w.read(
        w.ada, "people", "list", "--all", "--json").lines() if "number" in p}
    equal("%d people are revoked, and nobody else" % len(w.revoked),
          {n for n, state in people.items() if state == "PERSON_REVOKED"},
          set(w.revoked))
    folder = os.path.join(TMP, "export")
    w.read(w.audrey, "audit", "export", folder, "--purpose", "audit")
    key = w.audrey.must("trust", "show", "--json").json()["key"]
    equal("its whole log holds", w.audrey.cdop(
        "audit", "verify", folder, "--key", key).code, OK)
    equal("it stops in order", w.registry.stop(), 0)
    code, said = w.registry.verify()
    check("verify says fine", code == 0 and said.endswith("fine\n"),
          said[-500:])


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 30)
    random.seed(seed)
    print("# SEED=%d, %d s" % (seed, seconds), flush=True)
    w = World()
    watch = Watch(w.registry, seconds)
    acts = [act for act, weight in ACTS for _ in range(weight)]
    first = [act for act, _ in ACTS]
    half, told = None, 0
    while first or watch.share() < 1.0:
        act = first.pop(0) if first else random.choice(acts)
        good = act(w)
        w.count[act.__name__] = w.count.get(act.__name__, 0) + bool(good)
        watch.look()
        if half is None and watch.share() >= 0.5:
            half = w.leaves()
        if int(watch.share() * 20) > told:
            told = int(watch.share() * 20)
            print("# %3d %%: %d cases, %s" % (
                told * 5, len(w.cases), " ".join(
                    "%s %d" % item for item in sorted(w.count.items()))),
                flush=True)
    leaves = w.leaves()
    if seconds:
        watch.judge((half or leaves, leaves))
    final(w)
    print("# %d entries in the log, %d looks" % (leaves, len(watch.seen)))
    if libflow.failures == 0:
        shutil.rmtree(TMP, ignore_errors=True)
    else:
        print("# left as it is: " + TMP)
    end()


if __name__ == "__main__":
    main()
