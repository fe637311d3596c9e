#!/usr/bin/python3
"""A registry without key file: it starts sealed, and a passphrase opens it."""
import os
import resource
import signal
import socket
import subprocess
import threading

from libflow import (CDOPD, OK, PASSPHRASE, SEALED, Registry, cdopd, check,
                     end, equal, wait_for)
import libtype


def typed(registry, *args):
    """The same at a terminal; exit status and all that it showed."""
    return libtype.run([CDOPD, "unseal", "-f", registry.conf, *args],
                       {"assphrase": [PASSPHRASE]})


def in_vain(registry, status, words, *args):
    """Nobody is asked for what would not be taken."""
    code, shown = typed(registry, *args)
    check("at a terminal: %s" % words, code == status and words in shown and
          "assphrase: " not in shown and "hare: " not in shown, (code, shown))


def with_core():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    # In the background of a shell it is ignored, and that is inherited.
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def no_core(*args):
    """A passphrase is in its memory: nothing of it goes to a file."""
    proc = subprocess.Popen(
        [CDOPD, *args], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, preexec_fn=with_core)

    def is_shut():
        with open(f"/proc/{proc.pid}/limits", encoding="ascii") as limits:
            return any(line.split()[4:6] == ["0", "0"] for line in limits
                       if line.startswith("Max core file size"))

    check(f"{args[0]} has no core", wait_for(is_shut, 5))
    proc.send_signal(signal.SIGQUIT)
    status = os.waitpid(proc.pid, 0)[1]
    check("nor leaves one", os.WIFSIGNALED(status) and
          not os.WCOREDUMP(status), status)
    proc.returncode = status
    proc.stdin.close()


def listens_there(path, said):
    """Somebody else, who waits where the daemon would."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    os.setuid(65534)
    server.listen()
    os.write(said, b"here")
    conn = server.accept()[0]
    conn.settimeout(5)
    os.write(said, conn.recv(4096))
    os._exit(0)


def nobody_else_is_told(registry):
    """Needs a second user, and so root."""
    if os.geteuid() != 0:
        return
    registry.stop()
    ours, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        try:
            listens_there(os.path.join(registry.run, "control.sock"), said)
        finally:
            os._exit(1)
    os.close(said)
    equal("another user listens there", os.read(ours, 4), b"here")
    equal("unseal finds no daemon of its own",
          registry.unseal(PASSPHRASE + "\n")[0], 69)
    equal("and nothing was told", os.read(ours, 4096), b"")
    os.waitpid(pid, 0)
    os.close(ours)
    os.unlink(os.path.join(registry.run, "control.sock"))


def answers_as_before(server, heard):
    """A daemon of before the look, and then it is opened."""
    for said in b"error nothing came that opens a slot\n", b"ok opened\n":
        with server.accept()[0] as conn:
            head = conn.recv(3, socket.MSG_WAITALL)
            length = int.from_bytes(head[1:], "big")
            heard.append((head[0], conn.recv(length, socket.MSG_WAITALL)))
            conn.sendall(said)


def an_older_daemon(registry):
    """It goes on running when the package of this program is installed."""
    path, heard = os.path.join(registry.run, "control.sock"), []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        server.settimeout(20)
        older = threading.Thread(
            target=answers_as_before, args=(server, heard), daemon=True)
        older.start()
        code, said = typed(registry)
        older.join(20)
    os.unlink(path)
    check("an older daemon is opened, and it is said what to do", code == 0 and
          "systemctl restart cdopd" in said and "opened" in said, (code, said))
    equal("it was told the passphrase, and once", heard,
          [(4, b"\x01"), (1, PASSPHRASE.encode())])


def main():
    registry = Registry(key_file=False)
    registry.init()
    equal("unseal with nobody there", registry.unseal(PASSPHRASE)[0], 69)
    in_vain(registry, 69, "no cdopd answers")
    in_vain(registry, 69, "no cdopd answers", "--shares")
    registry.start()
    check("it starts sealed", "state=sealed" in registry.ready,
          registry.ready)
    code, said = registry.unseal("three wrong words here")
    check("a wrong passphrase is refused", code == 1 and said, said)
    code, said = registry.unseal("")
    check("so is none", code not in (0, 70), said)
    code, said = registry.unseal(PASSPHRASE + "\n")
    equal("the right one opens it", code, 0)
    ada, _ = registry.people()
    equal("and people come in", ada.cdop("status").code, OK)
    code, said = registry.unseal(PASSPHRASE + "\n")
    check("once more does no harm", ada.cdop("status").code == OK, said)
    in_vain(registry, 1, "it is open: there is nothing to unseal")
    in_vain(registry, 1, "it is open: there is nothing to unseal", "--shares")

    registry.kill_role("vault")
    check("a vault that died comes back sealed", wait_for(
        lambda: ada.cdop("status").code == SEALED, 5))
    closed = ada.cdop("status")
    check("closed is said in words", "closed" in closed.err, closed)
    in_vain(registry, 1, "no slot is opened with a share", "--shares")
    code, said = typed(registry)
    check("asked for, the passphrase opens it again", code == 0 and
          "Passphrase: " in said and "opened" in said, (code, said))
    equal("and people come in again", ada.cdop("status").code, OK)

    nobody_else_is_told(registry)
    registry.kill()
    an_older_daemon(registry)
    args = ["verify", registry.data, "--passphrase-stdin"]
    code, said = cdopd(*args, stdin=PASSPHRASE.encode())
    check("verify takes the passphrase", code == 0 and
          said.endswith("fine\n"), said)
    code, said = cdopd(*args, stdin=b"three wrong words here")
    check("and no other", code == 1, said)
    no_core("verify", registry.data, "--passphrase-stdin")
    end()


main()
