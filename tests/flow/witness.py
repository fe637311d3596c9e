#!/usr/bin/python3
"""The clients as witnesses: a registry that shows another log than before is
found out by each of them; every change comes with a receipt that holds; what
is co-signed or exported can be checked by others (TRUST M10, S10)."""
import json
import os
import shutil
import subprocess

from libflow import (CDOP, CONFLICT, FINDINGS, FORBIDDEN, INTEGRITY, OK, TMP,
                     USAGE, bare_env, check, end, equal, scene)
import libsynthetic


def state(person, *names):
    return os.path.join(person.home, ".local/state/cdop/training", *names)


def read(*names):
    with open(os.path.join(*names), "rb") as f:
        return f.read()


def notify(person, n, *more):
    row = libsynthetic.rows(1, n)[0]
    return person.must(
        "notify", "--json", *more, *libsynthetic.said(row)).json()


def plain(*args):
    """Without an identity, as anybody else has it."""
    done = subprocess.run(
        [CDOP, *args], env=bare_env(TMP),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
        check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


# ---- receipts --------------------------------------------------------------

def receipts(cora):
    folder = state(cora, "receipts")
    before = len(os.listdir(folder)) if os.path.exists(folder) else 0
    path = os.path.join(TMP, "whole")
    case = notify(cora, 950, "--receipt", path)
    names = sorted(os.listdir(folder))
    equal("a change leaves a receipt", len(names), before + 1)
    equal("that nobody else reads",
          os.stat(os.path.join(folder, names[-1])).st_mode & 0o777, 0o600)
    check("of the entry that the answer names", names[-1] ==
          "00001-%015d.tlog-proof" % case["leaf"], (names, case))
    for name, file in ("kept", os.path.join(folder, names[-1])), \
            ("whole", path):
        done = cora.must("audit", "check-receipt", file, "--json").json()
        check("the %s one holds" % name, done["call"] ==
              "NotificationRegister" and done["index"] == case["leaf"] and
              done["salted"] == (name == "whole"), done)
    done = cora.cdop("notify", "--receipt", path)
    check("none is written over", done.code == USAGE and
          "is there already" in done.err, done)
    equal("looking leaves none", (cora.cdop(
        "case", "list").code, len(os.listdir(folder))), (OK, before + 1))
    path = os.path.join(TMP, "looked")
    cora.must("case", "show", case["reference"], "--receipt", path)
    done = cora.must("audit", "check-receipt", path)
    check("unless it is asked for", "looked at it (CaseShow)" in done.out,
          done)
    path = os.path.join(TMP, "dry")
    notify(cora, 951, "--dry-run", "--receipt", path)
    check("what may have been a dry run is not said to be done",
          "registered a notification, or tried it with --dry-run (Notif" in
          cora.must("audit", "check-receipt", path).out)
    path = os.path.join(TMP, "refused")
    cora.must("case", "withdraw", case["reference"], "--reason", "a test")
    done = cora.cdop("case", "reinstate", case["reference"], "--seen", "1",
                     "--reason", "no test", "--receipt", path)
    equal("a refusal has one, too", (done.code, os.path.exists(path)),
          (CONFLICT, True))
    done = cora.must("audit", "check-receipt", path, "--json").json()
    check("which says that it was refused", done["answered"]["code"] != "ok",
          done)
    data = read(path)
    for at in range(0, len(data), 41):
        with open(path, "wb") as f:
            f.write(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        if cora.cdop("audit", "check-receipt", path).code != INTEGRITY and \
                not data.index(b"extra") < at < data.index(b"\nindex"):
            check("no changed receipt holds", False, at)
    return case["reference"]


# ---- two histories of one registry -----------------------------------------

def swap(registry):
    """The other history in the place of this one."""
    registry.stop()
    os.rename(registry.data, registry.data + ".swap")
    os.rename(registry.data + ".other", registry.data)
    os.rename(registry.data + ".swap", registry.data + ".other")
    registry.start()


def fork(registry, cora, dora):
    """A copy that goes its own way.  The host has no anchor: it starts."""
    registry.stop()
    shutil.copytree(registry.data, registry.data + ".other")
    registry.start()
    mine = notify(cora, 951)["reference"]
    swap(registry)
    notify(dora, 952)  # dora saw neither: the copy is her log from here on
    return mine


def stops(cora, why):
    done = cora.cdop("case", "list", "--json")
    said = json.loads(done.err)
    check("%s: it stops" % why, done.code == INTEGRITY and not done.out and
          said["reason"] == "log_forked" and said["ok"] is False, done)
    check("and says where both notes are", state(cora, "log") in
          said["message"], said)


def notes_of(person):
    return sorted(os.listdir(state(person, "log")))


def compare_notes(registry, cora, dora):
    """Each was shown one of two histories; with the other's note each finds
    out, whatever the lengths of the two logs."""
    hers = os.path.join(TMP, "cora.note")
    his = os.path.join(TMP, "dora.note")
    swap(registry)
    dora.must("audit", "witness", his)  # at the copy
    swap(registry)
    cora.must("audit", "witness", hers)  # at her own
    done = cora.must("audit", "compare", hers)
    check("one's own note is of the log", "are the beginning of" in done.out,
          done)
    before = notes_of(cora)
    done = cora.cdop("audit", "compare", his, "--json")
    check("the note of the other history proves it", done.code == INTEGRITY
          and json.loads(done.err)["reason"] == "log_forked", done)
    equal("and both are kept", len(notes_of(cora)), len(before) + 2)
    equal("while her own log goes on", cora.cdop("case", "list").code, OK)
    lines = read(hers).split(b"\n")
    lines[1] = b"%d" % (int(lines[1]) + 1)
    with open(hers + ".bad", "wb") as f:
        f.write(b"\n".join(lines))
    equal("a note that nobody signed proves nothing", json.loads(cora.cdop(
        "audit", "compare", hers + ".bad", "--json").err)["reason"],
          "not_signed")
    swap(registry)
    equal("dora finds out with cora's", dora.cdop(
        "audit", "compare", hers).code, INTEGRITY)
    swap(registry)


def forked(registry, cora, dora):
    mine = fork(registry, cora, dora)
    stops(cora, "a log that is another one")
    for name in ("notify", "whoami", "status"):
        equal("cdop %s stops, too" % name, cora.cdop(
            name, "--no-input").code, INTEGRITY)
    names = notes_of(cora)
    kinds = [name.rpartition(".")[2] for name in names]
    check("each note of the other log is kept beside her own",
          kinds.count("mine") == kinds.count("theirs") > 1, names)
    pair = [read(state(cora, "log", name)) for name in names[:2]]
    check("each is signed by the key of the log", all(
        note.startswith(pair[0].splitlines()[0] + b"\n") and
        note.count("\u2014 ".encode()) == 1 for note in pair), pair)
    done = cora.must("trust", "show")
    check("trust show says how often", "%d times the log was another one" %
          kinds.count("mine") in done.out, done)
    equal("who knows the other history goes on there",
          dora.cdop("case", "list").code, OK)
    swap(registry)
    done = cora.must("case", "list")
    check("back at her own history she goes on", mine in done.out, done)
    stops(dora, "and the other one")
    equal("what was kept stays", notes_of(cora), names)
    done = cora.cdop("doctor")
    check("and cdop doctor does not forget it", done.code == FINDINGS and
          "another one %d times" % kinds.count("mine") in done.out, done)
    swap(registry)
    stops(cora, "again")
    swap(registry)


# ---- checked by others -----------------------------------------------------

def cosigned(audrey):
    note = os.path.join(TMP, "cosigned")
    done = audrey.must("audit", "witness", note, "--json").json()
    text = read(note).decode()
    check("a checkpoint with two signatures", text.count("\n\u2014 ") == 2 and
          done["key"].partition("+")[0] in text, text)
    check("of this registry, of so many entries", text.splitlines()[1] ==
          str(done["size"]) and text.splitlines()[2] == done["root"], text)
    equal("no file is written over",
          audrey.cdop("audit", "witness", note).code, USAGE)
    other = audrey.must("audit", "witness", note + "2", "--json").json()
    check("the key stays the same, the log grows", other["key"] ==
          done["key"] and other["size"] > done["size"], other)
    return note


def exported(audrey, cora, note):
    folder = os.path.join(TMP, "export")
    equal("who is no auditor exports nothing", cora.cdop(
        "audit", "export", folder + "2").code, FORBIDDEN)
    path = os.path.join(TMP, "of-the-export")
    done = audrey.must("audit", "export", folder, "--json", "--receipt",
                       path).json()
    check("a stream has a receipt of its own", "AuditExport" in audrey.must(
        "audit", "check-receipt", path).out)
    equal("what is there is not written over",
          audrey.cdop("audit", "export", folder).code, USAGE)
    args = ("audit", "verify", folder, "--key", done["key"])
    code, out, err = plain(*args, "--json")
    check("anybody can check it", code == OK and
          json.loads(out)["size"] == done["size"] and
          json.loads(out)["root"] == done["root"], (code, out, err))
    kept = state(cora, "receipts")
    with_all = ["--with=" + note]
    with_all += ["--with=" + os.path.join(kept, name)
                 for name in sorted(os.listdir(kept))[:5]]
    code, out, err = plain(*args, *with_all)
    check("with what witnesses and receipts say", code == OK and
          out.count(": its beginning, of ") == len(with_all), (out, err))
    for name in ("theirs", "mine"):
        file = next(state(cora, "log", file) for file in notes_of(cora)
                    if file.endswith(name))
        code, _, err = plain(*args, "--with", file, "--json")
        if name == "mine":
            equal("her own note is of it", code, OK)
        else:
            check("the note of the other history is not", code == INTEGRITY
                  and json.loads(err)["reason"] == "log_forked", err)
    for name, text in (("a text", b"hello\n"), ("nothing", b"")):
        file = os.path.join(TMP, "held")
        with open(file, "wb") as f:
            f.write(text)
        equal("%s is no evidence" % name,
              plain(*args, "--with", file)[0], INTEGRITY)
    equal("nor a file that is not there",
          plain(*args, "--with", folder + "/no")[0], USAGE)
    data = read(folder, "checkpoint")
    with open(os.path.join(folder, "checkpoint"), "wb") as f:
        f.write(data.replace(b"\n" + str(done["size"]).encode(), b"\n1", 1))
    equal("one that was changed does not hold", plain(*args)[0], INTEGRITY)


def main():
    registry, cora = scene()
    dora = registry.invite("Dora Coordinator", "--role", "coordinator",
                           "--all-areas")
    audrey = registry.invite("Audrey Auditor", "--role", "auditor",
                             "--all-areas")
    done = cora.must("trust", "show", "--json").json()
    check("the log's key is pinned", done["pinned_key"] == done["key"] and
          done["forks"] == 0, done)
    receipts(cora)
    forked(registry, cora, dora)
    note = cosigned(audrey)
    exported(audrey, cora, note)
    compare_notes(registry, cora, dora)
    equal("and the registry is sound", registry.stop(), 0)
    equal("as it says itself", registry.verify()[0], 0)
    end()


main()
