#!/usr/bin/python3
"""The root is turned while the registry serves: two people, and every kind of
slot opens it before and after, on the host, over the link and at a start."""
import os

from libflow import (OK, PASSPHRASE, SEALED, SECOND, TMP, USAGE, Registry,
                     cdopd, check, end, equal, wait_for)
from libslots import add_shares, shares, sheet


def ways(registry):
    """What opens it, by kind: arguments of cdopd, and what is typed."""
    return {
        "key file": (["--key-file", registry.key], b""),
        "passphrase": (["--passphrase-stdin"], PASSPHRASE.encode() + b"\n"),
        "shares": (shares(registry, 2, 3, 5), b""),
    }


def offline(registry, when):
    for kind, (args, stdin) in ways(registry).items():
        code, said = cdopd("slot", "test", registry.data, *args, stdin=stdin)
        check("offline %s: %s" % (when, kind), code == 0, said)
    code, said = cdopd("slot", "test", registry.data, "--key-file",
                       os.path.join(registry.dir, "cdopd.key"))
    check("offline %s: credential" % when, code == 0, said)


def sealed(registry, ada):
    registry.kill_role("vault")
    return wait_for(lambda: ada.cdop("status").code == SEALED, 5)


def online(registry, cass, when):
    """The vault dies, and each of them opens the next."""
    ada = registry.ada
    for kind, (args, stdin) in ways(registry).items():
        check("it is closed", sealed(registry, ada))
        code, said = cdopd("unseal", "-f", registry.conf, *args, stdin=stdin)
        check("%s: %s" % (when, kind), code == 0 and
              ada.cdop("status").code == OK, said)
    check("it is closed", sealed(registry, ada))
    for n in 1, 3, 4:
        done = cass.must("custodian", "submit", "--from", sheet(registry, n))
    check("%s: shares over the link" % when, "is open" in done.out, done)


def turn(registry, cass):
    ada = registry.ada
    why = ["--reason", "a custodian has left", "--yes"]
    equal("one thing at a time", ada.cdop(
        "key", "rotate", "--root", "--all", *why).code, USAGE)
    equal("no row is under the root", ada.cdop(
        "key", "rotate", "--root", "--reseal", *why).code, USAGE)
    ada.must("key", "rotate", "--root", *why, code=SECOND)
    words = " ".join(cass.approve()["words"])
    check("the second person sees what will happen", "new root" in words and
          "4 slots open the new one" in words and "a custodian has left" in
          words, words)
    # In whatever step it is.
    registry.kill_role("vault")
    check("closed in the midst of it", wait_for(
        lambda: ada.cdop("status").code == SEALED, 5))
    cdopd("unseal", "-f", registry.conf, *shares(registry, 1, 2, 3))
    ada.must("key", "status", "--watch")
    done = ada.must("key", "status")
    check("it is done", "rotation 1 of the root: done" in done.out and
          "the old root opens none" in done.out, done)


def main():
    boot = os.path.join(TMP, "boot.key")
    with open(boot, "wb") as f:
        f.write(bytes(range(1, 33)))
    os.chmod(boot, 0o400)
    registry = Registry("root", key_file=False,
                        conf=["boot_key_file = " + boot, "restarts = 100"])
    registry.init()
    add_shares(registry)
    code, said = cdopd(
        "slot", "add", registry.data, "--by", "Ada Admin", "--new-credential",
        os.path.join(registry.dir, "cdopd.key"), "--key-file", registry.key)
    check("a slot of each kind", code == 0, said)
    offline(registry, "before")
    registry.start()
    cdopd("unseal", "-f", registry.conf, "--key-file", registry.key)
    registry.people()
    cass = registry.invite("Cass Custodian", "--role", "custodian")
    audrey = registry.invite("Audrey Auditor", "--role", "auditor")
    online(registry, cass, "before")
    turn(registry, cass)
    online(registry, cass, "after")
    entries = audrey.must("audit", "list", "--json", "--purpose",
                          "audit").lines()
    said = [(e["call"], e.get("reason")) for e in entries]
    for one in ("keys turned", "root"), ("key destroyed", "root"):
        equal("the log says once: %s, %s" % one, said.count(one), 1)
    equal("it stops in order", registry.stop(), 0)
    offline(registry, "after")
    os.environ["CREDENTIALS_DIRECTORY"] = registry.dir
    registry.start()
    del os.environ["CREDENTIALS_DIRECTORY"]
    check("a credential opens it at a start", "state=open" in registry.ready,
          registry.ready)
    equal("it stops in order", registry.stop(), 0)
    equal("verify says fine", cdopd("verify", registry.data, "--key-file",
                                    registry.key)[0], 0)
    end()


if __name__ == "__main__":
    main()
