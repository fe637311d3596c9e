#!/usr/bin/python3
"""An older database is put back, and everybody follows; then a later one in
its place, in which the log's key had turned already.  Everybody is asked again,
shown both statements, and goes on."""
import os
import shutil

from libflow import INTEGRITY, OK, SECOND, TMP, cdopd, check, end, equal, scene
import libsynthetic


def keep(registry, name):
    registry.stop()
    shutil.copytree(registry.data, registry.data + name)
    registry.start()


def put_back(registry, name, reason):
    """In the place of what there is, by two administrators."""
    newest = os.path.join(TMP, "newest.note")
    with open(newest, "w", encoding="utf-8") as f:
        f.write(registry.ada.must(
            "trust", "show", "--json").json()["checkpoint"])
    registry.stop()
    shutil.rmtree(registry.data)
    os.rename(registry.data + name, registry.data)
    code, said = cdopd(
        "accept-rollback", registry.data, "--key-file", registry.key, "--by",
        "Olga Operator", "--reason", reason, "--anchor", newest)
    check("%s is put back" % reason, code == 0, said)
    registry.start()
    done = registry.ada.cdop("restore", "accept", "--reason", reason, "--yes")
    equal("one administrator asks", done.code, SECOND)
    registry.bob.approve()


def notify(person, n):
    row = libsynthetic.rows(1, n)[0]
    person.must("notify", "--json", *libsynthetic.said(row))


def main():
    registry, cora = scene()
    everybody = registry.ada, registry.bob, cora
    notify(cora, 970)
    keep(registry, ".monday")
    done = registry.ada.cdop("key", "rotate", "--log", "--reason",
                             "once a year", "--yes")
    equal("the log's key turns", done.code, SECOND)
    registry.bob.approve()
    notify(cora, 971)
    keep(registry, ".tuesday")

    put_back(registry, ".monday", "Monday")
    for person in everybody:
        person.must("trust", "restore", "--yes")
    equal("Monday has one case", len(cora.must(
        "case", "list", "--json").lines()), 1)

    put_back(registry, ".tuesday", "Tuesday")
    done = cora.cdop("case", "list")
    check("Tuesday is no fork, and waits for a person",
          done.code == INTEGRITY and "log_forked" not in done.err and
          "cdop trust restore" in done.err, done)
    check("both statements are shown, the turn of the key first",
          0 < done.err.find("kind key") < done.err.find("kind restore"), done)
    check("and what this computer had followed is said",
          "does not know of" in done.err, done)
    for person in everybody:
        person.must("trust", "restore", "--yes")
    done = cora.cdop("case", "list", "--json")
    check("Tuesday has two", done.code == OK and len(done.lines()) == 2, done)
    notify(cora, 972)
    equal("and goes on", cora.cdop("case", "list").code, OK)
    registry.stop()
    code, said = registry.verify()
    check("verify says fine", code == 0, said)
    end()


main()
