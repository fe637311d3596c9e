#!/usr/bin/python3
"""A file that is cut off in the middle, by a registry that says no more to
anybody or to this person: the import ends there, says how far it came and what
is next, and goes on when it may, with each row taken once."""
import fcntl
import json
import os
import re

from libflow import (AUTH, FORBIDDEN, OK, SEALED, SECOND, TMP, check, end,
                     equal, scene)
import libsynthetic

COUNT = 150


def write(name, start):
    path = os.path.join(TMP, name + ".csv")
    libsynthetic.save(path, libsynthetic.rows(COUNT, start))
    return path


def begin(cora, path, *more, **how):
    """An import that stands still after some rows: nobody reads its pipe."""
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    client = cora.popen("notify", "--from", path, *more, stdout=theirs, **how)
    os.close(theirs)
    client.stdout = os.fdopen(ours, "rb", buffering=0)
    client.first = client.stdout.readline()
    return client


def finish(client):
    """The rest of what it says; exit status, rows and the end of each."""
    out, err = client.communicate(timeout=90)
    return client.returncode, (client.first + out).decode(), err.decode()


def cut(cora, name, start, act, mend, status, words):
    """act() while it stands still; mend() makes it go on."""
    path = write(name, start)
    client = begin(cora, path, "--json")
    act()
    code, out, err = finish(client)
    lines = [json.loads(line) for line in out.splitlines()]
    rows = {line["row"]: line for line in lines if "row" in line}
    last = lines[-1]
    equal(name + ": it ends with", code, status)
    check(name + ": it came some way, and says how far",
          0 < last["accepted"] < COUNT and last["rejected"] == 0 and
          last["open"] == COUNT - last["accepted"], last)
    equal(name + ": each row that is told was taken",
          [row["ok"] for row in rows.values()], [True] * last["accepted"])
    error = json.loads(err.splitlines()[-1])
    check(name + ": it says why, and what is next",
          all(word in "%(message)s; %(next)s" % error for word in words), err)
    check(name + ": no row is a reject", not os.path.exists(
        path.replace(".csv", ".rejects.csv")))
    equal(name + ": as yet it comes to the same",
          cora.cdop("notify", "--from", path).code, status)
    mend()
    done = cora.cdop("notify", "--from", path, "--json")
    equal(name + ": then it goes on to its end", done.code, OK)
    after = {line["row"]: line for line in done.lines() if "row" in line}
    check(name + ": with each row once", len(after) == COUNT and
          all(after[n]["reference"] == row["reference"] and
              after[n]["replayed"] for n, row in rows.items()), done.out[-500:])


def two(ada, bob, *args):
    """An act that Ada asks for, and to which Bob says yes."""
    ada.must(*args, "--reason", "a test", code=SECOND)
    bob.approve()


def typed(cora, ada, bob):
    """What comes out of a pipe is not there any more: it says what is kept,
    and from which row on the rest has to come again."""
    path = write("typed", 4000)
    with open(path, "rb") as f:
        client = begin(cora, "-", "--json", stdin=f)
        ada.must("people", "suspend", str(cora.person), "--reason", "away")
        code, out, err = finish(client)
    equal("of a pipe: it ends with", code, AUTH)
    last = json.loads(out.splitlines()[-1])
    said = re.search(r"; then cdop retry, and send the rows from row (\d+) on",
                     json.loads(err.splitlines()[-1])["next"])
    check("it says how to go on", said, err)
    two(ada, bob, "people", "resume", str(cora.person))
    done = cora.cdop("retry", "--json")
    equal("what was sent is sent again", done.code, OK)
    equal("and the rest is the rest",
          last["accepted"] + len([line for line in done.lines()]),
          int(said.group(1)) - 1)


def main():
    registry, cora = scene()
    ada, bob, person = registry.ada, registry.bob, str(cora.person)
    with open(registry.conf, encoding="ascii") as f:
        conf = f.read()

    def again(text):
        registry.kill()
        with open(registry.conf, "w", encoding="ascii") as f:
            f.write(text)
        registry.start()

    def seal():
        again("".join(line for line in conf.splitlines(True)
                      if not line.startswith("key_file")))

    def unseal():
        again(conf)

    cut(cora, "sealed", 1000, seal, unseal, SEALED,
        ["closed", "the same command again"])
    cut(cora, "suspended", 2000,
        lambda: ada.must("people", "suspend", person, "--reason", "away"),
        lambda: two(ada, bob, "people", "resume", person),
        AUTH, ["administrator", "the same command again"])
    cut(cora, "forbidden", 3000,
        lambda: two(ada, bob, "people", "change", person, "--role", "auditor"),
        lambda: two(ada, bob, "people", "change", person, "--role",
                    "coordinator", "--all-areas"),
        FORBIDDEN, ["the same command again"])
    typed(cora, ada, bob)
    end()


main()
