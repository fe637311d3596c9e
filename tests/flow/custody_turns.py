#!/usr/bin/python3
"""What custodians hold while keys turn: the boot set follows a link key at
each of its steps, and the shares of a set open the registry in the midst of a
rotation and after every kind of it."""
import itertools
import os

from libflow import (OK, SEALED, SECOND, TMP, Registry, cdopd, check, end,
                     equal, wait_for)
from libslots import add_shares, shares, sheet


def rotate(registry, *what):
    registry.ada.must("key", "rotate", *what, "--reason", "a test", "--yes",
                      code=SECOND)
    registry.bob.approve()


def seal(registry):
    registry.kill_role("vault")
    return wait_for(lambda: registry.ada.cdop("status").code == SEALED, 5)


def over_the_link(registry, when, *custodians):
    """Sealed, and opened by what custodians submit, each one share."""
    check("%s: it is closed" % when, seal(registry))
    for n, person in enumerate(custodians, 1):
        done = person.cdop("custodian", "submit", "--from",
                           sheet(registry, n))
        check("%s: %s gets in" % (when, person.name), done.code == OK, done)
    check("%s: it is open" % when, "is open" in done.out and
          registry.ada.cdop("status").code == OK, done)


def link(registry, cass, dan, gus):
    """At each step, closed at once, before anybody has connected again."""
    rotate(registry, "--link")
    over_the_link(registry, "a next link key, that nobody has learnt", cass,
                  dan, gus)
    for person in (registry.ada, registry.bob, cass, dan, gus) * 2:
        person.must("status")
    over_the_link(registry, "all have learnt it", dan, cass, gus)
    rotate(registry, "--link", "--finish")
    over_the_link(registry, "it has turned", gus, dan, cass)
    for person in registry.ada, registry.bob, cass:
        person.must("status")
    over_the_link(registry, "and again", cass, gus, dan)


def every_three(registry, when):
    """Every three of the five, and no two."""
    sheets = range(1, 6)
    for three in itertools.combinations(sheets, 3):
        check("%s: %s closed" % (when, three), seal(registry))
        code, said = cdopd("unseal", "-f", registry.conf,
                           *shares(registry, *three))
        check("%s: shares %s open it" % (when, three), code == 0 and
              registry.ada.cdop("status").code == OK, said)


def rotations(registry, custodians):
    for what in (["--area", "wirral"], ["--all", "--reseal"], ["--root"],
                 ["--all", "--compromised"]):
        rotate(registry, *what)
        when = "in the midst of " + " ".join(what)
        over_the_link(registry, when, *custodians)
        registry.ada.must("key", "status", "--watch")
        done = registry.ada.must("key", "status", "--json").json()
        check("%s: it goes on to its end" % when, "running" not in done and
              done["past"][0]["phase"]["code"] == "KEY_DONE", done["past"][0])
        over_the_link(registry, "after " + " ".join(what), *custodians)
    every_three(registry, "after all of them")


def main():
    boot = os.path.join(TMP, "boot.key")
    with open(boot, "wb") as f:
        f.write(bytes(range(1, 33)))
    os.chmod(boot, 0o400)
    registry = Registry("turns", key_file=False,
                        conf=["boot_key_file = " + boot, "restarts = 100"])
    registry.init()
    add_shares(registry)
    registry.start()
    cdopd("unseal", "-f", registry.conf, "--key-file", registry.key)
    registry.people()
    custodians = [registry.invite(name, "--role", "custodian")
                  for name in ("Cass", "Dan", "Gus")]
    over_the_link(registry, "before", *custodians)
    link(registry, *custodians)
    rotations(registry, custodians)
    equal("it stops in order", registry.stop(), 0)
    code, said = cdopd("verify", registry.data, *shares(registry, 2, 4, 5))
    check("verify says fine, with shares", code == 0, said)
    end()


if __name__ == "__main__":
    main()
