"""A registry for the stranger's client, and people who have only that."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import client  # noqa: E402
import libflow  # noqa: E402
import libsynthetic  # noqa: E402
from client import pb  # noqa: E402

PURPOSE = {"purpose": "new_notification"}
CHANGE = {"purpose": "case_work"}
CASE = {"purpose": "case_work", "use": pb.SCREEN}
AUDIT = {"purpose": "audit", "use": pb.SCREEN}
ASK = {"purpose": "living_child", "use": pb.SCREEN}


class Cast:
    """People by name: their credentials, and the sessions they opened."""

    def __init__(self, name, *conf):
        # What comes from here is garbage for the most part.
        self.registry = libflow.Registry(
            name, conf=["gate_source_garbage = 0",
                        "gate_source_handshakes = 0", *conf])
        self.registry.init()
        self.registry.start()
        self.people = {}
        self.sessions = []

    def __getitem__(self, name):
        return self.people[name]

    def file(self, number):
        path = os.path.join(self.registry.out, "invitation-%d.txt" % number)
        with open(path, "rb") as f:
            return f.read()

    def begin(self, name, invitation):
        credential = client.Credential.begin(
            os.path.join(libflow.TMP, "stranger-" + name), invitation)
        self.people[name] = credential
        return credential

    def open(self, name):
        session = client.open_session(self.people[name])
        self.sessions.append(session)
        return session

    def administrators(self):
        """Both enrolled, and each activated by the other: state open."""
        strings = {}
        for number, name in enumerate(("ada", "bob"), 1):
            invitation = client.Invitation.parse(self.file(number))
            strings[name], answer = client.enrol(
                self.begin(name, invitation), name + " laptop")
            must(answer)
        for name, other in (("ada", "bob"), ("bob", "ada")):
            must(self.activate(name, other, strings[other]))

    def activate(self, by, name, string):
        with self.open(by) as session:
            return session.change("PersonActivate", pb.PersonActivateRequest(
                device=self[name].device, comparison=string))

    def invite(self, who, role, **person):
        """The invitation, by Ada, as its file would be read."""
        request = pb.PersonInviteRequest(label="laptop", **person)
        request.grant.add(role=role)
        with self.open("ada") as session:
            answer = must(session.change("PersonInvite", request))
        file = client.invitation_of(self["ada"], request.name,
                                    answer.body).text()
        return self.begin(who, client.Invitation.parse(file))

    def welcome(self, who, role, **person):
        """Invited by Ada, enrolled, activated by Bob."""
        self.invite(who, role, **person)
        string, answer = client.enrol(self[who], who + " laptop")
        must(answer)
        must(self.activate("bob", who, string))


def must(answer):
    if answer.status != client.OK:
        sys.exit("not ok: %s" % answer)
    return answer


def saw(name, answer, status, reason=""):
    """The answer has this status and this stable word."""
    return libflow.check(
        name, (answer.status, answer.reason) == (status, reason), answer)


def rule(name, answer, word, path):
    """Refused as wrong in itself, under this rule, there."""
    return libflow.equal(
        name, [answer.status] + [(v.rule, v.path) for v in
                                 answer.reply.violation],
        [3, (word, path)])


class Children:
    """Synthetic children, each with a valid number of the 999 range."""

    def __init__(self):
        self.numbers = libsynthetic.numbers()
        self.count = 0

    def next(self, area=None, **more):
        row = libsynthetic.plain(self.count, next(self.numbers))
        self.count += 1
        row = {path: value for path, value in row.items()
               if value and "." in path}
        if area:
            row["area.residence"] = area
        row.update({path.replace("__", "."): value
                    for path, value in more.items()})
        return row


def notification(row, **more):
    return pb.NotificationRegisterRequest(form=client.form_of(row), **more)
