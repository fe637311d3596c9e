#!/usr/bin/python3
"""The server's link key turns: a device that was there learns the next one
and never enrols again, one that was not is named beforehand, and invitations
of before are good while their key is."""
import os

from libflow import (CONFLICT, INTEGRITY, OK, SECOND, USAGE, Person, check,
                     end, equal, scene)


def rotate(ada, *what, code=SECOND):
    return ada.must("key", "rotate", "--link", *what, "--reason",
                    "once a year", "--yes", code=code)


def link(ada):
    return ada.must("key", "status", "--json").json()["link"]


def waiting(ada):
    return {d["device"] for d in link(ada)["waiting"]}


def invited(registry, name):
    path = os.path.join(registry.out, name.replace(" ", "") + ".txt")
    registry.ada.must("people", "invite", "--name", name, "--role",
                      "auditor", "--out", path)
    return path


def making(registry, early):
    ada, bob = registry.ada, registry.bob
    equal("nothing to turn to yet", ada.cdop(
        "key", "rotate", "--link", "--finish", "--reason", "x",
        "--yes").code, CONFLICT)
    equal("finish goes with link alone", ada.cdop(
        "key", "rotate", "--all", "--finish", "--reason", "x",
        "--yes").code, USAGE)
    check("one key", "next" not in link(ada))
    rotate(ada)
    check("the second person sees it", "next link key" in
          " ".join(bob.approve()["words"]))
    both = link(ada)
    check("two keys", both["next"] != both["current"])
    rotate(ada, code=CONFLICT)
    # An invitation of before: its key is the current one.
    early.enrol(early.invitation)
    check("enrolled with an invitation of before", early.device > 0)
    return both


def learning(registry, cora, wendy):
    """Each says in its next session what it has kept in the one before."""
    there = [registry.ada, registry.bob, cora]
    for person in there * 2:
        person.must("status")
    numbers = {person.device for person in there}
    left = waiting(registry.ada)
    check("who was there has learnt it", wendy.device in left and
          not numbers & left, left)
    registry.kill_role("vault")
    equal("it is known after a restart", waiting(registry.ada), left)
    return left


def main():
    registry, cora = scene(conf=["restarts = 100"])
    ada, bob = registry.ada, registry.bob
    wendy = registry.invite("Wendy Partner", "--role", "partner", "--area",
                            "wirral")
    wendy.must("status")
    early, late = Person("early", registry), Person("late", registry)
    early.invitation = invited(registry, "Early Auditor")
    both = making(registry, early)
    late.invitation = invited(registry, "Late Auditor")
    left = learning(registry, cora, wendy)
    done = rotate(ada, "--finish")
    check("who has not learnt it is listed before", all(
        'device %d "' % n in done.out for n in left) and
        'device %d "' % cora.device not in done.out, done)
    words = " ".join(bob.approve()["words"])
    check("to the second person, too", "device %d of Wendy" % wendy.device in
          words and "device %d of" % cora.device not in words, words)
    after = link(ada)
    check("the next one is the current one", after["current"] ==
          both["next"] and "next" not in after, (both, after))
    equal("who learnt it goes on", cora.cdop("status").code, OK)
    done = wendy.cdop("status")
    check("who did not takes it for another server", done.code == INTEGRITY
          and "it has another one, or there were too many" in done.err, done)
    late.enrol(late.invitation)
    check("an invitation with both keys is good", late.device > 0)
    registry.kill_role("vault")
    equal("and after a restart", cora.cdop("status").code, OK)
    equal("the next can be made", rotate(ada).code, SECOND)
    equal("it stops in order", registry.stop(), 0)
    equal("verify is fine", registry.verify()[0], 0)
    end()


if __name__ == "__main__":
    main()
