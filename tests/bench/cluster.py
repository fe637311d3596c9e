"""A PostgreSQL of our own: a temporary cluster with pgcrypto, over TLS.

It lies in a temporary folder, runs as another user where we are root, listens
on loopback alone, and is stopped and removed in the end.  Its settings are
those that a careful user would have: synchronous_commit on, TLS 1.3, SCRAM,
memory enough for all of it.
"""
import glob
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from parts import proc_lines

BIN = "/usr/lib/postgresql/15/bin"
USER = "postgres"
WHERE = "/var/tmp"    # where another user may go, and on a disk
CONF = """
listen_addresses = '127.0.0.1'
ssl = on
ssl_min_protocol_version = 'TLSv1.3'
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
fsync = on
synchronous_commit = on
max_connections = 100
shared_buffers = 512MB
max_wal_size = 4GB
"""
HBA = """
local all postgres trust
hostssl all all 127.0.0.1/32 scram-sha-256
"""
# Sealed in the statement that keeps it; what reads it opens it there.
SEAL = {
    "aes": "(SELECT iv || encrypt_iv(convert_to({0}, 'utf8'), "
           "decode(:key, 'hex'), iv, 'aes') "
           "FROM (SELECT gen_random_bytes(16) AS iv) AS drawn)",
    "pgp": "pgp_sym_encrypt({0}, :key)",
}
OPEN = {
    "aes": "convert_from(decrypt_iv(substr(sealed, 17), "
           "decode(:key, 'hex'), substr(sealed, 1, 16), 'aes'), 'utf8')",
    "pgp": "pgp_sym_decrypt(sealed, :key)",
}
LOOKUP = "hmac({0}::text, :key, 'sha256')"
NUMBER = 999000000
LEAF = "l" * 340      # 372 bytes when it is sealed
LONGEST_S = 300       # of one statement
EACH = 40             # calls of each client, at the least
LEAST = 400           # and of all: CPU is told in ticks of 10 ms
FIRST = 2             # of them are its first
TELLS = 0.1           # seconds of CPU beyond those, that more than ticks tell


def script(kind, variant, audited):
    """One prepared statement: the call, and its audit row with it."""
    seal, opened = SEAL[variant], OPEN[variant]
    lookup = LOOKUP.format(":number")
    table = variant + "_cases"
    lines = "\\set id random(1, :cases)\n"
    note = "INSERT INTO %s_audit (sealed) SELECT %s" % (
        variant, seal.format(":leaf::text"))
    if kind == "register":
        act = "INSERT INTO %s (lookup, area, sealed) VALUES (%s, 1, %s)" % (
            table, lookup, seal.format(":body::text"))
        lines = "\\set number random(1, 900000000)\n"
    elif kind == "amend":
        act = ("UPDATE %s SET sealed = %s, version = version + 1 "
               "WHERE id = :id" % (table, seal.format(":body::text")))
    elif kind == "show":
        act = "SELECT %s FROM %s WHERE id = :id" % (opened, table)
    else:
        act = "SELECT %s FROM %s WHERE lookup = %s" % (opened, table, lookup)
        lines += "\\set number :id + %d\n" % NUMBER
    if not audited:
        return lines + act + ";\n"
    if kind in ("show", "find"):
        return lines + "WITH a AS (%s) %s;\n" % (note, act)
    return lines + "WITH a AS (%s RETURNING 1) %s FROM a;\n" % (act, note)


def seal_each(variant, text, row):
    """Over many rows: what does not name the row is drawn once for all."""
    return SEAL[variant].format(text).replace(
        "gen_random_bytes(16)", "gen_random_bytes(16 + 0 * %s::int)" % row)


class Cluster:
    def __init__(self, body_len):
        self.body_len = body_len
        self.as_user = ["runuser", "-u", USER, "--"] \
            if os.geteuid() == 0 else []
        self.dir = tempfile.mkdtemp(prefix="cdop-peers.", dir=WHERE)
        self.data = os.path.join(self.dir, "data")
        self.key = secrets.token_hex(16)
        self.password = secrets.token_hex(16)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.scripts = {}
        self.firsts = {}  # (script, clients): seconds of CPU of FIRST calls
        self.rates = {}   # of pgbench: (script, clients): calls a second
        if self.as_user:
            shutil.chown(self.dir, USER)

    def run(self, *argv, feed=None, seconds=LONGEST_S):
        done = subprocess.run(
            [*self.as_user, *argv], input=feed, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=self.dir, timeout=seconds,
            env=self.env(), check=False)
        if done.returncode != 0:
            sys.exit("%s: exit %d\n%s" % (
                argv[0], done.returncode,
                done.stderr.decode("utf-8", "replace")))
        return done.stdout.decode("utf-8", "replace")

    def env(self):
        return {"PATH": BIN + ":" + os.environ["PATH"], "LC_ALL": "C.UTF-8",
                "PGPASSWORD": self.password, "HOME": self.dir}

    def put(self, name, text):
        """A file of the other user's, for nobody else."""
        path = os.path.join(self.dir, name)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as f:
            f.write(text)
        if self.as_user:
            shutil.chown(path, USER)
        return path

    def make(self):
        self.run(BIN + "/initdb", "-D", self.data, "-U", "postgres",
                 "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8")
        self.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", "/CN=127.0.0.1", "-addext",
                 "subjectAltName=IP:127.0.0.1", "-keyout",
                 self.data + "/server.key", "-out", self.data + "/server.crt")
        with open(self.data + "/postgresql.conf", "a",
                  encoding="ascii") as f:
            f.write(CONF + "port = %d\nunix_socket_directories = '%s'\n" % (
                self.port, self.dir))
        with open(self.data + "/pg_hba.conf", "w", encoding="ascii") as f:
            f.write(HBA)
        self.start()
        self.sql("CREATE ROLE bench LOGIN PASSWORD '%s';" % self.password)
        self.sql("CREATE DATABASE bench OWNER bench;")
        self.sql("CREATE EXTENSION pgcrypto;", "bench")
        return self

    def start(self):
        """Milliseconds until the first answer over the link."""
        began = time.monotonic()
        self.run(BIN + "/pg_ctl", "-D", self.data, "-w", "-l",
                 self.dir + "/log", "start")
        self.sql("SELECT 1;")
        return 1000 * (time.monotonic() - began)

    def sql(self, text, base="postgres"):
        return self.run(
            BIN + "/psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1",
            "-v", "key='%s'" % self.key, "-h", self.dir, "-p",
            str(self.port), "-U", "postgres", base,
            feed=text.encode()).strip()

    def timed(self, text):
        """Seconds of one statement, by psql itself."""
        said = self.sql("\\timing on\n" + text, "bench")
        return float(re.findall(r"Time: ([\d.]+) ms", said)[-1]) / 1000

    def fill(self, variant, cases):
        """Tables of a variant, with so many cases."""
        self.sql("""
            CREATE TABLE %(v)s_cases (id bigserial PRIMARY KEY,
                lookup bytea NOT NULL, area int NOT NULL,
                version int NOT NULL DEFAULT 1, sealed bytea NOT NULL);
            CREATE TABLE %(v)s_audit (n bigserial PRIMARY KEY,
                at timestamptz NOT NULL DEFAULT now(),
                sealed bytea NOT NULL);
            INSERT INTO %(v)s_cases (lookup, area, sealed)
                SELECT %(lookup)s, n %% 6, %(seal)s
                FROM generate_series(1, %(cases)d) AS n;
            CREATE INDEX ON %(v)s_cases (lookup);
            GRANT ALL ON ALL TABLES IN SCHEMA public TO bench;
            GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO bench;
            VACUUM ANALYZE %(v)s_cases;
            CHECKPOINT;""" % {
                "v": variant, "cases": cases,
                "lookup": LOOKUP.format("(n + %d)" % NUMBER),
                "seal": seal_each(
                    variant, "rpad(n::text, %d, 's')" % self.body_len, "n"),
            }, "bench")

    def report(self, variant):
        """Seconds of a count by area over what is sealed."""
        return self.timed("SELECT area, count(*), max(length(%s)) FROM "
                          "%s_cases GROUP BY area;" % (OPEN[variant], variant))

    def seal_anew(self, variant):
        """Rows a second, each opened and sealed under a new nonce."""
        rows = int(self.sql("SELECT count(*) FROM %s_cases;" % variant,
                            "bench"))
        seconds = self.timed("UPDATE %s_cases SET sealed = %s;" % (
            variant, seal_each(variant, OPEN[variant], "id")))
        self.sql("VACUUM %s_cases; CHECKPOINT;" % variant, "bench")
        return rows / seconds

    def script(self, kind, variant, audited):
        name = "%s-%s-%d.sql" % (kind, variant, audited)
        if name not in self.scripts:
            self.scripts[name] = self.put(
                name, script(kind, variant, audited))
        return self.scripts[name]

    def link(self):
        return ("host=127.0.0.1 port=%d dbname=bench user=bench "
                "sslmode=verify-full sslrootcert=%s/server.crt" % (
                    self.port, self.data))

    def bench(self, path, clients, seconds, cases, *more):
        """What pgbench says, and where its calls' times lie.  As many calls
        as the time before took so long, as connecting is a part of -T, and
        enough that what a backend does at first is little of it."""
        rate = self.rates.get((path, clients), 200 * min(clients, 5))
        each = max(EACH, LEAST // clients, int(rate * seconds / clients))
        said = self.pgbench(path, clients, each, cases, *more)
        self.rates[(path, clients)] = said["rate"]
        return said

    def pgbench(self, path, clients, each, cases, *more):
        before = self.on_cpu()
        prefix = os.path.join(self.dir, "times")
        said = self.run(
            BIN + "/pgbench", "-n", "-M", "prepared", "-f", path, "-c",
            str(clients), "-j", str(min(clients, 2)), "-t", str(each),
            "-D", "key=" + self.key, "-D", "body=" + "s" * self.body_len,
            "-D", "leaf=" + LEAF, "-D", "cases=%d" % cases, "-l",
            "--log-prefix", prefix, *more, self.link())
        times = []
        for log in glob.glob(prefix + ".*"):
            with open(log, encoding="ascii") as f:
                times.extend(int(line.split()[2]) for line in f)
            os.unlink(log)
        failed = int(re.search(r"failed transactions: (\d+)", said).group(1))
        rate = re.search(r"^tps = ([\d.]+)", said, re.M).group(1)
        times.sort()
        if failed or len(times) != each * clients:
            sys.exit("pgbench: calls failed:\n" + said)
        return {"rate": float(rate), "calls": len(times),
                "p50": times[len(times) // 2] / 1000,
                "p99": times[(len(times) - 1) * 99 // 100] / 1000,
                "cpu": self.on_cpu() - before}

    def call(self, kind, variant, audited, clients, seconds, cases):
        """cpu: microseconds of the server a call, without what it takes to
        connect and to prepare, which is measured once.  Longer, where the
        calls cannot be told from that."""
        path = self.script(kind, variant, audited)
        if (path, clients) not in self.firsts:
            self.firsts[(path, clients)] = self.pgbench(
                path, clients, FIRST, cases)["cpu"]
        first = self.firsts[(path, clients)]
        for longer in range(8):
            said = self.bench(path, clients, seconds << longer, cases)
            beyond = said["cpu"] - first
            if beyond >= max(first / 2, TELLS):
                said["cpu"] = 1e6 * beyond / (said["calls"] - FIRST * clients)
                return said
        sys.exit("pgbench: %s: %d calls are too few to tell their CPU" % (
            path, said["calls"]))

    def connections(self, clients, seconds):
        path = self.put("connect.sql", "SELECT 1;\n")
        self.rates.setdefault((path, clients), 60)
        return self.bench(path, clients, seconds, 1, "-C")["rate"]

    def pids(self):
        with open(self.data + "/postmaster.pid", encoding="ascii") as f:
            parent = int(f.readline())
        with open("/proc/%d/task/%d/children" % (parent, parent),
                  encoding="ascii") as f:
            return [parent, *map(int, f.read().split())]

    def on_cpu(self):
        """Seconds of all its processes, those that ended with them.  A
        backend that ends meanwhile would be in neither sum: again, then."""
        while True:
            pids = self.pids()
            lines = [line.rpartition(")")[2].split()
                     for line in proc_lines(pids, "stat")]
            ends = any(fields[0] in "ZX" for fields in lines)
            if len(lines) == len(pids) and not ends and pids == self.pids():
                break
            time.sleep(0.01)
        ticks = sum(sum(map(int, fields[11:13])) for fields in lines) + \
            sum(map(int, lines[0][13:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.run(BIN + "/pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")

    def remove(self):
        """Ended and gone, whatever state it is in."""
        try:
            parent = self.pids()[0]
            os.kill(parent, signal.SIGQUIT)
            until = time.monotonic() + 20
            while time.monotonic() < until and os.path.exists(
                    "/proc/%d" % parent):
                time.sleep(0.05)
        except (OSError, ValueError):
            pass  # it does not run
        shutil.rmtree(self.dir, ignore_errors=True)
