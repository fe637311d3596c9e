#!/usr/bin/python3
"""A new profile takes two people, who see the same change."""
import os

from libflow import (CONFLICT, FORBIDDEN, INVALID, OK, SECOND, STOPPED, TMP,
                     check, end, equal, profile_with, scene)

FINDINGS = 16


def waiting(person):
    return person.must("approve", "--json").lines()


def version(person):
    return person.must("profile", "show", "--json").json()["version"]


def main():
    registry, cora = scene()
    ada, bob = registry.ada, registry.bob
    sam = registry.invite("Sam Sefton", "--role", "partner", "--area",
                          "sefton")
    agency = "[agency claire-house]"
    good = profile_with("good.conf", agency,
                    "[agency sample-house]\ncode = X-HOS-09\n"
                    "name = Sample House\nkind = hospice\n\n" + agency)
    diff = cora.must("profile", "diff", good)
    check("the change is said in words", "Sample House" in diff.out, diff)
    gone = profile_with("gone.conf", "[neighbour halton]", "[neighbour halton2]")
    done = cora.cdop("profile", "diff", gone)
    check("what was there is not deleted", done.code == FINDINGS and
          "CANNOT" in done.out, done)
    done = ada.cdop("profile", "apply", gone, "--reason", "x", "--yes")
    check("nor can that be asked for", done.code == INVALID, done)
    equal("a partner does not ask for it", sam.cdop(
        "profile", "apply", good, "--reason", "x", "--yes").code, FORBIDDEN)

    before = version(cora)
    equal("a coordinator asks", cora.cdop(
        "profile", "apply", good, "--reason", "new hospice", "--yes").code,
        SECOND)
    equal("nothing has changed yet", version(cora), before)
    act = waiting(ada)[0]
    check("the second person sees what will happen",
          "Sample House" in " ".join(act["words"]), act)
    check("and by whom it was asked", act["requester_name"] ==
          "Cora Coordinator" and act["you_may"], act)
    mine = [a for a in waiting(cora) if a["number"] == act["number"]]
    check("who asked may not approve", not (mine and mine[0]["you_may"]) and
          cora.cdop("approve", act["number"], "--confirm",
                    act["number"]).code in (FORBIDDEN, CONFLICT), mine)
    equal("a yes to another number is none", ada.cdop(
        "approve", act["number"], "--confirm", "0123456789abcdef").code,
        STOPPED)
    equal("it waits as before", [a["number"] for a in waiting(ada)],
          [act["number"]])
    ada.must("approve", act["number"], "--confirm", act["number"])
    equal("now it is in force", version(cora), before + 1)
    check("for everybody", "Sample House" in cora.must("profile",
                                                       "show").out)
    equal("nothing waits any more", waiting(bob), [])

    # Two requests against the same version: the later one is void.
    other = profile_with("other.conf", "asks_per_day = 60", "asks_per_day = 61")
    with open(good, encoding="utf-8") as f:
        kept = f.read()
    with open(other, "w", encoding="utf-8") as f:
        f.write(kept.replace("asks_per_day = 60", "asks_per_day = 61"))
    third = os.path.join(TMP, "third.conf")
    with open(third, "w", encoding="utf-8") as f:
        f.write(kept.replace("asks_per_day = 60", "asks_per_day = 62"))
    for path, who in (other, ada), (third, cora):
        equal("asked for " + os.path.basename(path), who.cdop(
            "profile", "apply", path, "--reason", "limit", "--yes").code,
            SECOND)
    first, second = waiting(bob)
    bob.must("approve", first["number"], "--confirm", first["number"])
    done = bob.cdop("approve", second["number"], "--confirm",
                    second["number"])
    check("what was shown against an older version is void",
          done.code not in (OK, SECOND), done)
    check("the log names both persons", any(
        e.get("second_person") for e in registry.invite(
            "Audrey Auditor", "--role", "auditor").must(
                "audit", "list", "--json").lines()))
    equal("it stops in order", registry.stop(), 0)
    registry.start()
    equal("the profile is the same after a restart", version(cora),
          before + 2)
    equal("it stops again", registry.stop(), 0)
    equal("verify says fine", registry.verify()[0], 0)
    end()


main()
