#!/usr/bin/python3
"""Several commands of one person at the same time: the keys of the device
still open the door, and nothing is done twice or written over.  And what is
kept of that after it is done."""
import json
import os

from libflow import (CDOP, OK, SECOND, STOPPED, TMP, UNREACHABLE, check, end,
                     equal, profile_with, scene)
from libtype import run
import libsynthetic

MANY = 6


def together(person, commands):
    """Exit codes and outputs of commands that run at the same time."""
    running = [person.popen(*words) for words in commands]
    done = []
    for one in running:
        out, err = one.communicate(timeout=120)
        done.append((one.returncode, out.decode(), err.decode()))
    return done


def keys(cora):
    """Keys turn in several processes, while others sign in with them."""
    for n in range(4):
        done = together(cora, [["device", "turn"]] * MANY +
                        [["whoami"]] * MANY)
        check("keys that turn at the same time, %d" % n,
              all(code == OK for code, _, _ in done), done)
    equal("the device is not locked out", cora.cdop("whoami").code, OK)


def same_file(cora):
    """One file in two windows: every row is one case."""
    rows = libsynthetic.rows(12, 700)
    path = os.path.join(TMP, "twice.csv")
    libsynthetic.save(path, rows)
    before = len(cora.must("case", "list", "--json").lines())
    # The name differs, the file does not.
    other = os.path.join(TMP, "..", os.path.basename(TMP), "twice.csv")
    done = together(cora, [["notify", "--from", path, "--json"],
                           ["notify", "--from", other, "--json"]])
    check("the same file twice at a time", all(
        code == OK for code, _, _ in done), done)
    equal("every row is one case", len(cora.must(
        "case", "list", "--json").lines()), before + 12)
    replayed = [json.loads(line).get("replayed") for _, out, _ in done
                for line in out.splitlines()]
    equal("the second one is told so", replayed.count(True), 12)
    equal("no lock is left behind", [
        name for name in os.listdir(os.path.join(
            cora.home, ".local/state/cdop/training"))
        if name.startswith("import-")], [])


def retries(registry, cora):
    """What waits is sent by two: once each."""
    rows = libsynthetic.rows(3, 800)
    registry.kill()
    for row in rows:
        cora.must("notify", "--timeout", "2", *libsynthetic.said(row),
                  code=14)
    registry.start()
    before = len(cora.must("case", "list", "--json").lines())
    done = together(cora, [["retry", "--json"]] * 3)
    check("three retries at a time", all(
        code == OK for code, _, _ in done), done)
    equal("three cases more", len(cora.must(
        "case", "list", "--json").lines()), before + 3)
    equal("each was sent by one of them", sum(
        '"command"' in line for _, out, _ in done
        for line in out.splitlines()), 3)


def resumed(registry, cora):
    """Three go on with one draft: one does, and sends it."""
    row = libsynthetic.rows(1, 850)[0]
    reference = cora.must(
        "notify", "--json", *libsynthetic.said(row)).json()["reference"]
    registry.kill()
    cora.must("notify", "--timeout", "2", *libsynthetic.said(row), code=14)
    registry.start()
    cora.must("retry", code=9)  # a duplicate: it is a draft now
    done = together(cora, [["notify", "--resume", "--decision",
                            "join:" + reference, "--decision-reason",
                            "told twice"]] * 3)
    equal("one of three goes on with a draft", sorted(
        code == OK for code, _, _ in done), [False, False, True])
    check("the others are told", all(
        code == OK or "goes on with this draft" in err or
        "no such draft" in err for code, _, err in done), done)
    equal("nothing of it is left", os.listdir(os.path.join(
        cora.home, ".local/state/cdop/training/drafts")), [])


def typed(cora):
    """One types a notification; another window leaves its draft alone."""
    seen = {}

    def meanwhile():
        seen["drop"] = cora.cdop("retry", "--drop", "1", "--yes")
        seen["resume"] = cora.cdop("notify", "--resume")
        return "\x03"

    code, shown = run([CDOP, "notify"], {
        "How did it reach": ["phone"], "Who tells us": ["RBL"],
        "Name of the": ["Dr Sample"], "Family name": [meanwhile]},
        dict(cora.env(), TERM="dumb"))
    check("what is typed is a draft", code == STOPPED and
          "kept sealed on this computer as draft 1" in shown, shown)
    for what, done in seen.items():
        check("%s is told that it is being typed" % what,
              done.code == UNREACHABLE and
              "goes on with this draft" in done.err, done)
    cora.must("retry", "--drop", "1", "--yes")


def kept(registry, cora):
    """A panel may have clients keep what they sent, for some days."""
    path = profile_with("keeps.conf", "spool_days = 0", "spool_days = 7")
    sent = os.path.join(cora.home, ".local/state/cdop/training/sent")
    equal("usually nothing of it is kept", os.path.exists(sent), False)
    registry.ada.must("profile", "apply", path, "--yes", "--reason",
                      "backups are young", code=SECOND)
    registry.bob.approve()
    row = libsynthetic.rows(1, 900)[0]
    reference = cora.must(
        "notify", "--json", *libsynthetic.said(row)).json()["reference"]
    equal("it is kept where the profile says so", len(os.listdir(sent)), 1)
    with open(os.path.join(sent, os.listdir(sent)[0]), "rb") as f:
        check("sealed", row["child.family_name"].encode() not in f.read())
    equal("it waits for nothing", "No request waits" in
          cora.must("retry").out, True)
    done = cora.must("retry", "--after-restore")
    check("sent again it had arrived", reference + " (it had arrived)" in
          done.out, done)
    equal("and is kept still", len(os.listdir(sent)), 1)


def main():
    registry, cora = scene()
    keys(cora)
    same_file(cora)
    retries(registry, cora)
    resumed(registry, cora)
    typed(cora)
    kept(registry, cora)
    equal("it stops in order", registry.stop(), 0)
    end()


main()
