#!/usr/bin/python3
"""The log seen from outside: checkpoints, their proofs, and receipts.

Every session of every stranger checks its Welcome against what was seen
before (tests/flow/stranger/witness.py); here somebody looks closely.
"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "stranger"), HERE]
import client  # noqa: E402
import liblog  # noqa: E402
import witness  # noqa: E402
from client import pb  # noqa: E402
from libflow import CDOP, OK, TMP, Person, check, end, equal  # noqa: E402
from scene import (ASK, CASE, PURPOSE, Cast, Children,  # noqa: E402
                   must, notification, saw)


def refused(what, fn, *args):
    try:
        fn(*args)
        why = ""
    except liblog.Refused as e:
        why = str(e)
    check(what, why)


def checkpoints(cast):
    """Each sign-in shows a longer log that begins as the last one did."""
    cora = cast["cora"]
    sizes, roots = [], []
    for _ in range(4):
        with cast.open("cora") as session:
            session.call("WhoAmI")
            sizes.append(cora.seen_size)
            roots.append(cora.seen_root)
    equal("a session and a call are two leaves",
          [b - a for a, b in zip(sizes, sizes[1:])], [2, 2, 2])
    hello = pb.Hello(schema_level=1, seen_size=sizes[0], seen_hash=roots[0])
    with client.Session(cora, hello=hello) as session:
        welcome = session.greet()
        check("an old checkpoint is followed too", welcome.consistency)
        equal("the key is the one of enrolment",
              welcome.checkpoint_key, cora.log_key)
        bad = pb.Hello(seen_size=sizes[0], seen_hash=roots[1])
        refused("another history is not followed",
                witness.check_welcome, cora, bad, welcome)
        bad = pb.Hello(seen_size=10 ** 6, seen_hash=roots[1])
        refused("nor is a log that became shorter",
                witness.check_welcome, cora, bad, welcome)
        changed = pb.Welcome.FromString(welcome.SerializeToString())
        changed.checkpoint = welcome.checkpoint.replace(b"\n", b"\n1", 1)
        refused("nor a size that nobody signed",
                witness.check_welcome, cora, hello, changed)
    hello = pb.Hello(schema_level=1, seen_size=10 ** 6, seen_hash=roots[0])
    try:
        with client.Session(cora, hello=hello) as session:
            session.greet()
        why = ""
    except liblog.Refused as e:
        why = str(e)
    check("who saw more is shown what there is, without a proof", why)


RECEIPT = os.path.join(TMP, "a.tlog-proof")


def cdop_takes(cast, session, receipt):
    """Our own program, which has neither registry nor identity here."""
    with open(RECEIPT, "wb") as f:
        f.write(receipt)
    key = witness.key_of(session.credential, session.welcome.incarnation)
    done = Person("nobody", cast.registry).cdop(
        "audit", "check-receipt", RECEIPT, "--key", str(key), "--json")
    return done.json() if done.code == OK else {}


def pinned(cast):
    """Whoever has enrolled has the key, and needs none given."""
    request = pb.PersonInviteRequest(name="Paula Pending", label="laptop")
    request.grant.add(role=pb.AUDITOR)
    with cast.open("ada") as session:
        answer = must(session.change("PersonInvite", request))
    path = os.path.join(TMP, "paula.txt")
    with open(path, "wb") as f:
        f.write(client.invitation_of(cast["ada"], request.name,
                                     answer.body).text())
    paula = Person("paula", cast.registry)
    paula.enrol(path)
    done = paula.cdop("audit", "check-receipt", RECEIPT)
    check("who is enrolled needs no key for a receipt", done.code == OK, done)


def receipts(cast, children):
    row = children.next("liverpool")
    with cast.open("cora") as cora:
        answer = cora.change("NotificationRegister",
                             notification(row), receipt=True, **PURPOSE)
        equal("a change is answered with its receipt", answer.status, 0)
        said = cdop_takes(cast, cora, answer.reply.receipt)
        equal("which cdop takes, and reads the same in it",
              (said.get("index"), said.get("call"),
               said.get("answered", {}).get("code")),
              (answer.reply.leaf_index, "NotificationRegister", "OK"))
        reference = answer.body.reference
        answer = cora.call("CaseShow", pb.CaseShowRequest(
            reference=reference), receipt=True, **CASE)
        equal("and a look", answer.status, 0)
        answer = cora.call("CaseShow", pb.CaseShowRequest(
            reference="nothing"), receipt=True, **CASE)
        check("and a refusal", answer.status != 0)
        answer = cora.call("WhoAmI")
        check("nobody gets one who did not ask", not answer.reply.receipt)
        ids = [cora.send("WhoAmI", receipt=True) for _ in range(40)]
        for i in ids:
            answer = cora.receive(i, client.METHODS["WhoAmI"])
        method = client.METHODS["WhoAmI"]
        reply = answer.reply
        refused("a receipt is for one request", witness.check_receipt,
                cora, method, b"another", reply)
        reply.receipt = reply.receipt.replace(b"\nindex ", b"\nindex 1", 1)
        refused("and for one leaf", witness.check_receipt,
                cora, method, b"", reply)
    with cast.open("aud") as aud:
        answer = aud.call("AuditList", receipt=True, purpose="audit",
                          use=pb.SCREEN)
        equal("every message of a stream has one",
              (answer.status, [bool(r.receipt) for r in answer.replies]),
              (0, [True] * len(answer.replies)))


def alike(cast, children):
    """Not yours and no such: the same receipt but for what must differ."""
    def trace(session, nhs):
        answer = session.call("Ask", pb.AskRequest(nhs_number=nhs),
                              receipt=True, **ASK)
        index, proof, note, extra = liblog.parse_proof(answer.reply.receipt)
        _, size, _ = liblog.parse_checkpoint(liblog.parse_note(note)[0])
        leaf = witness.leaf_of(extra[:256])
        same = leaf._replace(index=0, time=0, size=0, request=b"", case=b"",
                             outcome=b"", counts=b"", reason=b"")
        return same, len(answer.reply.receipt) - 45 * len(proof) - \
            len(str(index)) - len(str(size))

    row, never = children.next("liverpool"), children.next("liverpool")
    with cast.open("cora") as cora:
        cora.change("NotificationRegister",
                    notification(row), **PURPOSE)
    with cast.open("pat") as pat:
        equal("the receipt of a foreign child is that of none",
              trace(pat, row["child.nhs_number"]),
              trace(pat, never["child.nhs_number"]))


def write(folder, path, data):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        check("nothing is sent twice", False, path)
    with open(path, "wb") as file:
        file.write(data)


def export(cast):
    """All of the log, written down as tlog-tiles has it, and judged."""
    folder = os.path.join(TMP, "export")
    with cast.open("cora") as cora:
        ids = [cora.send("WhoAmI") for _ in range(700)]
        for i in ids:
            cora.receive(i, client.METHODS["WhoAmI"])
    with cast.open("aud") as aud:
        answer = aud.call("AuditExport", purpose="audit", use=pb.FILE,
                          receipt=True)
    equal("the log is exported", answer.status, 0)
    first, *rest = answer.messages
    check("the checkpoint comes once, and first",
          first.checkpoint and not any(m.checkpoint for m in rest))
    write(folder, "checkpoint", first.checkpoint)
    for i, note in enumerate(first.statement):
        write(folder, "statement/%d" % (i + 1), note)
    for message in answer.messages:
        for t in message.tile:
            write(folder, liblog.tile_path(
                t.level, t.number, len(t.hashes) // 32), t.hashes)
        for b in message.bundle:
            write(folder, liblog.tile_path(
                "entries", b.number, len(b.entries) // 258), b.entries)
    key = witness.key_of(cast["aud"], aud.welcome.incarnation)
    log = liblog.verify_registry(folder, str(key))
    equal("it is the log as it was before the call",
          log.size, answer.replies[0].leaf_index)
    check("of more than two tiles", log.size > 512)
    done = subprocess.run([CDOP, "audit", "verify", folder, "--key",
                           str(key)], capture_output=True, text=True,
                          check=False)
    equal("cdop audit verify says so too", done.returncode, 0)
    with cast.open("pat") as pat:
        saw("nobody but an auditor has it",
            pat.call("AuditExport", purpose="audit", use=pb.FILE), 7, "role")


def main():
    cast, children = Cast("stranger-log"), Children()
    cast.administrators()
    cast.welcome("cora", pb.COORDINATOR, name="Cora Coordinator",
                 all_areas=True)
    cast.welcome("pat", pb.PARTNER, name="Pat Partner", agency="RBS",
                 area=["wirral"])
    cast.welcome("aud", pb.AUDITOR, name="Odette Auditor")
    checkpoints(cast)
    receipts(cast, children)
    pinned(cast)
    alike(cast, children)
    export(cast)
    for session in cast.sessions:
        session.link.close()
    equal("an orderly stop", cast.registry.stop(), 0)
    code, text = cast.registry.verify()
    check("cdopd verify finds nothing", code == 0, text)
    end()


if __name__ == "__main__":
    main()
