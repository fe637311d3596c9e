#!/usr/bin/python3
"""Custodians: a drill shows a share and opens nothing, everybody who keeps
keys sees what was proved when, and two people remove a slot."""
import os
import re

import libtype
from libflow import (CDOP, CONFLICT, FORBIDDEN, INVALID, NOT_FOUND, OK, SEALED,
                     SECOND, STOPPED, TMP, USAGE, Registry, cdopd, check, end,
                     equal, wait_for)
from libslots import add_shares, changed, forge, letters_of, named, sheet

FAILED_NOW = (8, 9)  # exit codes of what cannot be done now


def waiting(person):
    return person.must("approve", "--json").lines()


def approve(person, act):
    return person.cdop("approve", act["number"], "--confirm", act["number"])


def drilling(registry, cass, dan, files):
    ada = registry.ada
    before = ada.must("status")
    check("status says what opens it", 'slot 3 shares "custodians" (any 3 of '
          '5)' in before.out and 'slot 1 key file' in before.out, before)
    check("that nobody has shown a share", "last drill of a share: never" in
          before.out and "3 of 5 shares; proved within a year: 0 " in before.out,
          before)
    done = cass.must("custodian", "drill", "--from", files[0])
    check("a share is shown to be good", "share 1 of slot 3 (Dora Director) "
          "is good" in done.out, done)
    done = cass.must("custodian", "drill", "--from", "-", "--json",
                     stdin=open(files[1], "rb").read()).json()
    check("from standard input too", done["share"] == 2 and
          done["set"] == 3, done)
    done = cass.cdop("custodian", "drill", "--from", changed(
        files[2], "slip.txt", lambda t: t[1:2] + t[:1] + t[2:]))
    check("a slip is found on this side", done.code == INVALID and
          "slip" in done.err, done)
    done = cass.cdop("custodian", "drill", "--from", forge(files[2]))
    check("one that was never given out is named on the other",
          done.code == INVALID and "not the share that was given out" in
          done.err, done)
    done = ada.cdop("custodian", "drill", "--from", files[2])
    equal("an administrator shows none", done.code, FORBIDDEN)
    listed = ada.must("custodian", "list")
    check("the list says who showed which", re.search(
        r"share 1  Dora Director  proved .*in a drill by person .*Cass",
        listed.out) and re.search(r"share 3  share 3  not proved yet",
                                  listed.out), listed)
    after = ada.must("status")
    check("status has the last drill", "never" not in after.out and
          "proved within a year: 2 " in after.out, after)
    check("of two in one hand nothing is said", "showed" not in after.out and
          "WARNING" not in listed.out, after)
    cass.must("custodian", "drill", "--from", files[3])
    status = ada.must("status")
    check("with enough of them it is content", "within a year" not in
          status.out, status)
    check("but not that one person showed them all", '"Cass Custodian" showed 3 '
          'shares or more' in status.out, status)
    listed = ada.must("custodian", "list")
    check("nor is the list", re.search(
        r'WARNING: person \d+ "Cass Custodian" showed 3 of them', listed.out), listed)
    dan.must("custodian", "drill", "--from", files[3])
    check("until another hand shows it", "showed" not in
          ada.must("status").out and "WARNING" not in
          ada.must("custodian", "list").out)
    check("nothing of a share has left its sheet", not any(
        letters in text for letters in (letters_of(f) for f in files)
        for text in (listed.out, after.out)))


def lines_of(path):
    with open(path, encoding="ascii") as f:
        return [line.strip() for line in f if not line.startswith("#")]


def typing(cass, path):
    """Off the sheet: a slip is told by its line, which is typed again."""
    def typed(*first, show=()):
        lines = lines_of(path)
        given = {"Line %d" % n: [line] for n, line in enumerate(lines, 1)}
        given["Line 2"] = [f for f in first] + given["Line 2"]
        return libtype.run([CDOP, "custodian", "drill", *show], given,
                           cass.env())
    right = lines_of(path)[1]
    slip = right[:12] + ("B" if right[12] != "B" else "C") + right[13:]
    code, said = typed(slip)
    check("a slip is told by line and group, and that line typed again",
          code == OK and "slip in line 2 of the share, in group 3" in said and
          said.count("Line 1") == 1 and said.count("Line 2") == 2, said)
    check("nothing of it is shown", right not in said and slip not in said,
          said)
    code, said = typed(right[:-1])
    check("a line that is too short is told at once", code == OK and
          "this has 19" in said and said.count("Line 3") == 1, said)
    code, said = typed(show=["--show"])
    check("whoever wants it sees the letters", code == OK and right in said,
          said)


def is_kept_by(registry, cass, files):
    """What the drill sent lies nowhere, and opens nothing."""
    secret = [letters_of(f) for f in files]
    for folder in (registry.data, cass.home):
        for base, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(base, name), "rb") as f:
                    data = f.read()
                if any(s.encode() in data for s in secret):
                    return check("no share in " + name, False)
    return check("no share lies in the registry or on the computer", True)


def removing(registry, cass):
    ada, bob = registry.ada, registry.bob
    why = ("--reason", "the passphrase was seen", "--yes")
    equal("a custodian does not ask for it",
          cass.cdop("key", "remove-slot", "2", *why).code, FORBIDDEN)
    equal("there is none of that number",
          ada.cdop("key", "remove-slot", "9", *why).code, NOT_FOUND)
    equal("nor is that a number",
          ada.cdop("key", "remove-slot", "two", *why).code, USAGE)
    done = ada.cdop("key", "remove-slot", "2", *why)
    check("an administrator asks", done.code == SECOND, done)
    check("it is there still", 'slot 2 passphrase' in ada.must("status").out)
    act = waiting(cass)[0]
    words = " ".join(act["words"])
    check("a custodian sees what will happen", 'remove slot 2 passphrase '
          '"passphrase"' in words and "left then: slots 1 key file, 3 shares"
          in words and "until the root is another" in words and
          "the passphrase was seen" in words and "backup" not in words, act)
    equal("whoever asked does not approve", approve(ada, act).code != OK, True)
    equal("and approves", approve(cass, act).code, OK)
    check("then it is gone", 'slot 2' not in ada.must("status").out)
    listed = ada.must("custodian", "list", "--json").json()
    equal("from the list as well", [s["number"] for s in listed["slot"]],
          [1, 3])
    done = ada.cdop("key", "remove-slot", "3", "--reason", "x", "--yes")
    check("one kind alone does not stay by mistake", done.code in FAILED_NOW
          and "one kind" in done.err, done)
    equal("but when it is said", ada.cdop(
        "key", "remove-slot", "3", "--one-kind", "--reason", "x",
        "--yes").code, SECOND)
    act = [a for a in waiting(bob) if a["you_may"]][0]
    check("and what goes with the last shares is said", "no backup can be "
          "taken then" in " ".join(act["words"]), act)
    check("which are there still", "no slot of shares" not in
          ada.must("status").out)
    equal("by another administrator", approve(bob, act).code, OK)
    status = ada.must("status")
    check("then status says that they are gone", "no slot of shares: no "
          "backup can be taken" in status.out, status)
    check("then status says DEGRADED", "DEGRADED: slots of one kind alone" in
          status.out and "last drill" in status.out, status)
    done = ada.cdop("key", "remove-slot", "1", "--one-kind", "--reason", "x",
                    "--yes")
    check("the last one stays", done.code in FAILED_NOW and "last slot" in
          done.err, done)
    done = cass.cdop("custodian", "drill", "--from", sheet(registry, 1))
    check("a share of a set that went is no share", done.code == NOT_FOUND,
          done)


def remote(registry, cass, dan, audit):
    """Sealed, with a boot key: shares come over the link."""
    files = [sheet(registry, n) for n in range(1, 6)]
    ada = registry.ada
    done = cass.cdop("custodian", "submit", "--from", files[0])
    check("what is open takes no share", done.code == CONFLICT and
          "open" in done.err, done)
    code, said = libtype.run([CDOP, "custodian", "submit"], {}, cass.env())
    check("which is said before anything is typed", code == CONFLICT and
          "the registry is open" in said and "Line 1" not in said, said)
    registry.kill_role("vault")
    check("closed", wait_for(lambda: ada.cdop("status").code == SEALED, 5))
    for person in (ada, cass):
        done = person.cdop("status")
        check("to %s it is closed and no more" % person.name,
              done.code == SEALED and not done.out, done)
    done = ada.cdop("custodian", "submit", "--from", files[0])
    check("an administrator gives none, and is told why",
          done.code == SEALED and "no custodian's" in done.err, done)
    done = cass.must("custodian", "submit", "--from", files[0])
    check("a custodian gives the first", "1 of 3" in done.out, done)
    code, said = libtype.run(
        [CDOP, "custodian", "submit"], {
            "Line %d" % n: [line] for n, line in enumerate(
                lines_of(files[0]), 1)}, cass.env())
    check("twice is once, typed or not", code == OK and "1 of 3" in said, said)
    done = cass.cdop("custodian", "submit", "--from", forge(files[1]))
    check("a forged one is named and counts for nothing",
          done.code == INVALID and "not the share" in done.err, done)
    done = dan.must("custodian", "submit", "--from", files[1], "--json")
    check("another custodian the second", done.json()["have"] == 2 and
          not done.json()["opened"], done)
    equal("it is closed still", ada.cdop("status").code, SEALED)
    done = dan.must("custodian", "submit", "--from", files[4])
    check("the third opens it", "is open, with 3 shares" in done.out, done)
    equal("and everybody comes in", ada.cdop("status").code, OK)
    said = audit.must("audit", "list", "--purpose", "audit").out
    check("who gave what is in the log", len(re.findall(
        "Cass Custodian.*gave|share given", said)) >= 4 and
        "through slot 3" in said, said)
    status = ada.must("status").out
    check("it is the last proof of slot and shares", re.search(
        r"slot 3 .*opened the registry", status), status)
    check("of two in one hand nothing is said", "showed" not in status, status)
    listed = ada.must("custodian", "list").out
    check("and the list says who gave which", all(re.search(
        r"share %d .*opened the registry; .*shown by person .*%s" % (n, name),
        listed)
        for n, name in ((1, "Cass"), (2, "Dan"), (5, "Dan"))), listed)


def alone(registry, dan):
    """One who gives all that it takes has opened it alone."""
    registry.kill_role("vault")
    check("closed for one", wait_for(
        lambda: registry.ada.cdop("status").code == SEALED, 5))
    for n in (1, 2, 5):
        done = dan.must("custodian", "submit", "--from", sheet(registry, n))
    check("who opens it", "is open, with 3 shares" in done.out, done)
    status = registry.ada.must("status").out
    check("and status says who did", '"Dan Custodian" showed 3 shares or more'
          in status, status)


def turned(registry, cass, dan):
    """A key that turned, a custodian who left: the set goes with them."""
    files = [sheet(registry, n) for n in range(1, 6)]
    ada = registry.ada
    cass.must("device", "turn")
    ada.must("people", "suspend", str(dan.person), "--reason", "left")
    registry.kill_role("vault")
    check("closed again", wait_for(
        lambda: ada.cdop("status").code == SEALED, 5))
    done = dan.cdop("custodian", "submit", "--from", files[1])
    check("who was suspended is let in no more", done.code == SEALED, done)
    done = cass.must("custodian", "submit", "--from", files[2])
    check("a turned key works", "1 of 3" in done.out, done)
    code, said = cdopd("unseal", "-f", registry.conf, *named(files[3:]))
    check("and shares from both sides add up", code == 0 and
          "opened with 3 shares" in said, said)
    registry.stop()
    with open(registry.conf, encoding="ascii") as f:
        lines = [l for l in f if not l.startswith("boot_key_file")]
    with open(registry.conf, "w", encoding="ascii") as f:
        f.writelines(lines)
    registry.start()
    done = cass.cdop("custodian", "submit", "--from", files[2])
    check("without a boot key nobody is let in", done.code == SEALED, done)
    cdopd("unseal", "-f", registry.conf, "--key-file", registry.key)
    equal("and the host opens it", ada.cdop("status").code, OK)
    registry.stop()


def left_out(registry, cass, boot):
    """Nor does a custodian get in whom a restore leaves out."""
    share = sheet(registry, 1)
    with open(registry.conf, "a", encoding="ascii") as f:
        f.write("boot_key_file = %s\n" % boot)
    registry.start()
    cdopd("unseal", "-f", registry.conf, "--key-file", registry.key)
    equal("she is known again", cass.cdop("status").code, OK)
    registry.stop()
    registry.start()
    done = cass.must("custodian", "submit", "--from", share)
    check("and let in while it is closed", "1 of 3" in done.out, done)
    registry.stop()
    code, said = cdopd(
        "accept-rollback", registry.data, "--by", "Olga", "--reason",
        "put back", "--confirm", "I understand", "--suspend",
        "Cass Custodian", "--key-file", registry.key)
    equal("she is left out: " + said, code, 0)
    registry.start()
    done = cass.cdop("custodian", "submit", "--from", share)
    check("and let in no more, before anybody has opened it",
          done.code == SEALED and "closed" in done.err, done)
    registry.stop()


def with_boot_key():
    boot = os.path.join(TMP, "boot.key")
    with open(boot, "wb") as f:
        f.write(bytes(range(1, 33)))
    os.chmod(boot, 0o400)
    registry = Registry("remote", key_file=False,
                        conf=["boot_key_file = " + boot])
    registry.init()
    add_shares(registry)
    registry.start()
    cdopd("unseal", "-f", registry.conf, "--key-file", registry.key)
    registry.people()
    cass = registry.invite("Cass Custodian", "--role", "custodian")
    dan = registry.invite("Dan Custodian", "--role", "custodian")
    olga = registry.invite("Olga Auditor", "--role", "auditor")
    remote(registry, cass, dan, olga)
    alone(registry, dan)
    turned(registry, cass, dan)
    left_out(registry, cass, boot)
    equal("verify finds nothing wrong", registry.verify()[0], 0)


def logged(registry, audit):
    text = audit.must("audit", "list", "--purpose", "audit").out
    check("the log has the drills", "showed a share" in text, text)
    check("and the slots", "slot 3" in text and "remove a slot" in text, text)


def main():
    registry = Registry()
    registry.init()
    add_shares(registry)
    registry.start()
    registry.people()
    cass = registry.invite("Cass Custodian", "--role", "custodian")
    dan = registry.invite("Dan Custodian", "--role", "custodian")
    olga = registry.invite("Olga Auditor", "--role", "auditor")
    files = [sheet(registry, n) for n in range(1, 6)]
    drilling(registry, cass, dan, files)
    typing(cass, files[0])
    is_kept_by(registry, cass, files)
    equal("without a terminal the share is a file", cass.cdop(
        "custodian", "drill").code in (USAGE, STOPPED), True)
    removing(registry, cass)
    logged(registry, olga)
    registry.stop()
    equal("every row opens", registry.verify()[0], 0)
    code, said = cdopd("slot", "test", registry.data, *named(files[:3]))
    check("removed shares open nothing", code == 1, said)
    with_boot_key()
    end()


main()
