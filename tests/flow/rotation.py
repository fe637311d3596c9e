#!/usr/bin/python3
"""Keys are turned while the registry serves: two people, a watch, kill -9 in
the middle, and in the end every case key is under the new ones and no old one
is left."""
import json
import os
import random
import signal
import time

from libflow import (FORBIDDEN, OK, PARTIAL, SECOND, TMP, USAGE, CONFLICT,
                     check, end, equal, scene, wait_for)
from libsearch import words_of
import libsynthetic

COUNT = 500
shown = []  # everything that an administrator was shown of keys


def keys(person, *args, code=OK):
    done = person.must("key", *args, code=code)
    shown.append(done.out + done.err)
    return done


def ask(ada, *what):
    done = keys(ada, "rotate", *what, "--reason", "once a year", "--yes",
                code=SECOND)
    return done


def approve(bob):
    act = bob.must("approve", "--json").lines()[0]
    shown.append(json.dumps(act))
    shown.append(bob.must("approve", act["number"], "--confirm",
                          act["number"]).out)
    return act


def watched(ada):
    """The last look of a watch: nothing is under way any more."""
    looks = [json.loads(line) for line in
             keys(ada, "status", "--watch", "--json").out.splitlines()]
    check("the watch ends when it is done", "running" not in looks[-1] and
          all("running" in look for look in looks[:-1]), looks[-1])
    return looks[-1]


def census(status):
    """Case keys by area; None where an area has two keys."""
    found = {}
    for epoch in status["epoch"]:
        if "area" in epoch:
            area = epoch["area"]["code"]
            found[area] = None if area in found else epoch["case_keys"]
    return found


def by_two_people(ada, bob, cora):
    equal("a coordinator sees no keys", cora.cdop("key", "status").code,
          FORBIDDEN)
    equal("which keys has to be said", ada.cdop(
        "key", "rotate", "--area", "wirral", "--all", "--reason", "x",
        "--yes").code, USAGE)
    done = ada.cdop("key", "rotate", "--area", "atlantis", "--reason", "x",
                    "--yes")
    check("an area that is none is refused", "area" in done.err and
          done.code not in (OK, SECOND), done)
    before = census(keys(ada, "status", "--json").json())
    ask(ada, "--area", "wirral")
    equal("nothing runs yet", keys(ada, "status", "--json").json()["past"],
          [])
    act = approve(bob)
    words = " ".join(act["words"])
    check("the second person sees what will happen", "wirral" in words and
          "%d case keys" % before["wirral"] in words and
          "destroy" in words, words)
    status = watched(ada)
    past = status["past"][0]
    gone = past["destroyed"][0]
    check("every key is under a new one", gone not in
          [count["key"] for count in past["census"]] and
          sum(count["case_keys"] for count in past["census"]) ==
          sum(before.values()), past)
    equal("the old one is gone", len(past["destroyed"]), 1)
    equal("the others are what they were", census(status), before)
    check("it is said in words", "destroyed: key 1/" in
          keys(ada, "status").out)
    equal("there is nothing to hold", ada.cdop(
        "key", "pause", "--reason", "disk").code, CONFLICT)


def killed(registry, ada, bob, cora, turn, after, reseal):
    """All areas, an import meanwhile, and the vault dies."""
    path = os.path.join(TMP, "more-%d.csv" % turn)
    libsynthetic.save(path, libsynthetic.rows(COUNT, (turn + 1) * COUNT))
    ask(ada, "--all", *["--reseal"] * bool(reseal))
    client = cora.popen("notify", "--from", path, "--json")
    approve(bob)
    time.sleep(after)
    vault = registry.pid_of("vault")
    os.kill(vault, signal.SIGKILL)
    client.communicate(timeout=90)
    wait_for(lambda: registry.pid_of("vault") not in (0, vault))
    # What was not told is sent again.
    cora.must("notify", "--from", path, "--json")
    status = watched(ada)
    counts = census(status)
    cases = len(cora.must("case", "list", "--limit", "10000",
                          "--json").lines())
    what = "killed after %d ms" % (after * 1000)
    check("each area has one key: " + what, None not in counts.values(),
          counts)
    equal("every case has its key: " + what, sum(counts.values()), cases)
    check("one was destroyed for each: " + what,
          len(status["past"][0]["destroyed"]) >= len(counts),
          status["past"][0])


def logged(audrey):
    entries = audrey.must("audit", "list", "--json", "--purpose",
                          "audit").lines()
    said = {(e["call"], e.get("reason", "").partition(":")[0])
            for e in entries}
    for step in "turned", "rewrapped", "done":
        check("the log has: " + step, ("keys turned", step) in said)
    check("and which key was destroyed", ("key destroyed", "wirral") in said,
          sorted(said))


def main():
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 30)
    random.seed(seed)
    print("# SEED=%d" % seed)
    registry, cora = scene(conf=["restarts = 100"])
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    ada, bob = registry.ada, registry.bob
    first = os.path.join(TMP, "first.csv")
    made = libsynthetic.rows(COUNT)
    libsynthetic.save(first, made)
    check("an import", cora.cdop("notify", "--from", first).code in
          (OK, PARTIAL))
    by_two_people(ada, bob, cora)
    for turn, most in enumerate((0.02, 0.2, 0.6)):
        killed(registry, ada, bob, cora, turn, random.uniform(0, most), turn)
    logged(audrey)
    words = set()
    for row in made:
        words |= words_of(row)
    words -= set(libsynthetic.PSEUDO)
    said = "\n".join(shown)
    found = [word for word in words if word in said]
    check("no word of %d of a child in what was shown" % len(words),
          not found and len(words) > 1000, found[:10])
    equal("it stops in order", registry.stop(), 0)
    code, said = registry.verify()
    check("verify says fine", code == 0 and said.endswith("fine\n"),
          said[-500:])
    end()


if __name__ == "__main__":
    main()
