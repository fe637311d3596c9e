#!/usr/bin/python3
"""A file with more rows than a message may have entries is sent, and sent
again, as if its last answers had been lost: each row is the case that it
was, and what is remembered of a row does not grow with all that it took to
send it.  Nor does whoever reads the log of it remember all of it."""
import csv
import os
import subprocess
import sys

import libflow
from libflow import OK, TMP, check, end, equal, scene
import libsynthetic

SHORT, LONG = 20, 600  # a repeated field has 512 entries
KEPT = 100  # requests
# Beside what a program takes with any file, where it takes 9; a row took 140
# KiB, and to tell of it as JSON 13 and more.
ROW_KIB = 15
# And an entry of the log 7; of them are more than a thousand.
LOG_KIB = 3072

# What a process had at most counts from its parent on: a small one.
MEASURE = """import os, sys
child = os.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(child, 0)
with open(sys.argv[1], "w") as f:
    f.write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def save(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, libsynthetic.COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def run(person, *args):
    """Exit code, what was said, and the most memory that it had, in KiB."""
    peak = os.path.join(TMP, "peak")
    done = subprocess.run(
        [sys.executable, "-SEs", "-c", MEASURE, peak, libflow.CDOP, *args],
        env=person.env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        check=False)
    with open(peak, encoding="ascii") as f:
        return done.returncode, done.stdout.decode(), int(f.read())


def send(person, path, *args):
    return run(person, "notify", *args, "--from", path)


def keeping():
    """A profile in which clients keep what they have sent for a day."""
    with open(libflow.PROFILE, encoding="utf-8") as f:
        text = f.read()
    path = os.path.join(TMP, "keeping.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("spool_days = 0", "spool_days = 1"))
    return path


def send_again(cora):
    """All that was sent, as after a restore."""
    path = os.path.join(TMP, "k.csv")
    save(path, libsynthetic.rows(KEPT, 9000))
    with open(path, "rb") as f:
        cora.must("notify", "--from", "-", stdin=f.read())
    again = ["retry", "--after-restore"]
    _, said, least = run(cora, *again, "--list")
    equal("what was sent is kept", said.count("was sent"), KEPT)
    code, said, most = run(cora, *again)
    equal("it is sent again", code, OK)
    equal("and had arrived", said.count("(it had arrived)"), KEPT)
    check("in little memory, too", most - least < KEPT * ROW_KIB,
          "%d KiB, and %d for the list" % (most, least))


def read_log(registry):
    ann = registry.invite("Ann Auditor", "--role", "auditor")
    listing = ["audit", "list", "--json", "--limit"]
    _, _, least = run(ann, *listing, "1")
    code, said, most = run(ann, *listing, "100000")
    check("the whole log is read", code == OK and said.count("\n") > 2 * LONG,
          said[-300:])
    check("in little memory", most - least < LOG_KIB,
          "%d KiB, and %d for one entry" % (most, least))


def main():
    libflow.PROFILE = keeping()
    registry, cora = scene()
    short, long = (os.path.join(TMP, name) for name in ("s.csv", "l.csv"))
    made = libsynthetic.rows(SHORT + LONG, 5000)
    save(short, made[:SHORT])
    save(long, made[SHORT:])
    code, _, least = send(cora, short)
    equal("a short file is accepted", code, OK)
    code, said, most = send(cora, long)
    equal("a long one, too", code, OK)
    check("all of it", "%d accepted, 0 not" % LONG in said, said[-300:])
    check("its rows take little memory", most - least < LONG * ROW_KIB,
          "%d KiB, and %d for %d rows" % (most, least, SHORT))
    code, said, most = send(cora, long, "--json")
    equal("it may be sent again", code, OK)
    equal("and each row is the case that it was",
          said.count('"replayed":true'), LONG)
    check("as JSON it takes little more", most - least < LONG * ROW_KIB,
          "%d KiB, and %d for %d rows" % (most, least, SHORT))
    send_again(cora)
    read_log(registry)
    end()


main()
