"""The same calls to libraries and no more: how fast a vault could be.

A daemon runs with tape.so in it and answers clients for a second; then
tests/bench/bare.c makes its vault's calls to libsodium, nettle and LMDB again,
over a copy of the file as it was before.  Times are those from one commit to
the next, and a call has at the least one of them; with one client what gate
and client do is added.
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import time

import filled
from bench import on_cpu
from parts import Rotation

MS = min(1000, int(os.environ.get("MS") or 1000))
TAPE_BYTES = 24 + 24 * (8 << 20)   # of tape.h: head, entries
AS_TAPED = 1 << 40                 # commits
TOOLS = os.path.join(filled.TOP, os.path.dirname(
    os.environ.get("DRIVE") or "build/release/bench/drive"))


class Bare:
    """one: a filled registry that is stopped; it is started, with the tape."""

    def __init__(self, one):
        self.one = one
        self.tape = os.path.join(filled.RUN, "tape")
        self.before = os.path.join(filled.RUN, "before.mdb")
        self.file = os.path.join(filled.RUN, "bare.mdb")
        with open(self.tape, "wb") as f:
            f.truncate(TAPE_BYTES)
        preloaded = {"LD_PRELOAD": os.path.join(TOOLS, "tape.so"),
                     "TAPE": self.tape}
        os.environ.update(preloaded)
        try:
            one.start()
        finally:
            for name in preloaded:
                del os.environ[name]

    def whose(self, pid):
        """From here on this process's calls are written down, from the
        tape's beginning; 0: nobody's."""
        with open(self.tape, "r+b") as f:
            f.write(struct.pack("=QQQ", pid, 0, 0) if pid
                    else struct.pack("=Q", 0))

    def begin(self):
        shutil.copyfile(os.path.join(self.one.registry.data, "data.mdb"),
                        self.before)
        self.whose(self.one.pids()[2])

    def call(self, kind, clients):
        """The most that any vault with these rows could make of it, with our
        link and these clients, on these cores, that begins to work on a
        batch when all of it has come, and answers when all of it is done.
        (One that seals a call while others of its batch are on their way
        hides some of `around`, and comes closer to what the libraries make
        of it without.)  Either a call of each client
        is in every commit; then the vault waits for the gate and the clients
        (around).  Or half of them are, and the other half's are hidden behind
        that.  More groups are more commits, and nothing is hidden by them."""
        self.one.drive.do(kind, clients, 0, MS // 4)
        gate = self.one.pids()[1]
        self.begin()
        before = on_cpu([gate])
        said = self.one.drive.do(kind, clients, 0, MS)
        calls = said["calls"]
        around = (on_cpu([gate]) - before + said["cpu_s"]) / min(
            clients, os.cpu_count())
        time.sleep(0.05)  # what it does after its answers
        whole = self.play(calls, -(-calls // clients))
        whole["rate"] = calls / (calls / whole["rate"] + around)
        if clients == 1:
            for part in ("p50", "p99"):
                whole[part] += 1000 * around / calls
            return whole
        half = self.play(calls, -(-2 * calls // clients))
        half["rate"] = max(half["rate"], whole["rate"])
        return half

    def rewrap(self, cases):
        """Keys a second; the rotation that was taped goes to its end."""
        self.one.drive.tell("rest")
        self.begin()
        rotation = Rotation(self.one.reach(), ())
        rotation.wait_rewrapped()
        said = self.play(cases, AS_TAPED)
        rotation.wait()
        return said["rate"]

    def play(self, calls, commits):
        self.whose(0)
        shutil.copyfile(self.before, self.file)
        done = subprocess.run(
            [os.path.join(TOOLS, "bare"), self.tape, self.file,
             str(commits)],
            stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            sys.exit("bare: exit %d" % done.returncode)
        said = json.loads(done.stdout)
        return {"rate": calls / said["seconds"],
                "p50": said["p50_us"] / 1000, "p99": said["p99_us"] / 1000,
                "cpu": 1e6 * said["cpu_s"] / calls}

    def end(self):
        self.one.stop()
        for path in (self.tape, self.before, self.file,
                     self.file + "-lock"):
            if os.path.exists(path):
                os.unlink(path)
