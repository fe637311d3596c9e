#!/usr/bin/python3
"""A case is held, then erased by two people of whom one can read it, while
the vault is killed; the certificate comes after the copy, names the backups,
and nobody without a case role was shown a word of a child."""
import os
import random
import re
import signal
import time

from libflow import (CDOP, CONFLICT, FORBIDDEN, NOT_FOUND, OK, PARTIAL, SECOND,
                     STOPPED, TMP, USAGE, check, end, equal, scene, wait_for)
from libsearch import words_of
import libslots
import libsynthetic
import libtype

COUNT = 40
PAUSE = 0.25  # between two looks: handshakes of one address are counted
SECONDS = 30
shown = []  # everything that administrators and custodians were shown


def must(person, *args, code=OK):
    done = person.must(*args, code=code)
    shown.append(done.out + done.err)
    return done


def approve(person):
    """As person.approve(), and what is shown is kept to be looked at."""
    act = must(person, "approve", "--json").lines()[0]
    must(person, "approve", act["number"], "--confirm", act["number"])
    return act


def references(person):
    return [line["reference"] for line in person.must(
        "case", "list", "--json").lines() if "reference" in line]


def on_hold(cora, dora, cuno, reference):
    reason = ["--reason", "inquest opened"]
    cora.must("case", "show", reference)
    cora.must("case", "erase", reference, "--reason", "court_order", "--yes",
              code=SECOND)
    cora.must("hold", "set", reference, *reason)
    done = cora.cdop("case", "amend", reference, "--seen", "99", "--reason",
                     "x", "--source", "gp", "--set", "child.family_name=X")
    check("what nobody can have seen", "There is no such version yet" in
          done.out, done)
    number = must(cuno, "approve", "--json").lines()[0]["number"]
    done = cuno.cdop("approve", number, "--confirm", number)
    shown.append(done.out + done.err)
    check("a yes that comes too late is told that it is void", done.code ==
          CONFLICT and "the request is void, and nothing was done: it was "
          "changed" in done.err and "next: tell Cora" in done.err and
          "case show" not in done.err, done)
    equal("and that it is gone", must(cuno, "approve", "--json").lines(), [])
    check("it is shown", "ON LEGAL HOLD: inquest opened" in
          cora.must("case", "show", reference).out and "ON HOLD" in
          cora.must("case", "list").out)
    done = cora.cdop("case", "erase", reference, "--reason", "court_order",
                     "--yes")
    check("a case on hold is not erased", done.code == CONFLICT and
          "hold" in done.err, done)
    cora.must("hold", "lift", reference, "--reason", "inquest concluded",
              code=SECOND)
    check("a custodian hears nothing of it", reference not in
          must(cuno, "approve", "--json").out)
    dora.approve()
    case = cora.must("case", "show", reference, "--json").json()["case"]
    check("it is lifted", "hold" not in case, case)
    history = cora.must("case", "history", reference).out
    check("and all of it stands in the history", "on hold: inquest opened" in
          history and "not on hold any more" in history, history)


def ask(cora, reference):
    cora.must("case", "show", reference)
    code, said = libtype.run(
        [CDOP, "case", "erase", reference, "--reason", "court_order"],
        {"for ever": ["no"]}, cora.env())
    check("who is asked reads which case it is", code == STOPPED and
          "Ask for case %s to be erased" % reference in said, said)
    cora.must("case", "erase", reference, "--reason", "court_order", "--yes",
              code=SECOND)


def issued(person, number):
    """False while the vault is not back, too."""
    done = person.cdop("certificate", "list", "--json")
    shown.append(done.out + done.err)
    time.sleep(PAUSE)
    found = [c for c in done.lines() if c.get("number") == number]
    return bool(found) and "issued" in found[0]


def erased(cora, dora, cuno, ada, reference):
    equal("the reason is one word", cora.cdop(
        "case", "erase", reference, "--reason", "he asked for it",
        "--yes").code, USAGE)
    equal("no administrator asks for it", ada.cdop(
        "case", "erase", reference, "--reason", "other", "--seen", "1",
        "--yes").code, FORBIDDEN)
    ask(cora, reference)
    act = approve(cuno)
    words = " ".join(act["words"])
    check("the custodian sees reference and hold", reference in words and
          "not on legal hold" in words and "Wirral" not in words, words)
    done = cora.cdop("case", "show", reference)
    check("it is gone at once, and that is said", done.code == NOT_FOUND and
          "erased" in done.err, done)
    check("in no list", reference not in cora.must("case", "list").out)
    check("there is a certificate", wait_for(lambda: issued(cuno, 1),
                                             SECONDS))
    said = must(cuno, "certificate", "show", "1").out
    for line in ("erased       " + reference, "ground       court_order",
                 "destroyed    key 1/", "case-key     key 1/",
                 "census       key 1/", "holds before", "raw media",
                 "the old root", "said to be destroyed since then: cdop "
                 "backup list"):
        check("the certificate says: " + line, line in said, said)
    check("a list of them says why", re.search(
        r"case %s +court_order " % reference,
        must(cuno, "certificate", "list").out))
    check("and when, as people say it", re.search(
        r"\n  issued       [0-9]{1,2} [A-Z][a-z]{2} 20[0-9]{2} ", said), said)
    made = must(ada, "certificate", "show", "1", "--json").json()
    check("its note is a checkpoint", "cdop-certificate/1\n" in made["note"]
          and made["note"].splitlines()[1].isdigit(), made)
    equal("it is the same for all", dora.must(
        "certificate", "show", "1", "--json").json()["note"], made["note"])


def killed(registry, cora, cuno, reference, number, after):
    """Killed on the way: there is one certificate, at the end."""
    ask(cora, reference)
    approve(cuno)
    time.sleep(after)
    vault = registry.pid_of("vault")
    os.kill(vault, signal.SIGKILL)
    wait_for(lambda: registry.pid_of("vault") not in (0, vault))
    check("there is a certificate in the end",
          wait_for(lambda: issued(cuno, number), SECONDS))
    said = must(cuno, "certificate", "show", str(number)).out
    check("killed, it is certified all the same", reference in said, said)
    equal("and it is gone", cora.cdop("case", "show", reference).code,
          NOT_FOUND)


def main():
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 30)
    random.seed(seed)
    print("# SEED=%d" % seed)
    registry, cora = scene(conf=["restarts = 100"])
    ada = registry.ada
    dora = registry.invite("Dora Coordinator", "--role", "coordinator",
                           "--all-areas")
    cuno = registry.invite("Cuno Custodian", "--role", "custodian")
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    equal("it stops", registry.stop(), 0)
    libslots.add_shares(registry)
    registry.start()
    made = libsynthetic.rows(COUNT)
    path = os.path.join(TMP, "all.csv")
    libsynthetic.save(path, made)
    check("an import", cora.cdop("notify", "--from", path).code in
          (OK, PARTIAL))
    refs = references(cora)
    must(ada, "backup", "create", os.path.join(TMP, "before.cdop"),
         "--label", "before")
    on_hold(cora, dora, cuno, refs[0])
    erased(cora, dora, cuno, ada, refs[0])
    for turn, after in enumerate((0, random.uniform(0, 0.05),
                                  random.uniform(0, 0.3))):
        killed(registry, cora, cuno, refs[turn + 1], turn + 2, after)
    equal("the others are there", references(cora), refs[4:])
    entries = audrey.must("audit", "list", "--case", refs[0], "--json",
                          "--purpose", "audit").lines()
    check("the log keeps who did what with it", {"HoldSet", "CaseErase"} <=
          {e.get("call") for e in entries}, entries)
    must(ada, "key", "status", "--json")
    must(ada, "backup", "list", "--json")
    words = set()
    for row in made:
        words |= words_of(row)
    words -= set(libsynthetic.PSEUDO)
    said = "\n".join(shown)
    found = [word for word in words if word in said]
    check("no word of %d of a child in what was shown" % len(words),
          not found and len(words) > 100, found[:10])
    check("nor of why it was held", "inquest" not in said)
    equal("it stops in order", registry.stop(), 0)
    code, said = registry.verify()
    check("verify says fine", code == 0 and said.endswith("fine\n"),
          said[-500:])
    end()


if __name__ == "__main__":
    main()
