#!/usr/bin/python3
"""Who is revoked or suspended is out at once, in the middle of a session."""
import time

from libflow import (AUTH, OK, OUTCOME, SECOND, UNREACHABLE, check, end,
                     equal, scene, wait_for)
import libsynthetic
from libwire import Wire


def held_session(registry, person):
    """A session whose first request has not gone out yet."""
    wire = Wire(registry.socket, hold="requests")
    client = person.popen("case", "list")
    if not wait_for(lambda: wire.asked() > 0):
        check("a session stands", False)
    return wire, client


def is_out(name, registry, person, act):
    """act() ends the session that person has; how the client ended."""
    wire, client = held_session(registry, person)
    number = len(wire.counts) - 1
    # The one who acts does not go through the wire.
    wire.hold = ""
    act()
    said = time.monotonic()
    gone = wait_for(lambda: number in wire.hung_up, 2)
    late = wire.hung_up.get(number, said + 2) - said
    check(name + ": the session ends before the answer, or with it",
          gone and late < 0.2, "%.3f s late" % late)
    client.communicate(timeout=30)
    wire.close()
    check(name + ": the client says that it got no answer",
          client.returncode in (UNREACHABLE, OUTCOME), client.returncode)


def works_one(cora):
    """A case for which she is responsible."""
    row = libsynthetic.plain(0, next(libsynthetic.numbers()))
    reference = cora.must("notify", "--json",
                          *libsynthetic.said(row)).json()["reference"]
    cora.must("case", "responsible", reference, str(cora.person), "--reason",
              "works it")
    return reference


def handed_over(registry, reference):
    """Whoever comes after her sees what nobody works now."""
    carl = registry.invite("Carl Coordinator", "--role", "coordinator",
                           "--all-areas")
    equal("her cases are listed to be handed over", [
        case["reference"] for case in carl.must(
            "case", "list", "--handover", "--json").lines()], [reference])
    carl.must("case", "show", reference)
    carl.must("case", "responsible", reference, str(carl.person), "--reason",
              "takes it over")
    equal("until somebody is responsible", carl.must(
        "case", "list", "--handover", "--json").lines(), [])


def main():
    registry, cora = scene()
    number = str(cora.person)
    reference = works_one(cora)

    is_out("suspended", registry, cora, lambda: registry.ada.must(
        "people", "suspend", number, "--reason", "laptop lost"))
    done = cora.cdop("status")
    check("a suspended person is not let in", done.code == AUTH and
          "people list" in done.err and "once more in a minute" in done.err,
          done)
    filed = registry.ada.must("people", "resume", number, "--reason",
                              "laptop found", code=SECOND)
    equal("still not, while one has asked", cora.cdop("status").code, AUTH)
    approval = registry.bob.approve()["number"]
    equal("and is when two have said so", cora.cdop("status").code, OK)
    check("what waits is named", approval in filed.err, filed)

    is_out("revoked", registry, cora, lambda: registry.bob.must(
        "people", "revoke", number, "--reason", "left", "--confirm", number))
    equal("a revoked person is not let in", cora.cdop("status").code, AUTH)
    equal("and does not come back",
          registry.ada.cdop("people", "resume", number, "--reason",
                            "mistake").code not in (OK, SECOND), True)
    handed_over(registry, reference)
    equal("it stops in order", registry.stop(), 0)
    end()


main()
