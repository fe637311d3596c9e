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
TAPE_BYTES = 24 + 24 * (32 << 20)  # of tape.h: head, entries
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
        """The most that any vault of one thread could make of it with these
        rows, our link, these clients and these cores: a call of each client
        is in every commit, and what the gate and the clients do is hidden
        behind all of that as far as there are cores for it.  With one client
        nothing can be hidden."""
        self.one.drive.do(kind, clients, 0, MS // 4)
        gate = self.one.pids()[1]
        self.begin()
        before = on_cpu([gate])
        said = self.one.drive.do(kind, clients, 0, MS)
        others = on_cpu([gate]) - before + said["cpu_s"]
        calls = said["calls"]
        time.sleep(0.05)  # what it does after its answers
        bare = self.play(calls, -(-calls // clients))
        if clients == 1:
            took = calls / bare["rate"] + others
            for part in ("p50", "p99"):
                bare[part] += 1000 * others / calls
        else:
            took = max(calls / bare["rate"],
                       (calls * bare["cpu"] / 1e6 + others) / os.cpu_count())
        bare["rate"] = calls / took
        return bare

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
