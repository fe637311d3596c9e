"""Links of an etcd of our own: mutual TLS 1.3 and one answer, nothing kept.

It lies in a temporary folder, listens on loopback alone, wants a certificate
of each client, and is stopped and removed in the end.  A link is a connection
with a whole handshake, each side's P-256 certificate looked at, and the answer
to `/version`: the cheapest that it gives, which asks nobody else and no disk.
The clients are as many `openssl s_time`, which says how many it had.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

WAIT_S = 20  # a start
SPARE_S = 30  # clients beyond their time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Etcd:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="cdop-etcd.")
        self.port = free_port()
        self.process = None

    def certificate(self, name, *by):
        """Of itself, or by another's; each for the one address there is."""
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", name + ".key", "-out", name + ".crt", *by],
            cwd=self.dir, check=True, stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=WAIT_S)

    def start(self):
        self.certificate("ca")
        for name in "server", "client":
            self.certificate(name, "-CA", "ca.crt", "-CAkey", "ca.key",
                             "-addext", "basicConstraints=critical,CA:FALSE")
        here = "https://127.0.0.1:%d" % self.port
        peer = "http://127.0.0.1:%d" % free_port()
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.process = subprocess.Popen(
                ["etcd", "--data-dir", "data", "--logger", "zap",
                 "--log-level", "error", "--listen-client-urls", here,
                 "--advertise-client-urls", here, "--listen-peer-urls", peer,
                 "--initial-advertise-peer-urls", peer, "--initial-cluster",
                 "default=" + peer, "--cert-file", "server.crt", "--key-file",
                 "server.key", "--trusted-ca-file", "ca.crt",
                 "--client-cert-auth"],
                cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log)
        until = time.monotonic() + WAIT_S
        while "etcdserver" not in self.asks("client"):
            if self.process.poll() is not None or time.monotonic() > until:
                sys.exit("etcd does not answer:\n" + self.log())
            time.sleep(0.1)
        if "etcdserver" in self.asks(None):
            sys.exit("etcd answers who shows no certificate")
        return self

    def log(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    def words(self, verb, name):
        own = ["-cert", name + ".crt", "-key", name + ".key"] if name else []
        return ["openssl", verb, "-connect", "127.0.0.1:%d" % self.port,
                "-tls1_3", "-CAfile", "ca.crt", *own]

    def asks(self, name):
        """What one client is answered."""
        return subprocess.run(
            [*self.words("s_client", name), "-quiet", "-verify_return_error"],
            cwd=self.dir, input=b"GET /version HTTP/1.0\r\n\r\n",
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=WAIT_S, check=False).stdout.decode("latin-1")

    def connections(self, clients, seconds):
        """Links a second of so many clients at a time."""
        began = time.monotonic()
        each = [subprocess.Popen(
            [*self.words("s_time", "client"), "-new", "-verify", "1", "-time",
             str(seconds), "-www", "/version"], cwd=self.dir,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT) for _ in range(clients)]
        try:
            said = [one.communicate(timeout=seconds + SPARE_S)[0].decode()
                    for one in each]
        finally:
            for one in each:
                one.kill()
        took = time.monotonic() - began
        links = 0
        for one, text in zip(each, said):
            # Bytes that were read: each link was answered.
            had = re.search(r"^(\d+) connections in \d+ real seconds, "
                            r"([1-9]\d*) bytes read", text, re.M)
            if one.returncode != 0 or not had:
                sys.exit("openssl s_time: exit %d\n%s" % (
                    one.returncode, text))
            links += int(had.group(1))
        return links / took

    def remove(self):
        """Ended and gone, whatever state it is in."""
        if self.process:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
