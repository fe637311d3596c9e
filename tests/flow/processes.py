#!/usr/bin/python3
"""Parent, gate and vault: deaths, a sealed start, walls, an orderly stop."""
import os
import signal
import socket
import time

from libflow import (OK, PASSPHRASE, SEALED, Registry, alive, cdopd, check,
                     children, end, equal, wait_for)


def status_of(pid, key):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        for line in f:
            if line.startswith(key + ":"):
                return line.split(":")[1].strip()
    return ""


def walls(registry):
    for role in "gate", "vault":
        pid = registry.pid_of(role)
        equal("the %s has its filter on" % role,
              status_of(pid, "Seccomp"), "2")
        equal("the %s gets no rights" % role,
              status_of(pid, "NoNewPrivs"), "1")
        with open("/proc/%d/limits" % pid, encoding="ascii") as f:
            core = [x for x in f if x.startswith("Max core file")][0]
        equal("the %s leaves no core" % role, core.split()[4:6], ["0", "0"])
    fds = os.listdir("/proc/%d/fd" % registry.pid_of("gate"))
    links = [os.readlink("/proc/%d/fd/%s" % (registry.pid_of("gate"), fd))
             for fd in fds]
    check("the gate holds no file of the registry",
          not any(registry.data in x or registry.key in x for x in links),
          links)


def deaths(registry):
    ada = registry.ada
    for role in "gate", "vault":
        registry.kill_role(role)
        check("a killed %s comes back" % role,
              wait_for(lambda: ada.cdop("status").code == OK, 15))
    old = registry.process.pid
    left = list(children(old).values())
    os.kill(old, signal.SIGKILL)
    registry.process.wait()
    check("nobody outlives the parent",
          wait_for(lambda: not any(alive(p) for p in left), 5))
    half = os.path.join(registry.data, "copy.mdb")
    with open(half, "wb") as f:
        f.write(b"half a copy")
    registry.start()
    check("a killed parent is started again over what it left",
          "state=open" in registry.ready, registry.ready)
    equal("and serves", ada.cdop("status").code, OK)
    check("a copy that was not finished is gone", not os.path.exists(half))
    with open(registry.log, encoding="utf-8") as f:
        equal("and the log says so once", f.read().count("copy.left_over"), 1)


def stranger(registry):
    """Bytes that are no handshake end in a close, and nothing else."""
    for junk in b"GET / HTTP/1.0\r\n\r\n", b"CDOP\x01\x01\0\0\0\0", \
            b"CDOP\x01\x01\0\0\0\x51" + bytes(81):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(registry.socket)
            s.sendall(junk)
            try:
                said = s.recv(10)
            except ConnectionResetError:
                said = b""
            equal("%r is answered by a close" % junk[:12], said, b"")


def stop(registry):
    pids = list(children(registry.process.pid).values())
    begun = time.monotonic()
    equal("an orderly stop ends with 0", registry.stop(), 0)
    check("in a few seconds", time.monotonic() - begun < 8)
    check("with nobody left", not any(alive(p) for p in pids))
    check("and no socket", not os.path.exists(registry.socket))
    equal("what it leaves is fine", registry.verify()[0], 0)


def sealed():
    registry = Registry("sealed", key_file=False)
    registry.init()
    registry.start()
    check("without a key file it starts sealed",
          "state=sealed" in registry.ready, registry.ready)
    control = os.stat(os.path.join(registry.run, "control.sock"))
    equal("the control socket is its owner's", control.st_mode & 0o777, 0o600)
    code, words = registry.unseal("not the passphrase")
    check("a wrong passphrase opens nothing", code == 1 and
          "no slot opens" in words, (code, words))
    code, words = registry.unseal(PASSPHRASE)
    check("the right one opens", code == 0 and "opened" in words,
          (code, words))
    registry.people()
    code, words = registry.unseal(PASSPHRASE)
    check("and there is nothing more to open", code == 1 and
          "nothing to unseal" in words, (code, words))
    registry.kill_role("vault")
    check("a vault that was killed is sealed again, and says so",
          wait_for(lambda: registry.ada.cdop("status").code == SEALED))
    check("until somebody opens it",
          wait_for(lambda: registry.unseal(PASSPHRASE)[0] == 0))
    equal("then it serves", registry.ada.cdop("status").code, OK)
    registry.stop()


def refusals():
    registry = Registry("refusals")
    registry.init()
    os.chmod(registry.key, 0o644)
    registry.start(wait=False)
    equal("a key file that others can read is refused",
          registry.process.wait(20), 78)
    os.chmod(registry.key, 0o400)
    registry.start()
    equal("a second daemon in one place is refused",
          cdopd("run", "-f", registry.conf)[0], 78)
    registry.stop()
    os.rename(registry.data, registry.data + ".away")
    registry.start(wait=False)
    check("without a registry it does not try again and again",
          registry.process.wait(20) in (65, 78), registry.process.returncode)


def main():
    registry = Registry()
    registry.init()
    registry.start()
    registry.people()
    walls(registry)
    stranger(registry)
    deaths(registry)
    stop(registry)
    sealed()
    refusals()
    end()


main()
