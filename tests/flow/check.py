#!/usr/bin/python3
"""cdopd check: each thing that it looks at is in the manual, and is found when
it is not right, while the daemon runs and while it does not."""
import json
import os
import re
import resource
import shutil
import socket
import subprocess

from libflow import (CDOPD, FINDINGS, TMP, TOP, Registry, cdopd, check, end,
                     equal)

METRICS = os.path.join(TMP, "cdopd.prom")


def look(conf, **how):
    """Verdicts by name, the lines, and the exit status."""
    done = subprocess.run([CDOPD, "check", "-f", conf, "--json"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          timeout=60, check=False, **how)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["name"]: line["verdict"] for line in lines}, lines, \
        done.returncode


def manual(names):
    with open(os.path.join(TOP, "packaging/man/cdopd.8"),
              encoding="ascii") as f:
        part = f.read().partition(".Ss check\n")[2].partition(".Ss ")[0]
    equal("the manual has each of them, in their order",
          re.findall(r"^\.It Cm (\w+)$", part, re.M), list(names))


def without(registry, *keys):
    """The configuration but for these lines, and with others."""
    path = os.path.join(TMP, "other.conf")
    with open(registry.conf, encoding="ascii") as f:
        lines = [line for line in f.read().splitlines()
                 if line.split(" =")[0] not in
                 {key.split(" =")[0] for key in keys}]
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(lines + [key for key in keys if "=" in key]) + "\n")
    return path


def says(name, wanted, conf, **how):
    """A line of check, whose words and advice have each of these."""
    line = [line for line in look(conf, **how)[1] if line["name"] == name][0]
    said = "%s: %s; %s" % (line["verdict"], line["words"],
                           line.get("next", ""))
    check("check of %s: %s" % (name, wanted),
          all(word in said for word in wanted), said)


def not_started(conf, status, wanted, never):
    """What a start says that is refused, and not tried again."""
    code, said = cdopd("run", "-f", conf)
    equal("it does not start: " + wanted[0], code, status)
    check("and says why", all(word in said for word in wanted) and
          not any(word in said for word in never), said)


def refused(registry, wanted):
    """What the start says of such a file, and verify and slot list."""
    not_started(registry.conf, 78, wanted, ("cdopd init", "DATA_LOSS"))
    for args, status in ((["verify", registry.data], FINDINGS),
                         (["slot", "list", registry.data], 1)):
        code, said = cdopd(*args)
        equal("%s refuses it, too" % args[0], code, status)
        check("in words, and asks for nothing",
              all(word in said for word in wanted), said)


def boot_key_of_another_length(registry):
    """It is not tried again and again, for want of memory."""
    key = os.path.join(TMP, "short")
    with open(key, "wb") as f:
        f.write(bytes(31))
    os.chmod(key, 0o400)
    not_started(without(registry, "boot_key_file = " + key), 78,
                ("boot_key_file", "exactly 32 random bytes"), ("memory",))


def not_files(registry):
    """A link, a directory, and one that others may read, in each place."""
    away = os.path.join(TMP, "away")
    for name in ("lock.mdb", "reserve", "data.mdb"):
        path = os.path.join(registry.data, name)
        there = os.path.exists(path)
        if there:
            os.rename(path, away)
        os.symlink(away, path)
        wanted = [name + " is a symbolic link",
                  "own file" if name == "data.mdb" else "take it away"]
        says("files", ["problem"] + wanted, registry.conf)
        refused(registry, wanted)
        os.unlink(path)
        os.mkdir(path)
        wanted[0] = name + " is a directory"
        says("files", ["problem"] + wanted, registry.conf)
        refused(registry, wanted)
        os.rmdir(path)
        if there:
            os.rename(away, path)
    data = os.path.join(registry.data, "data.mdb")
    os.chmod(data, 0o644)
    wanted = ["data.mdb is open to others (mode 0644)", "chmod 0600"]
    says("files", ["warning"] + wanted, registry.conf)
    registry.start()
    equal("it starts all the same", registry.stop(), 0)
    with open(registry.log, encoding="ascii") as f:
        said = f.read()
    check("and its log says so", all(word in said for word in wanted), said)
    os.chmod(data, 0o600)
    folder = os.path.join(TMP, "anchor")
    os.mkdir(folder, 0o700)
    anchor = os.path.join(folder, "anchor")
    inside = os.path.join(registry.data, "anchors")
    by_link = os.path.join(TMP, "by-link")
    os.mkdir(inside, 0o700)
    os.symlink(inside, by_link)
    for path in (registry.data, inside, by_link):
        conf = without(registry, "anchor_dir = " + path)
        says("anchor_dir", ["problem", "lies in data_dir",
                            "name a directory on another disk"], conf)
        not_started(conf, 78, ("anchor_dir: it lies in data_dir",),
                    ("rolled_back",))
    os.rmdir(inside)
    conf = without(registry, "anchor_dir = " + inside)
    says("anchor_dir", ["problem", "No such file"], conf)
    os.chmod(folder, 0o750)
    conf = without(registry, "anchor_dir = " + folder)
    says("anchor_dir", ["problem", "open to others (mode 0750)",
                        "chmod 0700"], conf)
    not_started(conf, 78, ("anchor_dir: others can enter it",), ())
    os.chmod(folder, 0o700)
    conf = without(registry, "anchor_dir = " + folder)
    wanted = ["anchor is a directory", "find out who put it there"]
    os.mkdir(anchor)
    says("anchor_dir", ["problem"] + wanted, conf)
    not_started(conf, 65, wanted, ("rolled_back",))
    os.rmdir(anchor)
    os.symlink(away, anchor)
    wanted[0] = "anchor is a symbolic link"
    says("anchor_dir", ["problem"] + wanted, conf)
    not_started(conf, 65, wanted, ("rolled_back",))


def stopped(registry):
    """One thing is wrong at a time."""
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    open_key = os.path.join(TMP, "open.key")
    with open(open_key, "wb") as f:
        f.write(bytes(32))
    os.chmod(open_key, 0o644)
    empty = os.path.join(TMP, "empty")
    os.mkdir(empty, 0o700)
    wanted = [
        ("daemon", "warning", ()),
        ("user", "problem", ("user = nobody-of-that-name",)),
        ("data_dir", "problem", ("data_dir = " + os.path.join(TMP, "no"),)),
        ("registry", "problem", ("data_dir = " + empty,)),
        ("key_file", "problem", ("key_file = " + open_key,)),
        ("key_file", "problem", ("key_file = " + open_key + ".none",)),
        ("key_file", "warning", ()),  # on one disk with the registry
        ("boot_key_file", "problem", ("boot_key_file = " + registry.conf,)),
        ("anchor_dir", "warning", ("anchor_dir",)),
        ("anchor_dir", "problem", ("anchor_dir = " + open_key,)),
        ("run_dir", "problem", ("run_dir = " + open_key,)),
        ("listen", "problem", ("listen = tcp 127.0.0.1:%d" % port,)),
        ("map", "fine", ()),
        ("boot_key_file", "none", ("boot_key_file",)),
        ("metrics_file", "none", ("metrics_file",)),
    ]
    for name, verdict, keys in wanted:
        seen, lines, status = look(without(registry, *keys))
        line = [line for line in lines if line["name"] == name][0]
        equal("%s, %s" % (name, keys), seen[name], verdict)
        check("and what is next", (verdict in ("fine", "none")) !=
              bool(line.get("next")), line)
        equal("its status", status, FINDINGS)
    taken.close()
    for key in "key_file", "boot_key_file":
        says(key, ["problem", "No such file", "put its medium in",
                   "see %s =" % key], without(
                       registry, "%s = %s.none" % (key, open_key)))
    if os.geteuid() == 0:
        line = [line for line in look(without(registry, "user = nobody"))[1]
                if line["name"] == "key_file"][0]
        check("a key that the daemon cannot open is told",
              line["verdict"] == "warning" and "cannot open it" in
              line["words"], line)
    half = os.path.join(registry.data, "copy.mdb")
    with open(half, "wb"):
        pass
    equal("what was left half done", look(registry.conf)[0]["leftovers"],
          "warning")
    os.unlink(half)
    with open(os.path.join(registry.data, "data.mdb"), "r+b") as f:
        whole = f.read(8192)
        f.seek(0)
        f.write(bytes(8192))
    equal("a registry that is none", look(registry.conf)[0]["registry"],
          "problem")
    with open(os.path.join(registry.data, "data.mdb"), "r+b") as f:
        f.write(whole)


def folders(registry):
    """Of somebody else, open, no folder, no room."""
    other = os.path.join(TMP, "of-others")
    os.mkdir(other, 0o755)
    for key, verdict in (("data_dir", "problem"), ("anchor_dir", "problem"),
                         ("run_dir", "fine")):
        conf = without(registry, "%s = %s" % (key, other))
        equal("%s that others read" % key, look(conf)[0][key], verdict)
    os.chmod(other, 0o770)
    says("run_dir", ["problem", "open to others (mode 0770)", "chmod 0755"],
         without(registry, "run_dir = " + other))
    os.chmod(other, 0o700)
    if os.geteuid() == 0:
        os.chown(other, 65534, 65534)
        for key in ("data_dir", "anchor_dir", "run_dir"):
            says(key, ["problem", "belongs to user 65534 and not to 0"],
                 without(registry, "%s = %s" % (key, other)))
        says("user", ["warning", "runs as root", "name it in user ="],
             registry.conf)
    for name in ("cdopd-restore.aB3xY9", "commit-failed"):
        path = os.path.join(registry.data, name)
        with open(path, "wb"):
            pass
        says("leftovers", ["warning", name, "clears them away"],
             registry.conf)
        os.unlink(path)


def room(registry):
    """For a copy of the registry, and in its map."""
    data = os.path.join(registry.data, "data.mdb")
    size = os.stat(data).st_size
    free = shutil.disk_usage(registry.data).free
    says("disk", ["fine"], registry.conf)
    os.truncate(data, (512 << 20) + 4096)
    says("map", ["warning", "512 of 1024 MiB", "raise map_size_gib"],
         registry.conf)
    if free < 1 << 42:
        # Twice: others may give some back meanwhile.
        os.truncate(data, 2 * free)
        says("disk", ["warning", "MiB are free", "make room"],
             registry.conf)
    os.truncate(data, size)


def limits(registry):
    """Of memory that may be locked; whose swap it is, and which walls there
    are, is the machine's."""
    def few():
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (64 << 10, 64 << 10))
    says("locked_memory", ["warning", "64 KiB here", "LimitMEMLOCK="],
         registry.conf, preexec_fn=few)
    seen = look(registry.conf)[0]
    with open("/proc/swaps", encoding="ascii") as f:
        on_disk = re.search("^/(?!dev/zram)", f.read(), re.M)
    equal("swap", seen["swap"], "warning" if on_disk else "fine")


def metrics(registry):
    """What is counted, while it runs."""
    says("metrics_file", ["warning", "No such file", "daemon may write in"],
         without(registry, "metrics_file = " + METRICS + ".none"))
    old = METRICS + ".old"
    with open(old, "w", encoding="ascii"):
        pass
    says("metrics_file", ["fine"],
         without(registry, "metrics_file = " + old))
    os.utime(old, (1, 1))
    says("metrics_file", ["warning", "s old", "daemon may write in"],
         without(registry, "metrics_file = " + old))


def main():
    registry = Registry(conf=["metrics_file = " + METRICS])
    registry.init()
    before = sorted(os.listdir(registry.data))
    seen, lines, _ = look(registry.conf)
    manual(seen)
    stopped(registry)
    says("data_dir", ["a?[2J"], without(
        registry, "data_dir = %s/a\x1b[2J" % TMP))
    equal("nothing was changed", sorted(os.listdir(registry.data)), before)
    folders(registry)
    room(registry)
    limits(registry)
    not_files(registry)
    boot_key_of_another_length(registry)
    registry.start()
    seen, lines, _ = look(registry.conf)
    equal("it runs", [seen[name] for name in (
        "daemon", "data_dir", "registry", "leftovers", "map", "listen",
        "run_dir")], ["fine"] * 7)
    metrics(registry)
    _, text = cdopd("check", "-f", registry.conf)
    check("the same in words", all(
        re.search("^%s +%s " % (line["verdict"], line["name"]), text, re.M)
        for line in lines if line["verdict"] != "none"), text)
    equal("with a bad file it says where", cdopd(
        "check", "-f", METRICS + ".none")[0], 78)
    end()


main()
