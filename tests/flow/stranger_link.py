#!/usr/bin/python3
"""The link from outside: doors that stay shut, frames, the rules of bytes.

What a stranger, a mistaken client or somebody on the way can send, and what
he sees of the answer.  From PROTOCOL.md and stock libraries alone.
"""
import os
import re
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "stranger"), HERE]
import noise_link as nl  # noqa: E402
import client  # noqa: E402
from client import pb  # noqa: E402
from libflow import TMP, Registry, check, end, equal  # noqa: E402
from scene import PURPOSE, Cast, must, rule, saw  # noqa: E402

HELLO = nl.hello_payload(pb.Hello(schema_level=1).SerializeToString())
AT_ONCE = (0, 0)        # closed before message 2
AFTER_THREE = (50, 0)   # closed after message 3, without a word
OPEN = (50, 274)        # Welcome
WHO = pb.Call(id=1, method=2).SerializeToString()


def flip(data, at):
    data = bytearray(data)
    data[at] ^= 1
    return bytes(data)


class Knock:
    """One handshake by hand; what comes back is counted, not believed."""

    def __init__(self, credential, **how):
        self.address = credential.addresses[0]
        self.secret = how.get("secret", credential.secret)
        self.psk = how.get("psk", credential.psk)
        self.server = how.get("server", credential.servers[0])
        self.registry = how.get("registry", credential.registry)
        self.kind = how.get("kind", 0)
        self.id = how.get("id", bytes(16))
        self.first = how.get("first", lambda data: data)
        self.third = how.get("third", lambda data: data)
        self.payload = how.get("payload", HELLO)
        self.shut = how.get("shut")  # after so many bytes of the server

    def send(self, sock, data, had):
        sock.sendall(data)
        if self.shut == had:
            sock.shutdown(socket.SHUT_WR)

    @staticmethod
    def read(sock, wanted):
        data = b""
        while len(data) < wanted:
            got = sock.recv(wanted - len(data))
            if not got:
                break
            data += got
        return data

    def seen(self):
        """Bytes before and after message 3, until it is closed or open."""
        before = after = b""
        end_ = nl.Handshake(self.secret, self.registry, self.psk, self.server)
        with client.connect(self.address) as sock:
            try:
                self.send(sock, self.first(
                    end_.first_bytes(self.kind, self.id)), 0)
                before = self.read(sock, 50)
                if len(before) == 50:
                    end_.read(before[2:])
                    self.send(sock, self.third(
                        nl.frame(end_.write(self.payload))), 50)
                    after = self.read(sock, 274)
            except ConnectionError:
                pass
        return len(before), len(after)


# ---- doors ------------------------------------------------------------------

def doors(cast):
    """Unknown, wrong, suspended, revoked, used: one answer."""
    pat, late = cast["pat"], cast["late"]
    stranger = os.urandom(32)
    equal("the right key and PSK open", Knock(pat).seen(), OPEN)
    equal("an invitation opens", Knock(
        late, kind=1, id=late.invitation).seen(), OPEN)
    for name, knock in (
            ("a wrong PSK", Knock(pat, psk=stranger)),
            ("a PSK of zeros", Knock(pat, psk=bytes(32))),
            ("an unknown key", Knock(pat, secret=stranger)),
            ("another's PSK", Knock(pat, psk=late.psk)),
            ("an invitation's PSK under kind 0", Knock(late)),
            ("an invitation with a wrong PSK", Knock(
                late, kind=1, id=late.invitation, psk=stranger)),
            ("an unknown invitation", Knock(
                late, kind=1, id=os.urandom(16))),
            ("an invitation of zeros", Knock(late, kind=1)),
            ("a used invitation", Knock(
                pat, kind=1, id=pat.invitation, psk=cast.first_psk)),
            ("a used invitation and a new key", Knock(
                pat, kind=1, id=pat.invitation, psk=cast.first_psk,
                secret=stranger))):
        equal(name + " looks like any other", knock.seen(), AFTER_THREE)
    with cast.open("ada") as ada:
        must(ada.change("InvitationCancel", pb.InvitationCancelRequest(
            invitation_id=late.invitation, reason="synthetic")))
        equal("so does a cancelled invitation", Knock(
            late, kind=1, id=late.invitation).seen(), AFTER_THREE)
        for call, request in (("Suspend", pb.SuspendRequest),
                              ("PersonRevoke", pb.RevokeRequest)):
            if call == "Suspend":
                gone = cast.open("gone")
            must(ada.change(call, request(person=cast["gone"].person,
                                          reason="synthetic")))
            equal("so does a key after " + call,
                  Knock(cast["gone"]).seen(), AFTER_THREE)
    equal("a session of who was suspended is closed",
          Knock.read(gone.link.sock, 1), b"")


def first_frame(cast):
    """Who has no key of the server, or does not keep to the page."""
    pat = cast["pat"]
    order8 = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46a"
                           "da098deb9c32b1fd866205165f49b800")

    def weak(point):
        def change(data):
            message = point + data[42:75]
            return data[:10] + message + nl.mac1(pat.servers[0], message)
        return change

    for name, knock in (
            ("another key of the server", Knock(
                pat, server=nl.keypair(os.urandom(32)).public.data)),
            ("another registry", Knock(pat, registry=bytes(16))),
            ("kind 0 with an id", Knock(pat, id=b"i" * 16)),
            ("kind 2", Knock(pat, kind=2)),
            ("a wrong mac1", Knock(pat, first=lambda d: flip(d, -1))),
            ("a wrong message 1", Knock(pat, first=lambda d: flip(d, 80))),
            ("a point of zeros", Knock(pat, first=weak(bytes(32)))),
            ("a point of order 8", Knock(pat, first=weak(order8))),
            ("a frame of 0", Knock(pat, first=lambda d: d[:8] + bytes(2))),
            ("a frame of 80", Knock(
                pat, first=lambda d: d[:8] + b"\0\x50" + d[10:-1])),
            ("a frame of 82", Knock(
                pat, first=lambda d: d[:8] + b"\0\x52" + d[10:] + b"x")),
            ("half a frame", Knock(
                pat, first=lambda d: d[:40], shut=0)),
            ("HTTP", Knock(
                pat, first=lambda d: b"GET / HTTP/1.1\r\n\r\n"))):
        equal(name + " is closed at once", knock.seen(), AT_ONCE)
    equal("each byte of the preamble counts", [
        Knock(pat, first=lambda d: flip(d, at)).seen()  # noqa: B023
        for at in range(8)], [AT_ONCE] * 8)


def third_frame(cast):
    pat = cast["pat"]
    for name, knock in (
            ("a bit of its key", Knock(pat, third=lambda d: flip(d, 5))),
            ("a bit of its end", Knock(pat, third=lambda d: flip(d, -1))),
            ("a byte less", Knock(
                pat, third=lambda d: b"\x01\x3f" + d[2:-1])),
            ("a byte more", Knock(
                pat, third=lambda d: b"\x01\x41" + d[2:] + b"x")),
            ("no Hello", Knock(pat, payload=bytes(256))),
            ("Hello without a level", Knock(
                pat, payload=nl.hello_payload(b"\x12\x01x"))),
            ("a level twice", Knock(
                pat, payload=nl.hello_payload(b"\x08\x01\x08\x01"))),
            ("Hello that is not UTF-8", Knock(
                pat, payload=nl.hello_payload(b"\x08\x01\x12\x01\xff"))),
            ("a byte after Hello", Knock(pat, payload=HELLO[:-1] + b"x")),
            ("a length beyond it", Knock(
                pat, payload=b"\xff\x01\x08\x01" + bytes(252)))):
        equal("message 3 with %s: closed" % name, knock.seen(), AFTER_THREE)
    equal("half of message 3: closed", Knock(
        pat, third=lambda d: d[:99], shut=50).seen(), AFTER_THREE)
    later = pb.Hello(schema_level=9, client="later").SerializeToString()
    equal("a later client's Hello is read", Knock(
        pat, payload=nl.hello_payload(later + b"\xa0\x06\x01")).seen(), OPEN)
    equal("a Hello of 254 bytes too", Knock(pat, payload=nl.hello_payload(
        pb.Hello(schema_level=1, client="x" * 249).SerializeToString())
    ).seen(), OPEN)


# ---- the stream -------------------------------------------------------------

def talk(cast, data, answers):
    """What comes after these bytes: ids of replies, then "closed" or ""."""
    with cast.open("pat") as session:
        link, seen = session.link, []
        try:
            for part in data:
                link.sock.sendall(part if isinstance(part, bytes) else
                                  nl.frame(link.tx.encrypt_with_ad(
                                      b"", part[0])))
            if not answers:
                link.sock.settimeout(20)
            while len(seen) < answers or not answers:
                reply = pb.Reply.FromString(link.receive())
                seen.append((reply.id, reply.status, reply.reason))
                if reply.reason == "bad_envelope":
                    answers = 0
        except client.CLOSED:
            seen.append("closed")
        return seen


def plain(data):
    """A frame of exactly this plaintext."""
    return (data,)


def stream(cast):
    call = nl.delimited(WHO)
    other = nl.delimited(pb.Call(id=2, method=2).SerializeToString())
    good = (1, 0, "")
    for name, data in (
            ("one byte a frame", [plain(bytes([b])) for b in call]),
            ("no padding", [plain(call)]),
            ("padding alone before it", [plain(bytes(65000)), plain(call)]),
            ("zeros around it", [plain(bytes(3) + call + bytes(500))]),
            ("the longest frame", [plain(call + bytes(65519 - len(call)))])):
        equal("taken: " + name, talk(cast, data, 1), [good])
    equal("taken: two calls in one frame and a half", talk(
        cast, [plain(call + bytes(9) + other[:2]), plain(other[2:])], 2),
        [good, (2, 0, "")])
    for name, data in (
            ("a frame of 0", [b"\0\0"]),
            ("a frame shorter than its tag", [nl.frame(b"x" * 15)]),
            ("a frame that decrypts to nothing", [plain(b"")]),
            ("garbage", [nl.frame(os.urandom(272))]),
            ("a length that is not minimal", [plain(b"\x84\0" + WHO)]),
            ("a length of four bytes", [plain(b"\x84\x80\x80\0" + WHO)]),
            ("a length over 1 MiB", [plain(nl.varint((1 << 20) + 1))])):
        equal("closed: " + name, talk(cast, data, 0), ["closed"])
    bad = (0, 3, "bad_envelope")
    for name, data in (("an unknown field", WHO + b"\xa0\x06\x01"),
                       ("no method", b"\x08\x01"),
                       ("no id", b"\x10\x02"),
                       ("a role that does not exist", WHO + b"\x40\x63"),
                       ("half a field", WHO + b"\x52\x05a")):
        equal("a Call with %s is the last" % name, talk(
            cast, [plain(nl.delimited(data))], 1), [bad, "closed"])
    equal("and calls beside it in one frame are answered", talk(
        cast, [plain(call + nl.delimited(b"\x08\x01") + other)], 3),
        [good, bad, (2, 0, ""), "closed"])


def halves(cast):
    """A frame cut off; and the client's half of the line shut."""
    with cast.open("pat") as session:
        session.link.sock.sendall(nl.frame(os.urandom(272))[:100])
        session.link.sock.shutdown(socket.SHUT_WR)
        equal("half a frame and no more: closed",
              Knock.read(session.link.sock, 1), b"")
    with cast.open("pat") as session:
        other = nl.frame(session.link.tx.encrypt_with_ad(
            b"", nl.pad(nl.delimited(WHO))))
        session.link.sock.sendall(flip(other, 40))
        equal("a frame with one bit changed: closed",
              Knock.read(session.link.sock, 1), b"")
    with cast.open("pat") as session:
        saw("and others are served", session.call("WhoAmI"), 0)


def elsewhere(cast):
    """The same bytes over TCP; and a registry that is sealed."""
    pat = cast["pat"]
    unix = pat.addresses
    pat.values["addresses"] = [
        re.search(r'"tcp (127\.0\.0\.1:\d+)"', cast.registry.ready).group(1)]
    equal("over TCP too", Knock(pat).seen(), OPEN)
    pat.values["addresses"] = unix
    sealed = Registry("stranger-sealed", key_file=False)
    sealed.init()
    sealed.start()
    with open(os.path.join(sealed.out, "invitation-1.txt"), "rb") as f:
        invitation = client.Invitation.parse(f.read())
    credential = client.Credential.begin(
        os.path.join(TMP, "stranger-sealed-ada"), invitation)
    with client.connect(credential.addresses[0]) as sock:
        end_ = nl.Handshake(credential.secret, credential.registry,
                            credential.psk, credential.servers[0])
        sock.sendall(end_.first_bytes(1, credential.invitation))
        equal("a sealed registry says so in one byte and closes",
              Knock.read(sock, 50), b"\0\1\1")
    sealed.stop()


# ---- the rules of bytes -----------------------------------------------------

def rules(cast):
    """Each rule of the page on a body that is right but for it."""
    cora = cast.open("cora")
    form = b"\n\x00"
    key = {"request_key": client.request_key()}
    override = pb.Override(path="a", rule="b", value="c", reason="d")
    decision = pb.DuplicateDecision(reference="a", decision=1, reason="b")
    many = pb.NotificationRegisterRequest(
        override=[override] * 512, decision=[decision] * 512)
    over = pb.NotificationRegisterRequest(override=[override] * 513)
    for word, path, name, body in (
            ("truncated", "form", "a length beyond the end", b"\n\x05a"),
            ("truncated", "dry_run", "no value", form + b"\x20"),
            ("varint", "dry_run", "a value of two bytes too many",
             form + b"\x20\x81\x00"),
            ("varint", "source", "a length that is not minimal",
             form + b"\x32\x81\x00a"),
            ("field_number", "", "field 0", form + b"\x00\x01"),
            ("field_number", "", "field 2^29",
             form + b"\x80\x80\x80\x80\x10\x01"),
            ("group", "", "a group", form + b"\x0b\x0c"),
            ("type", "dry_run", "text for a bool", form + b"\x22\x01a"),
            ("unknown_field", "", "a field of nobody",
             form + b"\xa0\x06\x01"),
            ("unknown_field", "form.child", "one in the child",
             b"\n\x05\x2a\x03\xa0\x06\x01"),
            ("twice", "source", "a source twice",
             form + b"\x32\x01a\x32\x01a"),
            ("required", "form", "no form", b"\x20\x01"),
            ("required", "form", "nothing at all", b""),
            ("required", "override.2.reason", "a second override without "
             "reason", form + b"".join(
                 b"\x12" + nl.delimited(o) for o in (
                     override.SerializeToString(),
                     override.SerializeToString()[:-3]))),
            ("range", "dry_run", "a bool of 2", form + b"\x20\x02"),
            ("range", "form.child.estimated_age", "an age of 2^36",
             b"\n\x09\x2a\x07\x48\x80\x80\x80\x80\x80\x02"),
            ("enum", "form.child.name_kind", "a kind of name that is none",
             b"\n\x04\x2a\x02\x08\x09"),
            ("nul", "source", "U+0000", form + b"\x32\x02a\x00"),
            ("utf8", "source", "a lone byte", form + b"\x32\x01\xff"),
            ("utf8", "source", "an overlong form",
             form + b"\x32\x02\xc0\x80"),
            ("utf8", "source", "a surrogate",
             form + b"\x32\x03\xed\xa0\x80"),
            ("utf8", "source", "U+110000",
             form + b"\x32\x04\xf4\x90\x80\x80"),
            ("repeat", "override.513", "513 overrides",
             form + over.SerializePartialToString()),
            ("fields", "decision.384.reason", "over 4096 fields",
             form + many.SerializePartialToString())):
        rule("wire.%s: %s" % (word, name), cora.call(
            "NotificationRegister", body, **key, **PURPOSE),
            "wire." + word, path)
    answer = cora.call("NotificationRegister", form + b"\x20\x01",
                       **key, **PURPOSE)
    check("without them the form itself is looked at",
          answer.reason == "bad_field", answer)


def main():
    cast = Cast("stranger-link", "listen = tcp 127.0.0.1:0")
    cast.administrators()
    cast.welcome("cora", pb.COORDINATOR, name="Cora Coordinator",
                 all_areas=True)
    for who, name in (("pat", "Pat Partner"), ("gone", "Gil Goneaway")):
        cast.welcome(who, pb.PARTNER, name=name, agency="RBS",
                     area=["liverpool"])
        cast.first_psk = cast["pat"].psk  # the invitation's, until used
    cast.invite("late", pb.PARTNER, name="Late Person", agency="RBS",
                area=["liverpool"])
    for who in "pat", "gone":
        cast.open(who).link.close()
    pids = [cast.registry.pid_of(role) for role in ("gate", "vault")]
    doors(cast)
    first_frame(cast)
    third_frame(cast)
    stream(cast)
    halves(cast)
    elsewhere(cast)
    rules(cast)
    equal("none of it ended a process", [
        cast.registry.pid_of(role) for role in ("gate", "vault")], pids)
    for session in cast.sessions:
        session.link.close()
    equal("an orderly stop", cast.registry.stop(), 0)
    end()


if __name__ == "__main__":
    main()
