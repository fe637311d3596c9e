#!/usr/bin/python3
"""A person at a terminal: prompts, mistakes, an interruption, questions."""
import datetime
import os
import re
import zoneinfo

from libflow import (AUTH, CDOP, INVALID, OK, PASSPHRASE, STOPPED, TMP,
                     USAGE, Person, check, end, equal, scene)
from libtype import run, steps

CHILD = {"How did it reach": ["phone"], "Who tells us": ["RBL"],
         "Name of the notifier": ["Dr Sample Oonaghlee"],
         "Telephone of the notifier": ["0151 496 0999"],
         "Family name": ["Zebedeesson-Synthetic"],
         "First names": ["Hildegarde"], "Sex": ["Female"],
         "Date of birth": ["12/03/2021"], "Date of death": ["20/11/2024"],
         "Kind of place": ["home"], "Area of residence": ["wirral"],
         "Area of death": ["wirral"]}


def typed(person, words, answers):
    """Exit code and what the terminal showed."""
    return run([CDOP, *words], {part: list(given)
                                for part, given in answers.items()},
               dict(person.env(), TERM="dumb"))


def mistakes(cora):
    """Wrong values are asked again, with what is wrong with them."""
    code, shown = typed(cora, ["notify"], dict(
        CHILD, **{"  NHS number:": ["?", "9990000505", "#nk", "999 000 0506"],
                  "Date of birth": ["31/02/2021", "12/3/21", "12/03/2021"],
                  "Family name": ["", "Zebedeesson-Synthetic"],
                  "Area of residence": ["nowhere", "wirral"]}))
    equal("with mistakes on the way it is registered", code, OK)
    for words in ("check digit", "say why there is no NHS number", "not a date", "it is needed", "#nk not known",
                  "Fri 12 March 2021", "Registered T-", "Give the notifier",
                  "TRAINING  Family name"):
        check("the terminal said: " + words, words in shown, shown)


def interrupted(cora):
    """Ctrl-C in the middle: what was typed is kept, and taken up again."""
    code, shown = typed(cora, ["notify"], {"How did it": ["\x03"]})
    check("before anything was said there is no draft", code == STOPPED and
          "draft" not in shown + cora.must("retry", "--list").out, shown)
    check("what is said of it begins a line", "\ncdop: stopped" in shown,
          shown)
    code, shown = typed(cora, ["notify"], {"How did it": ["\x1c"]})
    check("Ctrl-\\ stops it in order, too", code == STOPPED and
          "\ncdop: stopped" in shown, shown)
    reference = cora.must("case", "list", "--json").lines()[0]["reference"]
    code, shown = typed(cora, ["case", "withdraw", reference],
                        {"Reason": ["", "\x03"]})
    check("what has to be said is asked for again, and why",
          code == STOPPED and shown.count("Reason: ") == 2 and
          "it is needed" in shown, shown)
    code, shown = typed(cora, ["notify"], dict(
        CHILD, **{"Family name": ["Otherchild-Synthetic"],
                  "Date of death": ["\x03"]}))
    equal("Ctrl-C stops it", code, STOPPED)
    check("and says how to go on", "--resume" in shown, shown)
    listed = cora.must("retry", "--list").out
    check("the draft is listed without a name", "draft" in listed and
          "Otherchild" not in listed, listed)
    typed(cora, ["notify"], dict(CHILD, **{
        "Family name": ["Earlierchild-Synthetic"],
        "Date of death": ["\x03"]}))
    earlier = os.path.join(cora.home, ".local/state/cdop/training/drafts",
                           "2.draft")
    os.utime(earlier, (1, 1))  # the number of the newer one was free again
    code, shown = typed(cora, ["notify", "--resume"], dict(
        CHILD, **{"Family name": ["NOT-ASKED-AGAIN"],
                  "Date of death": ["01/11/2024"]}))
    equal("taken up again it is registered", code, OK)
    check("without a question twice", "NOT-ASKED-AGAIN" not in shown, shown)
    os.remove(earlier)
    check("after it was shown whose it is, of two the newest", re.search(
        "draft [0-9]+, kept .*Otherchild-Synthetic.*Date of death, or found:",
        shown, re.S), shown)
    equal("the draft is gone", "draft" in cora.must("retry", "--list").out,
          False)
    equal("nothing more to take up",
          cora.cdop("notify", "--resume").code != OK, True)


def duplicate(cora):
    """The same child again: asked, decided, with a reason."""
    code, shown = typed(cora, ["notify"], dict(
        CHILD, **{"How did it reach": ["web"], "Is it": ["look", "join"],
                  "  Why:": ["the portal, after the call"]}))
    equal("joined at the prompt", code, OK)
    check("the reasons were shown", "may be a child" in shown and
          "family name" in shown and "Joined to T-" in shown, shown)
    check("and the other case, before it was decided", re.search(
        r"look at that case.*owner: .*Hildegarde.*Joined to", shown, re.S),
        shown)
    code, shown = typed(cora, ["notify"], dict(
        CHILD, **{"First names": ["Gwendolyn"], "Is it": ["twin"],
                  "How many were born": ["2"], "Birth order": ["2"],
                  "  Why:": ["second of twins"]}))
    equal("or told apart", code, OK)
    check("as a case of its own", "Registered T-" in shown, shown)


def two_fields(cora):
    """A finding stands at one of two fields: the other can be changed."""
    newborn = dict(CHILD, **{
        "Family name": ["Minutesson-Synthetic"], "First names": ["Ottoline"],
        "Date of birth": ["20/11/2024"], "Time of birth": ["14:00", "08:00"],
        "Go on with what": ["yes"], "Time of death": ["09:30", "birth.time"]})
    code, shown = typed(cora, ["notify"], newborn)
    equal("the other of two fields is mended at the prompt", code, OK)
    check("it was named, with what stands there", "the other is birth.time" in
          shown and "now: 09:30" in shown and "now: 14:00" in shown, shown)
    code, shown = typed(cora, ["notify"], dict(newborn, **{
        "Family name": ["Enterson-Synthetic"], "Time of birth": ["14:00"],
        "Time of death": ["09:30", ""]}))
    equal("Enter keeps both, and it is refused", code, INVALID)
    equal("after one question", shown.count("now: 09:30"), 1)
    found = re.search("kept as draft ([0-9]+): cdop notify --resume", shown)
    check("with what to type to go on", found and "draft %s" % found.group(1)
          in cora.must("retry", "--list").out, shown)


def looked_over(cora):
    """What was typed wrongly is changed before it is sent."""
    code, shown = typed(cora, ["notify"], dict(CHILD, **{
        "Anything to change": ["date of brith", "date of birth",
                               "What is known of the name", ""],
        "Mother's family": ["Mumly-Synthetic"], "Mother's first": ["Jo"],
        "Family name": ["Lookson-Synthetic"], "First names": [""],
        "What is known": ["baby", "one"],
        "Date of birth": ["12/03/2020", "13/03/2021"]}))
    check("a date is mended at the end", code == OK and
          "now: Thu 12 March 2020" in shown, shown)
    reference = re.search(r"Registered (T-\S+)", shown)
    form = reference and cora.must("case", "show", reference.group(1),
                                   "--json").json()["case"]["record"]["form"]
    equal("it is what is sent", form and (
        form["birth"]["date"], form["child"]["family_name"]),
        ("2021-03-13", "Lookson-Synthetic"))


def warned(cora):
    code, shown = typed(cora, ["notify"], dict(
        CHILD, **{"Family name": ["Earlyson-Synthetic"],
                  "First names": ["Ferdinand"],
                  "Add: ": ["yes", "no"],
                  "Date we were told": ["19/11/2024"],
                  "Go on with it": ["yes"],
                  "  Why:": ["told while the child was dying"]}))
    equal("a warning is gone on with", code, OK)
    check("after it was shown", "we were told before the death" in shown,
          shown)


def same_day(cora):
    """What is asked the same day, with people as often as there are some."""
    code, shown = typed(cora, ["notify"], dict(CHILD, **{
        "Family name": ["Dayson-Synthetic", "Motherly-Synthetic", ""],
        "First names": ["Dorothea", "Marguerite", ""],
        "Sex": ["Female", ""], "Date of birth": ["12/03/2021", ""],
        "Go on with what": ["yes"],
        "Add: Parent": ["yes", "no"], "Add: ": ["no"]}))
    equal("with what is asked the same day it is registered", code, OK)
    reference = re.search(r"Registered (T-\S+)", shown)
    case = reference and cora.must("case", "show", reference.group(1),
                                   "--json").json()["case"]
    form = case["record"]["form"] if case else {}
    equal("and the parent stands in it", [
        (parent.get("family_name"), parent.get("first_names"))
        for parent in form.get("parent", [])],
        [("Motherly-Synthetic", "Marguerite")])


def amended(cora):
    """A field is named as the case shows it, and its date said back."""
    reference = cora.must("case", "list", "--json").lines()[0]["reference"]
    cora.must("case", "show", reference)
    code, shown = typed(cora, ["case", "amend", reference], {
        "Reason": ["taken from the register"], "Source": ["the registrar"],
        "Field to change": ["date of births", "Date of Birth", ""],
        "Date of birth": ["Thu 11 March 2021"]})
    equal("a case is amended at the prompt", code, OK)
    code, shown = typed(cora, ["case", "amend", reference], {
        "Reason": ["read wrongly"], "Source": ["the registrar"],
        "Field to change": ["birth.dat", "Circumstances of the death",
                            "Date of Birth", ""],
        "Date of birth": ["12/3/2021"]})
    check("a text that is left empty stays, and that is said",
          "it stays as it is now" in shown, shown)
    check("nothing is said to be emptied where nothing stands",
          "  now: -\n" in shown, shown)
    check("a part of a name brings what is like it",
          "birth.date  Date of birth" in shown, shown)
    check("the date is said back in words", code == OK and
          "-> Fri 12 March 2021" in shown, shown)
    code, shown = typed(cora, ["case", "amend", reference], {
        "Reason": ["thought better of"], "Source": ["the registrar"],
        "Field to change": ["Family name", "Sex", "Family name", ""],
        "Family name": ["#clear", ""], "Sex": ["#nk"]})
    name = re.search("Family name: #clear", shown) and re.search(
        "  now: (.*Synthetic)", shown)
    check("what is not to be emptied after all stays", code == OK and name and
          name[1] in cora.must("case", "show", reference).out, shown)


def elsewhere(cora):
    """The time that is offered is the panel's, on a computer of any zone."""
    panel = zoneinfo.ZoneInfo("Europe/London")
    before = datetime.datetime.now(panel)
    _, shown = run([CDOP, "notify"], {"Time we were": ["\x03"]},
                   dict(cora.env(), TERM="dumb", TZ="Asia/Tokyo"))
    offered = [now.strftime("Date we were told [%d/%m/%Y] Time we were told "
                            "[%H:%M]")
               for now in (before, datetime.datetime.now(panel))]
    check("when we were told, by the panel's clock", " ".join(re.findall(
        r"(?:Date|Time) we were told \[[^]]*\]", shown)) in offered,
          (offered, shown))


def suspended(cora, pia):
    """Ctrl-Z and fg: the passphrase is asked for again, and not shown."""
    shell = ["/bin/bash", "--norc", "--noprofile", "-i"]
    stop = [(b"$ ", CDOP.encode() + b" whoami\n"), (b"training (TRAINING): ",
                                                  b"half a w\x1a")]
    go_on = [(b"Stopped", b""), (b"$ ", b"fg\n"),
             (b"training (TRAINING): ", PASSPHRASE.encode() + b"\n")]
    shown = steps(shell, stop + go_on + [(b"registry ", b""),
                                         (b"$ ", b"exit\n")],
                  dict(pia.env(), TERM="dumb", PS1="$ "))
    check("after Ctrl-Z and fg it is typed unseen", "Pia Partner" in shown and
          PASSPHRASE not in shown, shown)
    shown = steps(shell, [
        (b"$ ", CDOP.encode() + b" notify\n"),
        (b"TRAINING  How did it reach us [phone]: ", b"em\x1a"),
        (b"Stopped", b""), (b"$ ", b"fg\n"),
        (b"TRAINING  How did it reach us [phone]: ", b"web\n"),
        (b"-> Web form", b""), (b"Date we were told", b"\x03"),
        (b"stopped; kept", b""), (b"$ ", b"exit\n")],
                  dict(cora.env(), TERM="xterm", NO_COLOR="1", PS1="$ "))
    check("a question is asked again", "Web form" in shown, shown)


def passphrases(registry, cora):
    """A passphrase is typed, never shown, and has to be the right one."""
    path = os.path.join(registry.out, "pia.txt")
    registry.ada.must("people", "invite", "--name", "Pia Partner", "--role",
                      "partner", "--area", "wirral", "--out", path)
    pia = Person("pia", registry)
    words = ["enrol", path, "--label", "laptop"]
    code, shown = typed(pia, words, {"New passphrase": ["short"]})
    equal("a short passphrase is refused", code, USAGE)
    code, shown = typed(pia, words, {"New passphrase": [PASSPHRASE],
                                     "same again": ["something else!"]})
    equal("so are two different ones", code, USAGE)
    code, shown = typed(pia, words, {"assphrase": [PASSPHRASE],
                                     "same again": [PASSPHRASE]})
    equal("a good one, twice, enrols", code, OK)
    check("and is not shown", PASSPHRASE not in shown, shown)
    device = shown.partition("device ")[2].split()[0].rstrip(",")
    string = [word for word in shown.split() if word.count("-") == 3][-1]
    registry.bob.must("people", "activate", device, "--comparison", string)

    question = ["ask", "--purpose", "living_child"]
    code, shown = typed(pia, question, {"assphrase": ["not this one"]})
    equal("a wrong passphrase is refused", code, AUTH)
    check("and that is said each time", shown.count("type it again") == 2,
          shown)
    code, shown = typed(pia, question, {"assphrase": ["\x04"]})
    equal("Ctrl-D at it stops", code, STOPPED)
    suspended(cora, pia)
    code, shown = typed(pia, question, {
        "assphrase": [PASSPHRASE], "NHS number": [""],
        "Family name": ["zebedeesson synthetic"],
        "First name": ["Hildegarde"],
        "Date of birth": ["12/03/2199", "12/03/2021"]})
    equal("the right one asks", code, OK)
    check("a day to come is asked again", "in the future" in shown, shown)
    check("and is answered", "Known to you" in shown, shown)
    done = pia.cdop("ask", "--purpose", "living_child", "--nhs-number",
                    "9990000506", "--no-input")
    equal("where nobody may be asked it says so", done.code, AUTH)
    check("and what to give", "--passphrase-file" in done.err, done)
    return pia


def unlocked(pia):
    """The passphrase once; whoever finds it unlocked does not keep it so."""
    runtime = os.path.join(TMP, "runtime")
    os.makedirs(runtime, mode=0o700, exist_ok=True)
    usual = pia.env()
    pia.env = lambda: dict(usual, XDG_RUNTIME_DIR=runtime)
    equal("locked, nothing goes without it",
          pia.cdop("status", "--no-input").code, AUTH)
    code, shown = typed(pia, ["unlock", "1m"], {"assphrase": [PASSPHRASE]})
    equal("it is unlocked", code, OK)
    equal("and the passphrase not asked for",
          pia.cdop("status", "--no-input").code, OK)
    equal("nobody unlocks it for longer without it",
          pia.cdop("unlock", "8h", "--no-input").code, AUTH)
    code, shown = typed(pia, ["unlock", "8h"], {"assphrase": [PASSPHRASE]})
    equal("who knows it does", code, OK)
    equal("it is locked again", pia.cdop("lock").code, OK)
    equal("and asks again", pia.cdop("status", "--no-input").code, AUTH)


def paged(registry, cora):
    """Long results go to a pager, and to nobody else."""
    pager = ("echo env:$LESS:$LESSHISTFILE:$LESSSECURE:$LESSCHARSET; "
             "test -p /dev/stdin && sed s/^/paged:/")

    def shown(*words, **env):
        code, text = run([CDOP, *words], {}, dict(
            cora.env(), TERM="xterm", PAGER=pager, **env))
        equal("cdop %s at a terminal" % " ".join(words), code, OK)
        return text

    text = shown("case", "list")
    check("a list is paged", "paged:REFERENCE" in text and
          "paged:T-" in text, text)
    check("with what is said of it", re.search(r"paged:\d+ cases", text),
          text)
    check("of a strange one it is said that it may keep it", re.search(
        "paged:.*what echo keeps of this .* --no-pager", text), text)
    check("the pager keeps no history and starts nothing",
          "env:FRX:-:1:utf-8" in text, text)
    reference = re.search(r"paged:(T-\S+)", text).group(1)
    check("so is a case", "paged:Child" in shown("case", "show", reference))
    text = shown("case", "show", "--help")
    check("and help, which it may keep", "paged:usage: cdop case" in text and
          "keeps of this" not in text, text)
    for words, env in ((["--no-pager"], {}), (["--json"], {}),
                       ([], {"PAGER": ""}), ([], {"PAGER": "cat"}),
                       ([], {"TERM": "dumb"})):
        code, text = run([CDOP, "case", "list", *words], {}, {
            **cora.env(), "TERM": "xterm", "PAGER": pager, **env})
        check("not with %s" % (words or env), code == OK and
              "paged:" not in text, text)
    usual = os.path.join(TMP, "less")
    with open(usual, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nexec sed s/^/paged:/\n")
    os.chmod(usual, 0o755)
    for path, wanted in (TMP + ":" + os.environ["PATH"], True), \
            ("/nowhere::/nor/here", False):
        code, text = run([CDOP, "case", "list"], {}, {
            **cora.env(), "TERM": "xterm", "PATH": path})
        check("less is the usual one, where there is one: %s" % wanted,
              code == OK and ("paged:" in text) == wanted and
              "keeps of this" not in text, text)
    done = cora.cdop("case", "list")
    check("nor where no terminal is", "paged:" not in done.out, done)
    code, text = run([CDOP, "case", "list"], {}, {
        **cora.env(), "TERM": "xterm", "PAGER": "true"})
    equal("who leaves the pager at once has seen it", code, OK)
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    uses = [e["use"]["code"] for e in audrey.must(
        "audit", "list", "--person", str(cora.person), "--json").lines()
        if e["call"] == "CaseShow"]
    equal("what is paged was shown on the screen", set(uses), {"SCREEN"})


def main():
    registry, cora = scene()
    mistakes(cora)
    interrupted(cora)
    duplicate(cora)
    two_fields(cora)
    warned(cora)
    paged(registry, cora)
    same_day(cora)
    looked_over(cora)
    amended(cora)
    elsewhere(cora)
    unlocked(passphrases(registry, cora))
    done = cora.cdop("notify")
    check("without a terminal it names what is missing",
          done.code in (USAGE, INVALID), done)
    equal("it stops in order", registry.stop(), 0)
    end()


main()
