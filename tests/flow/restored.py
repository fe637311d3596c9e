#!/usr/bin/python3
"""Yesterday's database is put back: it is accepted on the host, then by two
administrators, and before that it serves nothing else (RECORDS M10).  And the
log's key turns while the registry serves."""
import os
import shutil
import subprocess

from libflow import (CDOPD, INVALID, OK, SECOND, USAGE, check, end, equal,
                     scene)


def accept(registry, *more):
    done = subprocess.run(
        [CDOPD, "accept-rollback", registry.data, "--key-file", registry.key,
         *more],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
        check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def approve(person):
    waiting = person.must("approve", "--json").lines()
    number = waiting[0]["number"]
    return person.cdop("approve", number, "--confirm", number)


def turn_the_key(registry, cora):
    ada, bob = registry.ada, registry.bob
    equal("which key has to be said",
          ada.cdop("key", "rotate", "--reason", "x", "--yes").code, USAGE)
    done = ada.cdop("key", "rotate", "--log", "--reason", "once a year",
                    "--yes")
    equal("a new log key takes a second person", done.code, SECOND)
    done = approve(bob)
    equal("who approves it", done.code, OK)
    equal("and clients go on", cora.cdop("case", "list").code, OK)


def main():
    registry, cora = scene()
    ada, bob = registry.ada, registry.bob
    turn_the_key(registry, cora)
    registry.stop()
    yesterday = registry.data + ".yesterday"
    shutil.copytree(registry.data, yesterday)
    registry.start()
    ada.must("people", "list")  # a day that will be lost
    registry.stop()
    shutil.rmtree(registry.data)
    os.rename(yesterday, registry.data)

    code, said = accept(registry, "--by", "Olga Operator")
    equal("why has to be said", code, 64)
    code, said = accept(registry, "--by", "Olga Operator", "--reason",
                        "two\nlines")
    check("in one line", code == 1 and "a line of text" in said, said)
    code, said = accept(registry, "--by", "Olga Operator", "--reason",
                        "the disk died")
    check("then it is marked", code == 0 and "incarnation 2" in said, said)
    code, said = registry.verify()
    equal("every row opens", code, 0)

    registry.start()
    check("restored, after the start", "state=restored" in registry.ready,
          registry.ready)
    check("it serves no case", cora.cdop("case", "list").code != OK)
    check("nor people", ada.cdop("people", "list").code != OK)
    check("but its status", "restored" in ada.must("status").out)
    shown = ada.must("restore", "show").out
    check("who restored it, and why",
          "Olga Operator: the disk died" in shown, shown)
    equal("a reason is needed",
          ada.cdop("restore", "accept", "--reason", "a\nb", "--yes").code,
          INVALID)
    done = ada.cdop("restore", "accept", "--reason", "disk failure", "--yes")
    equal("one administrator asks", done.code, SECOND)
    check("and cannot approve it alone", approve(ada).code != OK)
    equal("another one accepts", approve(bob).code, OK)
    check("it serves again", "open" in ada.must("status").out)
    registry.stop()
    registry.start()
    check("and after a restart", "state=open" in registry.ready,
          registry.ready)
    registry.stop()
    code, said = registry.verify()
    check("every row opens, the log is whole", code == 0, said)
    end()


main()
