#!/usr/bin/python3
"""Parent, gate and vault of a running daemon, killed at each system call of a
day, and each call of the vault to its disk that fails, by strace.

    CDOPD=... CDOP=... tests/fault/kill.py [N [OFFSET]]

A registry is made once and kept, with the homes of its people.  A point is a
process, a system call, a number n and what happens then: SIGKILL, EIO or
ENOSPC at the n-th.  A coordinator imports, two people turn every key with
--reseal, an administrator takes a backup; what was not answered is said
again, and a daemon that is gone is started.  Then: every child is there once,
every receipt that a client got is of the log, there was one rotation and no
area has two keys, `cdopd verify` says fine.

The last line is "N points, N broken".  A point whose call never comes is
broken, too.  Without strace, or the right to use it, this says "skip".
"""
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

TMP = os.environ["TMP"] = tempfile.mkdtemp(prefix="cdop-kill.")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "flow"))
import liblog  # noqa: E402
import libsynthetic  # noqa: E402
from libflow import CDOPD, OK, PARTIAL, scene, wait_for  # noqa: E402

COUNT = 3     # children of the import
TRY_S = 100   # a device that ended a vault is held back for a minute
DISK = ("pwrite64", "writev", "fdatasync", "fsync", "renameat", "ftruncate",
        "unlink", "openat")
# What fails is another call instead, which the walls let through.
DEEDS = ("signal=KILL", "error=EIO:syscall=getpid",
         "error=ENOSPC:syscall=getpid")
TALK = ("sendmsg", "sendmmsg", "recvmsg", "sendto", "recvfrom", "accept4",
        "read", "write", "readv", "writev", "epoll_wait", "poll", "close")
MOST = 40     # points of one call that is about talking
KEPT = os.path.join(TMP, "kept")


class Broken(Exception):
    """What does not hold, in words."""


def need(good, why):
    if not good:
        raise Broken(why)


# ---- strace ----------------------------------------------------------------

class Trace:
    """strace on one process: counting, or hitting one call."""

    def __init__(self, pid, calls, inject=None):
        self.log = os.path.join(TMP, "strace-%d" % pid)
        words = ["strace", "-q", "-o", self.log, "-p", str(pid),
                 "-e", "trace=" + ",".join(calls)]
        if inject:
            words += ["-e", "inject=" + inject]
        if os.path.exists(self.log):
            os.unlink(self.log)
        self.process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        # It is attached as soon as the kernel says who traces.
        self.good = wait_for(lambda: self.traced(pid), 10)

    def traced(self, pid):
        try:
            with open("/proc/%d/status" % pid, encoding="ascii") as f:
                text = f.read()
        except OSError:
            return True  # it was killed already
        return "TracerPid:\t0\n" not in text or "\nState:\tZ" in text

    def end(self):
        """What it wrote."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        try:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""


def counted(text):
    return collections.Counter(re.findall(r"^(\w+)\(", text, re.M))


def has_hit(text):
    return "(INJECTED)" in text or "killed by SIGKILL" in text


# ---- the daemon ------------------------------------------------------------

def ensure(registry):
    """It runs, whatever has become of it."""
    if registry.process is not None and registry.process.poll() is None:
        return
    registry.kill()
    for _ in range(20):
        try:
            registry.start()
            return
        except SystemExit:
            registry.kill()
            time.sleep(0.2)
    raise Broken("it does not start again")


def pid_of(registry, role):
    if role == "parent":
        return registry.process.pid
    wait_for(lambda: registry.pid_of(role) != 0)
    return registry.pid_of(role)


def keep(registry):
    """The registry and the homes, aside."""
    os.makedirs(KEPT)
    for name in os.listdir(TMP):
        if name == os.path.basename(registry.dir) or \
                name.startswith("home-"):
            shutil.copytree(os.path.join(TMP, name),
                            os.path.join(KEPT, name), symlinks=True)


def bring_back():
    for name in os.listdir(KEPT):
        shutil.rmtree(os.path.join(TMP, name))
        shutil.copytree(os.path.join(KEPT, name), os.path.join(TMP, name),
                        symlinks=True)


# ---- the day ---------------------------------------------------------------

def until(registry, what, why):
    """Again and again, until what() is true."""
    end = time.monotonic() + TRY_S
    while time.monotonic() < end:
        ensure(registry)
        if what():
            return
        time.sleep(0.1)
    raise Broken("never: " + why)


def imports(registry, cora, path):
    def once():
        return cora.cdop("notify", "--from", path, "--json").code in (
            OK, PARTIAL)
    until(registry, once, "an import that goes through")


def rotates(registry, ada, bob):
    def once():
        done = ada.cdop("key", "status", "--json")
        status = done.json() if done.code == OK else None
        if status is None or "running" in status:
            return False
        if status["past"]:
            return True
        waits = bob.cdop("approve", "--json")
        if waits.code != OK:
            return False
        if waits.lines():
            number = waits.lines()[0]["number"]
            bob.cdop("approve", number, "--confirm", number)
            return False
        ada.cdop("key", "rotate", "--all", "--reseal", "--reason",
                 "once a year", "--yes")
        return False
    until(registry, once, "a rotation that ends")


def backs_up(registry, ada):
    path = os.path.join(TMP, "backup")

    def once():
        if os.path.exists(path):
            os.unlink(path)
        return ada.cdop("backup", "create", path, "--label",
                        "monday").code == OK
    until(registry, once, "a backup that is whole")


def day(registry, people, path):
    ada, bob, cora = people[:3]
    imports(registry, cora, path)
    rotates(registry, ada, bob)
    backs_up(registry, ada)
    registry.stop()
    ensure(registry)


# ---- what has to hold ------------------------------------------------------

def receipts_of(person):
    folder = os.path.join(person.home, ".local/state/cdop/training/receipts")
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        if name.endswith(".tlog-proof"):
            with open(os.path.join(folder, name), "rb") as f:
                yield name, f.read()


def check_log(people):
    audrey = people[3]
    folder = os.path.join(TMP, "log")
    shutil.rmtree(folder, ignore_errors=True)
    key = audrey.must("audit", "export", folder, "--json").json()["key"]
    log = liblog.verify_export(folder, key)
    hashes = [liblog.leaf_hash(entry) for entry in log.entries]
    n = 0
    for person in people:
        for name, text in receipts_of(person):
            index, _, note, extra = liblog.parse_proof(text)
            _, size, root = liblog.parse_checkpoint(liblog.parse_note(note)[0])
            need(size <= log.size and log.entries[index] == extra[:256] and
                 root == liblog.tree_root(hashes[:size]),
                 "a receipt of %s is of no log: %s" % (person.name, name))
            n += 1
    need(n >= COUNT, "there are receipts")


def check_keys(ada, cases):
    status = ada.must("key", "status", "--json").json()
    need(len(status["past"]) == 1 and "running" not in status,
         "one rotation: %r" % status)
    areas = [e["area"]["code"] for e in status["epoch"] if "area" in e]
    need(len(areas) == len(set(areas)), "an area has two keys")
    need(sum(e["case_keys"] for e in status["epoch"] if "area" in e) == cases,
         "a key for each case")


def check_all(registry, people, made):
    cora = people[2]
    cases = cora.must("case", "list", "--json").lines()
    need(len(cases) == 2 * COUNT, "%d cases" % len(cases))
    for row in made:
        number = row["child.nhs_number"]
        need(len(cora.find_number(number)) == 1, "a child is there once")
    check_keys(people[0], len(cases))
    check_log(people)
    need(registry.stop() == 0, "it stops in order")
    code, said = registry.verify()
    need(code == 0 and said.endswith("fine\n"), said[-300:])


# ---- points ----------------------------------------------------------------

def reckon(registry, people, path):
    """How often each process makes each call on such a day."""
    ensure(registry)
    traces = {}
    for role in ("vault", "gate", "parent"):
        calls = DISK + TALK if role == "vault" else TALK
        traces[role] = Trace(pid_of(registry, role), set(calls))
        if not traces[role].good:
            print("skip: strace may not trace here")
            sys.exit(77)
    day(registry, people, path)
    return {role: counted(trace.end()) for role, trace in traces.items()}


def all_points(counts):
    for call in DISK:
        for n in range(1, counts["vault"][call] + 1):
            for what in DEEDS:
                yield "vault", call, n, what
    for role in ("vault", "gate", "parent"):
        for call in TALK:
            # The clocks of two days differ: the last ones may not come.
            count = counts[role][call] * 4 // 5
            for n in range(1, count + 1, count // MOST + 1):
                yield role, call, n, "signal=KILL"


def play(registry, people, path, made, which):
    role, call, n, what = which
    bring_back()
    ensure(registry)
    trace = Trace(pid_of(registry, role), [call], "%s:%s:when=%d" % (
        call, what, n))
    need(trace.good, "it is traced")
    try:
        day(registry, people, path)
    finally:
        hit = has_hit(trace.end())
    ensure(registry)
    check_all(registry, people, made)
    return hit


def point(registry, people, path, made, which):
    """Whether it holds.  One that was not hit is tried nearer."""
    role, call, n, what = which
    try:
        while not play(registry, people, path, made, (role, call, n, what)):
            need(n > 1, "nothing was hit")
            n //= 2
        return True
    except (Broken, SystemExit, subprocess.TimeoutExpired) as e:
        print("#   %s, %s at %d: %s: %s" % (role, call, n, what, e))
        with open(registry.log, encoding="utf-8", errors="replace") as f:
            print("#   " + f.read()[-1500:].replace("\n", "\n#   "))
        registry.kill()
        return False


def write(path, made):
    libsynthetic.save(path, made)


def prepare():
    """A registry with a few cases, kept, and what is to be imported."""
    registry, cora = scene(conf=["restarts = 100"])
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    people = [registry.ada, registry.bob, cora, audrey]
    made = libsynthetic.rows(2 * COUNT)
    first, path = (os.path.join(TMP, name) for name in ("1.csv", "2.csv"))
    write(first, made[:COUNT])
    write(path, made[COUNT:])
    cora.must("notify", "--from", first)
    registry.stop()
    subprocess.run(
        [CDOPD, "slot", "add", registry.data, "--by", "Ada Admin",
         "--new-shares", "2/4", "--out", os.path.join(registry.out, "shares"),
         "--key-file", registry.key], check=True, stdout=subprocess.DEVNULL)
    keep(registry)
    return registry, people, path, made


def main():
    if shutil.which("strace") is None:
        print("skip: no strace here")
        return 77
    want = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    offset = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    registry, people, path, made = prepare()
    counts = reckon(registry, people, path)
    registry.kill()
    points = list(all_points(counts))
    stride = max(1, len(points) // want) if want else 1
    stride += stride > 1 and stride % len(DEEDS) == 0  # not one deed alone
    print("# %d points, every %dth from %d on" % (
        len(points), stride, offset % stride))
    done, broken = collections.Counter(), 0
    for which in points[offset % stride::stride]:
        broken += not point(registry, people, path, made, which)
        done[(which[0], which[3])] += 1
        if sum(done.values()) % 20 == 0:
            print("# %d points, %d broken so far" % (
                sum(done.values()), broken), flush=True)
    for (role, what), n in sorted(done.items()):
        print("# %-8s %-12s %5d points" % (role, what, n))
    print("%d points, %d broken" % (sum(done.values()), broken))
    return 1 if broken or not done else 0


status = 1
try:
    status = main()
finally:
    shutil.rmtree(TMP, ignore_errors=True)
sys.exit(status)
