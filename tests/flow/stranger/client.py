#!/usr/bin/python3
"""A client of the registry as a stranger would write it: from PROTOCOL.md,
registry.proto and forms.proto, a stock Noise library and stock protobuf.  It
is a witness for the tests, not the client that people use.

    client.py DIR enrol INVITATION [LABEL]      prints the comparison string
    client.py DIR whoami | status | list | audit | people | approvals
    client.py DIR turn                          asks for a new PSK
    client.py DIR activate DEVICE COMPARISON
    client.py DIR invite FILE NAME ROLE [AGENCY [AREA...]]
    client.py DIR register [--dry-run] [--decide REFERENCE=JOIN] PATH=VALUE...
    client.py DIR ask nhs_number=... | family_name=... birth_date=...
    client.py DIR resend KEY                    the same bytes once more
    client.py DIR approve NUMBER | decline NUMBER

DIR holds one credential and the changes it has sent.  Notifications name
synthetic children only.
"""
import collections
import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROTO = os.path.join(HERE, "..", "..", "..", "proto")
sys.path.insert(0, HERE)
import noise_link  # noqa: E402
import witness  # noqa: E402

SCHEMA_LEVEL = 1
OK = 0
CLOSED = (noise_link.LinkError, ConnectionError)

Method = collections.namedtuple("Method", "number request reply stream")


# ---- what the .proto files say ----------------------------------------------

def load_proto():
    """The stock protobuf module of both files, made in a folder of its own."""
    folder = tempfile.mkdtemp(prefix="proto.")
    subprocess.run(
        ["protoc", "-I", PROTO, "--python_out=" + folder,
         os.path.join(PROTO, "forms.proto"),
         os.path.join(PROTO, "registry.proto")], check=True)
    sys.path.insert(0, folder)
    return (importlib.import_module("registry_pb2"),
            importlib.import_module("forms_pb2"))


def load_methods():
    """Calls by name; their numbers stand in comments only."""
    with open(os.path.join(PROTO, "registry.proto"), encoding="utf-8") as f:
        text = f.read()
    found = re.findall(
        r"// @policy id=(\d+) .*\n\s*rpc (\w+) \((\w+)\) returns "
        r"\((stream )?(\w+)\)", text)
    return {name: Method(int(number), getattr(pb, request),
                         getattr(pb, reply), bool(stream))
            for number, name, request, stream, reply in found}


pb, forms = load_proto()
METHODS = load_methods()


# ---- files ------------------------------------------------------------------

def write_synced(path, data):
    """Whole or not at all, and on disk before it returns."""
    handle = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
                     0o600)
    with os.fdopen(handle, "wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    os.rename(path + ".new", path)
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


class Invitation:
    """The file that travels by a second channel; PROTOCOL.md, its section."""

    def __init__(self, registry, mode, name, addresses, servers, id, psk,
                 expires_ms):
        self.registry, self.mode, self.name = registry, mode, name
        self.addresses, self.servers = addresses, servers
        self.id, self.psk, self.expires_ms = id, psk, expires_ms

    @classmethod
    def parse(cls, data):
        data = data.replace(b"\r\n", b"\n")
        body, mark, check = data.rpartition(b"check ")
        if check.strip() != noise_link.blake2b(body)[:8].hex().encode():
            raise ValueError("the invitation was changed on the way")
        lines = body.decode().splitlines()
        if lines[0] != "cdop-invitation 1":
            raise ValueError("not an invitation of version 1")
        values = collections.defaultdict(list)
        for line in lines[1:]:
            key, _, value = line.partition(" ")
            values[key].append(value)

        def one(key):
            (value,) = values[key]
            return value

        return cls(bytes.fromhex(one("registry")), one("mode"), one("name"),
                   values["address"],
                   [bytes.fromhex(key) for key in values["server"]],
                   bytes.fromhex(one("id")), bytes.fromhex(one("psk")),
                   int(one("expires")))

    def text(self):
        lines = ["cdop-invitation 1", "registry " + self.registry.hex(),
                 "mode " + self.mode, "name " + self.name]
        lines += ["address " + address for address in self.addresses]
        lines += ["server " + key.hex() for key in self.servers]
        lines += ["id " + self.id.hex(), "psk " + self.psk.hex(),
                  "expires %d" % self.expires_ms]
        body = ("\n".join(lines) + "\n").encode()
        check = noise_link.blake2b(body)[:8].hex()
        return body + ("check %s\n" % check).encode()


class Credential:
    """What a client must hold, in one file of a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.path = os.path.join(folder, "credential.json")
        self.values = {}
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as f:
                self.values = json.load(f)

    def __getattr__(self, name):
        value = self.__dict__["values"].get(name)
        if name in ("registry", "secret", "psk", "psk_next", "invitation",
                    "log_key", "seen_root"):
            return bytes.fromhex(value) if value else None
        if name == "servers":
            return [bytes.fromhex(key) for key in value]
        return value

    def save(self, **values):
        for name, value in values.items():
            if isinstance(value, bytes):
                value = value.hex()
            elif name == "servers":
                value = [key.hex() for key in value]
            self.values[name] = value
        write_synced(self.path, json.dumps(self.values, indent=1).encode())

    @classmethod
    def begin(cls, folder, invitation):
        """A static key on disk before anything is called with it."""
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self = cls(folder)
        if self.secret is None:
            self.save(secret=os.urandom(32), registry=invitation.registry,
                      mode=invitation.mode, addresses=invitation.addresses,
                      servers=invitation.servers, psk=invitation.psk,
                      invitation=invitation.id)
        return self


# ---- a session --------------------------------------------------------------

class Link(noise_link.Link):
    """Remembers how the other side cuts and pads."""

    def __init__(self, *args):
        self.plain_sizes = []
        super().__init__(*args)

    def receive(self):
        while True:
            message = self.stream.next()
            if message is not None:
                return message
            plain = self.rx.decrypt_with_ad(b"", self._frame())
            self.plain_sizes.append(len(plain))
            self.stream.feed(plain)


def connect(address):
    if address.startswith("unix:"):
        address = address[len("unix:"):]
    sock = noise_link.connect(address)
    sock.settimeout(30)
    return sock


def request_key(ms=None):
    ms = int(time.time() * 1000) if ms is None else ms
    return ms.to_bytes(6, "big") + os.urandom(10)


class Answer:
    """The replies of one call; body is the message of the last."""

    def __init__(self, method, replies):
        self.replies, self.reply = replies, replies[-1]
        self.status, self.reason = self.reply.status, self.reply.reason
        self.messages = [method.reply.FromString(r.body) for r in replies
                         if r.HasField("body")]
        self.body = self.messages[-1] if self.messages else None

    def __str__(self):
        text = "status %d %s" % (self.status, self.reason)
        if self.reply.message:
            text += " (%s)" % self.reply.message
        for v in self.reply.violation:
            text += "; %s %s: %s" % (v.rule, v.path or '""', v.message)
        return text


class Session:
    """Calls over one link, with the Welcome checked before any answer."""

    def __init__(self, credential, psk=None, secret=None, server=None,
                 invitation=None, hello=None):
        self.credential = credential
        self.calls = 0
        self.waiting = {}
        self.bodies = {}
        self.hello = hello or pb.Hello(
            schema_level=SCHEMA_LEVEL, client="stranger 1",
            seen_size=credential.seen_size, seen_hash=credential.seen_root)
        address = credential.addresses[0]
        self.link = Link(
            connect(address), secret or credential.secret,
            server or credential.servers[0], credential.registry,
            psk or credential.psk, self.hello.SerializeToString(),
            invitation)
        self.welcome = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()

    def greet(self):
        if self.welcome is None:
            welcome = pb.Welcome.FromString(self.link.receive())
            if welcome.registry_id != self.credential.registry:
                raise noise_link.LinkError("another registry")
            witness.check_welcome(self.credential, self.hello, welcome)
            self.welcome = welcome
        return self.welcome

    def send(self, name, request=None, **envelope):
        """The bytes of the call, sent."""
        method = METHODS[name]
        self.calls += 1
        call = pb.Call(id=self.calls, method=method.number, **envelope)
        body = request if isinstance(request, bytes) else \
            request.SerializeToString() if request else b""
        if body:
            call.body = body
        if call.receipt:
            self.bodies[call.id] = body
        data = call.SerializeToString()
        if call.HasField("request_key"):
            write_synced(os.path.join(
                self.credential.folder,
                call.request_key.hex() + ".call"), data)
        self.link.send(data)
        return call.id

    def receive(self, call_id, method):
        """All replies of one call; those of others wait for their turn."""
        self.greet()
        replies = self.waiting.setdefault(call_id, [])
        while not (replies and replies[-1].last):
            reply = pb.Reply.FromString(self.link.receive())
            self.waiting.setdefault(reply.id, []).append(reply)
        del self.waiting[call_id]
        if replies[-1].HasField("count") and \
                replies[-1].count != len(replies):
            raise noise_link.LinkError("replies are missing")
        if call_id in self.bodies:
            for reply in replies:
                witness.check_receipt(
                    self, method, self.bodies[call_id], reply)
        return Answer(method, replies)

    def call(self, name, request=None, **envelope):
        return self.receive(self.send(name, request, **envelope),
                            METHODS[name])

    def change(self, name, request, key=None, **envelope):
        return self.call(name, request, request_key=key or request_key(),
                         **envelope)

    def resend(self, key):
        """What was sent with this key, byte for byte but the call's id."""
        path = os.path.join(self.credential.folder, key.hex() + ".call")
        with open(path, "rb") as f:
            call = pb.Call.FromString(f.read())
        self.calls += 1
        call.id = self.calls
        (method,) = [m for m in METHODS.values() if m.number == call.method]
        self.link.send(call.SerializeToString())
        return self.receive(call.id, method)


def open_session(credential):
    """Under the next PSK if there is one, else or after that the current."""
    if credential.psk_next:
        try:
            session = Session(credential, psk=credential.psk_next)
            session.greet()
            credential.save(psk=credential.psk_next, psk_next=None)
            return session
        except CLOSED:
            pass
    session = Session(credential)
    session.greet()
    if credential.psk_next:
        credential.save(psk_next=None)
    return session


# ---- what people do ---------------------------------------------------------

def enrol(credential, label, keep=True):
    """Comparison string and answer.  Without keep the reply counts as lost."""
    client_random = os.urandom(32)
    with Session(credential, invitation=credential.invitation) as session:
        answer = session.change("Enrol", pb.EnrolRequest(
            client_random=client_random, label=label))
        if answer.status == OK and keep:
            reply = answer.body
            credential.save(
                psk_next=noise_link.next_psk(
                    credential.psk, client_random, reply.server_random,
                    session.link.hash),
                servers=list(reply.server_key), person=reply.person,
                log_key=reply.checkpoint_key,
                device=reply.device, name=reply.name)
        return noise_link.comparison_string(session.link.hash), answer


def turn(credential, keep=True):
    client_random = os.urandom(32)
    with open_session(credential) as session:
        answer = session.change("PskTurn", pb.PskTurnRequest(
            client_random=client_random))
        if answer.status == OK and keep:
            credential.save(psk_next=noise_link.next_psk(
                credential.psk, client_random, answer.body.server_random,
                session.link.hash))
        return answer


def invitation_of(credential, name, reply):
    """The file for the one who was invited, from the inviter's reply."""
    return Invitation(credential.registry, credential.mode, name,
                      credential.addresses, list(reply.server_key),
                      reply.invitation_id, reply.psk, reply.expires_ms)


def approval_hash(registry, approval):
    """Over what was shown, never over what the server says it is."""
    return hashlib.sha256(
        b"cdop-second/1" + registry + approval.method.to_bytes(4, "big") +
        approval.requester.to_bytes(4, "big") + approval.request_key +
        hashlib.sha256(approval.request).digest() +
        approval.target_version).digest()


def decide(session, approval, approve=True, digest=None):
    return session.change("Approve", pb.ApproveRequest(
        number=approval.number, approve=approve, hash=digest or approval_hash(
            session.credential.registry, approval)))


# ---- forms from paths -------------------------------------------------------

ABSENT = {"#nk": "NOT_KNOWN", "#na": "NOT_APPLICABLE", "#ws": "WITHHELD"}


def date_of(text):
    date = forms.Date(estimated=True) if text[0] == "~" else forms.Date()
    for name, part in zip(("year", "month", "day"),
                          text.lstrip("~").split("-")):
        setattr(date, name, int(part))
    return date


def choice_of(enum, text):
    """The one whose name ends in the words; help= of the field has them."""
    word = text.upper().replace(" ", "_")
    (value,) = [v.number for v in enum.values
                if v.name == word or v.name.partition("_")[2] == word]
    return value


def set_path(form, path, text):
    if text in ABSENT:
        form.absent.add(path=path, kind=forms.AbsenceKind.Value(ABSENT[text]))
        return
    group, *number, name = path.split(".")
    target = getattr(form, group)
    if number:
        entries = {entry.number: entry for entry in target}
        number = int(number[0])
        target = entries.get(number) or target.add(number=number)
    field = target.DESCRIPTOR.fields_by_name[name]
    if field.message_type is not None:
        getattr(target, name).CopyFrom(date_of(text))
    elif field.enum_type is not None:
        setattr(target, name, choice_of(field.enum_type, text))
    elif field.type == field.TYPE_BOOL:
        setattr(target, name, {"yes": True, "no": False}[text])
    elif field.type == field.TYPE_UINT32:
        setattr(target, name, int(text))
    else:
        setattr(target, name, text)


def form_of(values):
    form = forms.Form()
    for path, text in values.items():
        set_path(form, path, text)
    return form


# ---- the program ------------------------------------------------------------

def pairs(args):
    return dict(arg.split("=", 1) for arg in args)


def do_invite(session, args):
    file, name, role, *rest = args
    request = pb.PersonInviteRequest(name=name, label="first device")
    request.grant.add(role=pb.Role.Value(role.upper()))
    if rest:
        request.agency = rest[0]
        request.area.extend(rest[1:])
    answer = session.change("PersonInvite", request)
    if answer.status == OK and answer.body:
        write_synced(file, invitation_of(
            session.credential, name, answer.body).text())
    return answer


def do_register(session, args):
    request = pb.NotificationRegisterRequest()
    while args and args[0].startswith("--"):
        if args[0] == "--dry-run":
            request.dry_run = True
        else:
            reference, _, word = args.pop(1).partition("=")
            request.decision.add(reference=reference, reason="by hand",
                                 decision=pb.Decision.Value(word))
        args = args[1:]
    request.form.CopyFrom(form_of(pairs(args)))
    key = request_key()
    print("request key " + key.hex())
    return session.change("NotificationRegister", request, key,
                          purpose="new_notification")


def do_approve(session, args, approve):
    number = bytes.fromhex(args[0])
    listed = session.call("ApprovalList").body.approval
    (approval,) = [a for a in listed if a.number == number]
    print("\n".join(approval.words))
    return decide(session, approval, approve)


def run(credential, verb, args):
    with open_session(credential) as session:
        for notice in session.welcome.notice:
            print(notice)
        simple = {"whoami": "WhoAmI", "status": "Status",
                  "people": "PeopleList", "approvals": "ApprovalList"}
        if verb in simple:
            return session.call(simple[verb])
        if verb == "list":
            return session.call("CaseList", purpose="case_work",
                                use=pb.SCREEN)
        if verb == "audit":
            return session.call("AuditList", purpose="audit",
                                use=pb.SCREEN)
        if verb == "activate":
            return session.change("PersonActivate", pb.PersonActivateRequest(
                device=int(args[0]), comparison=args[1]))
        if verb == "invite":
            return do_invite(session, args)
        if verb == "register":
            return do_register(session, args)
        if verb == "ask":
            return session.call("Ask", pb.AskRequest(**pairs(args)),
                                purpose="living_child", use=pb.SCREEN)
        if verb == "resend":
            return session.resend(bytes.fromhex(args[0]))
        if verb in ("approve", "decline"):
            return do_approve(session, args, verb == "approve")
        sys.exit(__doc__.strip())


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__.strip())
    folder, verb, *args = sys.argv[1:]
    if verb == "enrol":
        with open(args[0], "rb") as f:
            invitation = Invitation.parse(f.read())
        text, answer = enrol(Credential.begin(folder, invitation),
                             (args + ["stranger"])[1])
        if answer.status == OK:
            print("read this out: " + text)
    elif verb == "turn":
        answer = turn(Credential(folder))
    else:
        answer = run(Credential(folder), verb, args)
    print(answer)
    for message in answer.messages:
        print(message, end="")
    return answer.status != OK


if __name__ == "__main__":
    sys.exit(main())
