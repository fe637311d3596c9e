"""What the tests of slots and custodians share: sheets of shares, whole and
spoilt."""
import base64
import hashlib
import os
import re
import sys

from libflow import cdopd


def add_shares(registry, *more):
    """Five sheets in out/shares, of which any three open it: slot 3."""
    code, said = cdopd(
        "slot", "add", registry.data, "--by", "Ada Admin", "--new-shares",
        "3/5", "--out", os.path.join(registry.out, "shares"), "--holder",
        "Dora Director", "--label", "custodians", "--key-file", registry.key,
        *more)
    if code != 0:
        sys.exit("cdopd slot add: exit %d\n%s" % (code, said))


def sheet(registry, n):
    """The file of one of them."""
    return os.path.join(registry.out, "shares", "share-%d.txt" % n)


def named(paths):
    """Sheets, as cdopd is told of them."""
    return [word for path in paths for word in ("--share-file", path)]


def shares(registry, *numbers):
    return named(sheet(registry, n) for n in numbers)


def code_of(path, shared):
    """What verify prints of a backup that opened, as it travels."""
    code, said = cdopd("verify", path, *shared)
    proof = re.search(r"^proof  ([A-Z2-7-]{19})$", said, re.M)
    if code != 0 or not proof:
        sys.exit("cdopd verify: exit %d\n%s" % (code, said))
    return base64.b32decode(proof.group(1).replace("-", ""))


def letters_of(path):
    """The 80 letters of a sheet."""
    with open(path, encoding="ascii") as f:
        return re.sub(r"\s", "", "".join(
            line for line in f if not line.startswith("#")))


def raw_share(path):
    """Its 50 bytes."""
    return base64.b32decode(letters_of(path))


def changed(path, name, edit):
    """The sheet with its letters edited, in a file of its own."""
    with open(path, encoding="ascii") as f:
        notes = "".join(line for line in f if line.startswith("#"))
    out = os.path.join(os.path.dirname(path), name)
    with open(out, "w", encoding="ascii") as f:
        f.write(notes + edit(letters_of(path)) + "\n")
    return out


def forge(path):
    """Another y under the same number, with a check that fits."""
    def edit(letters):
        raw = bytearray(base64.b32decode(letters))[:44]
        raw[20] ^= 1
        check = hashlib.blake2b(b"cdop-share/1 check" + bytes(raw),
                                digest_size=32).digest()[:6]
        return base64.b32encode(bytes(raw) + check).decode()
    return changed(path, "forged.txt", edit)
