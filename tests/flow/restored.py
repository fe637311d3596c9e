#!/usr/bin/python3
"""Yesterday's database is put back: it is accepted on the host, then by two
administrators, and before that it serves nothing else (RECORDS M10).  And the
log's key turns while the registry serves."""
import json
import os
import re
import shutil

from libflow import (CONFLICT, FINDINGS, INTEGRITY, INVALID, NOT_FOUND, OK,
                     SECOND, TMP, USAGE, cdopd, check, end, equal, scene)
import libsynthetic


def accept(registry, *more):
    return cdopd("accept-rollback", registry.data, "--key-file",
                 registry.key, *more)


def turn_the_key(registry, cora):
    ada, bob = registry.ada, registry.bob
    kept = os.path.join(ada.home, ".local/state/cdop/training/receipts")
    before = len(os.listdir(kept))
    equal("which key has to be said",
          ada.cdop("key", "rotate", "--reason", "x", "--yes").code, USAGE)
    done = ada.cdop("key", "rotate", "--log", "--reason", "once a year",
                    "--yes")
    equal("a new log key takes a second person", done.code, SECOND)
    equal("that it was asked for has a receipt", len(os.listdir(kept)),
          before + 1)
    bob.approve()
    equal("and clients go on", cora.cdop("case", "list").code, OK)


def refused(registry):
    """It does not start, and says what to do."""
    registry.start(wait=False)
    code = registry.process.wait(timeout=30)
    registry.kill()
    with open(registry.log, encoding="utf-8") as f:
        said = f.read()
    check("an older database is refused", code != 0 and
          "registry.rolled_back" in said and "older than its anchor" in said,
          said)
    check("and it is said what to do", "cdopd accept-rollback" in said, said)


def put_back(registry, cora):
    """Yesterday's database in the place of today's."""
    ada = registry.ada
    equal("something waits", ada.cdop("key", "rotate", "--link", "--reason",
                                      "spring", "--yes").code, SECOND)
    registry.stop()
    yesterday = registry.data + ".yesterday"
    shutil.copytree(registry.data, yesterday)
    registry.start()
    waits = ada.must("approve", "--json").lines()[0]["number"]
    registry.bob.must("approve", waits, "--decline", "--confirm", waits)
    # A day that will be lost: a key that turns, a case that is registered.
    turn_the_key(registry, cora)
    row = libsynthetic.rows(1, 950)[0]
    lost = cora.must("notify", "--json", *libsynthetic.said(row)).json()[
        "reference"]
    registry.stop()
    shutil.rmtree(registry.data)
    os.rename(yesterday, registry.data)
    return lost


def accepted(registry, cora, anchor):
    """It serves nothing but its acceptance, by two."""
    ada, bob = registry.ada, registry.bob
    registry.start()
    check("restored, after the start", "state=restored" in registry.ready,
          registry.ready)
    check("it serves no case", cora.cdop("case", "list").code != OK)
    check("nor people", ada.cdop("people", "list").code != OK)
    check("but its status", "restored" in ada.must("status").out)
    done = cora.cdop("doctor")
    check("and doctor has not seen the log", done.code == FINDINGS and
          "shows no log" in done.out and "log goes on" not in done.out, done)
    shown = ada.must("restore", "show").out
    check("who restored it, and why",
          "Olga Operator: the disk died" in shown, shown)
    check("and what is to be done again", "people suspended or revoked" in
          shown and "waited for a second person" in shown, shown)
    check("and what is lost", "known lost    %s leaves"
          % anchor.split("\n")[1] in shown, shown)
    equal("a reason is a line of text",
          ada.cdop("restore", "accept", "--reason", "a\ab", "--yes").code,
          INVALID)
    done = ada.cdop("restore", "accept", "--reason", "disk failure", "--yes")
    equal("one administrator asks", done.code, SECOND)
    check("and cannot approve it alone", ada.approve(code=CONFLICT))
    bob.approve()


def followed(registry, cora, lost):
    """Clients stop, show the statement beside their own note, and go on when
    their person says so; what was kept goes out again."""
    done = cora.cdop("case", "list")
    equal("a client stops", done.code, INTEGRITY)
    check("and shows who says so, and why, beside what it holds",
          "kind restore" in done.err and "reason disk failure" in done.err and
          "this computer holds:" in done.err and
          "cdop trust restore" in done.err, done)
    check("in words, too", re.search(r"In words: .* 20\d\d .*, a backup was "
                                     r"put in the registry's place by .*\. "
                                     r" The reason given: disk failure\n",
                                     done.err), done)
    equal("with a word of its own", json.loads(cora.cdop(
        "case", "list", "--json").err)["reason"], "log_restored")
    equal("nobody says yes by accident",
          cora.cdop("trust", "restore").code, USAGE)
    equal("and it still stops", cora.cdop("case", "list").code, INTEGRITY)
    done = cora.must("trust", "restore", "--yes")
    check("it says how much of its own is lost",
          "1 changes that were acknowledged here" in done.err, done)
    check("and goes on in the next incarnation", "/2, " in done.out, done)
    equal("the case is not there any more",
          cora.cdop("case", "show", lost).code, NOT_FOUND)
    log = os.path.join(cora.home, ".local/state/cdop/training/log")
    equal("both notes are kept", sorted(name.rpartition(".")[2] for name in
                                        os.listdir(log)),
          ["mine", "statement"])
    done = cora.must("trust", "restore")
    check("there is nothing more to say yes to", "Nothing waits" in done.out,
          done)
    for person in registry.ada, registry.bob:
        person.must("trust", "restore", "--yes")


def seen_by_clients(registry, cora):
    """A host that knows of nothing that was lost, and an administrator whose
    computer has seen more: the statement says what she has seen."""
    ada, bob = registry.ada, registry.bob
    registry.stop()
    older = registry.data + ".older"
    shutil.copytree(registry.data, older)
    registry.start()
    for _ in range(3):
        cora.must("case", "list")
    ada.must("status")
    size = ada.must("trust", "show", "--json").json()["size"]
    registry.stop()
    shutil.rmtree(registry.data)
    os.rename(older, registry.data)
    code, said = accept(registry, "--by", b"Jos\xe9", "--reason", "again")
    check("what nobody could be shown is refused", code == 1 and
          "a line of UTF-8" in said, said)
    code, said = accept(registry, "--by", "Olga Operator", "--reason", "again")
    check("nothing says that it is older: that is asked", code == 1 and
          "Nothing here says" in said and "nothing was marked" in said, said)
    equal("and it is as it was", registry.verify()[1].count("restored"), 0)
    code, said = accept(registry, "--by", "Olga Operator", "--reason", "again",
                        "--confirm", "yes")
    equal("a word is not enough", code, 1)
    code, said = accept(registry, "--by", "Olga Operator", "--reason", "again",
                        "--confirm", "I understand")
    equal("marked, without an anchor", code, 0)
    code, said = accept(registry, "--by", "Olga Operator", "--reason", "again")
    check("once more needs no word: it serves nothing as it is", code == 0 and
          "Nothing here says" not in said, said)
    registry.start()
    check("the host knows of nothing lost", "known lost    nothing" in
          ada.must("restore", "show").out)
    equal("an administrator asks", ada.cdop(
        "restore", "accept", "--reason", "again", "--yes").code, SECOND)
    told = " ".join(bob.approve()["words"])
    check("the second one is shown what the first has seen",
          "known to have had %d leaves" % size in told, told)
    check("and that whoever was revoked since is not", "people suspended or "
          "revoked" in told and "revoked after that counts as one" in told,
          told)
    done = cora.cdop("case", "list")
    check("the statement says so to everybody", done.code == INTEGRITY and
          "\nlost " in done.err and " %d " % size in
          done.err.split("\nlost ")[1].splitlines()[0], done)
    equal("nothing was kept of the lost log",
          cora.cdop("trust", "restore", "--yes").code, OK)
    for person in ada, bob:
        person.must("trust", "restore", "--yes")


def main():
    anchor_dir = os.path.join(TMP, "anchor")
    os.mkdir(anchor_dir, 0o700)
    registry, cora = scene(conf=["anchor_dir = " + anchor_dir])
    ada = registry.ada
    with open(registry.log, encoding="utf-8") as f:
        check("of a registry that was just made no anchor is missed",
              "anchor.missing" not in f.read())
    turn_the_key(registry, cora)
    lost = put_back(registry, cora)
    with open(os.path.join(anchor_dir, "anchor"), encoding="utf-8") as f:
        anchor = f.read()
    check("the anchor is a signed checkpoint of this registry",
          anchor.count("\n") == 5 and "/1\n" in anchor, anchor)
    refused(registry)

    code, said = accept(registry, "--by", "Olga Operator")
    equal("why has to be said", code, 64)
    code, said = accept(registry, "--by", "Olga Operator", "--reason",
                        "two\nlines")
    check("in one line", code == 1 and "a line of UTF-8" in said, said)
    code, said = accept(registry, "--by", "Olga Operator", "--reason",
                        "the disk died", "--anchor",
                        os.path.join(anchor_dir, "anchor"))
    check("then it is marked, and what waited is dropped", code == 0 and
          "incarnation 2" in said and "is dropped" in said, said)
    code, said = registry.verify()
    equal("every row opens", code, 0)

    accepted(registry, cora, anchor)
    followed(registry, cora, lost)
    check("it serves again", "open" in ada.must("status").out)
    equal("what was declined on the lost day does not wait again",
          ada.must("approve", "--json").lines(), [])
    registry.audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    said = [(e["call"], e.get("count")) for e in registry.audrey.must(
        "audit", "list", "--json", "--purpose", "audit").lines()]
    check("and the log says that it was dropped",
          ("requests dropped by a restore", 1) in said, said)
    registry.stop()
    registry.start()
    check("and after a restart", "state=open" in registry.ready,
          registry.ready)
    registry.stop()
    code, said = registry.verify()
    check("every row opens, the log is whole", code == 0, said)
    with open(os.path.join(anchor_dir, "anchor"), encoding="utf-8") as f:
        check("the anchor has gone on", "/2\n" in f.read())
    registry.start()
    ada.must("status")
    registry.kill()
    registry.start()  # ends the test if it does not
    check("a crash is no rollback", "state=open" in registry.ready)
    registry.stop()
    os.unlink(os.path.join(anchor_dir, "anchor"))
    registry.start()
    check("an anchor that is missing is told", "no anchor when" in
          ada.must("status").out)
    registry.stop()
    check("and made anew",
          os.path.exists(os.path.join(anchor_dir, "anchor")))
    with open(registry.log, encoding="utf-8") as f:
        check("and that is said", "anchor.missing" in f.read())
    registry.start()
    seen_by_clients(registry, cora)
    registry.stop()
    end()


main()
