#!/usr/bin/python3
"""cdop-link/1 as a stranger would write it: from proto/PROTOCOL.md and a
stock Noise library (Debian's python3-dissononce), without a look at the C.

As a module: Link is a connected session.  As a program it checks the worked
handshake of the page given, both ends, and says "ok NAME" for each value:

    tests/flow/stranger/noise_link.py proto/PROTOCOL.md
"""
import base64
import hashlib
import os
import re
import socket
import sys

try:
    from dissononce.cipher.chachapoly import ChaChaPolyCipher
    from dissononce.dh.keypair import KeyPair
    from dissononce.dh.x25519.private import PrivateKey
    from dissononce.dh.x25519.public import PublicKey
    from dissononce.dh.x25519.x25519 import X25519DH
    from dissononce.hash.sha512 import SHA512Hash
    from dissononce.processing.handshakepatterns.interactive.XK import (
        XKHandshakePattern)
    from dissononce.processing.impl.cipherstate import CipherState
    from dissononce.processing.impl.handshakestate import HandshakeState
    from dissononce.processing.impl.symmetricstate import SymmetricState
    from dissononce.processing.modifiers.psk import PSKPatternModifier
except ImportError:
    print("skip noise_link: python3-dissononce is not installed")
    sys.exit(77)

PREAMBLE = b"CDOP\x01\x01\x00\x00"
NAME = "Noise_XKpsk3_25519_ChaChaPoly_SHA512"
STEP = 256
PLAIN_MAX = 65280
MESSAGE_MAX = 1 << 20


class LinkError(Exception):
    """The connection is of no use any more."""


class Sealed(LinkError):
    """The registry says that it is sealed; nobody vouches for it."""


def blake2b(data, size=32, key=b""):
    return hashlib.blake2b(data, digest_size=size, key=key).digest()


def keypair(secret):
    return X25519DH().generate_keypair(PrivateKey(secret))


class FixedDH(X25519DH):
    """Makes the ephemeral key it was given; for the worked example."""

    def __init__(self, secret):
        super().__init__()
        self.secret = secret

    def generate_keypair(self, privatekey=None):
        return super().generate_keypair(privatekey or PrivateKey(self.secret))


def prologue(registry, preamble=PREAMBLE):
    return b"cdop-link/1\0" + preamble + registry


def mac1(server_key, message1, preamble=PREAMBLE):
    key = blake2b(b"cdop-mac1" + server_key)
    return blake2b(preamble + message1, size=16, key=key)


def next_psk(current, client_random, server_random, handshake_hash):
    return blake2b(b"cdop-psk/1" + client_random + server_random +
                   handshake_hash, key=current)


def comparison_string(handshake_hash):
    text = base64.b32encode(
        blake2b(b"cdop-compare/1" + handshake_hash)[:10]).decode()
    return "-".join(text[i:i + 4] for i in range(0, 16, 4))


def session_id(handshake_hash):
    return blake2b(b"cdop-session" + handshake_hash)[:16]


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def delimited(message):
    return varint(len(message)) + message


def pad(data):
    return data + bytes(-len(data) % STEP)


def frame(body):
    return len(body).to_bytes(2, "big") + body


def hello_payload(hello):
    payload = delimited(hello)
    if len(payload) > 256:
        raise ValueError("Hello is too long")
    return payload + bytes(256 - len(payload))


class Handshake:
    """One end of Noise XKpsk3; client if server_key is given."""

    def __init__(self, secret, registry, psk, server_key=None, ephemeral=None):
        dh = FixedDH(ephemeral) if ephemeral else X25519DH()
        self.state = HandshakeState(
            SymmetricState(CipherState(ChaChaPolyCipher()), SHA512Hash()), dh)
        self.server_key = server_key
        self.ciphers = None
        self.state.initialize(
            PSKPatternModifier(3).modify(XKHandshakePattern()),
            server_key is not None, prologue(registry), s=keypair(secret),
            rs=PublicKey(server_key) if server_key else None, psks=[psk])
        assert self.state.protocol_name == NAME

    def write(self, payload):
        out = bytearray()
        self.ciphers = self.state.write_message(payload, out)
        return bytes(out)

    def read(self, message):
        out = bytearray()
        self.ciphers = self.state.read_message(message, out)
        return bytes(out)

    def hash(self):
        return self.state.symmetricstate.get_handshake_hash()

    def first_bytes(self, kind, invitation=bytes(16)):
        message = self.write(bytes([kind]) + invitation)
        return PREAMBLE + frame(message + mac1(self.server_key, message))


class Stream:
    """Messages out of decrypted bytes, whatever the cuts and padding."""

    def __init__(self):
        self.held = b""

    def feed(self, plain):
        self.held += plain

    def next(self):
        self.held = self.held.lstrip(b"\0")
        length = at = 0
        while True:
            if at == len(self.held):
                return None
            byte = self.held[at]
            length |= (byte & 0x7f) << (7 * at)
            at += 1
            if byte < 0x80:
                break
            if at == 3:
                raise LinkError("a length of more than three bytes")
        if length > MESSAGE_MAX or (at > 1 and byte == 0):
            raise LinkError("a length that may not be")
        if len(self.held) < at + length:
            return None
        message = self.held[at:at + length]
        self.held = self.held[at + length:]
        return message


class Link:
    """A session on a connected socket, after the handshake."""

    def __init__(self, sock, secret, server_key, registry, psk, hello,
                 invitation=None, kind=None):
        self.sock = sock
        self.stream = Stream()
        end = Handshake(secret, registry, psk, server_key)
        if kind is None:
            kind = 0 if invitation is None else 1
        sock.sendall(end.first_bytes(kind, invitation or bytes(16)))
        body = self._frame()
        if body == b"\x01":
            raise Sealed("the registry says that it is sealed")
        if len(body) != 48 or end.read(body) != b"":
            raise LinkError("message 2 is not right")
        sock.sendall(frame(end.write(hello_payload(hello))))
        self.tx, self.rx = end.ciphers
        self.hash = end.hash()

    def _exactly(self, n):
        out = b""
        while len(out) < n:
            got = self.sock.recv(n - len(out))
            if not got:
                raise LinkError("the connection was closed")
            out += got
        return out

    def _frame(self):
        n = int.from_bytes(self._exactly(2), "big")
        if n == 0:
            raise LinkError("a frame of no length")
        return self._exactly(n)

    def send(self, *messages):
        data = b"".join(delimited(m) for m in messages)
        for at in range(0, len(data), PLAIN_MAX):
            plain = pad(data[at:at + PLAIN_MAX])
            self.sock.sendall(frame(self.tx.encrypt_with_ad(b"", plain)))

    def receive(self):
        while True:
            message = self.stream.next()
            if message is not None:
                return message
            self.stream.feed(self.rx.decrypt_with_ad(b"", self._frame()))

    def close(self):
        self.sock.close()


def connect(address):
    """A path with a slash in it is a Unix socket; else host:port."""
    if "/" in address:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(address)
        return sock
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)))


# ---- the worked handshake of the page ---------------------------------------

def worked_values(page):
    """The hex of the page's last section, by name."""
    with open(page, encoding="utf-8") as f:
        text = f.read()
    section = text[text.index("\n## Worked handshake"):]
    values = {}
    for name, body in re.findall(
            r"^([a-z][a-z0-9 ,']*):\n((?: {4}[0-9a-f ]+\n)+)", section, re.M):
        values[name] = bytes.fromhex(re.sub(r"\s", "", body))
    return values


def check_page(page):
    v = worked_values(page)
    failed = 0

    def check(name, got):
        nonlocal failed
        good = v.get(name) == got
        failed += not good
        print(("ok " if good else "not ok ") + name)
        if not good:
            print("# here it is " + got.hex())

    server_key = keypair(v["server static secret"]).public.data
    check("server static public", server_key)
    check("client static public",
          keypair(v["client static secret"]).public.data)
    client = Handshake(v["client static secret"], v["registry id"], v["psk"],
                       server_key, v["client ephemeral secret"])
    server = Handshake(v["server static secret"], v["registry id"], v["psk"],
                       None, v["server ephemeral secret"])
    check("prologue", prologue(v["registry id"]))
    first = client.first_bytes(0)
    check("first bytes of the client", first)
    check("payload of message 1", server.read(first[10:-16]))
    second = server.write(b"")
    check("frame of message 2", frame(second))
    assert client.read(second) == b""
    third = client.write(hello_payload(v["hello"]))
    check("frame of message 3", frame(third))
    assert server.read(third) == hello_payload(v["hello"])
    assert client.hash() == server.hash()
    check("handshake hash", client.hash())
    up = client.ciphers[0].encrypt_with_ad(b"", pad(delimited(v["call"])))
    down = server.ciphers[1].encrypt_with_ad(
        b"", pad(delimited(v["welcome"])))
    check("first frame of the client", frame(up))
    check("first frame of the server", frame(down))
    for data, cipher, name in ((up, server.ciphers[0], "call"),
                               (down, client.ciphers[1], "welcome")):
        stream = Stream()
        stream.feed(cipher.decrypt_with_ad(b"", data))
        check(name, stream.next())
        assert stream.next() is None
    check("session id", session_id(client.hash()))
    check("comparison bytes", base64.b32decode(
        comparison_string(client.hash()).replace("-", "")))
    check("next psk", next_psk(v["psk"], v["client random"],
                               v["server random"], client.hash()))
    return failed


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    sys.exit(check_page(sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        here, "..", "..", "..", "proto", "PROTOCOL.md")) != 0)
