#!/usr/bin/python3
"""Both administrators are gone, or one was never the right one: new ones come
in offline, everybody sees it, and nothing else is lost (RECORDS M9)."""
import os

from libflow import (AUTH, CONFLICT, INTEGRITY, OK, USAGE, Person, Registry,
                     cdopd, check, end, equal, scene)


def recover(registry, *more):
    return cdopd(
        "recover-people", registry.data, "--by", "Dora Director", "--by",
        "Theo Trustee", "--reason", "both are away", "--address",
        "unix:" + registry.socket, "--key-file", registry.key, "--out",
        registry.out, *more)


def activate_each_other(one, other):
    """Each is (person, what enrol said)."""
    for (person, _), (_, done) in (one, other), (other, one):
        person.must("people", "activate", str(done["device"]), "--comparison",
                    done["comparison"])


def intercepted():
    """In setup, with one of the two invitations in wrong hands as well."""
    registry = Registry("intercepted")
    registry.init()
    registry.start()
    files = [os.path.join(registry.out, "invitation-%d.txt" % n)
             for n in (1, 2)]
    mallory, ada, bob = (Person(name, registry) for name in (
        "mallory", "ada", "bob"))
    stolen = mallory.enrol(files[0])
    done = ada.cdop("enrol", files[0], "--label", "laptop", "--no-passphrase")
    check("the right one learns that somebody else was there",
          done.code == CONFLICT and "used by somebody else" in done.err, done)
    waits = bob.enrol(files[1])
    equal("whoever was there is let in no more", mallory.cdop("whoami").code,
          AUTH)
    done = bob.cdop("people", "activate", str(stolen["device"]),
                    "--comparison", stolen["comparison"])
    check("nobody activates it, and what to do is said", done.code != OK and
          "recover-people" in done.err, done)
    equal("nor the right one with the same invitation", ada.cdop(
        "enrol", files[0], "--label", "laptop", "--no-passphrase").code, AUTH)
    registry.stop()
    code, said = recover(registry, "--admin", "Ada Admin")
    equal("one new invitation is enough: the other one waits", code, 0)
    equal("every row opens", registry.verify()[0], 0)
    registry.start()
    bob.must("trust", "restore", "--yes")
    again = Person("ada-again", registry)
    activate_each_other((again, again.enrol(os.path.join(
        registry.out, "recovery-invitation-1.txt"))), (bob, waits))
    status = again.must("status").out
    check("then it is open, and says what is left to do", "2" in status and
          "flagged" in status, status)
    equal("the thief stays outside", mallory.cdop("whoami").code, AUTH)
    again.must("people", "revoke", str(stolen["person"]), "--reason",
               "intercepted", "--confirm", str(stolen["person"]))
    check("what never was active is revoked by one", "flagged" not in
          again.must("status").out)
    registry.stop()


def main():
    intercepted()
    registry, cora = scene()
    ada, bob = registry.ada, registry.bob
    ada.must("people", "suspend", str(bob.person), "--reason", "stolen")
    status = ada.must("status").out
    check("status says DEGRADED", "DEGRADED: 1 administrator" in status,
          status)
    done = ada.cdop("people", "suspend", str(ada.person), "--reason", "gone")
    check("the last one is asked twice", done.code == USAGE and
          "--confirm" in done.err, done)
    equal("and is there still", ada.cdop("whoami").code, OK)
    code, said = recover(registry, "--admin", "Eve New")
    check("not while the daemon runs", code == 1 and "in use" in said, said)
    registry.stop()
    fresh = os.path.join(registry.dir, "fresh")
    code, said = recover(registry, "--admin", "Eve New", "--admin", "Eve New",
                         "--out", fresh)
    equal("two new ones are two persons", code, 1)
    inside = os.path.join(registry.data, "out")
    code, said = recover(registry, "--admin", "Eve New", "--admin", "Fay New",
                         "--out", inside)
    check("nothing that lets people in is written beside the data",
          code == 1 and "lies in " + registry.data in said, said)
    check("and no directory is left for it", not os.path.exists(inside) and
          not os.path.exists(fresh), said)
    registry.out = fresh
    code, said = recover(registry, "--admin", "Eve New", "--admin", "Fay New")
    equal("then they are invited, in a directory that is made", code, 0)
    code, said = registry.verify()
    equal("every row opens, in the new incarnation", code, 0)

    registry.start()
    check("in setup", "state=setup" in registry.ready, registry.ready)
    done = cora.cdop("case", "list", "--json")
    check("no cases meanwhile", done.code != OK and
          "Dora Director" not in done.err, done)
    eve, fay = Person("eve", registry), Person("fay", registry)
    one = eve.enrol(os.path.join(registry.out, "recovery-invitation-1.txt"))
    two = fay.enrol(os.path.join(registry.out, "recovery-invitation-2.txt"))
    eve.must("people", "activate", str(two["device"]), "--comparison",
             two["comparison"])
    done = fay.must("people", "activate", str(one["device"]), "--comparison",
                    one["comparison"])
    done = cora.cdop("case", "list")
    check("every client stops once", done.code == INTEGRITY and
          "kind recover" in done.err, done)
    done = cora.must("trust", "restore", "--yes")
    check("a client shows who did it and why",
          "Dora Director" in done.err + done.out and
          "both are away" in done.err + done.out, done)
    done = cora.must("case", "list")
    check("once on each device", "NOTICE" not in done.err + done.out, done)
    done = cora.must("status")
    check("in status always", "NOTICE" in done.out and "Dora Director" in
          done.out and "NOTICE" not in done.err, done)
    check("for programs, too", "Dora Director" in cora.must(
        "status", "--json").json()["notice"][0])
    ada.must("trust", "restore", "--yes", "--json")
    done = ada.must("status")
    check("who asks for the status has seen it", "NOTICE" in done.out, done)
    equal("and is not told again", "NOTICE" in ada.must("whoami").err, False)
    equal("whoever was suspended stays so", bob.cdop("whoami").code, AUTH)
    check("and three administrators are counted",
          "administrators active: 3" in eve.must("status").out)
    registry.stop()
    registry.start()
    check("open after a restart", "state=open" in registry.ready,
          registry.ready)
    registry.stop()
    end()


main()
