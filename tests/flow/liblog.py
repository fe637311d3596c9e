#!/usr/bin/python3
"""Logs after C2SP and RFC 6962, written from the papers and from nothing of
ours: Ed25519, signed notes, checkpoints, cosignatures, proofs and tiles.  It
judges what the programs write, and makes logs for them to judge.

    liblog.py verify DIR VKEY      an export of a log, whatever is in it
    liblog.py registry DIR VKEY    an export of a registry's log
    liblog.py note FILE VKEY       a signed note
    liblog.py proof FILE VKEY      a tlog-proof whose `extra` begins with a
                                   leaf of 256 bytes

As a module: verify_export, verify_registry, Signer, Key, open_note,
open_checkpoint, Log.
"""
import base64
import hashlib
import os
import sys

WIDTH = 256  # hashes of a tile
ED25519, COSIGNATURE = 1, 4


class Refused(Exception):
    """What was looked at does not hold, and why."""


def need(holds, why, *args):
    if not holds:
        raise Refused(why % args)


# ---- Ed25519 (RFC 8032, section 5.1) ---------------------------------------

P = 2 ** 255 - 19
ORDER = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    """Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z."""
    p = (a[1] - a[0]) * (b[1] - b[0]) % P
    q = (a[1] + a[0]) * (b[1] + b[0]) % P
    r = 2 * a[3] * b[3] * D % P
    s = 2 * a[2] * b[2] % P
    e, f, g, h = q - p, s - r, s + r, q + p
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, point):
    out = (0, 1, 1, 0)
    while n > 0:
        if n & 1:
            out = add(out, point)
        point = add(point, point)
        n >>= 1
    return out


def x_of(y, odd):
    """The x with this y, or None where there is none."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P != 0 or (x == 0 and odd):
        return None
    return P - x if x & 1 != odd else x


def unpacked(data):
    number = int.from_bytes(data, "little")
    y = number & (1 << 255) - 1
    x = x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def packed(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = x_of(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def number_of(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def expanded(seed):
    digest = hashlib.sha512(seed).digest()
    a = int.from_bytes(digest[:32], "little")
    return a & (1 << 254) - 8 | 1 << 254, digest[32:]


def ed25519_public(seed):
    return packed(times(expanded(seed)[0], BASE))


def ed25519_sign(seed, message):
    a, prefix = expanded(seed)
    public = packed(times(a, BASE))
    r = number_of(prefix, message) % ORDER
    point = packed(times(r, BASE))
    s = (r + number_of(point, public, message) * a) % ORDER
    return point + s.to_bytes(32, "little")


def ed25519_holds(public, message, signature):
    a = unpacked(public)
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= ORDER or a is None:
        return False
    k = number_of(signature[:32], public, message) % ORDER
    minus_a = (P - a[0], a[1], a[2], P - a[3])
    return packed(add(times(s, BASE), times(k, minus_a))) == signature[:32]


# ---- text ------------------------------------------------------------------

def unbase64(text):
    """Only what base64 would write again."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("no base64: %r" % text) from None
    need(base64.b64encode(data).decode() == text, "loose base64: %r", text)
    return data


def rebase64(data):
    return base64.b64encode(data).decode()


def decimal(text):
    need(text.isascii() and text.isdigit() and str(int(text)) == text,
         "no number: %r", text)
    return int(text)


# ---- keys and notes (c2sp.org/signed-note, tlog-cosignature) ---------------

class Key:
    def __init__(self, name, kind, public):
        need(name and "+" not in name and not any(c.isspace() for c in name),
             "no name: %r", name)
        self.name, self.kind, self.public = name, kind, public
        self.id = hashlib.sha256(
            name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]

    @classmethod
    def parse(cls, vkey):
        parts = vkey.split("+", 2)
        need(len(parts) == 3, "no vkey: %r", vkey)
        data = unbase64(parts[2])
        need(len(data) == 33 and data[0] in (ED25519, COSIGNATURE),
             "a key of another type: %r", vkey)
        key = cls(parts[0], data[0], data[1:])
        need(key.id.hex() == parts[1], "the id is another key's: %r", vkey)
        return key

    def __str__(self):
        return "%s+%s+%s" % (self.name, self.id.hex(),
                             rebase64(bytes([self.kind]) + self.public))

    def message(self, text, blob):
        """What was signed, and the signature."""
        if self.kind == ED25519:
            return text, blob
        time_s = int.from_bytes(blob[:8], "big")
        need(time_s < 1 << 63, "a time that has no end")
        return cosigned(time_s, text), blob[8:]


def cosigned(time_s, text):
    return b"cosignature/v1\ntime %d\n" % time_s + text


class Signer(Key):
    def __init__(self, name, seed, kind=ED25519):
        super().__init__(name, kind, ed25519_public(seed))
        self.seed = seed

    def line(self, text, time_s=0):
        blob, message = b"", text
        if self.kind == COSIGNATURE:
            blob, message = time_s.to_bytes(8, "big"), cosigned(time_s, text)
        blob = self.id + blob + ed25519_sign(self.seed, message)
        return ("\u2014 %s %s\n" % (self.name, rebase64(blob))).encode()

    def note(self, text, time_s=0):
        return text + b"\n" + self.line(text, time_s)


def parse_note(note):
    """(text, [(name, id, signature)])."""
    try:
        note.decode()
    except UnicodeDecodeError:
        raise Refused("no UTF-8") from None
    need(not any(c < 0x20 and c != 0x0a for c in note), "control characters")
    at = note.rfind(b"\n\n")
    need(at >= 0 and note.endswith(b"\n"), "no note")
    text, lines = note[:at + 1], note[at + 2:].decode().split("\n")[:-1]
    signatures = []
    for line in lines:
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014", "no signature: %r",
             line)
        blob = unbase64(parts[2])
        need(len(blob) > 4, "no signature: %r", line)
        signatures.append((parts[1], blob[:4], blob[4:]))
    need(signatures, "no signature at all")
    return text, signatures


def open_note(note, key):
    """The text, when this key has signed it."""
    text, signatures = parse_note(note)
    mine = [s for name, i, s in signatures if (name, i) == (key.name, key.id)]
    need(mine, "not signed by %s", key.name)
    for blob in mine:
        message, signature = key.message(text, blob)
        need(ed25519_holds(key.public, message, signature),
             "the signature of %s does not hold", key.name)
    return text


# ---- trees (RFC 6962, RFC 9162) --------------------------------------------

def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split(n):
    """The largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1


def tree_root(hashes):
    if not hashes:
        return hashlib.sha256(b"").digest()
    while len(hashes) > 1:
        # An odd one at the end goes up as it is: the same as the splits.
        hashes = [node_hash(*hashes[i:i + 2]) if i + 1 < len(hashes)
                  else hashes[i] for i in range(0, len(hashes), 2)]
    return hashes[0]


def inclusion_proof(index, hashes):
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if index < k:
        return inclusion_proof(index, hashes[:k]) + [tree_root(hashes[k:])]
    return inclusion_proof(index - k, hashes[k:]) + [tree_root(hashes[:k])]


def consistency_proof(old, hashes, whole=True):
    if old == len(hashes):
        return [] if whole else [tree_root(hashes)]
    k = split(len(hashes))
    if old <= k:
        return consistency_proof(old, hashes[:k], whole) + [
            tree_root(hashes[k:])]
    return consistency_proof(old - k, hashes[k:], False) + [
        tree_root(hashes[:k])]


def proved_root(index, size, leaf, proof):
    """The root this proof leads to, from the top down (RFC 6962, 2.1.1)."""
    if size == 1:
        need(not proof, "the proof is too long")
        return leaf
    need(proof, "the proof is too short")
    k = split(size)
    if index < k:
        return node_hash(proved_root(index, k, leaf, proof[:-1]), proof[-1])
    return node_hash(
        proof[-1], proved_root(index - k, size - k, leaf, proof[:-1]))


def check_inclusion(index, size, leaf, proof, root):
    need(0 <= index < size, "there is no leaf %d of %d", index, size)
    need(proved_root(index, size, leaf, proof) == root,
         "leaf %d is not in the tree", index)


def proved_roots(old, size, proof, old_root, whole=True):
    """(old root, new root) that this proof leads to (RFC 6962, 2.1.2)."""
    if old == size:
        if whole:
            need(not proof, "the proof is too long")
            return old_root, old_root
        need(len(proof) == 1, "the proof has another length")
        return proof[0], proof[0]
    need(proof, "the proof is too short")
    k = split(size)
    if old <= k:
        a, b = proved_roots(old, k, proof[:-1], old_root, whole)
        return a, node_hash(b, proof[-1])
    a, b = proved_roots(old - k, size - k, proof[:-1], old_root, False)
    return node_hash(proof[-1], a), node_hash(proof[-1], b)


def check_consistency(old, old_root, size, root, proof):
    need(0 < old <= size, "nothing is proved about a tree of %d", old)
    need(proved_roots(old, size, proof, old_root) == (old_root, root),
         "the tree of %d does not go on as the one of %d", old, size)


# ---- checkpoints and proofs (tlog-checkpoint, tlog-proof) ------------------

def checkpoint_text(origin, size, root):
    return ("%s\n%d\n%s\n" % (origin, size, rebase64(root))).encode()


def parse_checkpoint(text):
    """(origin, size, root)."""
    lines = text.decode().split("\n")
    need(len(lines) > 3 and lines.pop() == "" and all(lines),
         "no checkpoint: %r", text)
    root = unbase64(lines[2])
    need(len(root) == 32, "the root has %d bytes", len(root))
    return lines[0], decimal(lines[1]), root


def open_checkpoint(note, key):
    origin, size, root = parse_checkpoint(open_note(note, key))
    need(origin == key.name, "a checkpoint of %s", origin)
    return origin, size, root


def proof_text(index, proof, checkpoint, extra=b""):
    lines = ["c2sp.org/tlog-proof@v1"]
    lines += ["extra " + rebase64(extra)] if extra else []
    lines += ["index %d" % index] + [rebase64(h) for h in proof] + ["", ""]
    return "\n".join(lines).encode() + checkpoint


def parse_proof(data):
    """(index, proof, checkpoint, extra)."""
    head, _, checkpoint = data.partition(b"\n\n")
    lines = head.decode().split("\n")
    need(lines.pop(0) == "c2sp.org/tlog-proof@v1", "no proof")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = unbase64(lines.pop(0)[6:])
        need(extra, "an empty extra")
    need(lines and lines[0].startswith("index "), "no index")
    index = decimal(lines.pop(0)[6:])
    proof = [unbase64(line) for line in lines]
    need(all(len(h) == 32 for h in proof), "a hash of another length")
    return index, proof, checkpoint, extra


def verify_proof(data, entry, key):
    """(index, origin, size) when the entry is in the log of this key."""
    index, proof, checkpoint, _ = parse_proof(data)
    origin, size, root = open_checkpoint(checkpoint, key)
    check_inclusion(index, size, leaf_hash(entry), proof, root)
    return index, origin, size


# ---- tiles (tlog-tiles) ----------------------------------------------------

def tile_path(level, tile, width=WIDTH):
    """level is a number, or "entries"."""
    groups = ["%03d" % (tile % 1000)]
    while tile >= 1000:
        tile //= 1000
        groups.insert(0, "x%03d" % (tile % 1000))
    end = "" if width == WIDTH else ".p/%d" % width
    return "tile/%s/%s%s" % (level, "/".join(groups), end)


def widths(n):
    """The tiles over n hashes: (number, width)."""
    return [(i, min(WIDTH, n - i * WIDTH)) for i in range(-(-n // WIDTH))]


def read(folder, path):
    try:
        with open(os.path.join(folder, path), "rb") as file:
            return file.read()
    except OSError as e:
        raise Refused("%s: %s" % (path, e.strerror)) from None


def entries_of(data, path):
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at:at + 2], "big")
        need(at + 2 <= len(data) and end <= len(data), "%s is cut", path)
        entries.append(data[at + 2:end])
        at = end
    return entries


class Export:
    def __init__(self, origin, size, root, entries):
        self.origin, self.size, self.root = origin, size, root
        self.entries = entries


def verify_export(folder, vkey):
    """Everything in an export hangs together and under its signature.

    Reads checkpoint, every tile and every entry bundle that a tree of this
    size has; what lies there besides is not looked at.  Refused says what
    does not hold.
    """
    key = Key.parse(vkey)
    origin, size, root = open_checkpoint(read(folder, "checkpoint"), key)
    entries = []
    for tile, width in widths(size):
        path = tile_path("entries", tile, width)
        some = entries_of(read(folder, path), path)
        need(len(some) == width, "%s has %d entries, not %d", path,
             len(some), width)
        entries += some
    hashes, level = [leaf_hash(e) for e in entries], 0
    need(tree_root(hashes) == root, "the entries have another root than %s",
         "the checkpoint")
    while hashes:
        above = []
        for tile, width in widths(len(hashes)):
            path = tile_path(level, tile, width)
            here = hashes[tile * WIDTH:tile * WIDTH + width]
            need(read(folder, path) == b"".join(here),
                 "%s does not fit what is below it", path)
            if width == WIDTH:
                above.append(tree_root(here))
        hashes, level = above, level + 1
    return Export(origin, size, root, entries)


# ---- registries (include/cdop/leaf.h, statement.h) --------------------------

CALL, EVENT, STATEMENT = 1, 2, 3


def leaf(index, time_ms, kind=CALL, call=1, commitments=b"", answered=0):
    return b"".join((
        bytes([1, kind]), answered.to_bytes(2, "big"), call.to_bytes(4, "big"),
        index.to_bytes(8, "big"), time_ms.to_bytes(8, "big"),
        index.to_bytes(8, "big"), b"A" * 32 + b"S" * 16,
        commitments.ljust(160, b"\0"), bytes(16)))


def check_leaves(entries, statements):
    """Each entry is the leaf of its place, and the statements are told."""
    last, told = 0, list(statements)
    for i, entry in enumerate(entries):
        need(len(entry) == 256 and entry[0] == 1 and entry[1] in (1, 2, 3),
             "entry %d is no leaf", i)
        index, time_ms, size = (int.from_bytes(entry[at:at + 8], "big")
                                for at in (8, 16, 24))
        need(index == size == i, "leaf %d says another place", i)
        need(time_ms >= last, "leaf %d is older than the one before", i)
        need(not any(entry[240:]), "leaf %d has something behind it", i)
        last = time_ms
        if entry[1] != STATEMENT:
            continue
        need(told and entry[80:112] == hashlib.sha256(told[0]).digest()
             and not any(entry[112:]), "the statement of leaf %d is not here",
             i)
        told.pop(0)
    need(not told, "there are more statements than the log has")


def statement_text(registry, kind, incarnation, key, tree, time_ms, by,
                   reason, lost=None):
    """tree and lost are (origin, size, root)."""
    def three(name, where):
        return ["%s %s %d %s" % (name, where[0], where[1],
                                 rebase64(where[2]))]

    lines = ["cdop-statement/1", "registry " + registry, "kind " + kind,
             "incarnation %d" % incarnation, "key %s" % key]
    lines += three("from", tree) + (three("lost", lost) if lost else [])
    lines += ["time %d" % time_ms] + ["by " + one for one in by]
    return ("\n".join(lines + ["reason " + reason]) + "\n").encode()


def follow(key, note):
    """The key that goes on from this one, and (kind, size, root) of the tree
    it goes on from; or (key, None) for a statement of keys that are not known
    here."""
    try:
        text = open_note(note, key)
    except Refused:
        name, ident = key.name, key.id
        need((name, ident) not in [s[:2] for s in parse_note(note)[1]],
             "a statement does not hold")
        return key, None
    said = dict(line.split(" ", 1) for line in text.decode().split("\n")[1:-1])
    after = Key.parse(said["key"])
    open_note(note, after)
    need(after.name == "%s/%s" % (said["registry"], said["incarnation"])
         and key.name.startswith(said["registry"] + "/"),
         "a statement of another registry")
    _, size, root = said["from"].split(" ")
    return after, (said["kind"], decimal(size), unbase64(root))


def verify_registry(folder, vkey):
    """verify_export, and that the entries are what a registry's log has, with
    the statements of keys that lead from vkey to the checkpoint's."""
    key, trees, statements = Key.parse(vkey), [], []
    while os.path.exists(os.path.join(
            folder, "statement/%d" % (len(statements) + 1))):
        note = read(folder, "statement/%d" % (len(statements) + 1))
        key, tree = follow(key, note)
        statements.append(note)
        trees.append(tree)
    export = verify_export(folder, str(key))
    check_leaves(export.entries, statements)
    places = [i for i, e in enumerate(export.entries) if e[1] == STATEMENT]
    for place, tree, before in zip(places, trees, [-1] + places):
        if tree is None:
            continue
        kind, size, root = tree
        need(size == place if kind == "key" else before < size <= place,
             "a statement goes on from another size")
        need(root == tree_root(
            [leaf_hash(e) for e in export.entries[:size]]),
             "a statement goes on from another tree than this one")
    return export


# ---- a log of one's own ----------------------------------------------------

class Log:
    """Entries under a key; what it writes is for others to judge."""

    def __init__(self, signer, entries=()):
        self.signer, self.entries = signer, list(entries)
        self.statements = []

    def hashes(self, size):
        return [leaf_hash(e) for e in self.entries[:size]]

    def checkpoint(self, size=None):
        size = len(self.entries) if size is None else size
        return self.signer.note(checkpoint_text(
            self.signer.name, size, tree_root(self.hashes(size))))

    def proof(self, index, extra=b""):
        return proof_text(
            index, inclusion_proof(index, self.hashes(len(self.entries))),
            self.checkpoint(), extra)

    def add(self, n, time_ms=1700000000000):
        """So many leaves of calls, a second apart."""
        for i in range(len(self.entries), len(self.entries) + n):
            self.entries.append(leaf(i, time_ms + 1000 * i,
                                     commitments=b"c" * 160))

    def receipt(self, index, salt=b"s" * 32):
        return self.proof(index, self.entries[index] + salt)

    def turn(self, signer, kind, reason, between=0, time_ms=1700000000000):
        """On under another key, with its statement as the next leaf but so
        many."""
        registry, incarnation = signer.name.split("/")
        size = len(self.entries)
        tree = self.signer.name, size, tree_root(self.hashes(size))
        self.add(between)
        size += between
        text = statement_text(registry, kind, int(incarnation), signer, tree,
                              time_ms, ["2 Ada Adminson"], reason)
        note = self.signer.note(text) + signer.line(text)
        self.statements.append(note)
        self.entries.append(leaf(size, time_ms + 1000 * size, STATEMENT, 0,
                                 hashlib.sha256(note).digest()))
        self.signer = signer

    def export(self, folder):
        def put(path, data):
            path = os.path.join(folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)

        put("checkpoint", self.checkpoint())
        for i, note in enumerate(self.statements, 1):
            put("statement/%d" % i, note)
        for tile, width in widths(len(self.entries)):
            some = self.entries[tile * WIDTH:tile * WIDTH + width]
            put(tile_path("entries", tile, width), b"".join(
                len(e).to_bytes(2, "big") + e for e in some))
        hashes, level = self.hashes(len(self.entries)), 0
        while hashes:
            tiles = [(tile, hashes[tile * WIDTH:tile * WIDTH + width])
                     for tile, width in widths(len(hashes))]
            for tile, here in tiles:
                put(tile_path(level, tile, len(here)), b"".join(here))
            hashes = [tree_root(here) for _, here in tiles
                      if len(here) == WIDTH]
            level += 1


def main(argv):
    if len(argv) != 4 or argv[1] not in (
            "verify", "registry", "note", "proof"):
        sys.exit(__doc__)
    try:
        key = Key.parse(argv[3])
        if argv[1] in ("verify", "registry"):
            export = (verify_export if argv[1] == "verify"
                      else verify_registry)(argv[2], argv[3])
            print("ok %s size %d" % (export.origin, export.size))
            return
        with open(argv[2], "rb") as file:
            data = file.read()
        if argv[1] == "note":
            open_note(data, key)
            print("ok signed by %s" % key.name)
        else:
            leaf = parse_proof(data)[3][:256]
            print("ok leaf %d of %s size %d" % verify_proof(data, leaf, key))
    except Refused as why:
        sys.exit("refused: %s" % why)


if __name__ == "__main__":
    main(sys.argv)
