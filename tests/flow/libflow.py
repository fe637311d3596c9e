"""What the flow tests share: a registry of their own and its people.

Everything lies under $TMP, listens on a Unix socket there, and is stopped
by pid when the test ends, however it ends.
"""
import atexit
import json
import os
import re
import select
import signal
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
TMP = os.environ["TMP"]
CDOPD = os.environ.get("CDOPD", os.path.join(TOP, "build/release/cdopd"))
CDOP = os.environ.get("CDOP", os.path.join(TOP, "build/release/cdop"))
PROFILE = os.path.join(TOP, "packaging/profiles/merseyside.conf")
PASSPHRASE = "four plain words here"

OK, USAGE, STOPPED, AUTH, FORBIDDEN, NOT_FOUND = 0, 2, 3, 4, 5, 6
INVALID, CONFLICT, DUPLICATE, PARTIAL, SECOND = 7, 8, 9, 10, 11
SEALED, INTEGRITY, UNREACHABLE, OUTCOME, FINDINGS = 12, 13, 14, 15, 16

failures = 0


def callers():
    """Functions that are being run, the innermost first: a test by name."""
    frame, names = sys._getframe(1), []
    while frame:
        if not frame.f_code.co_name.startswith("<"):
            names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names


def check(name, good, why=""):
    """One line for tests/run, and what was seen when it is not ok."""
    global failures
    if good:
        print("ok %s" % name)
    else:
        failures += 1
        print("not ok %s" % name)
        print("# in: " + ", ".join(callers()))
        if why:
            print("# " + str(why).replace("\n", "\n# "))
    sys.stdout.flush()
    return bool(good)


def equal(name, seen, wanted):
    return check(name, seen == wanted, "saw %r, not %r" % (seen, wanted))


def end():
    sys.exit(1 if failures else 0)


def wait_for(what, seconds=10.0):
    """True as soon as what() is; for things that others bring about."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.02)
    return bool(what())


def bare_env(home, **more):
    """Nobody's settings, but where a sanitizer or a profile writes."""
    kept = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE")
    return {"HOME": home, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
            **{name: os.environ[name] for name in kept if name in os.environ},
            **more}


def children(pid):
    """Pids of the children of pid by process name."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % entry, encoding="ascii") as f:
                stat = f.read()
        except OSError:
            continue
        name = stat[stat.index("(") + 1:stat.rindex(")")]
        state, parent = stat[stat.rindex(")") + 2:].split()[:2]
        if int(parent) == pid and state not in "ZX":
            found[name] = int(entry)
    return found


def cdopd(*args, stdin=b"", **how):
    """A command on the host: its exit status, and all that it said."""
    done = subprocess.run([CDOPD, *args], input=stdin, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **how)
    return done.returncode, done.stdout.decode("utf-8", "replace")


# ---- the registry ----------------------------------------------------------

class Registry:
    """A training registry under $TMP/NAME, with a key file and a passphrase."""

    PATIENCE_S = 20   # for the ready line, and a little more for the end

    def __init__(self, name="registry", conf=(), key_file=True):
        self.dir = os.path.join(TMP, name)
        self.data = os.path.join(self.dir, "data")
        self.run = os.path.join(self.dir, "run")
        self.out = os.path.join(self.dir, "out")
        self.key = os.path.join(self.dir, "key")
        self.conf = os.path.join(self.dir, "cdopd.conf")
        self.log = os.path.join(self.dir, "log")
        self.socket = os.path.join(self.run, "link.sock")
        for folder in (self.dir, self.run, self.out):
            os.makedirs(folder, mode=0o700, exist_ok=True)
        lines = ["data_dir = " + self.data, "run_dir = " + self.run,
                 "listen = unix link.sock"]
        for key, value in (("map_size_gib", 1), ("reserve_mib", 1)):
            if not any(line.startswith(key) for line in conf):
                lines.append("%s = %d" % (key, value))
        if key_file:
            lines.append("key_file = " + self.key)
        with open(self.conf, "w", encoding="ascii") as f:
            f.write("\n".join(lines + list(conf)) + "\n")
        self.ada = self.bob = self.process = None
        self.ready = ""
        atexit.register(self.kill)

    def init(self, *more):
        pass_file = os.path.join(self.dir, "passphrase")
        with open(pass_file, "w", encoding="ascii") as f:
            f.write(PASSPHRASE + "\n")
        os.chmod(pass_file, 0o600)
        code, said = cdopd(
            "init", self.data, "--mode", "training", "--profile", PROFILE,
            "--slot", "keyfile:" + self.key, "--slot", "passphrase",
            "--passphrase-file", pass_file, "--degraded", "--kdf-memory", "8",
            "--kdf-passes", "1", "--admin", "Ada Admin", "--admin",
            "Bob Admin", "--address", "unix:" + self.socket, "--out", self.out,
            "--confirm", "I understand", *more)
        if code != 0:
            sys.exit("cdopd init: exit %d\n%s" % (code, said))
        return said

    def start(self, wait=True):
        log = open(self.log, "ab")
        self.process = subprocess.Popen(
            [CDOPD, "run", "-f", self.conf], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=log, start_new_session=False)
        log.close()
        if not wait:
            return self
        if not select.select([self.process.stdout], [], [],
                             self.PATIENCE_S)[0]:
            self.fail("no ready line after %d s" % self.PATIENCE_S)
        self.ready = self.process.stdout.readline().decode()
        if "ready" not in self.ready:
            self.fail("no ready line: %r" % self.ready)
        return self

    def fail(self, why):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            sys.exit("cdopd run: %s\n%s" % (why, f.read()))

    def pid_of(self, role):
        """Pid of gate or vault; 0 when there is none."""
        return children(self.process.pid).get("cdopd-" + role, 0)

    def kill_role(self, role):
        """SIGKILL to gate or vault, and a wait until another one stands."""
        # 0 would be everybody of ours.
        if not wait_for(lambda: self.pid_of(role) != 0):
            self.fail("there is no %s to kill" % role)
        old = self.pid_of(role)
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: self.pid_of(role) not in (0, old))
        return old

    def stop(self):
        """An orderly end; the exit status."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            status = self.process.wait(self.PATIENCE_S + 5)
        except subprocess.TimeoutExpired:
            self.kill()
            return None
        self.process.stdout.close()
        self.process = None
        return status

    def kill(self):
        """SIGKILL to the parent; its children go when they notice."""
        if self.process is None:
            return
        left = list(children(self.process.pid).values())
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None
        if not wait_for(lambda: not any(alive(p) for p in left), 5):
            for pid in left:
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)

    def verify(self):
        return cdopd("verify", self.data, "--key-file", self.key)

    def unseal(self, passphrase):
        return cdopd("unseal", "-f", self.conf, "--passphrase-stdin",
                     stdin=passphrase.encode())

    def people(self):
        """Two administrators, enrolled and active: the state is open."""
        self.ada, self.bob = ada, bob = Person("ada", self), \
            Person("bob", self)
        invitations = sorted(
            os.path.join(self.out, f) for f in os.listdir(self.out)
            if "invit" in f or f.startswith("admin"))
        one = ada.enrol(invitations[0])
        two = bob.enrol(invitations[1])
        ada.must("people", "activate", str(two["device"]), "--comparison",
                 two["comparison"])
        bob.must("people", "activate", str(one["device"]), "--comparison",
                 one["comparison"])
        return ada, bob

    def invite(self, name, *rights):
        """A person, invited by Ada, enrolled, and activated by Bob."""
        word = re.sub("[^a-z0-9]", "-", name.lower())
        path = os.path.join(self.out, word + ".txt")
        self.ada.must("people", "invite", "--name", name, "--out", path,
                      *rights)
        person = Person(word, self)
        done = person.enrol(path)
        self.bob.must("people", "activate", str(done["device"]),
                      "--comparison", done["comparison"])
        return person


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def profile_with(name, old, new):
    """The profile with one line of it changed."""
    with open(PROFILE, encoding="utf-8") as f:
        text = f.read()
    if old not in text:
        sys.exit("the profile has no %r" % old)
    path = os.path.join(TMP, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))
    return path


# ---- people ----------------------------------------------------------------

class Done:
    """What a command of cdop came to."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return "exit %d\n%s%s" % (self.code, self.out, self.err)

    def json(self):
        """The one object, or None."""
        try:
            return json.loads(self.out)
        except ValueError:
            return None

    def lines(self):
        """Objects of a list without its end."""
        return [o for o in (json.loads(line)
                            for line in self.out.splitlines() if line)
                if "end" not in o]


class Person:
    """Somebody with a computer: a home folder and a device."""

    def __init__(self, name, registry):
        self.name, self.registry = name, registry
        self.home = os.path.join(TMP, "home-%s-%s" % (
            os.path.basename(registry.dir), name))
        os.makedirs(self.home, mode=0o700, exist_ok=True)
        self.person = self.device = 0
        self.comparison = ""

    def env(self):
        return bare_env(self.home, TZ="Europe/London")

    def popen(self, *args, **how):
        how.setdefault("stdin", subprocess.DEVNULL)
        how.setdefault("stdout", subprocess.PIPE)
        return subprocess.Popen([CDOP, *args], env=self.env(),
                                stderr=subprocess.PIPE, **how)

    def terminal(self, *args):
        """The same in the background, on a terminal of its own."""
        return subprocess.Popen(
            [sys.executable, os.path.join(TOP, "tests/flow/libtype.py"), "--",
             CDOP, *args], env=dict(self.env(), TERM="dumb"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def cdop(self, *args, stdin=b"", seconds=90):
        done = subprocess.run([CDOP, *args], env=self.env(), input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=seconds, check=False)
        return Done(done.returncode, done.stdout.decode("utf-8", "replace"),
                    done.stderr.decode("utf-8", "replace"))

    def must(self, *args, code=OK, **how):
        """The same, and the test ends when it does not come to code."""
        done = self.cdop(*args, **how)
        if done.code != code:
            log = ""
            if os.path.exists(self.registry.log):
                with open(self.registry.log, encoding="utf-8",
                          errors="replace") as f:
                    log = f.read()
            print("# in: " + ", ".join(callers()))
            print("not ok cdop %s\n# as %s: %s" % (
                " ".join(args), self.name,
                repr(done).replace("\n", "\n# ")))
            print("# log: " + log[-3000:].replace("\n", "\n# "))
            sys.exit(1)
        return done

    def approve(self, *more, code=OK):
        """Says yes, or --decline, to what waits first; what that was."""
        act = self.must("approve", "--json").lines()[0]
        self.must("approve", act["number"], "--confirm", act["number"], *more,
                  code=code)
        return act

    def enrol(self, invitation):
        done = self.must("enrol", invitation, "--label", self.name + " laptop",
                         "--no-passphrase", "--json").json()
        self.person, self.device = done["person"], done["device"]
        self.comparison = done["comparison"]
        return done

    def find_number(self, number):
        """References of the cases with this NHS number."""
        done = self.must("case", "find", "--nhs-number", number, "--json")
        return [o["reference"] for o in done.lines()]


def scene(**how):
    """A registry that runs, and a coordinator of all areas."""
    registry = Registry(**how)
    registry.init()
    registry.start()
    registry.people()
    return registry, registry.invite("Cora Coordinator", "--role",
                                     "coordinator", "--all-areas")
