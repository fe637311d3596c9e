#!/usr/bin/python3
"""An administrator is dismissed after a backup, which is then restored: on the
host he is left out of it, before he can be one of the two who accept it; and
so is a laptop that was stolen, and an invitation that was taken back."""
import os
import re
import shutil

from libflow import (AUTH, OK, SECOND, TMP, Person, cdopd, check, end, equal,
                     scene)
import libslots

FILE = os.path.join(TMP, "monday.cdop")
WHO = ["--by", "Olga Operator", "--reason", "the disk died"]


def must(name, *args):
    code, said = cdopd(*args)
    check(name, code == 0, said)
    return said


def old_laptop(person):
    """What somebody has kept of it."""
    copy = Person(person.name + "-kept", person.registry)
    os.rmdir(copy.home)
    shutil.copytree(person.home, copy.home)
    return copy


def that_waits(registry, person):
    """A further device, that nobody has activated."""
    path = os.path.join(registry.out, "tablet.txt")
    registry.ada.must("people", "invite", "--device-for", str(person.person),
                      "--label", "tablet", "--out", path)
    tablet = Person("tablet", registry)
    tablet.enrol(path)
    return tablet


def dismissed(registry, carol, cora):
    """After the backup, by two; hers is stolen."""
    ada, bob = registry.ada, registry.bob
    kept = old_laptop(bob)
    for person in bob, cora, ada:
        person.must("device", "turn")
        person.must("status")
    equal("he is dismissed", ada.cdop(
        "people", "revoke", str(bob.person), "--reason", "has left",
        "--confirm", str(bob.person)).code, SECOND)
    carol.approve()
    ada.must("people", "suspend", str(cora.person), "--device",
             str(cora.device), "--reason", "stolen")
    equal("he is out", bob.cdop("status").code, AUTH)
    return kept


def refused(registry, shares):
    """Who is nobody: it is said who there is, and nothing stays."""
    for option, value, words in (
            ("--suspend", "Bob", '"Bob": nobody is called so'),
            ("--suspend", "77", '"77": no person has that number'),
            ("--suspend-device", "77", '"77": no device has that number')):
        code, said = cdopd("restore", FILE, registry.data, *WHO, option, value,
                           *shares)
        check("%s %s is refused" % (option, value),
              code == 1 and words in said, said)
        check("and it is said who there is", "Nothing was done" in said and
              "  2  Bob Admin, active (administrator)\n        device 2, "
              "active: bob laptop" in said, said)
        check("and nothing stays", not os.path.exists(registry.data))
    code, said = cdopd("restore", FILE, registry.data, *WHO, *shares,
                       *["--suspend", "2"] * 65)
    check("so many, and no more", code == 64 and "stands too often" in said,
          said)


def left_out(registry, shares, carol, cora):
    registry.stop()
    os.rename(registry.data, registry.data + ".lost")
    refused(registry, shares)
    said = must("it is restored without him", "restore", FILE, registry.data,
                *WHO, "--suspend", "Bob Admin", "--suspend-device",
                str(cora.device), *shares)
    check("and it is said without whom, and who is left",
          "suspended: 2 Bob Admin\n" in said and
          "suspended: device %d of %d Cora Coordinator\n"
          % (cora.device, cora.person) in said and
          "may accept it: 1 Ada Admin\nmay accept it: %d Carol Admin\n"
          % carol.person in said and "not two administrators" not in said,
          said)
    must("it is given a key file of its own", "slot", "add", registry.data,
         "--by", "Olga Operator", "--new-key-file", registry.key + ".new",
         *shares)
    os.replace(registry.key + ".new", registry.key)
    registry.start()
    check("it waits for two", "state=restored" in registry.ready,
          registry.ready)


def out_for_good(name, person):
    """Neither the key of today gets in, nor one of earlier days."""
    equal(name + " is not let in", person.cdop("status").code, AUTH)
    done = person.cdop("trust", "restore", "--yes")
    check(name + " is not with any key of earlier days",
          done.code == AUTH, done)


def accepted(registry, kept, carol, cora):
    ada, bob = registry.ada, registry.bob
    out_for_good("his laptop", bob)
    out_for_good("his laptop as it was", kept)
    out_for_good("what was stolen", cora)
    ada.must("trust", "restore", "--yes")
    shown = ada.must("restore", "show").out
    check("who accepts it is shown who is out", "suspended     Bob Admin" in
          shown and "suspended     device %d of Cora" % cora.device in shown,
          shown)
    check("and who may accept it",
          "may accept    Ada Admin" in shown and
          "may accept    Carol Admin" in shown and
          "may accept    Bob" not in shown, shown)
    told = ada.must("restore", "show", "--json").json()
    equal("for programs, too", [one["person"] for one in told["suspended"]],
          [bob.person, cora.person])
    equal("one asks", ada.cdop("restore", "accept", "--reason", "disk",
                               "--yes").code, SECOND)
    equal("he is none of two", bob.cdop("approve", "--json").code, AUTH)
    words = " ".join(carol.approve()["words"])
    check("the second one is shown it, too", "suspended on the host: 2 Bob "
          "Admin, device %d of " % cora.device in words and
          "administrators in it: 1 Ada Admin, %d Carol" % carol.person
          in words, words)
    for person in ada, carol:
        person.must("trust", "restore", "--yes")
    for name, person in ("he", bob), ("with his old keys", kept):
        out_for_good("when it is open, " + name, person)


def in_the_log(registry, audrey):
    audrey.must("trust", "restore", "--yes")
    ada, bob = registry.ada, registry.bob
    entries = audrey.must("audit", "list", "--json", "--purpose",
                          "audit").lines()
    seen = [(e["call"], e.get("subject_person"), e.get("count"))
            for e in entries if "by a restore" in e["call"]]
    check("the log has each of them", ("left out by a restore", bob.person,
                                       None) in seen and
          ("invitations taken back by a restore", None, 1) in seen and
          len(seen) == 3, seen)
    shown = audrey.must("audit", "list", "--purpose", "audit").out
    check("and who did it, and why", "left out by a restore" in shown and
          "Olga Operator: the disk died" in shown, shown)
    listed = ada.must("people", "list").out
    check("they are listed so, too", "Bob Admin" in listed and
          "suspended" in listed, listed)


def taken_back(registry, path):
    """It was, after the backup; nobody in it knows."""
    done = Person("ivy", registry).cdop(
        "enrol", path, "--label", "laptop", "--no-passphrase")
    check("an invitation that waited is none any more", done.code == AUTH,
          done)


def noticed_later(registry, carol, cora, tablet):
    """That one more was dismissed is noticed when she asks: the host leaves
    her out as well, and what she has asked for is gone."""
    ada = registry.ada
    registry.stop()
    mark = ["accept-rollback", registry.data, *WHO, "--key-file",
            registry.key]
    must("it is put back again", *mark, "--confirm", "I understand")
    registry.start()
    equal("she asks", carol.cdop("restore", "accept", "--reason", "disk",
                                 "--yes").code, SECOND)
    registry.stop()
    code, said = cdopd(*mark, "--suspend", "Carol")
    check("nobody is called so", code == 1 and "Carol Admin, active" in said
          and "  2  Bob Admin, suspended" in said and "device %d, suspended: "
          % cora.device in said and "Ivy Invited, invited" in said, said)
    said = must("the host leaves her out", *mark, "--suspend", "Carol Admin",
                "--suspend", "Ivy Invited", "--suspend", "Bob Admin",
                "--suspend-device", str(tablet.device))
    check("and says what to do with one left",
          "suspended: %d Carol Admin\n" % carol.person in said and
          "Ivy Invited (never active: revoked)\n" in said and
          "not two administrators" in said and "recover-people" in said, said)
    check("and of a device that waited", "suspended: device %d of %d Cora "
          "Coordinator (never active: revoked)\n" % (
              tablet.device, cora.person) in said, said)
    check("who was out before is said to be, and not done again",
          "suspended: 2 Bob Admin (suspended before)\n" in said, said)
    code, said = cdopd(*mark, "--suspend", "Ivy")
    check("who is revoked is in it no more", code == 1 and
          "Carol Admin, suspended" in said and "Ivy Invited" not in said, said)
    registry.start()
    out_for_good("she", carol)
    shown = ada.must("restore", "show").out
    check("and who is revoked is not said to be suspended alone", re.search(
        r"suspended +Ivy Invited.* \(never active: revoked\)\n", shown), shown)
    check("whoever could lift it knows that the host has named him",
          re.search(r"suspended +Bob Admin.* \(suspended before\)\n", shown),
          shown)
    check("and by whom it was restored to begin with",
          re.search(r"first +.*by Olga Operator: the disk died\n", shown),
          shown)
    equal("and nothing waits", ada.must("approve", "--json").lines(), [])
    registry.stop()
    must("the host invites another one", "recover-people", registry.data,
         "--by", "Olga", "--by", "Otto", "--reason", "one has left", "--admin",
         "Eve New", "--address", "unix:" + registry.socket, "--out",
         registry.out, "--key-file", registry.key)
    registry.start()
    eve = Person("eve", registry)
    eve.enrol(os.path.join(registry.out, "recovery-invitation-1.txt"))
    ada.must("trust", "restore", "--yes")
    ada.must("people", "activate", str(eve.device), "--comparison",
             eve.comparison)
    check("it serves again", "open" in ada.must("status").out)
    out_for_good("and still she", carol)
    registry.stop()
    code, said = registry.verify()
    check("every row opens, the log is whole", code == 0, said)


def main():
    registry, cora = scene()
    ada = registry.ada
    carol = registry.invite("Carol Admin", "--role", "administrator")
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    registry.stop()
    libslots.add_shares(registry)
    shares = libslots.shares(registry, 1, 2, 3)
    registry.start()
    ivy = os.path.join(registry.out, "ivy.txt")
    done = ada.cdop("people", "invite", "--name", "2", "--role", "coordinator",
                    "--all-areas", "--out", ivy)
    check("nobody is called what another one's number is", done.code not in
          (OK, SECOND) and "is a number" in done.err, done)
    ada.must("people", "invite", "--name", "Ivy Invited", "--role",
             "coordinator", "--all-areas", "--out", ivy)
    tablet = that_waits(registry, cora)
    ada.must("backup", "create", FILE)
    kept = dismissed(registry, carol, cora)
    left_out(registry, shares, carol, cora)
    accepted(registry, kept, carol, cora)
    in_the_log(registry, audrey)
    taken_back(registry, ivy)
    noticed_later(registry, carol, cora, tablet)
    end()


main()
