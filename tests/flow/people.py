#!/usr/bin/python3
"""Persons and devices from the first invitation to the last revocation."""
import os

from libflow import (AUTH, CONFLICT, FORBIDDEN, INVALID, NOT_FOUND, OK,
                     SECOND, USAGE, Person, Registry, check, end, equal)

NO = (FORBIDDEN, CONFLICT, INVALID, AUTH, NOT_FOUND, USAGE)


def refused(name, done, codes=NO):
    return check(name, done.code in codes, done)


def waiting(admin):
    return [a["number"] for a in admin.must("approve", "--json").lines()]


def agree(admin, number):
    return admin.cdop("approve", number, "--confirm", number)


def setup(registry):
    """Two people have to be there before anything else is done."""
    ada, bob = Person("ada", registry), Person("bob", registry)
    registry.ada, registry.bob = ada, bob
    one = ada.enrol(os.path.join(registry.out, "invitation-1.txt"))
    two = bob.enrol(os.path.join(registry.out, "invitation-2.txt"))
    refused("no one activates themselves", ada.cdop(
        "people", "activate", str(one["device"]), "--comparison",
        one["comparison"]))
    refused("a wrong string is refused", ada.cdop(
        "people", "activate", str(two["device"]), "--comparison",
        one["comparison"]))
    refused("one who waits invites nobody", ada.cdop(
        "people", "invite", "--name", "X Y", "--role", "auditor", "--out",
        os.path.join(registry.out, "x.txt")))
    noted = ada.must("people", "activate", str(two["device"]),
                     "--comparison", two["comparison"])
    check("it is noted, and not called active", "Noted." in noted.out and
          "pending" not in noted.out, noted)
    check("one string is not enough", "setup" in ada.must("status").out)
    bob.must("people", "activate", str(one["device"]), "--comparison",
             one["comparison"])
    check("two are", " open " in ada.must("status").out)
    return ada, bob


def invited(registry, ada, bob):
    """The one who invites does not activate."""
    path = os.path.join(registry.out, "cora.txt")
    ada.must("people", "invite", "--name", "Cora Coordinator", "--role",
             "coordinator", "--all-areas", "--out", path)
    refused("an invitation is not written over", ada.cdop(
        "people", "invite", "--name", "Other", "--role", "auditor", "--out",
        path), (USAGE,))
    cora = Person("cora", registry)
    done = cora.enrol(path)
    refused("who waits sees no case", cora.cdop("case", "list"))
    check("and is told to wait", "waits for activation" in
          cora.must("status").out)
    given = ["people", "activate", str(done["device"]), "--comparison",
             done["comparison"]]
    refused("who invited does not activate", ada.cdop(*given))
    refused("nor the person", cora.cdop(*given))
    bob.must(*given)
    equal("then she works", cora.cdop("case", "list").code, OK)
    refused("a coordinator invites nobody", cora.cdop(
        "people", "invite", "--name", "X Y", "--role", "auditor", "--out",
        os.path.join(registry.out, "x.txt")), (FORBIDDEN,))
    return cora


def used_twice(registry, ada, bob):
    """Two keys under one invitation: nobody knows whose it was."""
    path = os.path.join(registry.out, "dora.txt")
    ada.must("people", "invite", "--name", "Dora Double", "--role",
             "auditor", "--out", path)
    done = Person("dora", registry).enrol(path)
    refused("an invitation is used once", Person("eve", registry).cdop(
        "enrol", path, "--label", "x", "--no-passphrase"))
    refused("and who came first is not activated any more", bob.cdop(
        "people", "activate", str(done["device"]), "--comparison",
        done["comparison"]))
    check("the list says what happened to it", "flagged" in
          ada.must("people", "list").out)


def second_device(registry, ada, bob, cora):
    path = os.path.join(registry.out, "cora2.txt")
    ada.must("people", "invite", "--device-for", str(cora.person), "--label",
             "laptop 2", "--out", path)
    other = Person("cora2", registry)
    done = other.enrol(path)
    equal("a further device is the same person", done["person"], cora.person)
    bob.must("people", "activate", str(done["device"]), "--comparison",
             done["comparison"])
    equal("it works", other.cdop("case", "list").code, OK)
    check("doctor does not say that it has a passphrase",
          "have no passphrase" in other.must("doctor").out)
    ada.must("people", "suspend", str(cora.person), "--device",
             str(other.device), "--reason", "lost")
    equal("suspended, it is out", other.cdop("status").code, AUTH)
    equal("the first goes on", cora.cdop("case", "list").code, OK)
    ada.must("people", "revoke", str(cora.person), "--device",
             str(other.device), "--reason", "lost", "--confirm",
             str(cora.person))
    equal("revoked, it stays out", other.cdop("status").code, AUTH)
    equal("the first still goes on", cora.cdop("case", "list").code, OK)


def two_people(ada, bob, cora):
    """Suspending takes one, lifting it two; and not the same one twice."""
    number = str(cora.person)
    done = cora.cdop("people", "suspend", number, "--reason", "laptop gone")
    check("oneself is suspended, and told so", done.code == OK and
          "Suspended: yourself" in done.out, done)
    equal("at once", cora.cdop("case", "list").code, AUTH)
    equal("nothing is left to send again", os.listdir(os.path.join(
        cora.home, ".local/state/cdop/training/requests")), [])
    ada.must("people", "resume", number, "--reason", "back", code=SECOND)
    act = waiting(ada)[0]
    refused("nobody approves what they asked for", agree(ada, act))
    equal("another may", agree(bob, act).code, OK)
    equal("and she is back", cora.cdop("case", "list").code, OK)
    refused("what is approved is gone", agree(bob, act))
    ada.must("people", "change", number, "--role", "auditor", "--reason",
             "new post", code=SECOND)
    act = waiting(bob)[0]
    bob.must("approve", act, "--decline", "--confirm", act)
    equal("declined is gone", waiting(bob), [])
    equal("and nothing changed", cora.cdop("case", "list").code, OK)

    # Asked for, and changed meanwhile: what was shown is not what would be.
    ada.must("people", "change", number, "--area", "wirral", "--reason",
             "one area", code=SECOND)
    act = waiting(bob)[0]
    shown = [a for a in bob.must("approve", "--json").lines()
             if a["number"] == act][0]
    check("the approver sees the areas of now and of then",
          "areas now: all; from now on: wirral" in shown["words"], shown)
    equal("and their names", shown["asked"]["area"],
          [{"code": "wirral", "label": "Wirral"}])
    bob.must("people", "suspend", number, "--reason", "meanwhile")
    done = agree(bob, act)
    check("a request about what changed meanwhile is void", done.code != OK,
          done)
    ada.must("people", "resume", number, "--reason", "back", code=SECOND)
    equal("lifted by two", agree(bob, waiting(bob)[0]).code, OK)


def last_two(registry, ada, bob):
    refused("the last two administrators are not revoked", ada.cdop(
        "people", "revoke", str(bob.person), "--reason", "x", "--confirm",
        str(bob.person)))
    carol = registry.invite("Carol Admin", "--role", "administrator")
    done = ada.cdop("people", "revoke", str(bob.person), "--reason", "left",
                    "--confirm", str(bob.person))
    equal("with a third one, it takes two", done.code, SECOND)
    act = waiting(carol)[0]
    equal("and is done by another", agree(carol, act).code, OK)
    equal("he is out", bob.cdop("status").code, AUTH)
    equal("for ever", ada.cdop("people", "resume", str(bob.person),
                               "--reason", "x").code in NO, True)
    people = {p["number"]: p for p in
              ada.must("people", "list", "--all", "--json").lines()
              if "state" in p and "name" in p}
    check("he is still listed", bob.person in people, people)
    return carol


def alone(ada, carol):
    """The last administrator asks for what takes another one."""
    carol.cdop("people", "suspend", str(carol.person), "--reason", "leave")
    number = str(carol.person)
    for verb, more in ("resume", ()), ("revoke", ("--confirm", number)):
        done = ada.cdop("people", verb, number, "--reason", "back", *more)
        equal(verb + " is filed", done.code, SECOND)
        check("and it is said that nobody could, and what helps: " + verb,
              "cdopd recover-people" in done.err, done)


def where_to_look(registry, ada, cora):
    """What was named wrongly, or is not allowed, says where to look."""
    for person, words, says in (
            (ada, ["people", "activate", "99", "--comparison", "x"],
             "next: cdop people list"),
            (ada, ["key", "remove-slot", "9", "--reason", "x", "--yes"],
             "next: cdop custodian list"),
            (ada, ["certificate", "show", "7"],
             "next: cdop certificate list"),
            (ada, ["restore", "accept", "--reason", "x", "--yes"],
             "the registry is open"),
            (ada, ["restore", "accept", "--reason", "x", "--yes"],
             "next: cdop status"),
            (ada, ["people", "invite", "--name", "Nora Nowhere", "--role",
                   "partner", "--area", "nowhere", "--out",
                   os.path.join(registry.out, "nora.txt")],
             "next: cdop profile show"),
            (ada, ["audit", "list"], "next: cdop whoami"),
            (ada, ["key", "rotate", "--area", "wirral", "--all", "--reason",
                   "x"], "one of these at a time: --area AREA"),
            (cora, ["key", "rotate", "--reason", "x"], "which keys: --area"),
            (cora, ["enrol", registry.conf, "--context", "other"],
             "next: the file that cdop people invite"),
            (cora, ["audit", "witness", "/nonexistent/f"],
             "/nonexistent/f cannot be written: No such file"),
            (cora, ["case", "erase", "T-2222-2229", "--reason", "because"],
             "--reason: that is not one of the words"),
            (cora, ["case", "find"], "next: --nhs-number N, "),
            (cora, ["find"], "the nearest is: cdop case find"),
            (cora, ["device", "list"], "next: cdop device"),
            (cora, ["status", "extra"], "next: cdop status --help"),
            (cora, ["status", "--timeout"], "next: cdop status --help"),
            (cora, ["case", "list", "--area", "ambridge"],
             "next: cdop profile show"),
            (ada, ["people", "suspend", "Cora", "--reason", "x"],
             "next: cdop people list"),
            (ada, ["people", "resume", str(cora.person), "--reason", "x"],
             "next: cdop people list"),
            (ada, ["key", "rotate", "--reason", "x"],
             "next: cdop key rotate --help"),
            (ada, ["key", "resume"], "next: cdop key status")):
        done = person.cdop(*words)
        check(" ".join(words[:2]) + ": " + says, done.code != OK and
              says in done.err, done)


def where_it_goes(registry, ada, cora):
    """A file is made before what it will hold is asked for, and is gone where
    that was refused."""
    path = os.path.join(registry.out, "nora.txt")
    before = ada.must("people", "list", "--all").out
    done = ada.cdop("people", "invite", "--name", "Nora Nowhere", "--role",
                    "auditor", "--out", "/nonexistent/nora.txt")
    check("an invitation that cannot be written is not made",
          done.code == USAGE and "nobody was invited" in done.err and
          ada.must("people", "list", "--all").out == before, done)
    refused("nor one that is refused", ada.cdop(
        "people", "invite", "--name", "Nora Nowhere", "--role", "partner",
        "--area", "nowhere", "--out", path))
    check("of which no file stays", not os.path.exists(path))
    done = ada.cdop("people", "suspend", str(cora.person), "--reason", "x",
                    "--receipt", "/nonexistent/r")
    check("nor is a change made without its receipt", done.code == USAGE and
          "/nonexistent/r cannot be made" in done.err and
          cora.cdop("case", "list").code == OK, done)
    for words in ["status"], ["status", "--json"]:
        with open("/dev/full", "w", encoding="ascii") as full:
            done = cora.popen(*words, stdout=full)
            said = done.communicate(timeout=60)[1].decode()
        check("an answer that goes nowhere is told: " + words[-1],
              done.returncode == 1 and "cannot be written" in said and
              "No space left" in said, said)
    for last in "0123456789ABCDEFGHJKMNPQRSTVWXYZ":  # one of them is right
        done = cora.cdop("case", "show", "T-2222-222" + last, "--out", path)
        if done.code == NOT_FOUND:
            break
    check("a case that there is not leaves no file", done.code == NOT_FOUND and
          "next: is every letter" in done.err and not os.path.exists(path),
          done)


def lists(registry, ada):
    """What waits is seen, what is over only when it is asked for."""
    path = os.path.join(registry.out, "later.txt")
    refused("days of roles without a role", ada.cdop(
        "people", "invite", "--device-for", "1", "--label", "x", "--from",
        "2030-01-01", "--out", path), (USAGE,))
    refused("nobody works for the holding area", ada.cdop(
        "people", "invite", "--name", "Holly Holding", "--role",
        "coordinator", "--area", "holding", "--out", path), (INVALID,))
    ada.must("people", "invite", "--name", "Lara Later", "--role", "partner",
             "--area", "wirral", "--from", "2030-01-01", "--until",
             "2030-12-31", "--out", path)
    rows = ada.must("people", "list", "--json").lines()
    lara = [r for r in rows if r.get("name") == "Lara Later"][0]
    grant = lara["grant"][0]
    equal("a role has its first day and its last",
          (grant["from"][:10], grant["until"][:10]),
          ("2030-01-01", "2031-01-01"))
    check("and is shown with them", "partner from 1 Jan 2030 until 31 Dec "
          "2030" in ada.must("people", "list").out)
    equal("a state has its word for a label", lara["state"],
          {"code": "PERSON_INVITED", "label": "invited"})
    open_ones = [r["state"] for r in rows if "invitation_id" in r]
    check("of the invitations those that wait", "waiting" in open_ones and
          not {"used", "cancelled"} & set(open_ones), open_ones)
    number = [r["invitation_id"] for r in rows if r.get("state") == "waiting"]
    ada.must("people", "cancel", number[0], "--reason", "not needed")
    rows = ada.must("people", "list", "--all", "--json").lines()
    every = {r["state"] for r in rows if "invitation_id" in r}
    check("all of them with --all", {"used", "cancelled"} <= every, every)


def keys_turn(cora):
    for _ in range(3):
        cora.must("device", "turn")
    equal("a key that turned opens the next session",
          cora.cdop("whoami").code, OK)


def main():
    registry = Registry()
    registry.init()
    registry.start()
    ada, bob = setup(registry)
    cora = invited(registry, ada, bob)
    used_twice(registry, ada, bob)
    second_device(registry, ada, bob, cora)
    two_people(ada, bob, cora)
    lists(registry, ada)
    keys_turn(cora)
    where_to_look(registry, ada, cora)
    where_it_goes(registry, ada, cora)
    alone(ada, last_two(registry, ada, bob))
    equal("it stops in order", registry.stop(), 0)
    equal("verify says fine", registry.verify()[0], 0)
    end()


main()
