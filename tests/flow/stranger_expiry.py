#!/usr/bin/python3
"""A role and a device end while their sessions are open: the very call that
comes after that instant is refused, and says why."""
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "stranger"), HERE]
import client  # noqa: E402
from client import pb  # noqa: E402
from libflow import AUTH, FORBIDDEN, TMP, Person, check, end, equal  # noqa: E402
from scene import ASK, AUDIT, Cast, must, saw  # noqa: E402

SOON = 8  # seconds: enough for the calls before it, on a slow machine too
QUESTION = pb.AskRequest(nhs_number="9990000018")


def changed(cast, request):
    """Asked for by Ada, approved by Bob."""
    with cast.open("ada") as ada, cast.open("bob") as bob:
        must(ada.change("PersonChange", request))
        must(client.decide(bob, bob.call("ApprovalList").body.approval[0]))


def soon():
    return int((time.time() + SOON) * 1000)


def pass_by(instant):
    """Until the server's clock, which is ours, is behind it."""
    time.sleep(max(0, instant / 1000 - time.time()) + 0.05)


def role(cast):
    """Of two roles one ends; the other one goes on in the same session."""
    pat = cast["pat"]
    ends = soon()
    request = pb.PersonChangeRequest(person=pat.person, grants_set=True,
                                     reason="leaves the hospital")
    request.grant.add(role=pb.PARTNER, until_ms=ends)
    request.grant.add(role=pb.PANEL_MEMBER)
    changed(cast, request)
    session = cast.open("pat")
    saw("before its end the role asks", session.call("Ask", QUESTION, **ASK),
        0)
    check("in time for that", time.time() * 1000 < ends)
    pass_by(ends)
    saw("from then on the open session may not", session.call(
        "Ask", QUESTION, **ASK), 7, "role")
    saw("nor does a new one", cast.open("pat").call(
        "Ask", QUESTION, **ASK), 7, "role")
    saw("the session stands, for there is another role",
        session.call("WhoAmI"), 0)
    with cast.open("aud") as audrey:
        seen = audrey.call("AuditList", pb.AuditListRequest(
            person=pat.person), **AUDIT)
        asked = [(e.answered, e.reason) for m in seen.messages
                 for e in m.entry if e.call == "Ask"]
    equal("the log has both refusals and the answer", asked,
          [(7, "role"), (7, "role"), (0, "not_known")])


def device(cast):
    """All that its open session hears is that it is over, and then nothing."""
    pat = cast["pat"]
    ends = soon()
    changed(cast, pb.PersonChangeRequest(
        person=pat.person, device=pat.device, device_expires_ms=ends,
        reason="leaves the hospital"))
    session, idle = cast.open("pat"), cast.open("pat")
    saw("before its end the device calls", session.call("WhoAmI"), 0)
    check("in time for that", time.time() * 1000 < ends)
    pass_by(ends)
    saw("from then on it is told that it is over", session.call("WhoAmI"),
        16, "ended")
    for name, other in (("that session", session), ("each session", idle)):
        try:
            answer = other.call("WhoAmI")
            check(name + " is closed then", other is idle and
                  (answer.status, answer.reason) == (16, "ended"), answer)
        except client.CLOSED:
            check(name + " is closed then", True)
    try:
        with client.Session(pat) as late:
            late.greet()
            check("a new one is not let in", False, late.welcome)
    except client.CLOSED:
        check("a new one is not let in", True)


def words(cast):
    """The same for a person with cdop, who is told what to do."""
    request = pb.PersonInviteRequest(label="laptop", name="Nora Nurse",
                                     agency="RBS", area=["liverpool"])
    ends = soon()
    request.grant.add(role=pb.PARTNER, until_ms=ends)
    with cast.open("ada") as ada:
        reply = must(ada.change("PersonInvite", request)).body
    path = os.path.join(TMP, "nora.txt")
    with open(path, "wb") as f:
        f.write(client.invitation_of(cast["ada"], "Nora Nurse",
                                     reply).text())
    nora = Person("nora", cast.registry)
    done = nora.enrol(path)
    with cast.open("bob") as bob:
        must(bob.change("PersonActivate", pb.PersonActivateRequest(
            device=done["device"], comparison=done["comparison"])))
    pass_by(ends)
    done = nora.cdop("ask", "--purpose", "living_child", "--nhs-number",
                     "9990000018")
    check("with cdop it is the role that may not, and where to look is said",
          done.code == FORBIDDEN and "your role may not" in done.err and
          "cdop whoami" in done.err, done)
    check("which says until when it was", "partner until" in nora.must(
        "whoami").out)
    ends = soon()
    changed(cast, pb.PersonChangeRequest(
        person=nora.person, device=nora.device, device_expires_ms=ends,
        reason="leaves"))
    pass_by(ends)
    done = nora.cdop("whoami")
    check("and then the device that has ended", done.code == AUTH and
          "expired" in done.err and "ask an administrator" in done.err, done)


def main():
    cast = Cast("expiry")
    cast.administrators()
    cast.welcome("pat", pb.PARTNER, name="Pat Partner", agency="RBS",
                 area=["liverpool"])
    cast.welcome("aud", pb.AUDITOR, name="Odette Auditor")
    role(cast)
    device(cast)
    words(cast)
    for session in cast.sessions:
        session.link.close()
    equal("it stops in order", cast.registry.stop(), 0)
    code, text = cast.registry.verify()
    check("and is sound", code == 0, text)
    end()


main()
