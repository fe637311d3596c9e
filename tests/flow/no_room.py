#!/usr/bin/python3
"""A disk, or the descriptors of a process, that are used up before the
registry is opened: what is made without the daemon says so, leaves nothing
half made, calls nothing damaged that it could not look at, and does it when
there is room."""
import os
import re
import resource
import shutil
import subprocess

from libflow import (PROFILE, TMP, Registry, cdopd, check, end, equal, scene,
                     wait_for)
from libslots import add_shares, shares

DISK = os.path.join(TMP, "disk")
HERE = os.path.join(DISK, "here")
WORDS = "make room, and say it again"


def descriptors(n):
    """So many and no more."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))


# ---- the small disk --------------------------------------------------------

def mount():
    os.makedirs(DISK, mode=0o700)
    if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "cdop", DISK],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            check=False).returncode != 0:
        return False
    os.mkdir(HERE, mode=0o700)
    # None of its pages would be no bound at all.
    with open(os.path.join(DISK, "used"), "wb") as f:
        f.write(bytes(4096))
    return True


def room(kib):
    """So much is left of it; None: as much as ever."""
    size = "64m"
    if kib is not None:
        stat = os.statvfs(DISK)
        used = (stat.f_blocks - stat.f_bfree) * stat.f_bsize // 1024
        size = "%dk" % (used + kib)
    subprocess.run(["mount", "-o", "remount,size=" + size, DISK], check=True)


def on_disk(name):
    return os.path.join(HERE, name)


# ---- init ------------------------------------------------------------------

def init(data, out):
    pass_file = os.path.join(TMP, "passphrase")
    with open(pass_file, "w", encoding="ascii") as f:
        f.write("four plain words here\n")
    return cdopd(
        "init", data, "--mode", "training", "--profile", PROFILE, "--slot",
        "keyfile:" + os.path.join(TMP, "key"), "--slot", "passphrase",
        "--passphrase-file", pass_file, "--degraded", "--kdf-memory", "8",
        "--kdf-passes", "1", "--admin", "Ada Admin", "--admin", "Bob Admin",
        "--address", "unix:/nowhere/link.sock", "--out", out, "--confirm",
        "I understand")


def made():
    """LMDB maps its lock file: a signal and no word, where no page is left."""
    data = on_disk("made")
    out = os.path.join(TMP, "made")
    for kib in 0, 4, 1024:
        room(kib)
        code, said = init(data, out)
        check("init with %d KiB says so" % kib, code == 1 and WORDS in said,
              (code, said))
        check("and leaves nothing", not os.listdir(HERE) and not
              os.path.exists(out) and not
              os.path.exists(os.path.join(TMP, "key")), os.listdir(TMP))
        room(None)
    equal("with room it is made", init(data, out)[0], 0)
    shutil.rmtree(data)


def not_handed_out():
    """The registry is there and what it is entered with is not."""
    data = os.path.join(TMP, "elsewhere")
    out = on_disk("out")
    os.mkdir(out)
    room(0)
    code, said = init(data, out)
    check("invitations that cannot be written are said", code == 1 and
          "No space left" in said and "remove " + data + " and begin again" in
          said, (code, said))
    equal("and none lies there, half or whole", os.listdir(out), [])
    room(None)
    shutil.rmtree(data)
    equal("it is begun again", init(data, out)[0], 0)
    shutil.rmtree(out)


# ---- a registry that there is ----------------------------------------------

def recovered(registry):
    out = on_disk("recovered")
    os.mkdir(out)
    args = ["recover-people", registry.data, "--by", "Dora Director", "--by",
            "Theo Trustee", "--reason", "both are away", "--address",
            "unix:" + registry.socket, "--key-file", registry.key, "--admin",
            "Eve New", "--admin", "Fay New", "--out", out]
    room(4)
    code, said = cdopd(*args)
    check("an invitation that is not written is named", code == 1 and
          "no invitation was written for Fay New" in said and
          "do it again for that one" in said, (code, said))
    equal("and is not there by half", os.listdir(out),
          ["recovery-invitation-1.txt"])
    room(None)
    more = os.path.join(TMP, "more")
    os.mkdir(more)
    for name in "--admin", "Eve New", "--out", out:
        args.remove(name)
    code, said = cdopd(*args, "--out", more)
    check("it is done again for that one", code == 0 and
          os.listdir(more) == ["recovery-invitation-1.txt"], (code, said))
    equal("every row opens", registry.verify()[0], 0)


def looked_at(path, shared):
    """A backup that nobody could unpack is not a bad one."""
    there = dict(os.environ, TMPDIR=HERE)
    for kib in 0, 4, 1024:
        room(kib)
        code, said = cdopd("verify", path, *shared, env=there)
        check("verify with %d KiB to unpack it has found nothing" % kib,
              code == 1 and WORDS in said and "damaged" not in said,
              (code, said))
        equal("and leaves nothing", os.listdir(HERE), [])
        room(None)
    for many in range(5, 12):
        code, said = cdopd("verify", path, *shared, env=there,
                           preexec_fn=descriptors(many))
        check("nor with %d descriptors" % many, code in (0, 1) and
              "damaged" not in said and "DATA_LOSS" not in said, (code, said))
    equal("it is fine", cdopd("verify", path, *shared, env=there)[0], 0)


def restored(path, shared):
    to = on_disk("restored")
    args = ["restore", path, to, "--by", "Olga", "--reason", "it broke",
            *shared]
    for kib in 0, 4, 1024:
        room(kib)
        code, said = cdopd(*args)
        check("restore with %d KiB says so" % kib, code == 1 and
              WORDS in said, (code, said))
        check("and leaves no half of one",
              os.listdir(HERE) in ([], ["restored"]) and
              (not os.path.exists(to) or not os.listdir(to)),
              os.listdir(HERE))
        room(None)
    wanted = re.search(r"twice the size of the backup and (\d+) MiB", said)
    check("and how much it wants", wanted, said)
    room(2 * os.path.getsize(path) // 1024 + 1024 * int(wanted.group(1)))
    equal("with so much room it is restored", cdopd(*args)[0], 0)
    room(None)
    shutil.rmtree(to)


def started(registry):
    """The lock file was lost, and there is no page for another."""
    moved = on_disk("data")
    shutil.copytree(registry.data, moved)
    os.unlink(os.path.join(moved, "lock.mdb"))
    with open(registry.conf, encoding="ascii") as f:
        conf = f.read().replace(registry.data + "\n", moved + "\n")
    with open(registry.conf, "w", encoding="ascii") as f:
        f.write(conf)
    room(0)
    registry.start(wait=False)
    wait_for(lambda: registry.process.poll() is not None, 60)
    with open(registry.log, encoding="utf-8") as f:
        said = f.read()
    check("a start says what is missing", registry.process.poll() == 70 and
          "look for memory and room" in said and "signal=7" not in said, said)
    room(None)
    registry.start()
    equal("and with room it serves", registry.stop(), 0)
    code, said = cdopd("run", "-f", registry.conf, preexec_fn=descriptors(32))
    check("too few descriptors are said before anything is started",
          code == 78 and "raise RLIMIT_NOFILE" in said and
          "child.started" not in said, (code, said))


def anchored(registry):
    """The log says that check looks at it."""
    folder = on_disk("anchor")
    os.mkdir(folder, 0o700)
    with open(registry.conf, "a", encoding="ascii") as f:
        f.write("anchor_dir = " + folder + "\n")
    for kib, full in (0, True), (4, False):
        room(kib)
        said = cdopd("check", "-f", registry.conf)[1].splitlines()
        line = next(n for n, text in enumerate(said) if " anchor_dir " in text)
        check("check sees an anchor without room (%d KiB)" % kib,
              ("its disk is full" in said[line]) == full and
              (not full or "make room" in said[line + 1]), said)
        room(None)


def read_only(registry):
    """As the kernel mounts it when its disk fails."""
    moved = on_disk("still")
    shutil.copytree(registry.data, moved)
    with open(registry.conf, encoding="ascii") as f:
        conf = f.read().replace(on_disk("data") + "\n", moved + "\n").replace(
            "anchor_dir = " + on_disk("anchor") + "\n", "")
    path = os.path.join(TMP, "still.conf")
    with open(path, "w", encoding="ascii") as f:
        f.write(conf)
    words = "mounted read-only"
    subprocess.run(["mount", "-o", "remount,ro", DISK], check=True)
    code, said = cdopd("slot", "list", moved, "--key-file", registry.key)
    check("a registry that cannot be written is one", code == 1 and
          words in said and "remount,rw" in said, (code, said))
    code, said = cdopd("run", "-f", path)
    check("a start says so", code == 78 and words in said and
          "remount,rw" in said, (code, said))
    code, said = cdopd("check", "-f", path)
    check("and check", words in said, said)
    equal("verify reads it all the same", cdopd(
        "verify", moved, "--key-file", registry.key)[0], 0)
    subprocess.run(["mount", "-o", "remount,rw", DISK], check=True)
    equal("and then it opens", cdopd(
        "slot", "list", moved, "--key-file", registry.key)[0], 0)


def unsealed():
    """What derives the key of a passphrase has less memory than it takes."""
    registry = Registry("sealed", key_file=False)
    registry.init()
    path = os.path.join(TMP, "other")
    with open(path, "w", encoding="ascii") as f:
        f.write("four quite other words\n")
    code, said = cdopd("slot", "add", registry.data, "--by", "Ada",
                       "--new-passphrase", "--new-passphrase-file", path,
                       "--kdf-memory", "256", "--kdf-passes", "1",
                       "--key-file", registry.key)
    equal("a slot of 256 MiB is made", code, 0) or print("# " + said)
    registry.start()
    resource.prlimit(registry.process.pid, resource.RLIMIT_DATA,
                     (128 << 20, resource.RLIM_INFINITY))
    args = ["unseal", "-f", registry.conf, "--passphrase-file", path]
    code, said = cdopd(*args)
    check("unseal says how much memory it takes", code == 1 and
          "this passphrase takes 256 MiB" in said, (code, said))
    resource.prlimit(registry.process.pid, resource.RLIMIT_DATA,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    code, said = cdopd(*args)
    check("and with it it opens", code == 0 and "opened" in said, said)
    equal("it stops in order", registry.stop(), 0)


def main():
    unsealed()
    if not mount():
        print("skip a disk without room: no tmpfs can be mounted here")
        end()
    try:
        made()
        not_handed_out()
        registry, _ = scene()
        registry.stop()
        add_shares(registry)
        registry.start()
        path = os.path.join(TMP, "one.cdop")
        registry.ada.must("backup", "create", path)
        registry.stop()
        shared = shares(registry, 1, 2, 3)
        looked_at(path, shared)
        restored(path, shared)
        recovered(registry)
        started(registry)
        anchored(registry)
        read_only(registry)
        registry.kill()
    finally:
        subprocess.run(["umount", DISK], check=False)
    end()


main()
