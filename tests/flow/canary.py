#!/usr/bin/python3
"""Names and numbers of children are nowhere but in the file they came from
and in the rejects file: not in logs, data, sockets' folder or a client's
home, also after failures of every kind."""
import os
import signal

from libflow import (DUPLICATE, FORBIDDEN, INVALID, OUTCOME, PARTIAL, TMP,
                     UNREACHABLE, USAGE, check, end, equal, scene, wait_for)
from libsearch import search, words_of
from libwire import Wire
import libsynthetic

ASKED = ["Marmaduke-Canarius", "Wilhelmina-Canarius", "9990002002"]


def notify(row):
    return ["notify"] + ["--set=%s=%s" % item for item in row.items()
                         if item[0][0] != "_" and item[1]]


def nowhere(when, words, skip):
    """No word is in any file but those that were to have it."""
    found, read = search(TMP, words, skip=skip)
    check("words are nowhere: %d in %d KiB, %s" % (
        len(words), read >> 10, when), not found, "\n".join(found[:20]))


def fails_in_many_ways(registry, cora, sam, rows, words, skip):
    row = rows.pop()
    equal("registered once", cora.cdop(*notify(row)).code, 0)
    again = dict(row, **{"received.notified_time": "09:59"})
    equal("a duplicate is asked about", cora.cdop(*notify(again)).code,
          DUPLICATE)
    bad = dict(rows.pop(), **{"child.postcode": "NOWHERE-CANARY"})
    equal("a bad value is refused", cora.cdop(*notify(bad)).code, INVALID)
    equal("a stranger's child is not shown",
          sam.cdop("ask", "--purpose", "living_child", "--family-name",
                   ASKED[0], "--birth-date", "2020-02-02").code, 0)
    equal("nobody is found", cora.cdop(
        "case", "find", "--family-name", ASKED[1], "--death-date",
        "2020-02-02").code, 0)
    equal("an administrator is refused", registry.ada.cdop(
        "case", "find", "--nhs-number", ASKED[2], "--purpose",
        "case_work").code, FORBIDDEN)
    equal("a slip is no reference", cora.cdop(
        "case", "show", "T-2222-2222").code, USAGE)

    wire = Wire(registry.socket, cut_after=1)
    equal("a cut line", cora.cdop(*notify(rows.pop())).code, OUTCOME)
    wire.close()
    vault = registry.pid_of("vault")
    os.kill(vault, signal.SIGSTOP)
    equal("no answer", cora.cdop(*notify(rows.pop()), "--timeout",
                                 "1").code, UNREACHABLE)
    os.kill(vault, signal.SIGCONT)
    os.kill(vault, signal.SIGABRT)
    wait_for(lambda: registry.pid_of("vault") not in (0, vault))
    nowhere("after all these", words, skip)


def main():
    registry, cora = scene(conf=["log_level = debug"])
    sam = registry.invite("Sam Sefton", "--role", "partner", "--area",
                          "sefton")
    made = libsynthetic.rows(40, 700, bad=2) + libsynthetic.rows(60, 800, odd=True)
    words = set(ASKED + ["NOWHERE-CANARY"])
    for row in made:
        words |= words_of(row)
    rows = libsynthetic.rows(5, 900)
    for row in rows:
        words |= words_of(row)

    path = os.path.join(TMP, "canary.csv")
    libsynthetic.save(path, made)
    equal("an import with rejects", cora.cdop("notify", "--from",
                                              path).code, PARTIAL)
    # The profile, which a client keeps a copy of, has these.
    words -= set(libsynthetic.PSEUDO) | {"Example"}
    skip = (path, os.path.join(TMP, "canary.rejects.csv"))
    fails_in_many_ways(registry, cora, sam, rows, words, skip)
    cora.must("case", "list")
    left = os.listdir(os.path.join(cora.home, ".local/state/cdop/training"))
    check("something is kept on the client", "requests" in left, left)

    for when in "while it runs", "after a stop":
        nowhere(when, words, skip)
        registry.stop()
    code, said = registry.verify()
    check("verify prints none of them", code == 0 and
          not any(word in said for word in words))
    found, _ = search(TMP, {"Zoroaster-Canarius"}, skip=())
    with open(os.path.join(TMP, "planted"), "wb") as f:
        f.write(b"\1\2" + "Zoroaster-Canarius".encode("utf-16-be"))
    planted, _ = search(TMP, {"Zoroaster-Canarius"}, skip=())
    check("a word that is planted is found", not found and
          len(planted) == 1, planted)
    end()


main()
