#!/usr/bin/python3
"""A gate that was taken over, in the real daemon: it reads no word, forges no
call and is believed nothing; what it can do is deny service.  And code behind
the walls of gate and vault, which tries each thing that it must not."""
import os
import re

import libflow
from libflow import CDOPD, OK, PARTIAL, check, end, equal, scene, wait_for
import libsynthetic

EVIL = os.path.join(os.path.dirname(CDOPD), "evil", "cdopd")
# What a gate may try between a client and the vault, and whether a client
# can get an answer all the same.
DEEDS = [("nothing", True), ("lie", True), ("old", True), ("forge", None), ("lie-key", None),
         ("cross", None), ("replay", None), ("reorder", None),
         ("drop", None), ("flip", None), ("down-flip", None),
         ("down-replay", None), ("rules", None), ("parent", None),
         ("flood", None)]
WORK = ("NotificationRegister", "CaseShow")


def said(registry):
    with open(registry.log, encoding="utf-8", errors="replace") as f:
        return [line[5:].rstrip() for line in f if line.startswith("EVIL ")]


def start(registry, deed, wait=True):
    os.environ["EVIL"] = deed
    libflow.CDOPD, real = EVIL, libflow.CDOPD
    registry.start(wait=wait)
    libflow.CDOPD = real


def row_file(number):
    made = libsynthetic.rows(1, 900 + number)
    path = os.path.join(libflow.TMP, "row-%d.csv" % number)
    libsynthetic.save(path, made)
    return path, made[0]["child.nhs_number"]


def shown(person, reference):
    """Exit code, and all of the case where it is shown."""
    done = person.cdop("case", "show", reference, "--json", "--timeout", "2")
    return done.code, done.json()["case"] if done.code == OK else None


def one_round(registry, people, deed, answers, number, known):
    """A look and a change through this gate, and somebody else's meanwhile."""
    start(registry, deed)
    reference, whole = known
    cora, audrey = people
    other = audrey.popen("audit", "list", "--json", "--purpose", "audit",
                         "--limit", "2000", "--timeout", "2")
    code, seen = shown(cora, reference)
    if answers:
        equal("%s: the case is shown" % deed, seen, whole)
    else:
        check("%s: the case is shown as it is, or nothing is" % deed,
              seen in (None, whole), "exit %d, %r" % (code, seen))
    path, nhs = row_file(number)
    mark = len(said(registry))
    change = cora.popen("notify", "--from", path, "--json", "--timeout", "2")
    # What is kept from the vault nobody answers: no need to wait for that.
    wait_for(lambda: change.poll() is not None or
             "keeps a frame" in said(registry)[mark:], 60)
    if answers:
        equal("%s: a change is taken" % deed, change.wait(timeout=60), OK)
    registry.stop()
    change.communicate(timeout=60)
    other.communicate(timeout=60)
    return path, nhs


def made_twice(entries, cora):
    """Calls that her log has more than once since a session of hers began:
    each of her commands makes one."""
    seen, twice = set(), []
    for entry in sorted(entries, key=lambda e: e["index"]):
        if entry.get("person") != cora.person:
            continue
        if entry["call"] == "signed in":
            seen.clear()
        elif entry["call"] in WORK and entry["call"] in seen:
            twice.append(entry)
        seen.add(entry["call"])
    return twice


def afterwards(registry, cora, audrey, rounds, before):
    """What the real daemon has of all that."""
    registry.start()
    entries = [e for e in audrey.must(
        "audit", "list", "--json", "--purpose", "audit", "--limit", "5000"
    ).lines() if e.get("index", 0) > before]
    calls = [e for e in entries if e.get("call") in WORK]
    equal("nobody has called but the one who did", [
        e for e in entries if e.get("person") not in (
            None, 0, cora.person, audrey.person)][:3], [])
    check("a session is told from another", any(
        e["call"] == "signed in" and e.get("person") == cora.person
        for e in entries))
    equal("no call was made twice", made_twice(entries, cora)[:3], [])
    for call in WORK:
        mine = [e for e in calls if e["call"] == call and
                e["outcome"]["code"] == "OK"]
        check("%s: some were let through, and none was made up" % call,
              0 < len(mine) <= len(rounds), len(mine))
    for path, nhs in rounds:
        again = cora.cdop("notify", "--from", path, "--json")
        found = cora.find_number(nhs)
        check("sent again, %s is there once" % os.path.basename(path),
              again.code in (OK, PARTIAL) and len(found) == 1,
              "%r %r" % (again, found))


def walls(registry, role, wanted):
    """Each try ends the child that makes it; the parent makes another."""
    mark = len(said(registry))
    for path in registry.data + "/evil", registry.data + ".beside":
        with open(path, "w", encoding="ascii") as f:
            f.write("as it was")
    start(registry, role + "-walls", wait=False)
    check("%s: all was tried" % role, wait_for(
        lambda: "has tried all" in said(registry)[mark:], 60),
        said(registry)[mark:])
    registry.kill()
    with open(registry.data + ".beside", encoding="ascii") as f:
        equal("%s: what lies beside is as it was" % role, f.read(),
              "as it was")
    os.unlink(registry.data + "/evil")
    lines = said(registry)[mark:]
    tried = {line[6:] for line in lines if line.startswith("tries ")}
    back = [line for line in lines if line.startswith("came back")]
    equal("%s: nothing comes back" % role, back, [])
    check("%s: %d calls end the process" % (role, len(tried)),
          wanted <= tried, wanted - tried)
    with open(registry.log, encoding="utf-8", errors="replace") as f:
        deaths = len(re.findall(r"child=%s pid=\d+ status=-1 signal=31" % role,
                                f.read()))
    check("%s: each by SIGSYS" % role, deaths >= len(tried), deaths)
    return lines


def main():
    if not os.path.exists(EVIL):
        print("skip there is no %s: make evil" % EVIL)
        return
    registry, cora = scene(conf=["restarts = 100"])
    audrey = registry.invite("Audrey Auditor", "--role", "auditor",
                             "--all-areas")
    made = libsynthetic.rows(3)
    path = os.path.join(libflow.TMP, "first.csv")
    libsynthetic.save(path, made)
    cora.must("notify", "--from", path)
    reference = cora.find_number(made[0]["child.nhs_number"])[0]
    known = reference, shown(cora, reference)[1]
    equal("it is shown through a good gate", known[1]["record"]["form"][
        "child"]["family_name"], made[0]["child.family_name"])
    before = audrey.must("audit", "list", "--json", "--purpose", "audit",
                         "--limit", "1").lines()[0]["index"]
    equal("it stops in order", registry.stop(), 0)
    os.environ["EVIL_WORDS"] = ",".join(
        [row["child.family_name"] for row in made] +
        [reference, "case_work", "Cora", "Merseyside", "notification"])
    rounds = [one_round(registry, (cora, audrey), deed, answers, n, known)
              for n, (deed, answers) in enumerate(DEEDS)]
    equal("the gate has read no word", [
        line for line in said(registry) if "reads a word" in line], [])
    passed = re.findall(r"([\w-]+): (\d+) frames passed",
                        "\n".join(said(registry)))
    # Some rounds end with the gate, which then says no last word.
    busy = {deed for deed, n in passed if int(n) > 3}
    check("though something passed by it", len(busy) > len(DEEDS) / 2 and
          {deed for deed, answers in DEEDS if answers} <= busy, passed)
    afterwards(registry, cora, audrey, rounds, before)
    equal("it stops in order", registry.stop(), 0)
    code, text = registry.verify()
    check("verify says fine", code == 0 and text.endswith("fine\n"),
          text[-300:])

    common = {"open", "socket inet", "connect", "execve", "fork", "ptrace",
              "kill", "mmap exec", "process_vm_readv", "prctl", "bpf"}
    walls(registry, "gate", common | {"openat", "creating open", "unlink"})
    lines = walls(registry, "vault", common | {"accept4"})
    if "may open a file of its directory" not in lines:
        print("skip this kernel has no Landlock")
    else:
        for what in ("reading /etc/passwd", "a file beside its directory",
                     "/proc/self/mem", "/proc", "/dev"):
            check("vault: refused %s" % what, "refused " + what in lines,
                  lines)
    end()


if __name__ == "__main__":
    main()
