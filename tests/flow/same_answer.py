#!/usr/bin/python3
"""The partner's question: the answer about somebody else's child and the
one about no child are the same on the wire, frame by frame."""
import os

from libflow import OK, TMP, check, end, equal, scene
from libwire import Wire
import libsynthetic


def ask(registry, person, *terms):
    """What was said, and how long each frame was both ways: all but the
    Welcome, which comes before the question and is as long as the log's
    proof since the last session."""
    wire = Wire(registry.socket)
    done = person.cdop("ask", "--purpose", "living_child", "--json", *terms)
    wire.close()
    there, back = wire.counts[-1]
    return done, (there, back[:1] + back[2:])


def words(done):
    """The answer without what echoes the question and names the call."""
    said = done.json()
    return {key: value for key, value in said.items()
            if key not in ("understood", "request", "leaf")}


def same(name, one, other):
    check(name + ": the same words", one[0].code == other[0].code == OK and
          words(one[0]) == words(other[0]), "%r\n%r" % (one[0], other[0]))
    equal(name + ": the same frames", one[1], other[1])


def main():
    registry, cora = scene()
    sam = registry.invite("Sam Sefton", "--role", "partner", "--area",
                          "sefton")
    made = libsynthetic.rows(12)
    made[8]["area.residence"] = "#nk"  # owned by the holding area
    path = os.path.join(TMP, "n.csv")
    libsynthetic.save(path, made)
    cora.must("notify", "--from", path)
    # The first sessions turn the key and fetch the profile.
    sam.must("ask", "--purpose", "living_child", "--nhs-number", "9990000905")

    def number(n):
        return ask(registry, sam, "--nhs-number", made[n]["child.nhs_number"])

    def name(family, born):
        return ask(registry, sam, "--family-name", family, "--birth-date",
                   born)

    none = ask(registry, sam, "--nhs-number", "9990000913")
    own, foreign, held = number(2), number(4), number(8)
    equal("a child of the area is known", own[0].json()["answer"]["code"], "KNOWN")
    equal("one of another area is not", foreign[0].json()["answer"]["code"],
          "NOT_KNOWN_TO_YOU")
    same("by number, of another area or none", foreign, none)
    same("by number, in the holding area or none", held, none)
    equal("known and not known have the same frames", own[1], none[1])

    child = made[4]
    foreign = name(child["child.family_name"], child["birth.date"])
    none = name("Q" * len(child["child.family_name"]), child["birth.date"])
    same("by name and date, of another area or none", foreign, none)
    enough = ask(registry, sam, "--family-name", "Penhallow-Synthetic")
    equal("a name alone is not enough", enough[0].json()["answer"]["code"],
          "NOT_ENOUGH")

    equal("it stops in order", registry.stop(), 0)
    end()


main()
