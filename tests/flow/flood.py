#!/usr/bin/python3
"""More than a session holds, in one go: the rest waits on the way, all of it
is answered, and others are answered meanwhile."""
import os
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "stranger"), HERE]
import client  # noqa: E402
import noise_link as nl  # noqa: E402
from client import METHODS, pb  # noqa: E402
from libflow import check, end, equal  # noqa: E402
from scene import PURPOSE, Cast, Children, notification, saw  # noqa: E402

BYTES = 8 << 20
NO_SUCH = 9999  # a call that nobody knows
UNIMPLEMENTED = 12


def calls():
    """Notifications with long narratives, and at times the largest Call."""
    children, made, size = Children(), [], 0
    method = METHODS["NotificationRegister"].number
    while size < BYTES:
        call = pb.Call(id=len(made) + 1, method=method, **PURPOSE)
        call.request_key = client.request_key()
        call.body = notification(children.next(
            circumstances__narrative="A line of it. " * 2200),
            dry_run=True).SerializeToString()
        if len(made) % 40 == 7:
            call = pb.Call(id=call.id, method=NO_SUCH)
            call.body = bytes(nl.MESSAGE_MAX - 20)
        made.append(call.SerializeToString())
        size += len(made[-1])
    return made


def answers(link, n):
    """Status by id, until as many have come or the line is closed."""
    seen = {}
    try:
        while len(seen) < n:
            reply = pb.Reply.FromString(link.receive())
            seen[reply.id] = reply.status
    except client.CLOSED:
        pass
    return seen


def main():
    cast = Cast("flood")
    cast.administrators()
    cast.welcome("cora", pb.COORDINATOR, name="Cora Coordinator",
                 all_areas=True)
    cora, bob = cast.open("cora"), cast.open("bob")
    sent = calls()
    check("over 8 MiB of calls", sum(map(len, sent)) >= BYTES)
    # In a thread of its own: it blocks once the gate reads no more.
    sender = threading.Thread(target=cora.link.send, args=sent, daemon=True)
    seen = {}
    reader = threading.Thread(target=lambda: seen.update(
        answers(cora.link, len(sent))), daemon=True)
    sender.start()
    reader.start()
    asked = 0
    while reader.is_alive():
        saw_ok = bob.call("Status").status == client.OK
        asked += reader.is_alive()
        if not saw_ok:
            break
    reader.join(60)
    sender.join(60)
    equal("every call has its answer", len(seen), len(sent))
    equal("the right one", {i for i, status in seen.items() if status != (
        UNIMPLEMENTED if i % 40 == 8 else client.OK)}, set())
    check("another session was answered all the while", asked >= 3, asked)
    saw("and the session goes on", cora.call("WhoAmI"), client.OK)
    for session in cast.sessions:
        session.link.close()
    equal("an orderly stop", cast.registry.stop(), 0)
    end()


main()
