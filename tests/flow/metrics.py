#!/usr/bin/python3
"""What the daemon counts about itself: text that a Prometheus reads, every
name of it in the manual, and nothing that tells of whom."""
import os
import re
import signal
import time

from libflow import TMP, TOP, check, end, equal, scene, wait_for
import libsynthetic

FILE = os.path.join(TMP, "cdopd.prom")
HELP = re.compile(r"# HELP ([a-z_]+) \S.*")
TYPE = re.compile(r"# TYPE ([a-z_]+) (counter|gauge|histogram)")
VALUE = re.compile(r'([a-z_]+)(?:\{le="([0-9.]+|\+Inf)"\})? ([0-9]+(?:\.[0-9]+)?)')
ENDS = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",),
        "gauge": ("",)}


def parse(text):
    """Values by name and bound; the types.  Whatever is no such text fails."""
    values, types, helped = {}, {}, set()
    for line in text.splitlines():
        if HELP.fullmatch(line):
            name = HELP.fullmatch(line)[1]
            assert name not in helped, line
            helped.add(name)
        elif TYPE.fullmatch(line):
            name, kind = TYPE.fullmatch(line).groups()
            assert name in helped and name not in types, line
            assert (kind == "counter") == name.endswith("_total"), line
            types[name] = kind
        else:
            match = VALUE.fullmatch(line)
            assert match, line
            name, bound, value = match.groups()
            assert any(name == base + at for base, kind in types.items()
                       for at in ENDS[kind]), line
            assert (name, bound) not in values, line
            values[name, bound] = float(value)
    assert text.endswith("\n") and helped == set(types)
    return values, types


def read(registry):
    """Asked for; the gauges are a second old at most."""
    before = os.stat(FILE).st_ino if os.path.exists(FILE) else 0
    registry.process.send_signal(signal.SIGHUP)
    wait_for(lambda: os.path.exists(FILE) and os.stat(FILE).st_ino != before)
    with open(FILE, encoding="ascii") as f:
        return f.read()


def until(registry, name, wanted):
    """It becomes what is wanted, or goes beyond that."""
    return wait_for(lambda: parse(read(registry))[0][name, None] >= wanted)


def others(registry):
    """What others put in its way, in a directory that they write in too."""
    precious = os.path.join(TMP, "precious")
    with open(precious, "w", encoding="ascii") as f:
        f.write("precious")
    for put in (lambda: os.mkfifo(FILE + ".new"),
                lambda: os.link(precious, FILE + ".new"),
                lambda: os.symlink(precious, FILE + ".new")):
        put()
        check("it goes on", parse(read(registry)))
        with open(precious, encoding="ascii") as f:
            equal("and what others have stays", f.read(), "precious")
    before = os.path.getsize(registry.log)
    os.unlink(FILE)
    os.symlink(precious, FILE)
    registry.process.send_signal(signal.SIGHUP)
    check("a name that is no file is said", wait_for(
        lambda: "metrics.failed" in open(
            registry.log, encoding="utf-8").read()[before:]))
    os.unlink(FILE)
    os.rename(precious, FILE)
    registry.process.send_signal(signal.SIGHUP)
    wait_for(lambda: open(registry.log, encoding="utf-8").read()[
        before:].count("reload.done") == 2)
    with open(FILE, encoding="ascii") as f:
        equal("and a file of something else is left", f.read(), "precious")
    os.unlink(FILE)
    check("when it is gone it goes on", parse(read(registry)))


def histograms(values, types):
    for name, kind in types.items():
        if kind != "histogram":
            continue
        counts = [value for (base, bound), value in values.items()
                  if base == name + "_bucket"]
        check(name + " adds up", counts == sorted(counts) and counts[-1] ==
              values[name + "_count", None] > 0, counts)


def status(registry, cora, before):
    """An administrator is told the same over the link, and nobody else."""
    done = registry.ada.must("status", "--json").json()["figures"]
    check("status has what the file has", all(
        int(done[field]) >= before[name, None] > 0 for field, name in (
            ("calls", "cdopd_calls_total"),
            ("batches", "cdopd_batches_total"))), (done, before))
    check("how long calls and commits took", all(
        0 < int(done[field]) / 1e6 < 3600 and
        abs(int(done[field]) / 1e6 - before[name, None]) < 60
        for field, name in (("call_us", "cdopd_call_seconds_sum"),
                            ("commit_us", "cdopd_commit_seconds_sum"))), done)
    check("no key turns", "rotation_keys" not in done, done)
    said = registry.ada.must("status").out
    check("in words, too", re.search(
        r"^calls: [0-9]+, [0-9.]+ ms each   commits: [0-9]+, [0-9.]+ ms each"
        r"   sessions: [0-9]", said, re.M), said)
    check("others are not told", "figures" not in
          cora.must("status", "--json").json())


def main():
    os.umask(0o077)  # as the packaged unit has it
    registry, cora = scene(conf=["metrics_file = " + FILE])
    rows = libsynthetic.rows(3)
    path = os.path.join(TMP, "rows.csv")
    libsynthetic.save(path, rows)
    first = parse(read(registry))[0]
    cora.must("notify", "--from", path)
    check("it is open", until(registry, "cdopd_open", 1))
    text = read(registry)
    values, types = parse(text)
    check("calls are counted",
          values["cdopd_calls_total", None] >=
          first["cdopd_calls_total", None] + 3, values)
    check("and commits", 0 < values["cdopd_batches_total", None], values)
    leaves = int(registry.ada.must("status", "--json").json()["leaves"])
    check("the log is as long as status says",
          until(registry, "cdopd_log_leaves", leaves), leaves)
    status(registry, cora, values)
    histograms(values, types)
    said = [word for row in rows for path, word in row.items()
            if word and len(word) > 3 and not word.isdigit()]
    said += ["Cora", "Ada", "wirral", "Wirral", registry.dir]
    equal("nothing tells of whom", [w for w in said if w in text], [])
    with open(os.path.join(TOP, "packaging/man/cdopd.8"),
              encoding="ascii") as f:
        page = re.findall(r"^\.It Cm (cdopd_\w+)$", f.read(), re.M)
    equal("the manual has each of them", page, list(types))
    calls = values["cdopd_calls_total", None]
    registry.kill_role("vault")
    check("the vault was started twice",
          until(registry, "cdopd_vault_starts_total", 2))
    check("and what was counted stays counted",
          parse(read(registry))[0]["cdopd_calls_total", None] >= calls)
    equal("it can be read by a collector", os.stat(FILE).st_mode & 0o777,
          0o644)
    others(registry)
    registry.stop()
    with open(FILE, encoding="ascii") as f:
        values = parse(f.read())[0]
    equal("one that was stopped is not open", values["cdopd_open", None], 0)
    check("and says when that was", abs(
        values["cdopd_written_timestamp_seconds", None] - time.time()) < 60)
    equal("nothing else lies there", [
        name for name in os.listdir(TMP) if name.startswith("cdopd.prom")],
          ["cdopd.prom"])
    end()


main()
