#!/usr/bin/python3
"""An older database is put back, and everybody follows; then a later one in
its place, in which the log's key had turned already.  Everybody is asked again,
shown both statements, and goes on."""
import os
import shutil
import subprocess

from libflow import CDOPD, INTEGRITY, OK, SECOND, TMP, check, end, equal, scene
import libsynthetic


def keep(registry, name):
    registry.stop()
    shutil.copytree(registry.data, registry.data + name)
    registry.start()


def approve(person):
    number = person.must("approve", "--json").lines()[0]["number"]
    person.must("approve", number, "--confirm", number)


def put_back(registry, name, reason):
    """In the place of what there is, by two administrators."""
    newest = os.path.join(TMP, "newest.note")
    with open(newest, "w", encoding="utf-8") as f:
        f.write(registry.ada.must(
            "trust", "show", "--json").json()["checkpoint"])
    registry.stop()
    shutil.rmtree(registry.data)
    os.rename(registry.data + name, registry.data)
    done = subprocess.run(
        [CDOPD, "accept-rollback", registry.data, "--key-file", registry.key,
         "--by", "Olga Operator", "--reason", reason, "--anchor",
         newest],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60, check=False)
    equal("%s is put back" % reason, done.returncode, 0)
    registry.start()
    done = registry.ada.cdop("restore", "accept", "--reason", reason, "--yes")
    equal("one administrator asks", done.code, SECOND)
    approve(registry.bob)


def notify(person, n):
    row = libsynthetic.rows(1, n)[0]
    person.must("notify", "--json", *[
        "--set=%s=%s" % (path, value) for path, value in row.items()
        if path[0] != "_" and value and "." in path])


def main():
    registry, cora = scene()
    everybody = registry.ada, registry.bob, cora
    notify(cora, 970)
    keep(registry, ".monday")
    done = registry.ada.cdop("key", "rotate", "--log", "--reason",
                             "once a year", "--yes")
    equal("the log's key turns", done.code, SECOND)
    approve(registry.bob)
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
