#!/usr/bin/python3
"""Two coordinators work on one case: a change goes by the version that was
shown on that computer, and what the other one did meanwhile is never
written over unseen (RECORDS S14)."""
import csv
import json
import os

from libflow import (CDOP, CONFLICT, DUPLICATE, INVALID, NOT_FOUND, OK,
                     STOPPED, TMP, USAGE, check, end, equal, scene)
from libtype import run
import libsynthetic

WHY = ["--reason", "the GP rang"]
GP = [*WHY, "--source", "telephone, GP"]


def register(cora, row, *more):
    done = cora.must("notify", "--json", *more, *libsynthetic.said(row))
    return done.json()["reference"]


def typed(person, words, answers):
    """Exit code and what the terminal showed."""
    return run([CDOP, *words], {part: list(given)
                                for part, given in answers.items()},
               dict(person.env(), TERM="dumb"))


def never_shown(corin, reference):
    """Nothing was shown on this computer: it is not guessed."""
    done = corin.cdop("case", "amend", reference, *GP, "--set",
                      "death.expected=no")
    equal("a case never shown here is not changed", done.code, USAGE)
    check("and it says what to do", "was not shown on this computer" in
          done.err and "cdop case show " + reference in done.err and
          "--seen N" in done.err, done)
    done = corin.cdop("case", "owner", reference, "wirral", *WHY, "--json")
    equal("in JSON by a word of its own", json.loads(done.err)["reason"],
          "not_seen")
    code, shown = typed(corin, ["case", "withdraw", reference, *WHY], {})
    equal("at a terminal it is shown and asked about; Enter is no", code,
          STOPPED)
    check("it was shown", "owner: " in shown and "case record" in shown,
          shown)
    equal("nothing was written", corin.must(
        "case", "show", reference, "--json").json()["case"]["status"],
        "received")


def record(cora, corin, reference):
    """Both have seen version 1; who is second is told what the first did."""
    cora.must("case", "show", reference)
    corin.must("case", "show", reference)
    cora.must("case", "amend", reference, *GP, "--set",
              "gp.name=Dr Sample GP")
    cora.must("case", "amend", reference, *GP, "--set",
              "gp.name=Dr Other GP")
    done = corin.cdop("case", "amend", reference, *GP, "--set",
                      "gp.name=Dr Third GP")
    equal("changed since: a conflict, without --seen", done.code, CONFLICT)
    check("field by field", "gp.name" in done.out and
          "Dr Other GP" in done.out and "you saw" in done.out and
          "from telephone, GP" in done.out, done)
    check("no value of it in the error", "Dr Other" not in done.err, done)
    done = corin.cdop("case", "amend", reference, *GP, "--json", "--set",
                      "gp.name=Dr Third GP")
    equal("the same as JSON", done.code, CONFLICT)
    told = done.json()
    equal("with the change", [(c["path"], c["seen"], c["now"])
                              for c in told["changes"]],
          [("gp.name", None, "Dr Other GP")])
    check("in the envelope", told["schema"] == "cdop.case.changed/1" and
          told["ok"] is False and told["now"] == 3 and told["seen"] == 1,
          told)
    check("the error names paths only", json.loads(done.err)["difference"] ==
          ["gp.name"] and "Dr Other" not in done.err, done)
    equal("told again it is still a conflict", corin.cdop(
        "case", "amend", reference, *GP, "--set", "gp.name=X").code, CONFLICT)
    corin.must("case", "show", reference)
    corin.must("case", "amend", reference, *GP, "--set",
               "gp.name=Dr Third GP")
    equal("looked at again it goes", corin.must(
        "case", "show", reference, "--json").json()["case"]["record"]["form"]
        ["gp"]["name"], "Dr Third GP")


def state(cora, corin, reference):
    """Owner and status have a version of their own."""
    cora.must("case", "show", reference)
    corin.must("case", "show", reference)
    cora.must("case", "owner", reference, "wirral", *WHY)
    done = corin.cdop("case", "withdraw", reference, *WHY)
    equal("a new owner since: a conflict", done.code, CONFLICT)
    check("with who, what and why", "owner changed" in done.out and
          "because the GP rang" in done.out and "owner: Wirral" in done.out,
          done)
    code, shown = typed(corin, ["case", "withdraw", reference, *WHY],
                        {"all the same": ["yes"]})
    equal("somebody who reads it may go on", code, OK)
    check("after it was shown", "owner changed" in shown, shown)
    corin.must("case", "reinstate", reference, *WHY)


def notification(cora, corin, reference):
    equal("a notification that is not there", cora.cdop(
        "case", "correct", reference, "7", *WHY, "--seen", "1", "--set",
        "received.channel=email").code, NOT_FOUND)
    done = corin.cdop("case", "correct", reference, "1", *WHY, "--set",
                      "received.channel=email")
    equal("one that was not shown here is not corrected", done.code, USAGE)
    check("and it says how to see it", "--notification 1, then" in done.err,
          done)
    corin.must("case", "show", reference, "--notification", "1")
    cora.must("case", "correct", reference, "1", *WHY, "--set",
              "received.channel=email")
    done = corin.cdop("case", "correct", reference, "1", *WHY, "--set",
                      "received.channel=web")
    equal("corrected since: a conflict", done.code, CONFLICT)
    check("with the field", "received.channel" in done.out, done)


def typing(cora, corin, reference):
    """Who is about to type is told before, not after."""
    cora.must("case", "show", reference)
    corin.must("case", "show", reference)
    cora.must("case", "amend", reference, *GP, "--set", "gp.name=Dr Fourth")
    code, shown = typed(corin, ["case", "amend", reference, *GP], {
        "Field to change": ["NOT ASKED"]})
    equal("Enter at the difference: nothing is changed", code, CONFLICT)
    check("the difference came before the typing", "Dr Fourth" in shown and
          "NOT ASKED" not in shown, shown)
    code, shown = typed(corin, ["case", "amend", reference, *GP], {
        "all the same": ["yes"], "Field to change": ["gp.name", ""],
        "GP": ["Dr Fifth"], "Name": ["Dr Fifth"]})
    equal("a yes goes on", code, OK)
    check("from what stands there now", "now: Dr Fourth" in shown, shown)


def classes(person, reference):
    """What is raised in the record, by path."""
    form = person.must("case", "show", reference,
                       "--json").json()["case"]["record"]["form"]
    return {mark["path"]: mark["class"]["code"]
            for mark in form.get("raised", [])}


def raised(cora, row):
    """A value is raised when it is told, or later, and never lowered."""
    row = dict(row, **{"child.nhs_number": "", "child.family_name":
                       "Raisedson-Synthetic", "parent.1.family_name":
                       "Parent-Synthetic"})
    reference = register(cora, row, "--raise",
                         "child.family_name=safeguarding", "--raise",
                         "parent.1.family_name=police-coroner")
    equal("raised as it is registered", classes(cora, reference), {
        "child.family_name": "SAFEGUARDING",
        "parent.1.family_name": "POLICE_CORONER"})
    check("and shown so", "[police and coroner]" in
          cora.must("case", "show", reference).out)
    cora.must("case", "amend", reference, *GP, "--raise",
              "parent.1.family_name=safeguarding", "--raise",
              "death.date=safeguarding")
    equal("raised by an amendment alone", len(cora.must(
        "case", "show", reference, "--json").json()["case"]["record"]["form"]
        ["raised"]), 4)
    done = cora.cdop("case", "amend", reference, *GP, "--raise",
                     "child.family_name=child_identity")
    equal("a class is never lowered", done.code, USAGE)
    check("and that is said", "already" in done.err and
          "[raised.lowered]" in done.err, done)
    done = cora.cdop("case", "amend", reference, *GP, "--raise",
                     "parent.7.family_name=safeguarding")
    equal("what is not there is not raised", done.code, INVALID)
    equal("and no entry comes of it", len(cora.must(
        "case", "show", reference, "--json").json()["case"]["record"]["form"]
        ["parent"]), 1)
    path = os.path.join(TMP, "raised.csv")
    rows = [dict(row, **{"child.family_name": name, "raised": mark})
            for name, mark in (
                ("Fileson-Synthetic", "child.family_name=safeguarding"),
                ("Emptyson-Synthetic", "child.address=nonsense"),
                ("Otherson-Synthetic", "parent.4.family_name=clinical"))]
    with open(path, "w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, [k for k in rows[0] if k[0] != "_"],
                                extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    done = cora.cdop("notify", "--from", path, "--json")
    told = [o for o in done.lines() if "row" in o]
    equal("a column of a file raises, too", classes(
        cora, told[0]["reference"]), {"child.family_name": "SAFEGUARDING"})
    equal("what is no class or stands nowhere is rejected", [
        o["findings"][0]["rule"] for o in told[1:]],
        ["raised.class", "raised.nothing"])


def decided(cora, row):
    """An amendment that makes one child look like another is asked about."""
    twin = register(cora, dict(row, **{
        "child.nhs_number": "", "child.family_name": "Firstson-Synthetic"}))
    reference = register(cora, dict(row, **{
        "child.nhs_number": "", "child.family_name": "Wrongson-Synthetic"}))
    amend = ["case", "amend", reference, *GP, "--set",
             "child.family_name=Firstson-Synthetic"]
    done = cora.cdop(*amend)
    equal("an amendment meets a possible duplicate", done.code, DUPLICATE)
    check("which is named, with how to answer", twin in done.err and
          "new:twin:REF" in done.err and "join:REF" not in done.err, done)
    equal("as JSON, too", json.loads(cora.cdop(*amend, "--json").err)
          ["candidate"][0]["reference"], twin)
    done = cora.cdop(*amend, "--decision", "join:" + twin,
                     "--decision-reason", "the same")
    equal("it cannot be joined by an amendment", done.code, INVALID)
    check("in words", "move the notification" in done.err, done)
    equal("a decision wants a reason", cora.cdop(
        *amend, "--decision", "new:other:" + twin).code, USAGE)
    code, shown = typed(cora, amend, {"Is it": ["join"]})
    equal("the same child at the prompt: nothing is changed", code,
          DUPLICATE)
    check("and what to do instead", "move-notification" in shown, shown)
    code, shown = typed(cora, amend, {"Is it": ["other"],
                                      "  Why:": ["cousins of one name"]})
    equal("told apart at the prompt", code, OK)
    check("it is amended", "Amended: " + reference in shown, shown)
    links = cora.must("case", "show", reference, "--json").json()["case"][
        "link"]
    equal("and the decision is kept", [(link["kind"], link["reference"],
                                        link["reason"]) for link in links],
          [("not_duplicate", twin, "cousins of one name")])
    third = register(cora, dict(row, **{
        "child.nhs_number": "", "child.family_name": "Thirdson-Synthetic"}))
    cora.must("case", "amend", third, *GP, "--set",
              "child.family_name=Firstson-Synthetic", *[
                  word for other in (twin, reference) for word in (
                      "--decision", "new:other:" + other,
                      "--decision-reason", "no relation")])
    equal("or on the command line", len(cora.must(
        "case", "show", third, "--json").json()["case"]["link"]), 2)


def main():
    registry, cora = scene()
    corin = registry.invite("Corin Coordinator", "--role", "coordinator",
                            "--all-areas")
    row = next(r for r in libsynthetic.rows(8, 300)
               if r["area.residence"] == "liverpool")
    reference = register(cora, row)
    equal("who registered it has seen it", cora.cdop(
        "case", "withdraw", reference, *WHY).code, OK)
    cora.must("case", "reinstate", reference, *WHY)
    never_shown(corin, reference)
    record(cora, corin, reference)
    state(cora, corin, reference)
    notification(cora, corin, reference)
    typing(cora, corin, reference)
    raised(cora, row)
    decided(cora, row)
    equal("it stops in order", registry.stop(), 0)
    end()


main()
