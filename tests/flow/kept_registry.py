#!/usr/bin/python3
"""Every registry that an earlier version made: verified, served, written.

tests/vectors/make-registry says how the samples in tests/vectors came about.
"""
import glob
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "stranger"), HERE]
import client  # noqa: E402
from client import pb  # noqa: E402
from google.protobuf import json_format  # noqa: E402
from libflow import (  # noqa: E402
    CDOPD, PASSPHRASE, TOP, Registry, check, end, equal)
from scene import CASE, PURPOSE, Children, must, notification  # noqa: E402


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


def verify_by_passphrase(registry):
    return subprocess.run(
        [CDOPD, "verify", registry.data, "--passphrase-stdin"],
        input=PASSPHRASE.encode() + b"\n", stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60, check=False)


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


def play(archive):
    name = os.path.basename(archive)[:-len(".tar.gz")]
    # The sample has stood still since it was made: the clock is right.
    registry = Registry(name, conf=[time.strftime(
        "clock_day = %Y%m%d", time.gmtime())])
    subprocess.run(["tar", "-C", registry.dir, "--no-same-owner", "-xpzf",
                    archive], check=True)
    with open(os.path.join(registry.dir, "expected.json"),
              encoding="utf-8") as f:
        expected = json.load(f)
    verified(name + ": verify, with the key file", registry)
    done = verify_by_passphrase(registry)
    check(name + ": verify, with the passphrase", done.returncode == 0,
          done.stdout.decode())
    registry.start()
    cora = client.Credential(os.path.join(registry.dir, "cora"))
    cora.values["addresses"] = ["unix:" + registry.socket]
    with client.open_session(cora) as session:
        check(name + ": there are cases in it", len(expected) > 0)
        read(session, name, expected)
        write(session, name)
    equal(name + ": an orderly stop", registry.stop(), 0)
    verified(name + ": verify again", registry)


def main():
    archives = sorted(glob.glob(
        os.path.join(TOP, "tests/vectors/registry-*.tar.gz")))
    check("there are samples", archives)
    for archive in archives:
        play(archive)
    end()


if __name__ == "__main__":
    main()
