"""What a client holds against the log: its checkpoints, and the receipts of
its calls (PROTOCOL.md, "Checkpoints" and "Receipts").
"""
import collections
import hashlib
import hmac
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import liblog  # noqa: E402
import noise_link  # noqa: E402

need = liblog.need

Leaf = collections.namedtuple(
    "Leaf", "version kind answered call index time size actor session "
            "request case outcome counts reason rest")


def leaf_of(data):
    """The fields of 256 bytes, in their order."""
    need(len(data) == 256, "a leaf of %d bytes", len(data))

    def number(at, n):
        return int.from_bytes(data[at:at + n], "big")

    return Leaf(data[0], data[1], number(2, 2), number(4, 4), number(8, 8),
                number(16, 8), number(24, 8), data[32:64], data[64:80],
                data[80:112], data[112:144], data[144:176], data[176:208],
                data[208:240], data[240:])


def key_of(credential, incarnation):
    origin = "%s/%d" % (credential.registry.hex(), incarnation)
    return liblog.Key(origin, liblog.ED25519, credential.log_key)


def check_welcome(credential, hello, welcome):
    """Raises liblog.Refused, or remembers the checkpoint.

    What counts is what was seen when Hello was sent: another session may
    have seen more since.
    """
    if credential.log_key is None:
        return
    need(welcome.checkpoint, "the log is gone")
    _, size, root = liblog.open_checkpoint(
        welcome.checkpoint, key_of(credential, welcome.incarnation))
    seen = hello.seen_size
    need(size >= seen, "the log had %d leaves and has %d", seen, size)
    if 0 < seen < size:
        liblog.check_consistency(seen, hello.seen_hash, size, root,
                                 list(welcome.consistency))
    else:
        need(not welcome.consistency, "a proof of nothing")
        need(seen == 0 or root == hello.seen_hash, "the log is another")
    if size > (credential.seen_size or 0):
        credential.save(seen_size=size, seen_root=root)


def check_receipt(session, method, body, reply):
    """The leaf that proves this reply to this request; raises Refused."""
    credential = session.credential
    need(reply.receipt, "there is no receipt")
    index, _, _, extra = liblog.parse_proof(reply.receipt)
    need(len(extra) == 256 + 32, "leaf and salt have %d bytes", len(extra))
    proved = liblog.verify_proof(
        reply.receipt, extra[:256],
        key_of(credential, session.welcome.incarnation))
    leaf = leaf_of(extra[:256])
    need(proved[0] == index == reply.leaf_index == leaf.index == leaf.size,
         "of another leaf")
    need((leaf.version, leaf.kind, leaf.answered, leaf.call) ==
         (1, 1, reply.status, method.number), "of another call: %s", leaf)
    need(leaf.actor == noise_link.blake2b(
        noise_link.keypair(credential.secret).public.data), "of another one")
    need(leaf.session == noise_link.session_id(session.link.hash),
         "of another session")
    need(leaf.request == hmac.new(
        extra[256:], body, hashlib.sha256).digest(), "of another request")
    need(leaf.rest == bytes(16), "something that is not written down")
    return leaf
