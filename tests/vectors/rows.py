#!/usr/bin/python3
"""Rows, wraps, slots and boxes of server/DESIGN.md, made a second time.

Written from that page alone, with no library but hashlib, so that the format
is checked from outside the program.  Prints tests/vectors/rows.h, which
envelope_test.c and slots_test.c include:

    tests/vectors/rows.py >tests/vectors/rows.h
"""
import hashlib
import struct

CLASSES = (254, 564, 1342, 2022, 4080, 8176, 16368, 32752, 65520, 131056,
           262128, 524272, 1048560)
MASK = 0xffffffff


def rotl(v, n):
    return (v << n & MASK) | v >> (32 - n)


def quarter(x, a, b, c, d):
    for p, q, r, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8),
                       (c, d, b, 7)):
        x[p] = (x[p] + x[q]) & MASK
        x[r] = rotl(x[r] ^ x[p], n)


def rounds(state):
    x = list(state)
    for _ in range(10):
        for q in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14),
                  (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12),
                  (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(x, *q)
    return x


def state_of(key, tail):
    return struct.unpack("<16I", b"expand 32-byte k" + key + tail)


def hchacha20(key, nonce16):
    x = rounds(state_of(key, nonce16))
    return struct.pack("<8I", *(x[:4] + x[12:]))


def chacha20(key, tail_of_block, data, counter):
    out = b""
    for i in range(0, len(data), 64):
        state = state_of(key, tail_of_block(counter + i // 64))
        x = rounds(state)
        block = struct.pack("<16I", *((a + b) & MASK
                                      for a, b in zip(x, state)))
        out += bytes(a ^ b for a, b in zip(data[i:i + 64], block))
    return out


def xchacha20_stream(key, nonce, data):
    """libsodium's crypto_stream_xchacha20: 64-bit counter, 64-bit nonce."""
    return chacha20(hchacha20(key, nonce[:16]),
                    lambda n: struct.pack("<Q", n) + nonce[16:], data, 0)


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & \
        0x0ffffffc0ffffffc0ffffffc0fffffff
    acc = 0
    for i in range(0, len(data), 16):
        n = int.from_bytes(data[i:i + 16] + b"\1", "little")
        acc = (acc + n) * r % ((1 << 130) - 5)
    acc += int.from_bytes(key[16:], "little")
    return (acc & ((1 << 128) - 1)).to_bytes(16, "little")


def pad16(b):
    return b + bytes(-len(b) % 16)


def aead(key, nonce, aad, plain):
    """draft-irtf-cfrg-xchacha-03, section 2."""
    sub = hchacha20(key, nonce[:16])
    tail = lambda n: struct.pack("<I", n) + bytes(4) + nonce[16:]
    sealed = chacha20(sub, tail, plain, 1)
    tag = poly1305(chacha20(sub, tail, bytes(32), 0),
                   pad16(aad) + pad16(sealed) +
                   struct.pack("<QQ", len(aad), len(sealed)))
    return sealed + tag


def blake(data, size=32, key=b""):
    return hashlib.blake2b(data, digest_size=size, key=key).digest()


class Key:
    def __init__(self, k):
        self.k = k
        self.seal = blake(b"cdop-row/1 seal", key=k)
        self.nonce_key = blake(b"cdop-row/1 nonce", key=k)
        self.wrap = blake(b"cdop-wrap/1 seal", key=k)
        self.box = blake(b"cdop-box/1 seal", key=k)

    def nonce(self, fresh, aad, plain):
        return blake(fresh + aad + blake(plain), 24, self.nonce_key)


def seal_row(registry, header, key, fresh, head, data):
    kind, schema, key_id, version, number = head
    size = next(c for c in CLASSES if c >= len(data) + 73)
    plain = struct.pack(">I", len(data)) + data
    plain += bytes(size - 53 - 16 - len(plain))
    top = struct.pack(">BBHQIQ", kind, schema, 0, key_id, version, number)
    aad = lambda check: b"cdop-row/1" + registry + b"\1" + top + check
    nonce = key.nonce(fresh, aad(bytes(4)), plain)
    check = blake(nonce + top, key=header)[:4]
    return (b"\1" + nonce + xchacha20_stream(header, nonce, top + check) +
            aead(key.seal, nonce, aad(check), plain))


def wrap(registry, key, fresh, label, x):
    aad = b"cdop-wrap/1" + registry + label
    nonce = key.nonce(fresh, aad, x)
    return (nonce + aead(key.wrap, nonce, aad, x) +
            blake(b"cdop-wrap/1 commit" + nonce + aad, key=key.wrap))


def box(registry, key, fresh, context, data):
    text = struct.pack(">I", len(data)) + data
    text += bytes(-len(text) % 64)
    aad = b"cdop-box/1" + registry + context
    nonce = key.nonce(fresh, aad, text)
    return nonce + aead(key.box, nonce, aad, text)


def slot(registry, number, kind, kdf, label, k, s, root, fresh):
    top = (struct.pack(">BBHBBH", 2, 1, number, kind, 1, 0) + registry +
           kdf + label.encode().ljust(40, b"\0"))
    assert len(top) == 88
    row = top
    for i, (outer, inner) in enumerate(((k, s), (s, root), (root, s))):
        row += wrap(registry, Key(outer), fresh, top + bytes([i]), inner)
    return row


def ring(registry, root, header, digest, fresh):
    top = struct.pack(">BBHI", 2, 2, 0, 0) + registry
    return top + b"".join(
        wrap(registry, Key(root), fresh, top + bytes([i]), x)
        for i, x in enumerate((header, digest)))


def digest_of(key, number, row):
    part = row[-16:] if row[0] == 1 else row
    return blake(struct.pack(">Q", number) + part, key=key)


def show(name, data):
    print("static const uint8_t %s[%d] = {" % (name, len(data)))
    for i in range(0, len(data), 12):
        print("\t" + " ".join("0x%02x," % b for b in data[i:i + 12]))
    print("};\n")


def main():
    # What libsodium's random source gives in the test: one byte, repeated.
    fresh = b"\xa5" * 32
    registry = bytes(range(16))
    header = blake(b"header")
    digest = blake(b"digest")
    root = blake(b"root")
    k = blake(b"key")
    number = (1 << 48) + 4711
    head = (13, 1, (1 << 48) + 9, 3, number)
    short = b"Aoife Test, 999 000 0018"
    long = bytes(i * 31 % 251 for i in range(700))

    # BLAKE2b of a key file of 1..32, and the slot it opens.
    k_file = blake(b"cdop-slot/1", key=bytes(range(1, 33)))
    row_short = seal_row(registry, header, Key(k), fresh, head, short)
    row_slot = slot(registry, 2, 1, bytes(24), "key file", k_file, fresh,
                    root, fresh)

    print("/*\n * Made by rows.py from server/DESIGN.md alone; "
          "do not edit.\n */")
    print("/* clang-format off */")
    print("#ifndef CDOP_VECTORS_ROWS_H\n#define CDOP_VECTORS_ROWS_H\n")
    print("#include <stdint.h>\n")
    show("rows_header", header)
    show("rows_digest", digest)
    show("rows_root", root)
    show("rows_key", k)
    show("rows_short", row_short)
    show("rows_long", seal_row(registry, header, Key(k), fresh, head, long))
    show("rows_wrap", wrap(registry, Key(k), fresh, b"label", root))
    show("rows_box", box(registry, Key(k), fresh, b"leaf 7", short))
    show("rows_slot", row_slot)
    show("rows_ring", ring(registry, root, header, digest, fresh))
    show("rows_short_digest", digest_of(digest, number, row_short))
    show("rows_slot_digest", digest_of(digest, 2, row_slot))
    print("#endif")


main()
