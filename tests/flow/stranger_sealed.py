#!/usr/bin/python3
"""A sealed registry with a boot set, from outside: all but a custodian who
names himself get the one-byte hint, and he gets two calls."""
import hashlib
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "stranger"), HERE]
import noise_link as nl  # noqa: E402
import client  # noqa: E402
from client import pb  # noqa: E402
from libflow import TMP, check, end, equal  # noqa: E402
from libslots import add_shares, raw_share, sheet  # noqa: E402
from scene import Cast  # noqa: E402

HELLO = nl.hello_payload(pb.Hello(schema_level=1).SerializeToString())
HINT = b"\x00\x01\x01"
BOOT = 2


def boot_psk(psk):
    return hashlib.blake2b(b"cdop-boot/1 psk", digest_size=32,
                           key=psk).digest()


def boot_name(psk):
    return hashlib.blake2b(b"cdop-boot/1 name", digest_size=16,
                           key=psk).digest()


def everything(sock):
    data = b""
    try:
        while True:
            got = sock.recv(4096)
            if not got:
                return data
            data += got
    except ConnectionError:
        return data


def first(credential, kind, name, change=lambda data: data):
    """All that comes back for a message 1, until it is closed."""
    shake = nl.Handshake(credential.secret, credential.registry,
                         credential.psk, credential.servers[0])
    with client.connect(credential.addresses[0]) as sock:
        sock.sendall(change(shake.first_bytes(kind, name)))
        sock.settimeout(5)
        return everything(sock)


def flip(at):
    def change(data):
        data = bytearray(data)
        data[at] ^= 1
        return bytes(data)
    return change


def strangers(cast):
    kim, pat = cast["kim"], cast["pat"]
    name = boot_name(boot_psk(kim.psk))
    for who, seen in (
            ("a partner", first(pat, 0, bytes(16))),
            ("a custodian who does not say so", first(kim, 0, bytes(16))),
            ("an invitation", first(pat, 1, os.urandom(16))),
            ("a partner by a boot name", first(
                pat, BOOT, boot_name(boot_psk(pat.psk)))),
            ("a name that was made up", first(pat, BOOT, os.urandom(16))),
            ("a name of zeros", first(pat, BOOT, bytes(16))),
            ("the name of the wrong PSK", first(
                kim, BOOT, boot_name(kim.psk))),
            ("a kind there is not", first(kim, 3, name))):
        equal(who + " gets the hint and no more", seen, HINT)
    # The first byte behind preamble and length; then mac1 does not fit.
    equal("a message 1 that was changed gets no answer",
          first(kim, BOOT, name, flip(12)), b"")


def session(credential, psk, name):
    """Everything after message 2; None: there was no message 2."""
    shake = nl.Handshake(credential.secret, credential.registry, psk,
                         credential.servers[0])
    sock = client.connect(credential.addresses[0])
    sock.settimeout(5)
    sock.sendall(shake.first_bytes(BOOT, name))
    head = sock.recv(50)
    if len(head) != 50:
        sock.close()
        return None
    shake.read(head[2:])
    sock.sendall(nl.frame(shake.write(HELLO)))
    return sock


def boot_link(credential):
    psk = boot_psk(credential.psk)
    return nl.Link(client.connect(credential.addresses[0]), credential.secret,
                   credential.servers[0], credential.registry, psk,
                   pb.Hello(schema_level=1).SerializeToString(), kind=BOOT,
                   invitation=boot_name(psk))


def given(credential, share):
    """On a session of its own: what came of this share."""
    link = boot_link(credential)
    link.receive()
    link.send(pb.Call(id=1, method=89, body=pb.ShareSubmitRequest(
        share=share).SerializeToString()).SerializeToString())
    answer = pb.Reply.FromString(link.receive())
    link.close()
    return answer


def wrong(share, number):
    """As if it were another of its set; nobody was given that."""
    raw = share[:11] + bytes([number]) + share[12:44]
    return raw + hashlib.blake2b(b"cdop-share/1 check" + raw,
                                 digest_size=32).digest()[:6]


def many(cast):
    """Neither many wrong ones nor one again and again keep a good one out of
    the log."""
    kim, lou = cast["kim"], cast["lou"]
    shares = [raw_share(sheet(cast.registry, n)) for n in (1, 2, 3)]
    answers = [given(kim, wrong(shares[0], 100 + n)) for n in range(40)]
    check("forty are wrong", all(
        a.reason == "share_wrong" for a in answers), answers[-1])
    answers = [given(kim, shares[0]) for _ in range(40)]
    check("one is good, as often as it comes", all(
        a.status == 0 for a in answers), answers[-1])
    answers = [given(lou, share) for share in shares[1:]]
    check("with two more it opens", pb.ShareSubmitReply.FromString(
        answers[-1].body).opened, answers)
    answer = cast.open("aud").call("AuditList", purpose="audit", use=pb.SCREEN)
    logged = [(e.device, e.count) for m in answer.messages for e in m.entry
              if e.call == "share given" and not e.reason]
    # Kim's second is that of inside().
    equal("who gave which of them is in the log", sorted(logged), sorted(
        [(kim.device, 1), (kim.device, 2), (lou.device, 2), (lou.device, 3)]))


def inside(cast):
    kim, pat = cast["kim"], cast["pat"]
    psk = boot_psk(kim.psk)
    name = boot_name(psk)
    for what, credential, key in (
            ("the PSK of the device", kim, kim.psk),
            ("a made up PSK", kim, os.urandom(32)),
            ("another's key", pat, psk)):
        sock = session(credential, key, name)
        equal("%s under a good name fails after message 3" % what,
              everything(sock), b"")
        sock.close()
    link = boot_link(kim)
    welcome = pb.Welcome.FromString(link.receive())
    check("a custodian is told that it is sealed, and of no log",
          welcome.state == pb.SEALED and not welcome.HasField("checkpoint")
          and welcome.panel == "" and not welcome.notice, welcome)

    def call(method, body=b""):
        link.send(pb.Call(id=method, method=method,
                          body=body).SerializeToString())
        return pb.Reply.FromString(link.receive())

    status = call(1)
    check("Status says so", status.status == 0 and pb.StatusReply.FromString(
        status.body).state == pb.SEALED, status)
    for method in (2, 18, 45, 86, 87, 88, 999):
        answer = call(method)
        check("call %d is not worked on" % method, answer.status == 9 and
              answer.reason == "state" and not answer.HasField("leaf_index"),
              answer)
    answer = call(89, pb.ShareSubmitRequest(share=bytes(50))
                  .SerializeToString())
    check("fifty zeros are no share", answer.reason == "share_wrong", answer)
    share = raw_share(sheet(cast.registry, 2))
    answer = call(89, pb.ShareSubmitRequest(share=share).SerializeToString())
    reply = pb.ShareSubmitReply.FromString(answer.body)
    check("a share is", answer.status == 0 and (
        reply.share, reply.have, reply.need, reply.opened) == (
            2, 1, 3, False), answer)
    link.send(b"\xff\xff")
    try:
        left = link.receive()
    except Exception:  # noqa: BLE001  closed, in whatever way
        left = None
    equal("what is no call ends the session", left, None)
    link.close()


def main():
    boot = os.path.join(TMP, "boot.key")
    with open(boot, "wb") as f:
        f.write(bytes(range(7, 39)))
    os.chmod(boot, 0o400)
    cast = Cast("stranger-sealed", "boot_key_file = " + boot)
    cast.administrators()
    cast.welcome("kim", pb.CUSTODIAN, name="Kim Custodian")
    cast.welcome("lou", pb.CUSTODIAN, name="Lou Custodian")
    cast.welcome("aud", pb.AUDITOR, name="Aud Auditor")
    cast.welcome("pat", pb.PARTNER, name="Pat Partner", agency="RBS",
                 area=["liverpool"])
    for who in "kim", "lou", "pat":
        cast.open(who).link.close()
    registry = cast.registry
    registry.stop()
    add_shares(registry)
    with open(registry.conf, encoding="ascii") as f:
        lines = [l for l in f if not re.match("key_file", l)]
    with open(registry.conf, "w", encoding="ascii") as f:
        f.writelines(lines)
    registry.start()
    check("it is sealed", "state=sealed" in registry.ready, registry.ready)
    pids = [registry.pid_of(role) for role in ("gate", "vault")]
    strangers(cast)
    inside(cast)
    strangers(cast)
    many(cast)
    equal("none of it ended a process", [
        registry.pid_of(role) for role in ("gate", "vault")], pids)
    equal("an orderly stop", registry.stop(), 0)
    end()


if __name__ == "__main__":
    main()
