#!/usr/bin/python3
"""kill -9 of gate, vault and parent at any moment during an import: every
acknowledged row is there once, no other row is half there."""
import json
import os
import random
import signal
import time

from libflow import OK, PARTIAL, TMP, check, end, equal, scene
import libsynthetic

COUNT = 300


def kill(registry, role):
    if role == "parent":
        registry.kill()
        return
    pid = registry.pid_of(role)
    if pid:
        os.kill(pid, signal.SIGKILL)


def import_once(registry, cora, path, role, after):
    """Runs the import, kills one process meanwhile; what was acknowledged."""
    with open(path + ".told", "w+b") as out:
        # A pipe that nobody reads would hold the client up.
        client = cora.popen("notify", "--from", path, "--json", stdout=out)
        time.sleep(after)
        kill(registry, role)
        client.communicate(timeout=90)
        out.seek(0)
        lines = out.read().decode().splitlines()
    if role == "parent":
        registry.start()
    told = {}
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue  # cut in the middle
        if row.get("ok") and "reference" in row:
            told[row["row"]] = row["reference"]
    return client.returncode, told


def undisturbed(cora):
    """How long an import of so many rows takes here."""
    path = os.path.join(TMP, "import.csv")
    libsynthetic.save(path, libsynthetic.rows(COUNT))
    begun = time.monotonic()
    cora.must("notify", "--from", path)
    return time.monotonic() - begun


def one_round(registry, cora, turn, role, usual, had):
    """One import, one death; how many cases there are then."""
    start = turn * COUNT
    # Every other file has twins, warnings and rows that are refused.
    made = libsynthetic.rows(COUNT, start, odd=turn % 2 == 1)
    good = {n for n, row in enumerate(made, 1) if not row["_rule"]}
    path = os.path.join(TMP, "import-%d.csv" % turn)
    libsynthetic.save(path, made)
    after = random.uniform(0.1, 0.95) * usual
    code, told = import_once(registry, cora, path, role, after)
    what = "%s killed after %d ms (exit %d, %d rows told)" % (
        role, after * 1000, code, len(told))
    again = cora.cdop("notify", "--from", path, "--json")
    rows = {row["row"]: row for row in again.lines() if "row" in row}
    taken = {n for n, row in rows.items() if row["ok"]}
    if not check("run again it completes: " + what,
                 again.code in (OK, PARTIAL) and len(rows) == COUNT and
                 taken == good, "%r\n%s\n%s" % (
                     sorted(taken ^ good),
                     [rows.get(n) for n in sorted(taken ^ good)[:3]],
                     again.err)):
        return len(cora.must("case", "list", "--limit", "10000",
                             "--json").lines())
    lost = [n for n, reference in told.items()
            if rows[n]["reference"] != reference or not rows[n]["replayed"]]
    check("every acknowledged row is there: " + what, not lost, lost)
    everything = cora.must("case", "list", "--limit", "10000",
                           "--json").lines()
    references = [case["reference"] for case in everything]
    check("each is there once: " + what,
          len(references) == had + len(good) and
          len(set(references)) == len(references),
          "%d cases, %d of them different, not %d" % (
              len(references), len(set(references)), had + len(good)))
    for n in random.sample(sorted(good), 3):
        shown = cora.must("case", "show", rows[n]["reference"],
                          "--json").json()
        equal("row %d is whole: %s" % (n, what),
              shown["case"]["record"]["form"]["death"]["date"],
              made[n - 1]["_want"].get("death.date",
                                       made[n - 1]["death.date"]))
    return len(references)


def main():
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 30)
    random.seed(seed)
    print("# SEED=%d" % seed)
    registry, cora = scene(conf=["restarts = 100"])
    usual, had = undisturbed(cora), COUNT
    roles = ["vault", "gate", "parent", "vault", "vault", "parent", "vault"]
    for turn, role in enumerate(roles):
        had = one_round(registry, cora, turn + 1, role, usual, had)
    equal("it stops in order", registry.stop(), 0)
    code, said = registry.verify()
    check("verify says fine", code == 0 and said.endswith("fine\n"),
          said[-500:])
    end()


if __name__ == "__main__":
    main()
