#!/usr/bin/python3
"""What dies, stops or is closed: the client says what it knows, keeps what
was typed, and never hangs."""
import os
import re
import signal
import subprocess
import time

from libflow import (AUTH, NOT_FOUND, OK, OUTCOME, SEALED, UNREACHABLE, USAGE,
                     check, end, equal, scene, wait_for)
from libwire import Wire
import libsynthetic

FIELDS = ["received.channel", "received.notified_date",
          "received.notified_time", "notifier.agency", "notifier.phone",
          "child.name_kind", "child.family_name", "child.first_names",
          "child.nhs_number", "child.sex", "birth.date", "death.date",
          "place.type", "area.residence", "area.death"]


def notify(row):
    return ["notify"] + ["--set=%s=%s" % (f, row[f]) for f in FIELDS]


def dies_unanswered(registry, cora, row, role):
    """The role is killed when the request is in and the answer on its way."""
    wire = Wire(registry.socket, hold="answers")
    begun = time.monotonic()
    client = cora.popen(*notify(row))
    wait_for(lambda: wire.answered() > 0)
    registry.kill_role(role)
    _, err = client.communicate(timeout=60)
    wire.close()
    name = role + " dies before the answer: "
    equal(name + "outcome unknown", client.returncode, OUTCOME)
    check(name + "it says that cdop retry is safe",
          b"safe to retry" in err and b"cdop retry" in err, err)
    check(name + "at once", time.monotonic() - begun < 10)
    done = cora.must("retry")
    check(name + "it had arrived", "it had arrived" in done.out, done)
    equal(name + "it is one case",
          len(cora.find_number(row["child.nhs_number"])), 1)
    equal(name + "nothing waits", "No request waits" in
          cora.must("retry").out, True)


def dies_unasked(registry, cora, row, role):
    """The role is killed before the request gets there."""
    wire = Wire(registry.socket, hold="requests")
    client = cora.popen(*notify(row))
    wait_for(lambda: wire.asked() > 0)
    registry.kill_role(role)
    client.communicate(timeout=60)
    wire.close()
    name = role + " dies before the request: "
    equal(name + "outcome unknown", client.returncode, OUTCOME)
    done = cora.must("retry")
    # Where the request came in one piece with the handshake it had arrived.
    check(name + "it is registered now", "Registered T-" in done.out, done)
    equal(name + "it is one case",
          len(cora.find_number(row["child.nhs_number"])), 1)


def dies_in_handshake(registry, cora):
    """The vault is killed with message 3 in its hands: that is no refusal."""
    for last in "Welcome", "that of the second":
        wire = Wire(registry.socket, hold="proof")
        client = cora.popen("status")
        wire.held.wait(10)
        vault = registry.pid_of("vault")
        os.kill(vault, signal.SIGSTOP)  # so that it cannot be too late
        wire.go.set()
        time.sleep(0.1)
        if last == "Welcome":
            wire.hold = ""
        else:
            wire.hold = "nothing"
        registry.kill_role("vault")
        _, err = client.communicate(timeout=60)
        wire.close()
        name = "the vault dies before %s: " % last
        equal(name + "the client connects once more", len(wire.counts), 2)
        equal(name + "and says what it saw then", client.returncode,
              OK if last == "Welcome" else AUTH)


def refuses(registry, cora):
    """Who is refused is refused at once."""
    gil = registry.invite("Gil Goneaway", "--role", "partner", "--area",
                          "sefton")
    gil.must("whoami")
    gil.must("whoami")
    registry.ada.must("people", "suspend", str(gil.person),
                      "--reason", "synthetic")
    for person, hold, tries in (gil, "", 1), (cora, "nothing", 2):
        wire = Wire(registry.socket, hold=hold)
        done = person.cdop("status")
        wire.close()
        name = "hung up on %s: " % (
            "by something else" if hold else "by the registry")
        equal(name + "not accepted", done.code, AUTH)
        equal(name + "connections", len(wire.counts), tries)


def stands_still(registry, cora, row):
    """A vault that does not move: the client gives up in time."""
    vault = registry.pid_of("vault")
    os.kill(vault, signal.SIGSTOP)
    begun = time.monotonic()
    watched = registry.ada.terminal("status")
    done = cora.cdop(*notify(row), "--timeout", "2")
    took = time.monotonic() - begun
    asked = cora.cdop("status", "--timeout", "1")
    os.kill(vault, signal.SIGCONT)
    name = "a vault that stands still: "
    equal(name + "no answer, nothing done", done.code, UNREACHABLE)
    shown, _ = watched.communicate(timeout=60)
    check(name + "somebody at a terminal is told that it waits",
          b"waiting for the registry" in shown, shown)
    check(name + "the client does not wait for ever", took < 12,
          "%.1f s" % took)
    check(name + "that it may read its cases is said", asked.code ==
          UNREACHABLE and "was it started?" in asked.err, asked)
    check(name + "what was typed is kept", "Kept sealed on this computer" in
          done.err and "Tell the notifier" in done.err, done)
    done = cora.cdop("retry")
    check(name + "and goes out when it moves", "Registered T-" in done.out,
          done)
    equal(name + "it is one case",
          len(cora.find_number(row["child.nhs_number"])), 1)


def never_met(cora, row):
    """Without the panel's lists nothing is kept, and that is said."""
    path = os.path.join(cora.home, ".local/state/cdop/training/profile")
    os.rename(path, path + ".away")
    done = cora.cdop(*notify(row))
    equal("no daemon and no lists: unreachable", done.code, UNREACHABLE)
    check("no daemon and no lists: nothing is kept, and what to do",
          "Nothing is kept" in done.err and "cdop notify --blank" in done.err
          and "Tell the notifier" not in done.err, done)
    os.rename(path + ".away", path)


def is_not_there(registry, cora, row):
    registry.kill()
    begun = time.monotonic()
    done = cora.cdop(*notify(row))
    name = "no daemon: "
    equal(name + "unreachable", done.code, UNREACHABLE)
    check(name + "said within 6 s", time.monotonic() - begun < 6)
    check(name + "what was typed is kept", "Kept sealed on this computer" in
          done.err and "Tell the notifier" in done.err, done)
    never_met(cora, row)
    registry.start()
    done = cora.cdop("retry")
    check(name + "and sent when it is back", "Registered T-" in done.out,
          done)


def is_sealed(registry, cora):
    registry.stop()
    os.rename(registry.key, registry.key + ".away")
    registry.start()
    check("without its key it starts sealed", "state=sealed" in
          registry.ready, registry.ready)
    done = cora.cdop("status")
    equal("a sealed registry is said to be closed", done.code, SEALED)
    os.rename(registry.key + ".away", registry.key)


def forgotten(registry, cora, row):
    """A new device: what waits under the old key is named, by its time."""
    registry.kill()
    done = cora.cdop(*notify(row))
    equal("something waits when a passphrase is forgotten", done.code,
          UNREACHABLE)
    registry.start()
    path = os.path.join(registry.out, "again.txt")
    registry.ada.must("people", "invite", "--device-for", str(cora.person),
                      "--label", "new laptop", "--out", path)
    done = cora.must("enrol", path, "--context", "again", "--label", "new",
                     "--no-passphrase")
    check("enrolled anew it is named, without a name", re.search(
        r"an entry that is not acknowledged of .* 20\d\d .*under the key of "
        r"'training'", done.err) and "Synthetic" not in done.err, done)
    check("and that the usual context is another", "cdop context use again"
          in done.err, done)
    done = cora.cdop("context", "remove", "training", "--no-input")
    check("a context is not removed unasked, and says what would be lost",
          done.code == USAGE and "not acknowledged of" in done.err and
          "--yes" in done.err, done)
    cora.must("retry", "--context", "training")
    removed(registry, cora, row)


def removed(registry, cora, row):
    """The old key goes, with what only it can open; the new one stays."""
    registry.kill()
    equal("something waits again", cora.cdop(
        *notify(dict(row, **{"child.family_name": "Synthetic-Other",
                             "child.nhs_number": ""}))).code, UNREACHABLE)
    done = cora.must("context", "remove", "training", "--yes")
    check("a context that is removed says what died with it",
          re.search(r"not acknowledged of .* 20\d\d", done.err) and
          "people revoke %d --device" % cora.person in done.out, done)
    equal("nothing is left of it", subprocess.run(
        ["find", cora.home, "-name", "training*"], stdout=subprocess.PIPE,
        check=True).stdout, b"")
    rest = [e for e in cora.must("context", "list", "--json").lines()
            if "name" in e]
    equal("and the other one is there", [
        (e["name"], e["mode"], e["current"]) for e in rest],
        [("again", "training", False)])
    check("of which the mode is said once", "context_mode" not in rest[0],
          rest)
    equal("once more there is none", cora.cdop(
        "context", "remove", "training", "--yes").code, NOT_FOUND)


def main():
    registry, cora = scene(conf=["restarts = 100"])
    rows = iter(libsynthetic.rows(20, 400))
    cora.must("case", "list")  # fetches the profile
    for role in "vault", "gate":
        dies_unanswered(registry, cora, next(rows), role)
        dies_unasked(registry, cora, next(rows), role)
    dies_in_handshake(registry, cora)
    refuses(registry, cora)
    stands_still(registry, cora, next(rows))
    is_not_there(registry, cora, next(rows))
    forgotten(registry, cora, next(rows))
    is_sealed(registry, cora)
    equal("it stops in order", registry.stop(), 0)
    equal("verify says fine", registry.verify()[0], 0)
    end()


main()
