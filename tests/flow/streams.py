#!/usr/bin/python3
"""Standard input, output and error closed before the start, as a careless
script does it: no file and no connection gets their numbers, so nothing that
is said goes into one."""
import os
import subprocess

from libflow import (CDOP, CDOPD, OK, Registry, check, end, equal, scene,
                     wait_for)
from libwire import Wire
import libsynthetic

CLOSED = ("<&-", ">&-", "2>&-", ">&- 2>&-", "<&- 2>&-", "<&- >&- 2>&-")


def closed(how, *argv):
    return ["/bin/sh", "-c", 'exec "$@" ' + how, "sh", *argv]


def register(cora):
    row = libsynthetic.rows(1, 77)[0]
    done = cora.must("notify", "--json", "--no-input", *[
        "--set=%s=%s" % (path, value) for path, value in row.items()
        if path[0] != "_" and value and "." in path])
    return done.json()["reference"]


def clients(registry, cora):
    """What a case says goes to nobody where nobody can be told."""
    reference = register(cora)
    wire = Wire(registry.socket)
    for how in CLOSED:
        wire.said.clear()
        done = subprocess.run(
            closed(how, CDOP, "case", "show", reference), env=cora.env(),
            capture_output=True, timeout=60, check=False)
        check("with %s the case is asked for" % how, wire.said)
        check("with %s nothing goes out in the clear" % how,
              reference.encode() not in wire.said and
              b"TRAINING" not in wire.said, bytes(wire.said[-400:]))
        equal("with %s it is done where it can be shown" % how,
              done.returncode == OK, ">&-" not in how.replace("2>&-", ""))
    wire.close()


def own(pid):
    """What descriptors 0 to 2 of a process are."""
    return [os.readlink("/proc/%d/fd/%d" % (pid, fd)) for fd in range(3)]


def daemon():
    """No process of the daemon has a socket or a file there."""
    registry = Registry("closed")
    registry.init()
    registry.process = subprocess.Popen(
        closed("<&- >&- 2>&-", CDOPD, "run", "-f", registry.conf),
        stdout=subprocess.PIPE)
    check("the daemon starts without them",
          wait_for(lambda: os.path.exists(registry.socket)))
    pids = [registry.process.pid, registry.pid_of("gate"),
            registry.pid_of("vault")]
    equal("in none of its processes they are anything else",
          [own(pid) for pid in pids], [["/dev/null"] * 3] * 3)
    equal("and it ends in order", registry.stop(), 0)


def main():
    clients(*scene())
    daemon()
    end()


main()
