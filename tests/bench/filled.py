"""Registries of a size, filled through the protocol and kept.

Everything lies under build/bench: run/ is what is at work and goes with the
run; kept/ is copied from there before the measuring begins.  Each round begins
with what is kept, and so does the next run, as long as formats and children
are the same.
"""
import fcntl
import functools
import glob
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PLACE = os.path.join(TOP, "build", "bench")
RUN = os.path.join(PLACE, "run")
KEPT = os.path.join(PLACE, "kept")
PASSING = os.path.join(RUN, "kept")   # the same, for this run alone
os.environ["TMP"] = RUN
from parts import identity_of, progress, say  # noqa: E402
from libflow import Person, Registry  # noqa: E402

Registry.PATIENCE_S = 600   # one with 1,000,000 cases reads them first
CLIENTS = 64
WINDOW = 8            # calls of a client in flight while it is filled
SHAPE = ("proto/*.proto", "server/store/schema.c", "server/registry/summary.h",
         "tests/bench/mix_child.c",
         "packaging/profiles/merseyside.conf")
CONF = ["restarts = 100", "map_size_gib = 64", "gate_source_handshakes = 0",
        "gate_source_connections = 1024"]


def copy(source, to):
    subprocess.run(["cp", "-a", source, to], check=True)


@functools.cache
def shape():
    """Another word when what is kept would not be what is made now."""
    said = hashlib.sha256(RUN.encode())
    for pattern in SHAPE:
        for path in sorted(glob.glob(os.path.join(TOP, pattern))):
            with open(path, "rb") as f:
                said.update(f.read())
    return said.hexdigest()[:16]


def clear_place(keeps):
    """The place is ours alone until we end; the lock's file."""
    global KEPT
    if not keeps:
        KEPT = PASSING
    if len(os.path.join(RUN, "s1000000", "run", "link.sock")) > 100:
        sys.exit("%s: the path is too long for sockets; build in another "
                 "folder" % RUN)
    os.makedirs(PLACE, exist_ok=True)
    lock = open(os.path.join(PLACE, "lock"), "w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit("%s: another benchmark runs here" % PLACE)
    shutil.rmtree(RUN, ignore_errors=True)
    os.makedirs(RUN, mode=0o700)
    for old in glob.glob(os.path.join(KEPT, "*")):
        if os.path.basename(old) != shape():
            shutil.rmtree(old)
    for unfinished in glob.glob(os.path.join(KEPT, "*", "*.new")):
        shutil.rmtree(unfinished)
    return lock


class Drive:
    """The clients: a process of tests/bench/drive.c."""

    asked = answered = failed = 0  # of all of them

    def __init__(self, identities, port):
        self.process = subprocess.Popen(
            [os.environ["DRIVE"], *identities], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, MIX_ADDRESS="127.0.0.1:%d" % port))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self):
        said = self.process.stdout.readline()
        if not said:
            sys.exit("the clients are gone")
        return json.loads(said)

    def tell(self, line):
        self.say(line)
        return self.hear()

    def count(self, said, asked=0):
        Drive.asked += asked or said["calls"]
        Drive.answered += said["calls"]
        Drive.failed += said["failed"]
        return said

    def do(self, kind, clients, calls=0, ms=0, window=1):
        said = self.tell("do %s %d %d %d %d" % (
            kind, clients, calls, ms, window))
        return self.count(said, 0 if ms else calls)

    def shake(self, clients, n):
        return self.count(self.tell("shake %d %d" % (clients, n)), n)

    def end(self):
        self.process.stdin.close()
        self.process.wait(30)


class Filled:
    """A registry with so many cases, of the base's people."""

    all = []

    def __init__(self, name, size):
        Filled.all.append(self)
        self.name, self.size = name, size
        self.book = os.path.join(RUN, name, "book")
        self.registry = self.drive = None

    def lay(self):
        """The object over what lies there."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.registry = Registry(self.name, conf=CONF + [
            "listen = tcp 127.0.0.1:%d" % self.port])
        self.registry.ada = Person("ada", self.registry)
        self.registry.bob = Person("bob", self.registry)
        return self

    def reach(self):
        """Ada and Bob know one address, that of the base: it leads here."""
        link = os.path.join(RUN, "base", "run")
        if os.path.islink(link):
            os.unlink(link)
        elif os.path.isdir(link):
            os.rename(link, link + ".base")
        os.symlink(self.registry.run if self.name != "base"
                   else link + ".base", link)
        return self.registry

    def start(self):
        self.registry.start()
        self.drive = Drive(identities(), self.port)
        if self.size and self.drive.tell(
                "read " + self.book)["cases"] < self.size:
            sys.exit(self.book + " does not have all cases")
        return self

    def stop(self):
        if self.drive:
            self.drive.tell("write " + self.book)
            self.drive.end()
            self.drive = None
        self.registry.stop()

    def pids(self):
        return [self.registry.process.pid, self.registry.pid_of("gate"),
                self.registry.pid_of("vault")]

    def parts(self):
        """What lies in RUN of it."""
        return [os.path.join(RUN, self.name)] + sorted(
            glob.glob(os.path.join(RUN, "home-%s-*" % self.name)))

    def renew(self):
        """As it was kept, and stopped."""
        if self.registry.process:
            self.stop()
        for part in self.parts():
            shutil.rmtree(part)
        self.take()
        return self.lay()

    def keep(self):
        to = os.path.join(KEPT, shape(), self.name)
        shutil.rmtree(to, ignore_errors=True)
        os.makedirs(to + ".new", mode=0o700)
        for part in self.parts():
            copy(part, to + ".new")
        os.rename(to + ".new", to)

    def take(self):
        """From what is kept; False: it is not there."""
        kept = os.path.join(KEPT, shape(), self.name)
        if not os.path.isdir(kept):
            return False
        for part in os.listdir(kept):
            copy(os.path.join(kept, part), RUN)
        return True


def identities():
    return [identity_of(Person("client-%d" % i, BASE.registry))
            for i in range(CLIENTS)]


BASE = Filled("base", 0)


def make_base():
    BASE.lay()
    registry = BASE.registry
    registry.init()
    registry.start()
    registry.people()
    for i in range(CLIENTS):
        registry.invite("Client %d" % i, "--role", "coordinator",
                        "--all-areas")
        progress("%d of %d people" % (i + 1, CLIENTS))
    registry.stop()


def found():
    """The base, with people and without a case."""
    if BASE.take():
        BASE.lay()
        return
    make_base()
    BASE.keep()


def copy_of(before, one):
    """The same with the name of another; both are stopped."""
    copy(os.path.join(RUN, before.name), os.path.join(RUN, one.name))
    shutil.rmtree(os.path.join(RUN, one.name, "run"), ignore_errors=True)
    for link in glob.glob(os.path.join(RUN, one.name, "run*")):
        os.unlink(link) if os.path.islink(link) else shutil.rmtree(link)
    for home in glob.glob(os.path.join(RUN, "home-%s-*" % before.name)):
        name = os.path.basename(home).rpartition("-")[2]
        if name in ("ada", "bob"):
            copy(home, os.path.join(RUN, "home-%s-%s" % (one.name, name)))
    one.lay()
    one.size = before.size


def grow(before, size):
    """A registry of size cases out of a smaller one, stopped."""
    one = Filled("s%d" % size, size)
    if one.take():
        return one.lay()
    copy_of(before, one)
    one.start()
    one.size = size
    done, step = before.size, 5000
    while done < size:
        n = min(step, size - done)
        done += one.drive.do("register", CLIENTS, n, 0, WINDOW)["calls"]
        progress("%d of %d cases" % (done, size))
    one.stop()
    progress("")
    say("%d cases registered through the protocol" % (size - before.size))
    one.keep()
    return one


def clean():
    """Nothing runs any more, and nothing of the run is left."""
    for one in Filled.all:
        if one.drive:
            one.drive.process.kill()
            one.drive.process.wait()
        if one.registry:
            one.registry.kill()
    shutil.rmtree(RUN, ignore_errors=True)
