#!/usr/bin/python3
"""Every call that an administrator or a custodian may make, after a day in
which each text field of a form, each reason and each search held a canary: no
byte that comes back has one of them.

What is called comes from the call table.  A new call that one of them may
make is missing below, and then this fails."""
import os
import re
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "stranger"), HERE]
import client  # noqa: E402
import libslots  # noqa: E402
import noise_link  # noqa: E402
from client import pb  # noqa: E402
from libflow import (  # noqa: E402
    PROFILE, TMP, cdopd, check, end, equal, wait_for)
from libsearch import spellings, words_of  # noqa: E402
from scene import (  # noqa: E402
    ASK, AUDIT, CASE, CHANGE, PURPOSE, Cast, Children, must, notification)

KEEPERS = ("ADMINISTRATOR", "CUSTODIAN")
# To a sealed registry, which knows no word (stranger_sealed), and under an
# invitation.
ELSEWHERE = {"ShareSubmit"}
planted = set()
seen = []  # (who, call, bytes)
called = {}  # name of a call: statuses


def policy():
    """Roles and states of each call, out of the table."""
    with open(os.path.join(client.PROTO, "registry.proto"),
              encoding="utf-8") as f:
        return {name: (set(roles.split("|")), set(states.split("|")))
                for roles, states, name in re.findall(
                    r"@policy id=\d+ roles=(\S+) .*?state=(\S+) .*\n\s*"
                    r"rpc (\w+) ", f.read())}


# ---- a day with canaries -----------------------------------------------------

def letters(n):
    return "".join(chr(ord("a") + (n // 26 ** k) % 26) for k in range(4))


def canary(word=""):
    found = "Canar%s%s" % (letters(len(planted) * 7919 + 3), word)
    planted.add(found)
    return found


def text_paths():
    """Every text field of a form; entry 1 of what there are several of."""
    for group in client.forms.Form.DESCRIPTOR.fields:
        if group.message_type is None or group.name in ("absent", "raised"):
            continue
        several = group.label == group.LABEL_REPEATED
        for field in group.message_type.fields:
            if field.type == field.TYPE_STRING and \
                    field.label != field.LABEL_REPEATED:
                yield "%s%s.%s" % (group.name, ".1" * several, field.name)


def plant(session, row):
    """The reference of a case with a canary in each text that takes one."""
    values = dict(row)
    for path in text_paths():
        if path not in values or "name" in path:
            values[path] = canary()
    for _ in range(30):
        answer = session.change("NotificationRegister",
                                notification(values), **PURPOSE)
        if answer.status == 0:
            break
        for violation in answer.reply.violation:
            at = violation.path
            planted.discard(values.get(at))
            if at in row and values.get(at) != row[at]:
                values[at] = row[at]
            else:
                values.pop(at, None)
    planted.update(words_of(values))
    check("a case has %d words of its own" % len(planted),
          must(answer).body.reference and len(planted) > 40)
    return answer.body.reference


def show(cora, reference):
    return must(cora.call("CaseShow", pb.CaseShowRequest(
        reference=reference), **CASE)).body.case


def state(cora, reference):
    return show(cora, reference).version


def day(cast, children):
    """Reasons, searches, a hold that two lift, an erasure that waits."""
    with cast.open("cora") as cora:
        one = plant(cora, children.next("wirral"))
        row = children.next("liverpool")
        planted.update(words_of(row))
        two = must(cora.change("NotificationRegister", notification(row),
                               **PURPOSE)).body.reference
        change = pb.CaseAmendRequest(
            reference=one, version=show(cora, one).record.version,
            reason=canary(), source=canary())
        change.form.CopyFrom(client.form_of({"child.school": canary()}))
        must(cora.change("CaseAmend", change, **CHANGE))
        must(cora.change("CaseLinkAdd", pb.CaseLinkRequest(
            reference=one, other=two, kind="siblings", reason=canary()),
            **CHANGE))
        must(cora.change("CaseOwner", pb.CaseOwnerRequest(
            reference=two, version=state(cora, two), area="sefton",
            reason=canary()), **CHANGE))
        cora.call("CaseFind", pb.CaseFindRequest(
            family_name=canary(), birth_date="2020-02-02"),
            purpose="other", purpose_text=canary(), use=pb.SCREEN)
        must(cora.change("HoldSet", pb.HoldRequest(
            reference=one, version=state(cora, one), reason=canary()),
            **CHANGE))
        cora.change("HoldLift", pb.HoldRequest(
            reference=one, version=state(cora, one), reason=canary()),
            **CHANGE)
        cora.change("CaseErase", pb.CaseEraseRequest(
            reference=two, version=state(cora, two), ground=pb.COURT_ORDER),
            **CHANGE)
    with cast.open("pat") as pat:
        must(pat.call("Ask", pb.AskRequest(
            family_name=canary(), birth_date="2021-03-03"), **ASK))
    with cast.open("aud") as aud:
        aud.change("AuditSearched", pb.AuditSearchedRequest(
            family_name=canary(), birth_date="2021-03-03",
            nonce=os.urandom(16)), **AUDIT)
    return one, two


# ---- what keepers of keys call -----------------------------------------------

def note(who, name, answer):
    seen.append((who, name, b"".join(
        reply.SerializeToString() for reply in answer.replies)))
    called.setdefault(name, []).append(answer.status)
    return answer


def ask(cast, who, name, request=None, key=True, **said):
    """In a session of its own; its Welcome is looked at, too."""
    with cast.open(who) as session:
        seen.append((who, "Welcome", session.welcome.SerializeToString()))
        return note(who, name, (session.change if key else session.call)(
            name, request, **said))


def second(cast, name, request, by="bob", approve=True):
    """An act of two people, from its request to its end, or to the no."""
    answer = ask(cast, "ada", name, request)
    if not check(name + " waits for a second person",
                 answer.reason == "second_person", answer):
        return
    with cast.open(by) as session:
        acts = note(by, "ApprovalList", session.call("ApprovalList"))
        (act,) = [act for act in acts.body.approval
                  if act.method == client.METHODS[name].number]
        must(note(by, "Approve", client.decide(session, act, approve)))


def settle(cast):
    """No rotation is under way any more."""
    wait_for(lambda: not ask(cast, "ada", "KeyStatus", None, False)
             .body.HasField("running"), 30)


def people(cast, profile):
    for who in "ada", "kim":
        for name in "Status", "WhoAmI", "ProfileGet":
            must(ask(cast, who, name, None, False))
        note(who, "PskTurn", client.turn(cast[who]))
        cast.open(who).link.close()  # and the new one is confirmed
    ask(cast, "ada", "ProfileDiff", pb.ProfileDiffRequest(text=profile),
        False)
    second(cast, "ProfileApply", pb.ProfileApplyRequest(
        text=profile.replace(b"search_retention_days = ",
                             b"search_retention_days = 1"), version=1,
        reason="a test"), approve=False)
    request = pb.PersonInviteRequest(name="New Person", label="laptop",
                                     agency="RBS", area=["wirral"])
    request.grant.add(role=pb.PARTNER)
    invited = must(ask(cast, "ada", "PersonInvite", request)).body
    must(ask(cast, "ada", "InvitationCancel", pb.InvitationCancelRequest(
        invitation_id=invited.invitation_id, reason="a slip")))
    cast.invite("nora", pb.ADMINISTRATOR, name="Nora Admin")
    string, answer = client.enrol(cast["nora"], "nora laptop")
    must(answer)
    must(ask(cast, "bob", "PersonActivate", pb.PersonActivateRequest(
        device=cast["nora"].device, comparison=string)))
    must(ask(cast, "ada", "DeviceInvite", pb.DeviceInviteRequest(
        person=cast["pat"].person, label="telephone")))
    person = cast["pat"].person
    must(ask(cast, "ada", "Suspend", pb.SuspendRequest(
        person=person, reason="away")))
    second(cast, "Resume", pb.ResumeRequest(person=person, reason="back"))
    second(cast, "PersonChange", pb.PersonChangeRequest(
        person=person, job_title="Nurse", reason="moved"))
    must(ask(cast, "ada", "PersonRevoke", pb.RevokeRequest(
        person=person, reason="left")))
    second(cast, "AdministratorRevoke", pb.RevokeRequest(
        person=cast["nora"].person, reason="left"))
    must(ask(cast, "ada", "PeopleList", pb.PeopleListRequest(all=True),
             False))
    for who in "ada", "kim":
        ask(cast, who, "WitnessSubmit", pb.WitnessSubmitRequest(
            note=b"x", vkey="x"))


def erased(cast):
    """By the custodian's yes, with a reason of the word's list."""
    with cast.open("kim") as kim:
        acts = note("kim", "ApprovalList", kim.call("ApprovalList"))
        (act,) = [act for act in acts.body.approval
                  if act.method == client.METHODS["CaseErase"].number]
        must(note("kim", "Approve", client.decide(kim, act)))
    settle(cast)


def held(cast):
    """One is soon over: the yes and the pause come in one batch."""
    # The device goes first whose last turn was longer ago.
    with cast.open("bob") as bob, cast.open("ada") as ada:
        for _ in range(20):
            ada.change("KeyRotate", pb.KeyRotateRequest(
                what=pb.KEY_ALL, reseal=True, reason="a test"))
            (act,) = [act for act in bob.call("ApprovalList").body.approval
                      if act.method == client.METHODS["KeyRotate"].number]
            ada.call("Status")
            vault = cast.registry.pid_of("vault")
            os.kill(vault, signal.SIGSTOP)
            yes = bob.send("Approve", pb.ApproveRequest(
                number=act.number, approve=True, hash=client.approval_hash(
                    bob.credential.registry, act)),
                request_key=client.request_key())
            time.sleep(0.05)  # it is with the vault
            pause = ada.send("KeyPause", request_key=client.request_key())
            time.sleep(0.05)
            os.kill(vault, signal.SIGCONT)
            must(note("bob", "Approve", bob.receive(
                yes, client.METHODS["Approve"])))
            if note("ada", "KeyPause", ada.receive(
                    pause, client.METHODS["KeyPause"])).status == 0:
                must(note("ada", "KeyResume", ada.change("KeyResume", None)))
                break
            settle(cast)
    settle(cast)


def keys(cast):
    for what in pb.KEY_LINK, pb.KEY_AREAS:
        second(cast, "KeyRotate", pb.KeyRotateRequest(
            what=what, reason="a test",
            area=["wirral"] * (what == pb.KEY_AREAS)), by="kim")
    settle(cast)
    held(cast)
    share = libslots.raw_share(libslots.sheet(cast.registry, 2))[9:44]
    must(ask(cast, "kim", "CustodianDrill", pb.CustodianDrillRequest(
        set=int.from_bytes(share[:2], "big"), share=share[2],
        proof=noise_link.blake2b(
            b"cdop-share/1 proof" + cast["kim"].registry + share))))
    for who in "ada", "kim":
        for name in "KeyStatus", "SlotList", "ApprovalList":
            must(ask(cast, who, name, None, False))
    taken = must(ask(cast, "ada", "BackupCreate", pb.BackupCreateRequest(
        label="weekly"), False))
    must(ask(cast, "ada", "BackupKept", pb.BackupKeptRequest(
        number=taken.messages[0].number, manifest=noise_link.blake2b(
            b"cdop-manifest/1" + taken.messages[-1].manifest))))
    path = os.path.join(TMP, "canary.cdop")
    with open(path, "wb") as f:
        f.write(b"".join(part.piece for part in taken.messages))
    must(ask(cast, "ada", "BackupProved", pb.BackupProvedRequest(
        number=taken.messages[0].number, proof=libslots.code_of(
            path, libslots.shares(cast.registry, 1, 2, 3)))))
    erased(cast)
    second(cast, "BackupDestroyed", pb.BackupDestroyedRequest(
        number=taken.messages[0].number, reason="it was shredded"), by="kim")
    for who in "ada", "kim":
        must(ask(cast, who, "BackupList", None, False))
        certificates = must(ask(cast, who, "CertificateGet", None, False))
        for one in certificates.body.certificate:
            must(ask(cast, who, "CertificateGet", pb.CertificateGetRequest(
                number=one.number), False))
    second(cast, "SlotRemove", pb.SlotRemoveRequest(
        slot=2, reason="it was seen"))
    second(cast, "LogKeyRotate", pb.LogKeyRotateRequest(reason="a test"))


def refused(cast, one):
    """All others, with the reference of a case where one is asked for."""
    for who, role in ("ada", "ADMINISTRATOR"), ("kim", "CUSTODIAN"):
        cast[who].save(log_key=None)  # which has turned
        for name, (roles, _) in policy().items():
            if roles & {role, "ANY"} or name == "Enrol":
                continue
            request = client.METHODS[name].request()
            if "reference" in request.DESCRIPTOR.fields_by_name:
                request.reference = one
            # A purpose is said, so that nothing but the role forbids it.
            answer = ask(cast, who, name, request.SerializePartialToString(),
                         **CASE)
            check("%s may not: %s" % (role, name), answer.status != 0,
                  answer)


def restored(cast):
    """The calls of a registry that was restored."""
    registry = cast.registry
    registry.stop()
    os.rename(registry.data, registry.data + ".lost")
    shares = libslots.shares(registry, 1, 2, 4)
    code, said = cdopd(
        "restore", os.path.join(TMP, "canary.cdop"), registry.data, "--by",
        "Olga Operator", "--reason", "drill", *shares)
    check("a backup is restored", code == 0, said)
    with open(registry.conf, encoding="ascii") as f:
        lines = [l for l in f if not l.startswith("key_file")]
    with open(registry.conf, "w", encoding="ascii") as f:
        f.writelines(lines)
    registry.start()
    cdopd("unseal", "-f", registry.conf, *shares)
    for who in "ada", "bob":
        cast[who].save(log_key=None, seen_size=None, seen_root=None)
    for name in "Status", "WhoAmI", "RestoreView", "ApprovalList":
        must(ask(cast, "ada", name, None, False))
    second(cast, "RestoreAccept", pb.RestoreAcceptRequest(reason="drill"))
    must(ask(cast, "ada", "Status", None, False))


def scan(profile):
    # Some words of synthetic people are those of the panel, too.
    planted.difference_update({word for word in planted
                               if word.lower().encode() in profile.lower()})
    ways = {way: word for word in planted for way in spellings(word)}
    found = [(who, name, ways[way]) for who, name, data in seen
             for way in ways if way in data]
    check("%d canaries are in none of %d answers, %d KiB" % (
        len(planted), len(seen), sum(len(s[2]) for s in seen) >> 10),
        not found, found[:20])
    sample = sorted(planted)[0]
    check("one that is there would be found", any(
        way in b"\x0a\x0b" + sample.encode() for way in spellings(sample)))


def main():
    cast = Cast("canary-calls")
    cast.administrators()
    for who, role, more in (
            ("cora", pb.COORDINATOR, {"all_areas": True}),
            ("pat", pb.PARTNER, {"agency": "RBS", "area": ["wirral"]}),
            ("kim", pb.CUSTODIAN, {}), ("aud", pb.AUDITOR, {})):
        cast.welcome(who, role, name=who.title() + " Person", **more)
    cast.registry.stop()
    libslots.add_shares(cast.registry)
    cast.registry.start()
    one, _ = day(cast, Children())
    with open(PROFILE, "rb") as f:
        profile = f.read()
    people(cast, profile)
    keys(cast)
    refused(cast, one)
    restored(cast)
    table = policy()
    mine = {name for name, (roles, _) in table.items()
            if roles & {*KEEPERS, "ANY"}} - ELSEWHERE
    equal("every call that they may make was made",
          sorted(mine - set(called)), [])
    equal("and came to a result, but for a note of no witness", sorted(
        name for name in mine if 0 not in called.get(name, [])),
        ["WitnessSubmit"])
    scan(profile)
    equal("it stops in order", cast.registry.stop(), 0)
    end()


if __name__ == "__main__":
    main()
