#!/usr/bin/python3
"""Who has PROTOCOL.md and stock libraries can work with a registry.

Everything here goes through tests/flow/stranger/client.py, which was written
without a look at the C: people, notifications, questions, the audit log.
"""
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "stranger"), HERE]
import noise_link  # noqa: E402
import client  # noqa: E402
from client import pb  # noqa: E402
from libflow import TMP, check, end, equal  # noqa: E402
from scene import (ASK, CASE, CHANGE, PURPOSE, Cast,  # noqa: E402
                   Children, must, notification, saw)

DAY = 86400 * 1000


def opens(credential, **how):
    """Whether a session comes as far as Welcome."""
    try:
        with client.Session(credential, **how) as session:
            session.greet()
            return True
    except client.CLOSED:
        return False


# ---- people -----------------------------------------------------------------

def invitation_file(cast):
    data = cast.file(1)
    invitation = client.Invitation.parse(data)
    equal("the invitation file can be put together again",
          invitation.text(), data)
    try:
        client.Invitation.parse(data.replace(b"Ada", b"Eve"))
        slip = "was read"
    except ValueError:
        slip = "was refused"
    equal("a slip in an invitation is found", slip, "was refused")


def enrolment(cast):
    """Ada's first reply is lost; she and Bob then let each other in."""
    invitation_file(cast)
    ada = cast.begin("ada", client.Invitation.parse(cast.file(1)))
    bob = cast.begin("bob", client.Invitation.parse(cast.file(2)))
    with client.Session(ada, invitation=ada.invitation) as session:
        saw("under an invitation there is Enrol and nothing else",
            session.call("WhoAmI"), 7, "role")
        equal("Welcome comes first", session.welcome.state, pb.SETUP)
    check("before Enrol kind 0 opens nothing", not opens(ada))
    lost, answer = client.enrol(ada, "ada laptop", keep=False)
    saw("Enrol is answered", answer, 0)
    with client.Session(ada) as session:
        answer = session.call("WhoAmI")
        equal("kind 0 with the invitation's PSK, after a lost reply",
              (answer.status, answer.body.person.name,
               session.welcome.credential_pending), (0, "Ada Admin", True))
    string, answer = client.enrol(ada, "ada laptop")
    saw("Enrol again with the same key", answer, 0)
    check("what it made is not what was lost", string != lost)
    bobs, answer = client.enrol(bob, "bob laptop")
    saw("Enrol of the other", must(answer), 0)
    with cast.open("ada") as session:
        check("the next PSK opens", ada.psk_next is None)
        saw("who waits may not list people", session.call("PeopleList"), 7,
            "role")
    saw("nobody activates himself", cast.activate("ada", "ada", string), 9,
        "same_person")
    saw("the string of a lost session does not fit",
        cast.activate("bob", "ada", lost), 9, "comparison_differs")
    saw("nor does half a string", cast.activate("bob", "ada", string[:9]), 3,
        "not_a_comparison")
    typed = bobs.lower().replace("-", " ")
    for letter, digit in ("o", "0"), ("i", "1"), ("b", "8"):
        typed = typed.replace(letter, digit)
    answer = cast.activate("ada", "bob", typed)
    equal("the first of two activations leaves it waiting",
          (answer.status, answer.body.device_state),
          (0, pb.CREDENTIAL_PENDING))
    answer = cast.activate("bob", "ada", string)
    equal("the second makes it active",
          (answer.status, answer.body.device_state),
          (0, pb.CREDENTIAL_ACTIVE))
    with cast.open("ada") as session:
        equal("both are, and the registry is open",
              (session.welcome.state, session.welcome.credential_pending,
               session.call("Status").body.administrators_active),
              (pb.OPEN, False, 2))


def invitations(cast):
    cora = cast.invite("cora", pb.COORDINATOR, name="Cora Coordinator",
                       all_areas=True)
    string, _ = client.enrol(cora, "cora laptop")
    saw("who invited does not activate",
        cast.activate("ada", "cora", string), 9, "same_person")
    saw("another administrator does",
        cast.activate("bob", "cora", string), 0)
    cast.welcome("pat", pb.PARTNER, name="Pat Partner", agency="RBS",
                 area=["liverpool"])
    cast.welcome("aud", pb.AUDITOR, name="Odette Auditor")
    late = cast.invite("late", pb.PARTNER, name="Late Person", agency="RBS",
                       area=["liverpool"])
    thief = cast.begin("thief", client.Invitation(
        late.registry, late.mode, "Late Person", late.addresses,
        late.servers, late.invitation, late.psk, 0))
    must(client.enrol(late, "late laptop")[1])
    try:
        answer = client.enrol(thief, "thief laptop")[1].status
    except client.CLOSED:
        answer = "closed"
    check("another key under a used invitation is refused", answer != 0,
          answer)
    check("and both are barred",
          not (opens(thief) or opens(late) or
               opens(late, psk=late.psk_next)))


def approvals(cast):
    """What takes two: filed, shown, refused with a wrong hash, applied."""
    ada, bob = cast.open("ada"), cast.open("bob")
    request = pb.PersonChangeRequest(
        person=cast["pat"].person, job_title="Nurse", reason="new post")
    key = client.request_key()
    answer = ada.change("PersonChange", request, key)
    saw("an act of two is filed", answer, 0, "second_person")
    check("its number has 8 bytes", len(answer.reply.approval) == 8)
    mine = ada.call("ApprovalList").body.approval[0]
    shown = bob.call("ApprovalList").body.approval[0]
    equal("it shows what was asked",
          (shown.request, shown.request_key, shown.method, shown.you_may),
          (request.SerializeToString(), key, 17, True))
    equal("not to be approved by who asked", mine.you_may, False)
    saw("nobody is his own second", client.decide(ada, mine), 9,
        "same_person")
    saw("another hash is refused",
        client.decide(bob, shown, digest=bytes(32)), 9, "hash_differs")
    answer = client.decide(bob, shown)
    equal("the hash of what was shown applies it",
          (answer.status, answer.body.applied), (0, True))
    equal("with the reply of the call", pb.PersonReply.FromString(
        answer.body.body).person.job_title, "Nurse")
    saw("once", client.decide(bob, shown), 5, "no_such_approval")
    saw("what is so already is none", ada.change("PersonChange", request),
        9, "already_so")
    request.job_title = "Sister"
    must(ada.change("PersonChange", request))
    shown = bob.call("ApprovalList").body.approval[0]
    saw("it may be declined", client.decide(bob, shown, False), 0,
        "declined")
    equal("and is gone", len(bob.call("ApprovalList").body.approval), 0)


def turning(cast):
    """A new PSK whose reply was lost, then one that arrives."""
    pat = cast["pat"]
    saw("a PSK turns", client.turn(pat, keep=False), 0)
    check("after a lost reply the current PSK works", opens(pat))
    must(client.turn(pat))
    old, new = pat.psk, pat.psk_next
    check("until the next was used both open",
          opens(pat, psk=old) and opens(pat, psk=new))
    check("then only that", not opens(pat, psk=old) and opens(pat, psk=new))
    with cast.open("pat") as session:
        saw("the client has moved on", session.call("WhoAmI"), 0)
    check("and forgot the other", pat.psk == new and pat.psk_next is None)
    must(client.turn(pat))
    pat.save(psk_next=os.urandom(32))
    with cast.open("pat") as session:
        saw("a next PSK that is not the server's: back to the current",
            session.call("WhoAmI"), 0)


# ---- notifications ----------------------------------------------------------

def cases(session):
    return [c.reference for c in session.call(
        "CaseList", pb.CaseListRequest(limit=100), **CASE).body.case]


def register(session, request, key=None):
    return session.change("NotificationRegister", request, key, **PURPOSE)


def request_keys(cast, children):
    cora = cast.open("cora")
    request = notification(children.next(), source="telephone", dry_run=True)
    key = client.request_key()
    answer = register(cora, request, key)
    equal("a dry run says what it would do",
          (answer.status, answer.body.dry_run, answer.body.owner_area,
           answer.body.reference), (0, True, "knowsley", ""))
    equal("and writes nothing", cases(cora), [])
    request.dry_run = False
    first = register(cora, request, key)
    saw("its key is free", first, 0)
    with cast.open("cora") as other:
        again = other.resend(key)
    equal("the same key and bytes: the same outcome",
          (again.status, again.reply.replayed, again.body.reference,
           again.body.notification),
          (0, True, first.body.reference, first.body.notification))
    equal("with a leaf of its own",
          again.reply.leaf_index > first.reply.leaf_index, True)
    check("the first was none", not first.reply.replayed)
    equal("applied once", cases(cora), [first.body.reference])
    request.source = "e-mail"
    answer = register(cora, request, key)
    saw("the same key with other bytes", answer, 6, "request_key_reused")
    check("tells no outcome", answer.body is None)
    saw("the same key with another call", cora.change(
        "CaseWithdraw", pb.CaseWithdrawRequest(
            reference=first.body.reference, version=1, reason="synthetic"),
        key, **PURPOSE), 6, "request_key_reused")
    now = int(time.time() * 1000)
    for name, at, reason in (("31 days old", -31, "request_key_old"),
                             ("25 hours ahead", 25 / 24,
                              "request_key_ahead")):
        saw("a key that is " + name, register(
            cora, request, client.request_key(now + int(at * DAY))), 9,
            reason)
    equal("none of them wrote", cases(cora), [first.body.reference])
    return first


def lost_reply(cast, children):
    """Sent, and the line is cut before the answer."""
    key = client.request_key()
    session = cast.open("cora")
    session.send("NotificationRegister", notification(children.next()),
                 request_key=key, **PURPOSE)
    session.link.close()
    with cast.open("cora") as session:
        before = cases(session)
        answer = session.resend(key)
        saw("what was cut off is sent again", answer, 0)
        check("and stands there once",
              cases(session).count(answer.body.reference) == 1 and
              len(set(before) | {answer.body.reference}) ==
              len(cases(session)))


def duplicates(cast, children):
    cora = cast.open("cora")
    row = children.next("liverpool")
    first = must(register(cora, notification(row))).body.reference
    number = len(cases(cora))
    request, key = notification(row), client.request_key()
    answer = register(cora, request, key)
    saw("a child we may know is asked about", answer, 9,
        "possible_duplicate")
    equal("with the case it may be",
          [c.reference for c in answer.body.candidate], [first])
    equal("and nothing written", len(cases(cora)), number)
    request.decision.add(reference=first, decision=pb.JOIN,
                         reason="the same synthetic child")
    answer = register(cora, request, key)
    equal("joined, under the same key",
          (answer.status, answer.body.joined, answer.body.reference,
           answer.body.notification), (0, True, first, 2))
    equal("no new case", len(cases(cora)), number)
    born = row["birth.date"]
    for decision, name, birth, word in (
            (pb.NEW_SIBLING, "Twinna", born, "multiple_birth"),
            (pb.NEW_SIBLING, "Siblinga", "2018-03-05", "siblings"),
            (pb.NEW_OTHER, "Otherina", born, "not_duplicate")):
        row["child.first_names"], row["birth.date"] = name, birth
        row["child.nhs_number"] = next(children.numbers)
        request, key = notification(row), client.request_key()
        found = register(cora, request, key).body.candidate
        check(name + " is asked about", len(found) >= 1)
        for candidate in found:
            request.decision.add(reference=candidate.reference,
                                 decision=decision, reason="synthetic")
        answer = register(cora, request, key)
        saw(name + " becomes a case", answer, 0)
        shown = cora.call("CaseShow", pb.CaseShowRequest(
            reference=answer.body.reference), **CASE)
        check(name + " has its link", (word, first) in [
            (link.kind, link.reference) for link in shown.body.case.link],
            shown.body.case.link)
    return first


def warnings(cast, children):
    """A warning stops until somebody goes on for this very value."""
    cora = cast.open("cora")
    for path, word, value in (("child.estimated_age", "age.conflict", "40"),
                              ("received.notified_date", "date.order",
                               "2024-01-01")):
        row = children.next("liverpool")
        row[path] = value
        request, key = notification(row), client.request_key()
        answer = register(cora, request, key)
        saw(word + " stops", answer, 3, "warnings")
        equal("as a warning, with its path",
              [(v.path, v.rule, v.severity)
               for v in answer.reply.violation], [(path, word, pb.WARNING)])
        request.override.add(path=path, rule=word, value=value + "1",
                             reason="synthetic")
        saw("an override for another value is void",
            register(cora, request, key), 3, "warnings")
        request.override[0].value = value
        saw("an override with a reason goes on",
            register(cora, request, key), 0)


def changes(cast, reference):
    """Who read an older version is told which paths have changed."""
    cora = cast.open("cora")
    for number, school in (1, "First"), (1, "Second"):
        request = pb.CaseAmendRequest(reference=reference, version=number,
                                      reason="synthetic", source="telephone")
        request.form.child.school = school + " Synthetic School"
        answer = cora.change("CaseAmend", request, **CHANGE)
        if school == "First":
            saw("a case is amended", answer, 0)
    saw("not from an older version", answer, 10, "changed")
    equal("which paths, and which version is in force",
          (list(answer.body.difference), answer.body.version),
          (["child.school"], 2))


# ---- questions and the log --------------------------------------------------

def questions(cast, first, children):
    pat = cast.open("pat")
    with cast.open("cora") as cora:
        form = cora.call("CaseShow", pb.CaseShowRequest(reference=first),
                         **CASE).body.case.record.form
        other, lone = children.next("sefton"), children.next("liverpool")
        must(register(cora, notification(lone)))
        must(register(cora, notification(other)))
        second = dict(other)
        second["child.first_names"] = "Twinna"
        second["child.nhs_number"] = next(children.numbers)
        request = notification(second)
        for candidate in register(cora, request).body.candidate:
            request.decision.add(reference=candidate.reference,
                                 decision=pb.NEW_SIBLING, reason="twins")
        must(register(cora, request))
    child = {"nhs_number": form.child.nhs_number}
    name = {"family_name": form.child.family_name}
    born = "%04d-%02d-%02d" % (form.birth.date.year, form.birth.date.month,
                               form.birth.date.day)
    sizes = set()
    for what, terms, wanted in (
            ("a number we know", child, pb.KNOWN),
            ("family name alone", name, pb.NOT_ENOUGH),
            ("family name and part of a date",
             dict(name, birth_date=born[:7]), pb.NOT_ENOUGH),
            ("what fits three children", dict(name, birth_date=born),
             pb.NOT_ENOUGH),
            ("family name and date of birth",
             {"family_name": lone["child.family_name"].upper(),
              "birth_date": lone["birth.date"]}, pb.KNOWN),
            ("a first name as well",
             dict(name, birth_date=born, first_name="Twinna"), pb.KNOWN),
            ("a first name that fits none of them",
             dict(name, birth_date=born, first_name="Zoella"),
             pb.NOT_ENOUGH),
            ("family name and date of death",
             {"family_name": lone["child.family_name"],
              "death_date": lone["death.date"]}, pb.KNOWN),
            ("a number of nobody, and a name and date",
             {"nhs_number": next(children.numbers),
              "family_name": lone["child.family_name"],
              "birth_date": lone["birth.date"]}, pb.NOT_ENOUGH),
            ("the same of a child of another area",
             {"nhs_number": next(children.numbers),
              "family_name": other["child.family_name"],
              "birth_date": other["birth.date"]}, pb.NOT_KNOWN_TO_YOU),
            ("what fits two children of another area",
             {"family_name": other["child.family_name"],
              "birth_date": other["birth.date"]}, pb.NOT_KNOWN_TO_YOU),
            ("a number and another name",
             dict(child, family_name="Nobodyson"), pb.KNOWN),
            ("a number that nobody has",
             {"nhs_number": next(children.numbers)}, pb.NOT_KNOWN_TO_YOU),
            ("a child of another area",
             {"nhs_number": other["child.nhs_number"]}, pb.NOT_KNOWN_TO_YOU),
            ("no number at all", {"nhs_number": "12"}, pb.NOT_ENOUGH),
            ("nothing", {}, pb.NOT_ENOUGH)):
        answer = pat.call("Ask", pb.AskRequest(**terms), **ASK)
        seen = answer.body and answer.body.answer
        check("asked with " + what, answer.status == 0 and seen == wanted,
              "%s %s" % (answer, answer.body))
        sizes.add(len(answer.reply.body))
        if wanted == pb.KNOWN and terms is child:
            equal("with its reference", answer.body.reference, first)
    equal("every answer has the same length", len(sizes), 1)
    equal("on the link too", len(set(pat.link.plain_sizes[1:])), 1)
    for name, envelope, reason in (
            ("a purpose", {"use": pb.SCREEN}, "purpose_needed"),
            ("a use", {"purpose": "living_child"}, "use_needed"),
            ("a purpose that exists",
             {"use": pb.SCREEN, "purpose": "whim"}, "purpose_unknown"),
            ("the words of other",
             {"use": pb.SCREEN, "purpose": "other"}, "purpose_text_needed")):
        saw("a question needs " + name, pat.call(
            "Ask", pb.AskRequest(**child), **envelope), 3, reason)
    saw("a partner lists no cases", pat.call("CaseList", **CASE), 7, "role")
    saw("a coordinator does not ask",
        cast.open("cora").call("Ask", pb.AskRequest(**child), **ASK), 7,
        "role")


def envelope(cast):
    cora = cast.open("cora")
    for _ in range(150):
        cora.send("WhoAmI")
    answers = [cora.receive(n, client.METHODS["WhoAmI"])
               for n in range(1, 151)]
    equal("150 calls at once are all answered",
          {a.status for a in answers}, {0})
    client.METHODS["None"] = client.Method(999, None, pb.WhoAmIReply, False)
    saw("a call that is not there", cora.call("None"), 12, "no_such_call")
    saw("a role one does not have",
        cora.call("WhoAmI", role=pb.ADMINISTRATOR), 7, "role")
    request = pb.NotificationRegisterRequest(form=client.forms.Form())
    saw("a change without a key",
        cora.call("NotificationRegister", request, **PURPOSE), 3,
        "request_key_needed")
    saw("a key that is none",
        register(cora, request, b"short"), 3, "bad_request_key")
    answer = register(cora, request)
    check("an empty form: what is wrong, by path",
          answer.status == 3 and "received.channel" in
          [v.path for v in answer.reply.violation], answer)
    profile = cora.call("ProfileGet").body
    equal("the profile's hash is that of Welcome",
          noise_link.blake2b(profile.text), cora.welcome.profile_hash)


def audit(cast, first):
    aud = cast.open("aud")
    answer = aud.call("AuditList", purpose="audit", use=pb.SCREEN)
    replies = answer.replies
    check("the log comes in several replies", len(replies) > 1)
    equal("of which the last is last", [r.last for r in replies],
          [False] * (len(replies) - 1) + [True])
    equal("and counts them", replies[-1].count, len(replies))
    equal("each has a leaf of its own",
          len({r.leaf_index for r in replies}), len(replies))
    entries = [e for m in answer.messages for e in m.entry]
    equal("nothing is missing, newest first",
          [e.index for e in entries],
          list(range(entries[0].index, -1, -1)))
    entry = {e.index: e for e in entries}[first.reply.leaf_index]
    equal("leaf_index is the place in it",
          (entry.call, entry.person, entry.purpose),
          ("NotificationRegister", cast["cora"].person, "new_notification"))
    answer = aud.call("AuditList", pb.AuditListRequest(limit=5),
                      purpose="audit", use=pb.SCREEN)
    equal("no more than asked for",
          [len(m.entry) for m in answer.messages], [5])


# ---- the program ------------------------------------------------------------

def program(cast, children):
    """client.py from the command line, as somebody might try it."""
    folder = os.path.join(TMP, "by-hand")
    path = os.path.join(TMP, "by-hand.txt")

    def run(who, *args, code=0):
        done = subprocess.run(
            ["/usr/bin/python3", os.path.join(HERE, "stranger/client.py"),
             who, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=60, check=False)
        check("client.py " + args[0], done.returncode == code, done.stdout)
        return done.stdout

    run(cast["ada"].folder, "invite", path, "Dora Coordinator",
        "coordinator", "", "knowsley")
    string = run(folder, "enrol", path).split("read this out: ")[1][:19]
    device = client.Credential(folder).device
    run(cast["bob"].folder, "activate", str(device), string)
    run(folder, "turn")
    run(folder, "whoami")
    row = children.next("knowsley")
    said = run(folder, "register",
               *("%s=%s" % pair for pair in row.items()))
    key = said.split("request key ")[1].split()[0]
    check("by hand the same outcome too",
          said.split('reference: "')[1][:11] in run(folder, "resend", key))
    run(folder, "list")
    run(folder, "ask", "nhs_number=" + row["child.nhs_number"], code=1)
    run(cast["pat"].folder, "ask", "nhs_number=" + row["child.nhs_number"])
    run(cast["aud"].folder, "audit")


def main():
    cast, children = Cast("stranger"), Children()
    enrolment(cast)
    invitations(cast)
    first = request_keys(cast, children)
    lost_reply(cast, children)
    case = duplicates(cast, children)
    warnings(cast, children)
    changes(cast, case)
    questions(cast, case, children)
    envelope(cast)
    approvals(cast)
    turning(cast)
    audit(cast, first)
    program(cast, children)
    sizes = {size for session in cast.sessions
             for size in session.link.plain_sizes}
    check("frames are multiples of 256 bytes",
          all(0 < size <= 65280 and size % 256 == 0 for size in sizes),
          sizes)
    check("and a reply went over several", max(sizes) > 8192, sizes)
    for session in cast.sessions:
        session.link.close()
    equal("an orderly stop", cast.registry.stop(), 0)
    code, text = cast.registry.verify()
    check("cdopd verify finds nothing", code == 0, text)
    end()


if __name__ == "__main__":
    main()
