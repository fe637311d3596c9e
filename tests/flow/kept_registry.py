#!/usr/bin/python3
"""Every registry that an earlier version made: verified, served, written, and
restored from the backup that goes with it.

tests/vectors/make-registry says how the samples in tests/vectors came about.
"""
import base64
import glob
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "stranger"), HERE]
import client  # noqa: E402
import liblog  # noqa: E402
import noise_link  # noqa: E402
import witness  # noqa: E402
from client import pb  # noqa: E402
from google.protobuf import json_format  # noqa: E402
from libflow import (  # noqa: E402
    PASSPHRASE, TOP, Registry, cdopd, check, end, equal)
from libslots import named, raw_share  # noqa: E402
from scene import (  # noqa: E402
    AUDIT, CASE, PURPOSE, Children, must, notification)
from stranger_sealed import BOOT, boot_name, boot_psk  # noqa: E402


def lacks(seen, wanted, path=""):
    """Where wanted is not what is seen; that more is seen is no fault."""
    if isinstance(wanted, dict) and isinstance(seen, dict):
        return [found for key in wanted for found in lacks(
            seen.get(key), wanted[key], "%s.%s" % (path, key))]
    if isinstance(wanted, list) and isinstance(seen, list) and \
            len(wanted) == len(seen):
        return [found for i, one in enumerate(wanted)
                for found in lacks(seen[i], one, "%s.%d" % (path, i + 1))]
    return [] if seen == wanted else [
        "%s is %r, not %r" % (path[1:], seen, wanted)]


def show(session, reference, **more):
    case = must(session.call("CaseShow", pb.CaseShowRequest(
        reference=reference, **more), **CASE)).body.case
    return json_format.MessageToDict(case, preserving_proto_field_name=True)


def verified(name, registry):
    code, said = registry.verify()
    check(name, code == 0, said)


def read(session, name, expected):
    for reference, wanted in expected.items():
        equal("%s: %s is as it was" % (name, reference), lacks(
            show(session, reference, notifications=True), wanted["case"]), [])
        equal("%s: %s, first record" % (name, reference), lacks(
            show(session, reference, version=1)["record"],
            wanted["first_record"]), [])


def write(session, name):
    """A case more; the sample's children are the first ones."""
    children = Children()
    for _ in range(20):
        row = children.next("liverpool")
    answer = session.change("NotificationRegister", notification(row),
                            **PURPOSE)
    if check(name + ": takes a case", answer.status == 0, answer):
        equal(name + ": and shows it", show(
            session, answer.body.reference)["record"]["form"]["child"]
            ["nhs_number"], row["child.nhs_number"])


# ---- keys, since format 2 ----------------------------------------------------

def files_of_shares(folder):
    return named(os.path.join(folder, "shares", "share-%d.txt" % n)
                 for n in (1, 3))


def opened_by_each(name, registry):
    """Slots of every kind."""
    for what, key in (
            ("credential", ["--key-file", os.path.join(
                registry.dir, "cdopd.key")]),
            ("shares", files_of_shares(registry.dir))):
        code, said = cdopd("verify", registry.data, *key)
        check("%s: verify, with %s" % (name, what), code == 0, said)


def as_json(message):
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True)


def said_of_keys(name, session, expected):
    for call in "KeyStatus", "SlotList", "BackupList":
        seen, wanted = as_json(must(session.call(call)).body), expected[call]
        if call == "KeyStatus":  # in no order
            for said in seen, wanted:
                said["epoch"].sort(key=lambda epoch: epoch["key"])
        if call == "SlotList":  # what opened it is proved anew each time
            del wanted["slot"][0]["proved_ms"]
        equal("%s: %s is as it was" % (name, call), lacks(seen, wanted), [])
    for wanted in expected["certificates"]:
        number = wanted["number"]
        (seen,) = must(session.call(
            "CertificateGet", pb.CertificateGetRequest(
                number=number))).body.certificate
        equal("%s: so is certificate %d" % (name, number), lacks(
            as_json(seen), wanted), [])


def certificate_holds(name, auditor, expected):
    """By its note and the log's key alone; and it names the backup."""
    (note,) = [base64.b64decode(one["note"])
               for one in expected["certificates"]
               if one.get("reference") == expected["erased"]]
    text = liblog.open_note(note, witness.key_of(auditor, 1)).decode()
    check(name + ": the certificate holds", "\nerased %s\n" % expected[
        "erased"] in text and " holds kept\n" in text, text)


def log_goes_on(name, session, expected):
    """The session has checked that the tree of then is the beginning of this
    one; the words of its leaves are what they were."""
    answer = must(session.call("AuditList", **AUDIT))
    seen = {entry["index"]: entry for part in answer.messages
            for entry in map(as_json, part.entry)}
    check(name + ": the log was looked at", len(expected["log"]) > 100)
    equal(name + ": each entry of the log is as it was", [
        (seen.get(entry["index"]), entry) for entry in expected["log"]
        if lacks(seen.get(entry["index"]), entry)], [])


def sealed(name, registry):
    """Its boot set lets a custodian in, and two shares open it."""
    with open(registry.conf, encoding="ascii") as f:
        lines = [l for l in f if not l.startswith("key_file")]
    with open(registry.conf, "w", encoding="ascii") as f:
        f.writelines(lines)
    registry.start()
    check(name + ": it starts sealed", "state=sealed" in registry.ready,
          registry.ready)
    kim = credential(registry, "kim")
    psk = boot_psk(kim.psk)
    link = noise_link.Link(
        client.connect(kim.addresses[0]), kim.secret, kim.servers[0],
        kim.registry, psk, pb.Hello(schema_level=1).SerializeToString(),
        kind=BOOT, invitation=boot_name(psk))
    equal(name + ": the boot set knows the custodian", pb.Welcome.FromString(
        link.receive()).state, pb.SEALED)
    for n in 2, 4:
        body = pb.ShareSubmitRequest(share=raw_share(os.path.join(
            registry.dir, "shares", "share-%d.txt" % n)))
        link.send(pb.Call(id=n, method=89, body=body.SerializeToString())
                  .SerializeToString())
        reply = pb.Reply.FromString(link.receive())
        check("%s: share %d" % (name, n), reply.status == 0, reply)
    link.close()
    equal(name + ": and is open", pb.ShareSubmitReply.FromString(
        reply.body).opened, True)


def restored(name, folder, expected):
    """The kept backup, in a place of its own, accepted by two."""
    registry = Registry(name + "-restored", conf=[clock()], key_file=False)
    shares, file = files_of_shares(folder), os.path.join(folder, "backup.cdop")
    code, said = cdopd("verify", file, *shares)
    check(name + ": every row of the backup opens", code == 0, said)
    code, said = cdopd("restore", file, registry.data, "--by",
                       "Olga Operator", "--reason", "drill", *shares)
    check(name + ": it is restored", code == 0, said)
    code, said = cdopd("verify", registry.data, *shares)
    check(name + ": and fine", code == 0, said)
    registry.start()
    code, said = cdopd("unseal", "-f", registry.conf, *shares)
    check(name + ": shares open it", code == 0, said)
    for who in "ada", "bob", "cora":
        shutil.copytree(os.path.join(folder, who),
                        os.path.join(registry.dir, who))
        # Another incarnation: its log goes on under a key of its own.
        credential(registry, who).save(
            log_key=None, seen_size=None, seen_root=None)
    with client.open_session(credential(registry, "ada")) as ada:
        equal(name + ": it waits for two people", ada.welcome.state,
              pb.RESTORED)
        ada.change("RestoreAccept", pb.RestoreAcceptRequest(reason="drill"))
    with client.open_session(credential(registry, "bob")) as bob:
        acts = must(bob.call("ApprovalList")).body.approval
        must(client.decide(bob, [act for act in acts if act.method ==
                                 client.METHODS["RestoreAccept"].number][0]))
    with client.open_session(credential(registry, "cora")) as session:
        check(name + ": the erased case is in it",
              expected["erased"] in expected["backup"])
        read(session, name + ", restored", expected["backup"])
    equal(name + ": it stops in order", registry.stop(), 0)


def keys(name, registry, expected):
    with client.open_session(credential(registry, "ada")) as session:
        said_of_keys(name, session, expected)
    audrey = credential(registry, "audrey")
    certificate_holds(name, audrey, expected)
    with client.open_session(audrey) as session:
        log_goes_on(name, session, expected)
    with client.open_session(credential(registry, "cora")) as session:
        answer = session.call("CaseShow", pb.CaseShowRequest(
            reference=expected["erased"]), **CASE)
        equal(name + ": what was erased is not there", answer.reason,
              "case_erased")


# ---- each sample -------------------------------------------------------------

def clock():
    """The sample has stood still since it was made: the clock is right."""
    return time.strftime("clock_day = %Y%m%d", time.gmtime())


def credential(registry, who):
    found = client.Credential(os.path.join(registry.dir, who))
    found.values["addresses"] = ["unix:" + registry.socket]
    return found


def play(archive):
    name = os.path.basename(archive)[:-len(".tar.gz")]
    registry = Registry(name, conf=[clock()])
    subprocess.run(["tar", "-C", registry.dir, "--no-same-owner", "-xpzf",
                    archive], check=True)
    with open(os.path.join(registry.dir, "expected.json"),
              encoding="utf-8") as f:
        expected = json.load(f)
    cases = expected.get("cases", expected)
    verified(name + ": verify, with the key file", registry)
    code, said = cdopd("verify", registry.data, "--passphrase-stdin",
                       stdin=PASSPHRASE.encode() + b"\n")
    check(name + ": verify, with the passphrase", code == 0, said)
    if "cases" in expected:
        opened_by_each(name, registry)
        with open(registry.conf, "a", encoding="ascii") as f:
            f.write("boot_key_file = %s\n" % os.path.join(
                registry.dir, "boot.key"))
    registry.start()
    if "cases" in expected:
        keys(name, registry, expected)
    with client.open_session(credential(registry, "cora")) as session:
        check(name + ": there are cases in it", len(cases) > 0)
        if "held" in expected:
            check(name + ": one is on hold", "hold" in show(
                session, expected["held"]))
        read(session, name, cases)
        write(session, name)
    equal(name + ": an orderly stop", registry.stop(), 0)
    verified(name + ": verify again", registry)
    if "cases" in expected:
        sealed(name, registry)
        equal(name + ": and stops in order", registry.stop(), 0)
        restored(name, registry.dir, expected)


def main():
    archives = sorted(glob.glob(
        os.path.join(TOP, "tests/vectors/registry-*.tar.gz")))
    check("there are samples", len(archives) >= 2, archives)
    for archive in archives:
        play(archive)
    end()


if __name__ == "__main__":
    main()
