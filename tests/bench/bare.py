"""The same calls to libraries and no more: how fast a vault could be.

A daemon runs with tape.so in it and answers clients for a second; then
tests/bench/bare.c makes its vault's calls to libsodium, nettle and LMDB again,
over a copy of the file as it was before.
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import time

import filled
from parts import Rotation

MS = min(1000, int(os.environ.get("MS") or 1000))
TAPE_BYTES = 24 + 24 * (8 << 20)   # of tape.h: head, entries
TOOLS = os.path.join(filled.TOP, os.path.dirname(
    os.environ.get("DRIVE") or "build/release/bench/drive"))


class Bare:
    """one: a filled registry that is stopped; it is started, with the tape."""

    def __init__(self, one):
        self.one = one
        self.tape = os.path.join(filled.RUN, "tape")
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
                        self.file)
        self.whose(self.one.pids()[2])

    def call(self, kind, clients):
        """Calls a second of the libraries alone, its times from commit to
        commit, and microseconds on the core."""
        self.one.drive.do(kind, clients, 0, MS // 4)
        self.begin()
        calls = self.one.drive.do(kind, clients, 0, MS)["calls"]
        time.sleep(0.05)  # what it does after its answers
        return self.play(calls)

    def rewrap(self, cases):
        """Keys a second; the rotation that was taped goes to its end."""
        self.one.drive.tell("rest")
        self.begin()
        rotation = Rotation(self.one.reach(), ())
        rotation.wait_rewrapped()
        said = self.play(cases)
        rotation.wait()
        return said["rate"]

    def play(self, calls):
        self.whose(0)
        done = subprocess.run(
            [os.path.join(TOOLS, "bare"), self.tape, self.file],
            stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            sys.exit("bare: exit %d" % done.returncode)
        said = json.loads(done.stdout)
        return {"rate": calls / said["seconds"],
                "p50": said["p50_us"] / 1000, "p99": said["p99_us"] / 1000,
                "cpu": 1e6 * said["cpu_s"] / calls}

    def end(self):
        self.one.stop()
        for path in (self.tape, self.file, self.file + "-lock"):
            if os.path.exists(path):
                os.unlink(path)
