#!/usr/bin/python3
"""A person at a terminal: runs a command there and answers its prompts.

    libtype.py [PART=ANSWER ...] -- COMMAND ...

A prompt is output that ends with a blank and no line end.  The first PART
that its line holds gives the answer; no part: Enter.  Answers to one part
are used up one after the other, the last one again and again.  What the
terminal shows goes to stdout; the exit code is the command's.  A function
among the answers is called when its turn comes, and says what is typed.
"""
import os
import pty
import re
import select
import signal
import sys

PROMPT = re.compile(rb"[^\n]*[:?>] $")
QUIET = 0.04  # seconds after which an unfinished line is a prompt
MANY = 200    # prompts


def answer(answers, line):
    for part, given in answers.items():
        if part in line:
            return given.pop(0) if len(given) > 1 else given[0]
    return ""


def converse(fd, answers, echo):
    """Until the terminal is closed; what it showed."""
    shown, line, prompts = b"", b"", 0
    while True:
        ready = select.select([fd], [], [], QUIET)[0]
        if ready:
            try:
                data = os.read(fd, 65536)
            except OSError:
                return shown
            if not data:
                return shown
            shown += data
            line = (line + data).rpartition(b"\n")[2]
            if echo:
                os.write(1, data.replace(b"\r\n", b"\n"))
        elif PROMPT.match(line):
            prompts += 1
            if prompts > MANY:
                sys.exit("asked again and again: %r" % line)
            text = answer(answers, line.decode("utf-8", "replace"))
            text = text() if callable(text) else text
            line = b""
            os.write(fd, text.encode() + b"\n")


def run(command, answers, env=None, echo=False):
    """Exit code and everything shown."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(command[0], command, env or os.environ)
    shown = converse(fd, answers, echo)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    return status, shown.decode("utf-8", "replace").replace("\r\n", "\n")


def interrupted(command, seconds=60):
    """Exit code of what is answered Ctrl-C at its first prompt; None: it
    does not end."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(command[0], command, os.environ)
    shown = b""
    while not PROMPT.match(shown.rpartition(b"\n")[2]):
        shown += os.read(fd, 65536)
    os.write(fd, b"\x03")
    while select.select([fd], [], [], seconds)[0]:
        try:
            os.read(fd, 65536)
        except OSError:  # closed
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            os.close(fd)
            return status
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    return None


def steps(command, script, env=None, seconds=20):
    """What was shown: each step of the script is a text that is waited for,
    and what is typed then."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(command[0], command, env or os.environ)
    shown, at = b"", 0
    for part, text in script:
        while part not in shown[at:]:
            if not select.select([fd], [], [], seconds)[0]:
                os.kill(pid, signal.SIGKILL)
                sys.exit("never shown: %r, but %r" % (part, shown))
            shown += os.read(fd, 65536)
        at = shown.index(part, at) + len(part)
        os.write(fd, text)
    while select.select([fd], [], [], seconds)[0]:
        try:
            shown += os.read(fd, 65536)
        except OSError:  # closed
            break
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    return shown.decode("utf-8", "replace").replace("\r\n", "\n")


def main():
    at = sys.argv.index("--")
    answers = {}
    for given in sys.argv[1:at]:
        part, _, text = given.partition("=")
        answers.setdefault(part, []).append(text)
    sys.stdout.flush()
    sys.exit(run(sys.argv[at + 1:], answers, echo=True)[0])


if __name__ == "__main__":
    main()
