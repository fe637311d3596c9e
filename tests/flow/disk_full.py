#!/usr/bin/python3
"""The disk fills up: case work is refused, refusals are logged, status and the
log answer, and nothing that was acknowledged is lost (TRUST M16).

On a small file system of its own, where one can be mounted; and on a map that
is nearly all kept, which is the same for whoever asks."""
import csv
import os
import subprocess

from libflow import (OK, TMP, UNREACHABLE, Registry, check, end, equal,
                     wait_for)
import libsynthetic

rows = iter(libsynthetic.rows(3000))


def people(registry):
    registry.init()
    registry.start()
    registry.people()
    return (registry.invite("Cora Coordinator", "--role", "coordinator",
                            "--all-areas"),
            registry.invite("Ann Auditor", "--role", "auditor"))


def some(path, n, lines):
    """A file of so many children with a narrative of so many lines each."""
    made = [{key: value for key, value in next(rows).items() if "." in key}
            for _ in range(n)]
    for row in made:
        row["circumstances.narrative"] = "A line of it. " * lines
    with open(path, "w", newline="", encoding="utf-8") as f:
        out = csv.DictWriter(f, list(made[0]))
        out.writeheader()
        out.writerows(made)
    return made


def fill(cora, name):
    """Registers until even a short one is refused; what was acknowledged."""
    path, told = os.path.join(TMP, name[:-2] + ".csv"), []
    for lines in 2000, 200, 1:
        full = False
        for _ in range(30):
            made = some(path, 40, lines)
            done = cora.cdop("notify", "--from", path, "--json")
            good = {o["row"] for o in done.lines() if o.get("reference")}
            told += [row["child.nhs_number"] for n, row in enumerate(made, 1)
                     if n in good]
            full = "disk_full" in done.out + done.err
            if full:
                break
        check("%sfull for notifications of %d lines" % (name, lines), full,
              done)
    return told


def while_full(registry, cora, ann, name):
    row = next(rows)
    notify = ["notify", "--json", *libsynthetic.said(row)]
    done = cora.cdop(*notify)
    check(name + "a notification is refused, with its own reason",
          done.code == UNREACHABLE and '"disk_full"' in done.out + done.err,
          done)
    done = cora.cdop("case", "list", "--json")
    check(name + "so is a look at cases", done.code == UNREACHABLE and
          '"disk_full"' in done.out + done.err, done)
    status = cora.must("status").out
    check(name + "status answers, and says so", "DISK FULL" in status, status)
    log = ann.must("audit", "list", "--json").lines()
    refused = [e for e in log if e.get("reason") == "disk_full"]
    check(name + "each refusal is in the log", len(refused) >= 2 and
          {"NotificationRegister", "CaseList"} <= {
              e["call"] for e in refused}, refused[:4])
    registry.kill_role("vault")
    check(name + "a vault that dies comes back on a full disk",
          wait_for(lambda: cora.cdop("status").code == OK, 15))
    done = registry.ada.cdop("people", "suspend", str(ann.person), "--reason",
                             "synthetic")
    equal(name + "a person is suspended", done.code, OK)
    with open(registry.log, encoding="utf-8") as f:
        said = f.read()
    check(name + "the log of the daemon says what to do",
          "disk.full reserve=used" in said and "make room" in said)


def afterwards(registry, cora, told, name):
    check(name + "there is something to lose", len(told) > 5, len(told))
    lost = [number for number in told[::-1][::len(told) // 30 + 1]
            if len(cora.find_number(number)) != 1]
    equal(name + "what was acknowledged is there, once", lost, [])
    status = registry.ada.must("status", "--json").json()
    check(name + "with a leaf for each", status["leaves"] > len(told), status)
    equal(name + "an orderly stop", registry.stop(), 0)
    code, said = registry.verify()
    check(name + "verify says fine", code == 0, said)


def mount(folder):
    """A small file system there; false where that is not for us."""
    os.makedirs(folder, mode=0o700)
    return subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "cdop", folder],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        check=False).returncode == 0


def on_a_disk():
    registry = Registry("small", conf=["reserve_mib = 3"])
    if not mount(registry.data):
        print("skip a disk that fills up: no tmpfs can be mounted here")
        return
    name = "disk: "
    try:
        cora, ann = people(registry)
        reserve = os.path.join(registry.data, "reserve")
        check(name + "the reserve is filled in the first seconds", wait_for(
            lambda: os.path.getsize(reserve) == 3 << 20, 15))
        told = fill(cora, name)
        while_full(registry, cora, ann, name)
        check(name + "the reserve is in use",
              os.path.getsize(reserve) < 3 << 20)
        subprocess.run(["mount", "-o", "remount,size=32m", registry.data],
                       check=True)
        done = cora.cdop("retry")
        check(name + "with room again what was kept goes out",
              done.code == OK and "Registered T-" in done.out, done)
        check(name + "and status has nothing to say", "DISK" not in
              cora.must("status").out)
        check(name + "the reserve is filled again", wait_for(
            lambda: os.path.getsize(reserve) == 3 << 20, 15))
        afterwards(registry, cora, told, name)
    finally:
        registry.kill()
        subprocess.run(["umount", registry.data], check=False)


def on_a_map():
    """1016 of 1024 MiB are kept: seven are there to be filled."""
    registry = Registry("map", conf=["reserve_mib = 1016"])
    cora, ann = people(registry)
    name = "map: "
    told = fill(cora, name)
    while_full(registry, cora, ann, name)
    registry.stop()
    with open(registry.conf, encoding="ascii") as f:
        text = f.read().replace("reserve_mib = 1016", "reserve_mib = 1")
    with open(registry.conf, "w", encoding="ascii") as f:
        f.write(text)
    registry.start()
    done = cora.cdop("retry")
    check(name + "with room again what was kept goes out",
          done.code == OK and "Registered T-" in done.out, done)
    equal(name + "what is kept is made smaller too", os.path.getsize(
        os.path.join(registry.data, "reserve")), 1 << 20)
    afterwards(registry, cora, told, name)


def main():
    on_a_disk()
    on_a_map()
    end()


main()
