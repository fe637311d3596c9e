#!/usr/bin/python3
"""What a coordinator, an auditor and a full disk do off the main road of the
client: a sibling's form copied, an amendment out of a file, a purpose that
nobody has, an export held against another one, a folder that takes nothing."""
import datetime
import os
import re
import shutil

from libflow import (INTEGRITY, INVALID, OK, SECOND, TMP, USAGE, check, end,
                     equal, scene)
import libsynthetic

UNEXPECTED = 1


def notify(row, *more):
    return ["notify", "--json", "--no-input", *more] + libsynthetic.said(row)


def form(person, reference):
    return person.must("case", "show", reference, "--json").json()[
        "case"]["record"]["form"]


def sibling(cora, row, twin, reference):
    """What a family has in common is copied, and nothing of the child."""
    own = {path: value for path, value in twin.items()
           if path.split(".")[0] in ("child", "birth", "death", "received",
                                    "notifier")}
    done = cora.cdop(*notify(own, "--like", reference), "--decision",
                     "new:other:" + reference, "--decision-reason",
                     "another child of this mother")
    check("a form like a sibling's is registered", done.code == OK, done)
    made, first = form(cora, done.json()["reference"]), form(cora, reference)
    check("in JSON nothing else is printed", done.out.startswith("{"), done)
    equal("its mother is the sibling's", made["mother"], first["mother"])
    check("its numbers are its own", made["child"]["nhs_number"] ==
          twin["child.nhs_number"] != first["child"]["nhs_number"],
          made["child"])
    equal("nobody is like a case that is not there", cora.cdop(
        *notify(own, "--like", "T-K7M4-QX23")).code == OK, False)


def from_file(cora, reference):
    path = os.path.join(TMP, "changes.json")
    amend = ["case", "amend", reference, "--from", path, "--reason",
             "the GP rang", "--source", "telephone, GP"]
    equal("a file that is not there changes nothing",
          cora.cdop(*amend).code, USAGE)
    for text, wanted in (
            ("{", INVALID), ("[]", INVALID), ('{"gp": {"name": 7}}', INVALID),
            ('{"gp": {"nothing": "x"}}', INVALID),
            ('{"gp": {"name": "Dr Sample File"}}', OK)):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        done = cora.cdop(*amend)
        check("amended out of a file: %s" % text, done.code == wanted, done)
    equal("as it stands in the file", form(cora, reference)["gp"]["name"],
          "Dr Sample File")


def purposes(cora):
    done = cora.cdop("case", "list", "--purpose", "curiosity")
    check("a purpose of nobody's is refused, and those there are named",
          done.code == USAGE and "case_work" in done.err and
          "curiosity" not in done.out, done)


def exports(registry, audrey):
    """Of one log, the shorter is the beginning of the longer."""
    ada, bob = registry.ada, registry.bob
    first, second = (os.path.join(TMP, name) for name in ("log-1", "log-2"))
    key = audrey.must("audit", "export", first, "--json").json()["key"]
    ada.must("key", "rotate", "--log", "--reason", "once a year", "--yes",
             code=SECOND)
    bob.approve()
    audrey.must("audit", "export", second)
    check("the turn of the log's key is stated beside it",
          os.path.exists(os.path.join(second, "statement/1")))
    verify = ["audit", "verify", "--key", key, "--json"]
    one, two = (os.path.join(folder, "checkpoint")
                for folder in (first, second))
    equal("the longer begins with the shorter", audrey.cdop(
        *verify, second, "--with", one).code, OK)
    done = audrey.cdop(*verify, first, "--with", one)
    equal("each with itself", done.code, OK)
    shutil.copytree(os.path.join(second, "statement"),
                    os.path.join(first, "statement"))
    done = audrey.cdop(*verify, first, "--with", two)
    check("the shorter is not the log of the longer's checkpoint",
          done.code == INTEGRITY, done)


def for_a_while(registry):
    """Whose device has a last day reads on which."""
    # By the panel's clock, or nearly: not by that of this computer.
    today = datetime.datetime.now(datetime.timezone.utc).date()
    until = today + datetime.timedelta(days=10)
    gail = registry.invite("Gail Guest", "--role", "partner", "--area",
                           "wirral", "--device-until", until.isoformat())
    day = "%d %s" % (until.day, until.strftime("%b %Y"))
    for command, words in (
            ("status", r"your access ends in (9|10) days: its last day is "),
            ("whoami", r"active  until "),
            ("doctor", r"the last day of your access is ")):
        said = gail.cdop(command).out
        check("%s: who is there for ten days reads the last" % command,
              re.search(words + day, said), said)


def kept(cora, row):
    """What cannot be kept here is not sent."""
    folder = next(path for path, _, _ in os.walk(cora.home)
                  if os.path.basename(path) == "requests")
    shutil.rmtree(folder)
    with open(folder, "w", encoding="utf-8"):
        pass
    done = cora.cdop(*notify(row))
    check("where what waits cannot be looked through nothing is sent",
          done.code == UNEXPECTED and "cannot be" in done.out + done.err,
          done)
    os.unlink(folder)
    os.symlink("nowhere", folder)
    done = cora.cdop(*notify(row))
    check("what cannot be kept is not sent, and it is said so",
          done.code == UNEXPECTED and "cannot be kept on this computer" in
          done.err and "nothing was sent" in done.err, done)
    equal("nothing arrived", cora.must(
        "case", "find", "--json", "--family-name", row["child.family_name"],
        "--death-date", row["death.date"]).lines(), [])


def main():
    registry, cora = scene()
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    rows = libsynthetic.rows(3)
    reference = cora.must(*notify(rows[0])).json()["reference"]
    sibling(cora, rows[0], rows[1], reference)
    from_file(cora, reference)
    purposes(cora)
    exports(registry, audrey)
    for_a_while(registry)
    kept(cora, rows[2])
    registry.stop()
    end()


main()
