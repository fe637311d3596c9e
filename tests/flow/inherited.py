#!/usr/bin/python3
"""What a careless parent leaves behind.  Standard input, output and error
closed before the start: no file and no connection gets their numbers, so
nothing that is said goes into one.  Signals blocked or ignored: ends are
heard of all the same, and only what nohup ignores stays so."""
import os
import resource
import signal
import subprocess

from libflow import (CDOP, CDOPD, OK, STOPPED, Registry, alive, check, end,
                     equal, scene, wait_for)
from libwire import Wire
import libsynthetic

CLOSED = ("<&-", ">&-", "2>&-", ">&- 2>&-", "<&- 2>&-", "<&- >&- 2>&-")


def closed(how, *argv):
    return ["/bin/sh", "-c", 'exec "$@" ' + how, "sh", *argv]


def register(cora):
    row = libsynthetic.rows(1, 77)[0]
    done = cora.must("notify", "--json", "--no-input",
                     *libsynthetic.said(row))
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


def is_up(registry):
    return wait_for(lambda: registry.pid_of("gate") and
                    registry.pid_of("vault"))


def daemon():
    """No process of the daemon has a socket or a file there."""
    registry = Registry("closed")
    registry.init()
    registry.process = subprocess.Popen(
        closed("<&- >&- 2>&-", CDOPD, "run", "-f", registry.conf),
        stdout=subprocess.PIPE)
    check("the daemon starts without them", is_up(registry))
    pids = [registry.process.pid, registry.pid_of("gate"),
            registry.pid_of("vault")]
    equal("in none of its processes they are anything else",
          [own(pid) for pid in pids], [["/dev/null"] * 3] * 3)
    equal("and it ends in order", registry.stop(), 0)


def streams():
    """What the daemon is given is its parent's, and no child's but to log."""
    registry = Registry("streams")
    registry.init()
    registry.process = subprocess.Popen(
        [CDOPD, "run", "-f", registry.conf], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check("the daemon starts", is_up(registry))
    mine = own(registry.process.pid)
    for role in ("gate", "vault"):
        equal("the %s has its standard error alone" % role,
              own(registry.pid_of(role)), ["/dev/null"] * 2 + mine[2:])
    equal("it ends", registry.stop(), 0)


def sizes():
    """A bound on the size of files is raised, or the start says so."""
    registry = Registry("sizes")
    registry.init()
    few = 1 << 20
    for name, most in (("soft", resource.RLIM_INFINITY), ("hard", few)):
        with open(registry.log, "wb") as log:
            registry.process = subprocess.Popen(
                [CDOPD, "run", "-f", registry.conf], stderr=log,
                stdout=subprocess.PIPE, preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_FSIZE, (few, most)))
            ready = registry.process.stdout.readline()
        if name == "hard":
            with open(registry.log, encoding="ascii") as log:
                words = log.read()
            check("a hard one is refused, and who can raise it is told",
                  not ready and "LimitFSIZE" in words, words)
            equal("and no daemon is left", registry.process.wait(10) != 0,
                  True)
            continue
        with open("/proc/%d/limits" % registry.pid_of("vault"),
                  encoding="ascii") as limits:
            line = [line for line in limits if "file size" in line][0]
        equal("a soft one is raised", line.split()[3:5], ["unlimited"] * 2)
        equal("and it ends", registry.stop(), 0)


def deaf():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def signals():
    """Every signal blocked, and no end of a child heard of."""
    registry = Registry("deaf")
    registry.init()
    done = subprocess.run(
        [CDOPD, "verify", registry.data, "--key-file", registry.key],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
        check=False, preexec_fn=deaf)
    check("a check hears how its other process ended", done.returncode == 0,
          done.stdout)
    registry.process = subprocess.Popen(
        [CDOPD, "run", "-f", registry.conf], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, preexec_fn=deaf)
    check("the daemon starts", is_up(registry))
    old = registry.kill_role("vault")
    check("a vault that died is noticed",
          registry.pid_of("vault") not in (0, old))
    equal("and the daemon ends when it is told", registry.stop(), 0)


def hang_up(registry, cora):
    """The terminal goes while an answer is waited for."""
    for ignored in (True, False):
        wire = Wire(registry.socket, hold="answers")
        client = cora.popen("status", preexec_fn=lambda: signal.signal(
            signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL))
        wait_for(lambda: wire.counts and wire.answered() > 0)
        client.send_signal(signal.SIGHUP)
        if ignored:
            check("what nohup started goes on",
                  not wait_for(lambda: not alive(client.pid), 1))
            client.terminate()
        equal("it stops %s" % ("when it is told" if ignored else
                               "with its terminal"),
              client.wait(30), STOPPED)
        client.communicate()
        wire.close()


def main():
    registry, cora = scene()
    clients(registry, cora)
    hang_up(registry, cora)
    daemon()
    streams()
    sizes()
    signals()
    end()


main()
