"""What the benchmarks share, beside tests/flow/libflow.py; TMP is set first."""
import glob
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "flow"))
from libflow import SECOND  # noqa: E402

LONGEST_S = 900  # of a rotation: then it is given up
HZ = os.sysconf("SC_CLK_TCK")


def say(text=""):
    print(text, flush=True)


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def mid(values):
    """Median, least and most."""
    return statistics.median(values), min(values), max(values)


def identity_of(person):
    (path,) = glob.glob(os.path.join(
        person.home, ".config/cdop/contexts/*/identity"))
    return path


def proc_lines(pids, name):
    """Of all of these that are still there."""
    for pid in pids:
        try:
            with open("/proc/%d/%s" % (pid, name), encoding="ascii") as f:
                lines = f.readlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        yield from lines


def children_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid),
              encoding="ascii") as f:
        return f.read().split()


def cpu_s(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / HZ


class Rotation:
    """One of all areas, from the approval on; how=(): keys alone."""

    def __init__(self, registry, how=("--reseal",)):
        self.registry = registry
        self.logged = os.path.getsize(registry.log)
        registry.ada.must("key", "rotate", "--all", *how, "--reason",
                          "measured", "--yes", code=SECOND)
        act = registry.bob.must("approve", "--json").lines()[0]
        registry.bob.must("approve", act["number"], "--confirm",
                          act["number"])
        self.began = time.monotonic()

    def ended(self):
        """By the daemon's log, which costs it nothing."""
        with open(self.registry.log, "rb") as f:
            f.seek(self.logged)
            said = f.read()
        if b"copy.failed" in said or b"keys.kept" in said:
            sys.exit(said.decode("utf-8", "replace"))
        return b"copy.done" in said

    def wait_rewrapped(self):
        """Seconds until no case key is under an old key and the copy begins,
        by its file: who asks has the registry do less of it meanwhile."""
        path = os.path.join(self.registry.data, "copy.mdb")
        while not os.path.exists(path) and not self.ended():
            time.sleep(0.002)
            if time.monotonic() - self.began > LONGEST_S:
                sys.exit("a rotation that does not begin its copy")
        return time.monotonic() - self.began

    def wait(self):
        """Seconds that it took."""
        while not self.ended():
            took = time.monotonic() - self.began
            if took > LONGEST_S:
                sys.exit("a rotation that does not end")
            time.sleep(0.02)
            progress("rotating: %d s" % took)
        return time.monotonic() - self.began

    def rows(self):
        status = self.registry.ada.must("key", "status", "--json").json()
        return status["past"][0]["rows"]
