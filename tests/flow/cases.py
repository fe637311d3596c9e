#!/usr/bin/python3
"""A case after its first day, as a coordinator works on it: amended, joined,
moved, withdrawn, given away, found again by every name it ever had."""
import csv
import os
import re

from libflow import (CONFLICT, DUPLICATE, INVALID, NOT_FOUND, OK, PARTIAL,
                     TMP, USAGE, check, end, equal, scene)
import libsynthetic


def save(name, made):
    path = os.path.join(TMP, name)
    libsynthetic.save(path, made)
    return path


def notify(row, *more):
    return ["notify", "--json", *more] + libsynthetic.said(row)


def show(person, reference):
    return person.must("case", "show", reference, "--json",
                       "--notifications").json()["case"]


def found(person, *terms):
    return [case["reference"] for case in person.must(
        "case", "find", "--json", *terms).lines()]


def knows(person, number):
    return person.must("ask", "--purpose", "living_child", "--json",
                       "--nhs-number", number).json()["answer"]["code"]


def amended(cora, row, reference):
    version = show(cora, reference)["record"]["version"]
    amend = ["case", "amend", reference, "--reason", "the GP rang",
             "--source", "telephone, GP"]
    equal("a bad value is refused", cora.cdop(
        *amend, "--set", "child.postcode=NOWHERE").code, INVALID)
    equal("no reason, no change", cora.cdop(
        "case", "amend", reference, "--set", "death.expected=no").code, USAGE)
    cora.must(*amend, "--set", "child.family_name=Spelt-Otherwise",
              "--set", "gp.name=Dr Sample GP")
    case = show(cora, reference)
    equal("an amendment is a new version", case["record"]["version"],
          version + 1)
    equal("with the new value", case["record"]["form"]["child"]
          ["family_name"], "Spelt-Otherwise")
    equal("the notification stays as it was received",
          case["notification"][0]["form"]["child"]["family_name"],
          row["child.family_name"])
    check("found by the old spelling", reference in found(
        cora, "--family-name", row["child.family_name"], "--death-date",
        row["death.date"]))
    check("and by the new one", reference in found(
        cora, "--family-name", "spelt otherwise", "--death-date",
        row["death.date"]))
    equal("an older version can be read", cora.must(
        "case", "show", reference, "--form-version", str(version),
        "--json").json()["case"]["record"]["form"]["child"]["family_name"],
        row["child.family_name"])
    equal("who saw an older one is told", cora.cdop(
        *amend, "--set", "death.expected=no", "--seen",
        str(version)).code, CONFLICT)
    cora.must("case", "show", reference)
    done = cora.must(*amend, "--set", "gp.name=Dr Sample GP", "--set",
                     "gp.practice=Sample Surgery")
    check("what is there already is said to stay", "left as it was: gp.name\n"
          in done.out, done)
    told = cora.must("case", "history", reference).out
    check("history says who, what and why", "the GP rang" in told and
          "telephone, GP" in told and "child.family_name" in told and
          "Cora" in told, told)
    check("and how to look at it", "--form-version %d" % (version + 1)
          in told, told)
    alone = cora.must("case", "show", reference, "--notification", "1",
                      "--form-version", "1", "--json").json()["case"]
    check("one notification alone", "record" not in alone and
          [n["number"] for n in alone["notification"]] == [1] and
          alone["notification"][0]["form"]["child"]["family_name"] ==
          row["child.family_name"], alone)
    equal("there is no second", cora.cdop(
        "case", "show", reference, "--notification", "2").code, NOT_FOUND)


def joined(cora, row, reference):
    """The same child told of again: asked about, then joined."""
    again = dict(row, **{"received.channel": "web", "child.nhs_number": "",
                         "death.time": "23:10",
                         "received.notified_time": "17:00"})
    done = cora.cdop(*notify(again))
    equal("the same child is asked about", done.code, DUPLICATE)
    check("with its reference", reference in done.out + done.err, done)
    text = cora.cdop(*[word for word in notify(again) if word != "--json"])
    check("and in words", reference in text.out + text.err and
          "death" in text.out + text.err, text)
    equal("and nothing is written", len(show(cora, reference)
                                        ["notification"]), 1)
    done = cora.must(*notify(again, "--decision", "join:" + reference,
                             "--decision-reason", "the same child")).json()
    check("joined, it is a notification of the same case",
          done["joined"] and done["reference"] == reference, done)
    check("what differs is named", "death.time" in done["difference"], done)
    told = cora.must("case", "show", reference).out
    check("case show has both values", re.search(
        r"\(death\.time\)\n  case record +%s\n  notification 2 +23:10\n"
        % row["death.time"], told), told)
    told = cora.must("case", "show", reference, "--sources").out
    check("and who gave each value, when and why", re.search(
        r"  Family name +Spelt-Otherwise\n +\(Cora[^,]* \(person \d+\), .*, from "
        r"telephone, GP: the GP rang\)\n", told) and
        "from notification 1)" in told, told)
    case = show(cora, reference)
    equal("both are kept", len(case["notification"]), 2)
    equal("and the record is as it was", case["record"]["form"]["death"]
          ["time"], row["death.time"])
    done = cora.must("case", "move-notification", reference, "2", "--reason",
                     "joined wrongly", "--json").json()
    equal("moved out, it is a case of its own", len(show(cora, reference)
                                                    ["notification"]), 1)
    moved = done["to_reference"]
    equal("and it asks nothing about the case it left", done["candidate"], [])
    check("with a reference of its own", moved != reference and
          done["to_notification"] == 1 and
          len(show(cora, moved)["notification"]) == 1, done)
    cora.must("case", "withdraw", moved, "--reason", "was the same child")
    return moved


def withdrawn(cora, reference, withdrawn_already, row):
    check("a withdrawn case is out of lists", withdrawn_already not in [
        c["reference"] for c in cora.must("case", "list", "--json").lines()])
    equal("not gone", show(cora, withdrawn_already)["status"],
          "entered-in-error")
    cora.must("case", "withdraw", reference, "--reason", "typed as a test")
    done = cora.cdop(*notify(row))
    check("its number does not stop the true record", done.code == OK, done)
    true = done.json()["reference"]
    done = cora.cdop("case", "reinstate", reference, "--reason", "was right")
    check("and while that one is there it does not come back unasked",
          done.code == DUPLICATE and true in done.out + done.err and
          "cdop case link" in done.err and show(cora, reference)["status"] ==
          "entered-in-error", done)
    cora.must("case", "withdraw", true, "--reason", "so was this")
    said = cora.must(*[w for w in notify(row) if w != "--json"]).out
    check("who registers the child again is told of it", re.search(
        "perhaps this child: .*%s .same NHS number" % true, said), said)
    again = re.search(r"Registered (\S+)", said).group(1)
    cora.must("case", "show", again)
    cora.must("case", "withdraw", again, "--reason", "this, too")
    cora.must("case", "reinstate", reference, "--reason", "was right")
    check("reinstated, it is back", reference in [
        c["reference"] for c in cora.must("case", "list", "--json").lines()])


def owned(registry, cora, row, reference):
    """An address never moves a case; an owner call does."""
    number = row["child.nhs_number"]
    wendy = registry.invite("Wendy Wirral", "--role", "partner", "--area",
                            "wirral")
    sam = registry.invite("Sam Sefton", "--role", "partner", "--area",
                          "sefton")
    wirra = registry.invite("Wirra Wirral", "--role", "coordinator",
                            "--area", "wirral")
    equal("owned by Liverpool, Wirral does not know it",
          knows(wendy, number), "NOT_KNOWN_TO_YOU")
    equal("nor does its coordinator see it",
          wirra.cdop("case", "show", reference).code, NOT_FOUND)
    equal("nor one that is not there",
          wirra.cdop("case", "show", "T-5TYR-ED3W").code in
          (NOT_FOUND, USAGE), True)
    cora.must("case", "amend", reference, "--set", "area.residence=wirral",
              "--reason", "moved", "--source", "telephone")
    equal("a new address moves nothing",
          show(cora, reference)["owner_area"]["code"], "liverpool")
    cora.must("case", "interest", reference, "sefton", "--known", "--reason",
              "placed there")
    equal("an interested area knows it", knows(sam, number), "KNOWN")
    cora.must("case", "owner", reference, "wirral", "--reason", "lived there",
              "--source", "the school")
    equal("given to Wirral, Wirral knows it", knows(wendy, number), "KNOWN")
    equal("and its coordinator reads it",
          wirra.cdop("case", "show", reference).code, OK)
    cora.must("case", "interest", reference, "sefton", "--remove", "--reason",
              "no longer")
    equal("who is not interested any more does not", knows(sam, number),
          "NOT_KNOWN_TO_YOU")
    out_of_sight(wirra, reference)
    told = cora.must("case", "history", reference).out
    check("history says what changed, and on whose word",
          "owner changed  from the school  because lived there\n"
          "    owner: Liverpool -> Wirral\n" in told and
          "    interested: Sefton, known to it\n" in told and
          "    not interested any more: Sefton\n" in told, told)


def out_of_sight(wirra, reference):
    """Who may not see a case is not sent to look at it."""
    done = wirra.cdop("case", "list", "--area", "sefton")
    check("another area's cases are not none", done.code == INVALID and
          "you do not work for that area" in done.err, done)
    equal("one's own are listed", wirra.cdop(
        "case", "list", "--area", "wirral").code, OK)
    made = libsynthetic.rows(2, 820)
    for row, area in zip(made, ("sefton", "wirral")):
        row.update({"area.residence": area, "death.place": ""})
    path = save("elsewhere.csv", made)
    done = wirra.cdop("notify", "--from", path, "--dry-run")
    check("after a trial there is no case to be shown", done.code == OK and
          "in 2 of them: say in the file" in done.out and
          "case show" not in done.out, done)
    done = wirra.cdop("notify", "--from", path)
    check("nor is another area's", done.code == OK and
          "in 1 of them: cdop case show REF" in done.out and
          "in 1 that you may not see" in done.out, done)
    row = dict(libsynthetic.rows(1, 830)[0], **{"area.residence": "sefton"})
    told = [word for word in notify(row) if word != "--json"]
    done = wirra.cdop(*told)
    check("whose coordinators go on with it is said", done.code == OK and
          "coordinators go on with it" in done.out, done)
    wirra.must("case", "show", reference)
    done = wirra.cdop("case", "owner", reference, "sefton", "--reason",
                      "lives there")
    check("so it is of a case given away", done.code == OK and
          "you may not see it any more" in done.out, done)
    equal("and true", wirra.cdop("case", "show", reference).code, NOT_FOUND)


def neighbours(cora):
    """A file tells whom to ring, and that something is missing today."""
    made = libsynthetic.rows(3, 700)
    made[1]["area.residence"] = "halton"
    done = cora.cdop("notify", "--from", save("north.csv", made))
    equal("a neighbour's child is taken", done.code, OK)
    check("whom to ring is said with its row", re.findall(
        r"row (\d+): to forward to: .*Pan-Cheshire", done.out) in
        (["2"], ["3"]), done)
    check("and how many want something today", re.search(
        r"^something is missing today in [123] of them", done.out, re.M),
        done)


def only_head(path):
    out = os.path.join(TMP, "none.csv")
    with open(path, encoding="utf-8") as whole:
        with open(out, "w", encoding="utf-8") as f:
            f.write(whole.readline())
    return out


def joined_by_file(cora):
    """What a row says to join is joined, also where no rule asks."""
    made = libsynthetic.rows(3, 760)
    done = cora.cdop("notify", "--from", save("three.csv", made), "--json")
    one, two = [a["reference"] for a in done.lines() if "row" in a][:2]
    again = dict(made[2], decision="join:" + one, decision_reason="his sheet")
    for field in "child.nhs_number", "birth.date", "mother.family_name":
        again[field] = ""
    again.update({"child.family_name": "Otherwise-Spelt", "birth.date":
                  "2011-02-03", "death.date": "2019-04-05"})
    path = save("sheet.csv", [again])
    done = cora.cdop("notify", "--from", path)
    check("a row joins the case it names", done.code == OK and
          "joined to " + one in done.out, done)
    done = cora.cdop("notify", "--from", path, "--dry-run")
    check("tried again it is told as taken", done.code == OK and
          one + "  (it had arrived)" in done.out, done)
    done = cora.cdop("notify", "--from", only_head(path))
    check("a file without a row is told", done.code == OK and
          "there is no row in" in done.err, done)
    done = cora.cdop("notify", "--from", path, "--decision", "join:" + two,
                     "--decision-reason", "no")
    check("a decision beside a file is refused", done.code == USAGE and
          "column decision" in done.err, done)
    wrong = dict(made[1], decision="join:%s; new:other:%s" % (one, two),
                 decision_reason="his sheet; a cousin")
    cora.cdop("notify", "--from", save("wrong.csv", [wrong]))
    cora.must("case", "show", one)
    done = cora.must("case", "move-notification", one, "3", "--reason",
                     "joined to the wrong child").out
    to = re.findall(r"now notification 1 of (\S+)", done)
    check("a move says once where to, and asks about the moved child",
          len(to) == 1 and two in done and
          "cdop case link %s OTHER" % to[0] in done, done)


def resent(cora):
    """A rejects file, corrected and sent: nothing twice, nothing lost."""
    made = libsynthetic.rows(12, 500, bad=2)
    for field in "child.family_name", "death.date", "received.notified_date":
        made[5][field] = made[4][field]
    path = save("portal.csv", made)
    dry = cora.cdop("notify", "--from", path, "--dry-run", "--json")
    before = len(cora.must("case", "list", "--json").lines())
    done = cora.cdop("notify", "--from", path, "--json")
    equal("bad rows and a duplicate are not taken", done.code, PARTIAL)
    answers = {a["row"]: a["ok"] for a in done.lines() if "row" in a}
    equal("three of them", sorted(n for n in answers if not answers[n]),
          [n for n, row in enumerate(made, 1) if row["_rule"]][:1] + [6] +
          [n for n, row in enumerate(made, 1) if row["_rule"]][1:])
    check("a dry run says the same of bad rows", dry.code == PARTIAL and {
        a["row"] for a in dry.lines() if "row" in a and not a["ok"]} <= {
            n for n in answers if not answers[n]}, dry)
    equal("nine cases more", len(cora.must("case", "list",
                                           "--json").lines()), before + 9)

    rejects = os.path.join(TMP, "portal.rejects.csv")
    with open(rejects, newline="", encoding="utf-8-sig") as f:
        rows = list(csv.DictReader(f))
    for row in rows:
        if row["rule"] == "nhs.check_digit":
            row["child.nhs_number"] = "9990006016"
        elif row["rule"] == "date.form":
            row["birth.date"] = "28/02/2021"
        else:
            row["decision"] = "new:other"
            row["decision_reason"] = "cousins of one name"
    mended = os.path.join(TMP, "mended.csv")
    with open(mended, "w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    done = cora.cdop("notify", "--from", mended, "--json")
    check("corrected, all three are taken", done.code == OK, done)
    equal("three cases more", len(cora.must("case", "list",
                                            "--json").lines()), before + 12)
    equal("the whole file again changes nothing", (
        cora.cdop("notify", "--from", mended, "--json").code,
        len(cora.must("case", "list", "--json").lines())), (OK, before + 12))


def searched(cora):
    """Nobody lists everybody by accident."""
    for terms in (["--family-name", "Ta"], ["--birth-date", "2020-01-01"],
                  ["--family-name", "Tarrant-Synthetic"]):
        done = cora.cdop("case", "find", *terms)
        check("too little to search by: " + " ".join(terms),
              done.code in (INVALID, USAGE), done)
    done = cora.must("case", "list", "--limit", "5", "--json")
    equal("no page is longer than asked for", len(done.lines()), 5)
    check("and a program is told that it is not all", '"more":true' in
          done.out and '"more"' not in cora.must("case", "list", "--json").out,
          done)
    names = cora.must("case", "list", "--json").out
    check("names are not shown unless asked for", "Synthetic" not in names)
    check("and are when asked for", "Synthetic" in cora.must(
        "case", "list", "--names", "--json").out)


def mended(cora, rows):
    """A slip in a notification: emptied, or another child's number."""
    one, two = [cora.must(*notify(row)).json()["reference"]
                for row in rows]
    slip = ["case", "correct", one, "1", "--reason", "wrong field"]
    cora.must("case", "show", one, "--notifications")
    cora.must(*slip, "--set", "gp.name=Dr Sample Elsewhere")
    cora.must("case", "show", one, "--notifications")
    cora.must(*slip, "--clear", "gp.name")
    case = show(cora, one)
    check("a field typed by mistake is empty again", "name" not in
          case["notification"][0]["form"].get("gp", {}),
          case["notification"][0]["form"])
    equal("and nothing else", case["notification"][0]["form"]["child"]
          ["family_name"], rows[0]["child.family_name"])
    equal("there is no such field", cora.cdop(
        *slip, "--clear", "gp.nothing").code, USAGE)
    done = cora.must(*slip, "--set", "child.nhs_number=" +
                     rows[1]["child.nhs_number"])
    check("what differs from the record is named", "differs in: "
          "child.nhs_number" in done.out, done)
    check("and whose child it may be", "a child we know: " + two in done.out
          and "NHS number" in done.out, done)


def asked(registry, cora, row):
    """Not enough, for two reasons, and who can be answered nothing."""
    wendy = registry.invite("Willa Asks", "--role", "partner", "--area",
                            "wirral")
    pia = registry.invite("Pia Police", "--role", "partner", "--agency",
                          "merseyside-police")
    ask = ["ask", "--purpose", "living_child", "--family-name",
           "Doubtful-Synthetic"]
    doubt = dict(row, **{"child.family_name": "Doubtful-Synthetic",
                         "child.nhs_number": "9990000573",
                         "area.residence": "wirral"})
    cora.must(*notify(doubt))
    whole = ["--birth-date", doubt["birth.date"], "--first-name", "Nobody"]
    short = wendy.must(*ask).out
    check("too little: what to give", "Not enough to ask with" in short and
          "a family name and a full date" in short, short)
    unsure = wendy.must(*ask, *whole).out
    check("it may fit: nobody is told to give what they gave",
          "may fit" in unsure and "a family name and a full date" not in
          unsure and "ring now" in unsure, unsure)
    equal("a program can tell them apart", [
        wendy.must(*ask, *more, "--json").json()["terms_short"]
        for more in ([], whole)], [True, False])
    done = pia.cdop(*ask, *whole)
    check("who works for no area gets no answer", done.code == CONFLICT and
          "no area" in done.err and "No record" not in done.out, done)


def all_that_is_known(cora, row):
    """A case may have more values than a request may have of one list."""
    many = {path: value for path, value in row.items() if path[0] != "_"}
    for i in range(1, 41):
        for field, value in (
                ("household.%d.family_name", "Test"),
                ("household.%d.first_names", "Number %d" % i),
                ("household.%d.sex", "1"), ("household.%d.age", "12"),
                ("household.%d.at_risk", "no"),
                ("household.%d.in_household", "yes"),
                ("professional.%d.name", "Ann Example"),
                ("professional.%d.phone", "0151 496 0000"),
                ("professional.%d.present", "no"),
                ("agency.%d.name", "A school"),
                ("agency.%d.contact", "Ann Example"),
                ("agency.%d.phone", "0151 496 0000"),
                ("agency.%d.reference", "A/1")):
            many[field % i] = value
    path = os.path.join(TMP, "many.csv")
    with open(path, "w", newline="", encoding="utf-8") as f:
        out = csv.DictWriter(f, list(many))
        out.writeheader()
        out.writerow(many)
    done = cora.cdop("notify", "--from", path, "--json")
    reference = done.lines()[0]["reference"]
    shown = cora.cdop("case", "show", reference, "--sources")
    check("a case of more than 512 values is shown", shown.code == OK and
          shown.out.count("Ann Example") == 80 and
          shown.out.count("Number ") == 40, shown.err)


def main():
    registry, cora = scene()
    rows = libsynthetic.rows(8, 300)
    row = next(r for r in rows if r["area.residence"] == "liverpool")
    reference = cora.must(*notify(row)).json()["reference"]
    dry = cora.must(*notify(rows[0], "--dry-run")).json()
    check("a dry run writes nothing", dry["dry_run"] and not found(
        cora, "--nhs-number", rows[0]["child.nhs_number"]), dry)
    amended(cora, row, reference)
    moved = joined(cora, row, reference)
    withdrawn(cora, reference, moved, row)
    owned(registry, cora, row, reference)
    neighbours(cora)
    joined_by_file(cora)
    resent(cora)
    searched(cora)
    asked(registry, cora, rows[1])
    mended(cora, libsynthetic.rows(2, 640))
    all_that_is_known(cora, libsynthetic.rows(1, 660)[0])
    equal("it stops in order", registry.stop(), 0)
    code, said = registry.verify()
    check("verify says fine", code == 0, said)
    end()


main()
