#!/usr/bin/python3
"""A file with more rows than a message may have entries is sent, and sent
again, as if its last answers had been lost: each row is the case that it
was, and what is remembered of a row does not grow with all that it took to
send it."""
import csv
import os

from libflow import OK, TMP, check, end, equal, scene
import libsynthetic

SHORT, LONG = 20, 600  # a repeated field has 512 entries
# Beside what a program takes with any file; a row took 140 KiB.
ROW_KIB = 40


def save(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, libsynthetic.COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def send(person, path):
    """Exit code, what was said, and the most memory that it had, in KiB."""
    with open(os.path.join(TMP, "said"), "w+", encoding="utf-8") as said:
        child = person.popen("notify", "--from", path, stdout=said)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        child.stderr.close()
        said.seek(0)
        return child.returncode, said.read(), usage.ru_maxrss


def main():
    _, cora = scene()
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
    code, said, _ = send(cora, long)
    equal("it may be sent again", code, OK)
    equal("and each row is the case that it was",
          said.count("(it had arrived)"), LONG)
    end()


main()
