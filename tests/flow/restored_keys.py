#!/usr/bin/python3
"""A registry is put back to a day before the keys of devices turned, twice:
each person has it go on with the key of then.  And where no two administrators
are left who could accept it, the host invites others."""
import os
import shutil

from libflow import (AUTH, INTEGRITY, OK, SECOND, USAGE, Person, cdopd, check,
                     end, equal, scene)


def offline(registry, verb, *more):
    return cdopd(verb, registry.data, "--key-file", registry.key, *more)


def yesterday(registry):
    registry.stop()
    kept = registry.data + ".yesterday"
    shutil.copytree(registry.data, kept)
    registry.start()
    return kept


def put_back(registry, kept):
    registry.stop()
    shutil.rmtree(registry.data)
    os.rename(kept, registry.data)
    code, said = offline(registry, "accept-rollback", "--by", "Olga",
                         "--reason", "the disk died", "--confirm",
                         "I understand")
    check("it is marked on the host", code == 0, said)
    registry.start()


def turn(person):
    person.must("device", "turn")
    person.must("status")


def back_in(person):
    """Only when its person says so."""
    done = person.cdop("status")
    equal("%s: the key of today is not known" % person.name, done.code, AUTH)
    check("%s: and it is said what to do" % person.name,
          "restored: cdop trust restore" in done.err, done)
    equal("%s: nobody says yes by accident" % person.name,
          person.cdop("trust", "restore").code, USAGE)
    equal("%s: and nothing has changed" % person.name,
          person.cdop("status").code, AUTH)
    return person.must("trust", "restore", "--yes")


def keys(registry, cora):
    ada, bob = registry.ada, registry.bob
    kept = yesterday(registry)
    for person in ada, bob, cora:
        turn(person)
        turn(person)
    put_back(registry, kept)
    done = back_in(ada)
    check("it says who has to accept it", "cdop restore show" in done.out,
          done)
    equal("the key is taken up", ada.cdop("status").code, OK)
    equal("one administrator asks", ada.cdop(
        "restore", "accept", "--reason", "the disk died", "--yes").code,
        SECOND)
    back_in(bob)
    bob.approve()
    done = back_in(cora)
    check("she has been shown the statement", "kind restore" in done.err, done)
    equal("and works", cora.cdop("case", "list").code, OK)
    turn(cora)
    equal("her key turns as ever", cora.cdop("case", "list").code, OK)
    for person in ada, bob:
        person.must("trust", "restore", "--yes")
    ada.must("people", "suspend", str(cora.person), "--reason", "a test")
    done = cora.cdop("trust", "restore", "--yes")
    check("whoever is suspended stays so", done.code == AUTH and
          "does not accept this device" in done.err and
          "earlier days either" in done.err, done)


def people(registry):
    """Nobody is there who could accept it."""
    ada, bob = registry.ada, registry.bob
    ada.must("people", "suspend", str(bob.person), "--reason", "has left")
    put_back(registry, yesterday(registry))
    equal("one administrator asks", ada.cdop(
        "restore", "accept", "--reason", "the disk died", "--yes").code,
        SECOND)
    registry.stop()
    code, said = offline(
        registry, "recover-people", "--by", "Olga", "--by", "Otto",
        "--reason", "one has left", "--admin", "Eve New", "--address",
        "unix:" + registry.socket, "--out", registry.out)
    check("the host invites another one", code == 0, said)
    registry.start()
    check("who makes them two", "state=setup" in registry.ready,
          registry.ready)
    eve = Person("eve", registry)
    eve.enrol(os.path.join(registry.out, "recovery-invitation-1.txt"))
    done = ada.cdop("people", "activate", str(eve.device), "--comparison",
                    eve.comparison)
    check("first it is shown who has accepted it", done.code == INTEGRITY and
          "kind restore" in done.err and "by Olga" in done.err and
          "by Otto" in done.err, done)
    ada.must("trust", "restore", "--yes")
    ada.must("people", "activate", str(eve.device), "--comparison",
             eve.comparison)
    check("it serves again", "open" in ada.must("status").out)
    registry.stop()
    code, said = registry.verify()
    check("every row opens, the log is whole", code == 0, said)


def main():
    registry, cora = scene()
    keys(registry, cora)
    people(registry)
    end()


main()
