#!/usr/bin/python3
"""Was this child searched for before it was in the news?  An auditor asks, a
coordinator approves, and the auditor hears who typed what fits; the terms
themselves stay where they are (RECORDS M11)."""
import os
import subprocess

from libflow import (FORBIDDEN, INVALID, OK, SECOND, check, end, equal, scene)

TERMS = ("--family-name", "Oyelaran-Synthetic", "--birth-date", "2026-03-03")


def ask(audrey, *terms):
    done = audrey.cdop("audit", "searched", *terms)
    equal("it takes a second person", done.code, SECOND)
    check("and it is said what to do then",
          "cdop audit searched --answers" in done.err, done)


def answers(audrey):
    return audrey.must("audit", "searched", "--answers", "--json").lines()


def searched(audrey, cora, wendy):
    wendy.must("ask", "--purpose", "living_child", "--family-name",
               "oyelaran", "--birth-date", "2026-03-03")
    cora.must("case", "find", "--family-name", "Somebody", "--birth-date",
              "2026")
    ask(audrey, *TERMS)
    equal("nothing is told before", answers(audrey), [])
    told = cora.must("approve").out
    check("the second one reads the terms", "who has searched for this child: "
          "family name \"oyelaransynthetic\", born Tue 3 March 2026" in told,
          told)
    cora.approve()
    seen = answers(audrey)
    equal("one search fits", [(e["call"], e["person"]) for e in seen],
          [("Ask", wendy.person)])
    check("with the kinds of terms and no term", "oyelaran" not in
          str(seen).lower() and "child.family_name" in
          [k for e in seen for k in e["term_kind"]], seen)
    told = audrey.must("audit", "searched", "--answers").out
    check("in words", "Wendy Wirral (partner" in told and "asked" in told and
          "searched by child.family_name, birth.date" in told, told)
    log = audrey.must("audit", "list").out
    for words in "asked for: hear who has searched for a child", \
            "approved: hear who has searched for a child", \
            "and was told":
        check("the log says: " + words, words in log, log)


def refused(audrey, cora):
    ask(audrey, "--family-name", "Declined")
    cora.approve("--decline")
    done = audrey.must("audit", "searched", "--answers")
    check("then there is no answer", "nobody has approved it" in done.err,
          done)
    done = audrey.must("audit", "searched", "--answers")
    check("and it is said once", "nobody has approved" not in done.err, done)
    equal("too little is not asked", audrey.cdop(
        "audit", "searched", "--birth-date", "2026-03-03").code, INVALID)
    equal("a coordinator does not ask it", cora.cdop(
        "audit", "searched", *TERMS).code, FORBIDDEN)


def sealed(audrey):
    """What is kept here to be asked again tells a thief nothing."""
    folder = os.path.join(audrey.home, ".local/state/cdop/training/asked")
    names = os.listdir(folder)
    equal("one question is kept", len(names), 1)
    equal("for oneself", os.stat(os.path.join(
        folder, names[0])).st_mode & 0o777, 0o600)
    equal("and cannot be read", subprocess.run(
        ["grep", "-rqi", "oyelaran", audrey.home], check=False).returncode, 1)


def main():
    registry, cora = scene()
    wendy = registry.invite("Wendy Wirral", "--role", "partner", "--area",
                            "wirral")
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    equal("nothing was asked yet", audrey.must(
        "audit", "searched", "--answers").out,
        "Nothing was asked from this computer.\n")
    searched(audrey, cora, wendy)
    refused(audrey, cora)
    sealed(audrey)
    registry.stop()
    registry.start()
    equal("the answer is there after a restart", len(answers(audrey)), 1)
    equal("it stops in order", registry.stop(), OK)
    equal("and is sound", registry.verify()[0], 0)
    end()


main()
