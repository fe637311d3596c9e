#!/usr/bin/python3
"""cdop retry loses nothing and blocks nothing: what is refused stays as it
was typed, the others go out, and what nobody wants is thrown away."""
import os
import resource

from libflow import (CDOP, CONFLICT, NOT_FOUND, OK, STOPPED, UNREACHABLE,
                     USAGE, check, end, equal, scene, wait_for)
from libtype import run
from libwire import Wire
import libsynthetic


def notify(row):
    return ["notify"] + libsynthetic.said(row)


def record(cora, reference):
    return cora.must("case", "show", reference, "--json").json()["case"][
        "record"]


def amend(reference, version, gp):
    return ["case", "amend", reference, "--reason", "the GP rang", "--source",
            "telephone", "--seen", str(version), "--set", "gp.name=" + gp]


def unsent(registry, cora, words):
    """The client is killed when its request is on its way, and kept."""
    wire = Wire(registry.socket, hold="requests")
    client = cora.popen(*words)
    wait_for(lambda: wire.asked() > 0)
    client.kill()
    client.communicate()
    wire.close()


def overtaken(registry, cora, reference):
    """An amendment that waits while somebody else makes another one."""
    for _ in range(5):  # it may have arrived with the handshake
        version = record(cora, reference)["version"]
        unsent(registry, cora, amend(reference, version, "Dr Sample First"))
        if record(cora, reference)["version"] == version:
            break
        cora.must("retry")
    cora.must(*amend(reference, version, "Dr Sample Other"))


def listed(cora):
    return [o for o in cora.must("retry", "--list", "--json").lines()
            if "key" in o]


def refused(registry, cora, rows, reference):
    overtaken(registry, cora, reference)
    registry.kill()
    cora.must(*notify(rows[1]), code=UNREACHABLE)
    registry.start()
    equal("two wait", len(listed(cora)), 2)
    done = cora.cdop("retry")
    equal("what was overtaken is refused", done.code, CONFLICT)
    check("it says which case", "case amend " + reference in done.out, done)
    check("and the other one goes out", "Registered T-" in done.out, done)
    left = listed(cora)
    check("what was typed stays", len(left) == 1 and left[0]["refused"] and
          left[0]["command"] == "case amend " + reference, left)
    key = left[0]["key"][:12]
    text = cora.must("retry").out
    check("it is not sent by itself, and named", "refused" in text and
          "--again " + key in text and "Sample" not in text, text)
    equal("and stays", len(listed(cora)), 1)
    return key


def again(cora, reference, key):
    before = record(cora, reference)["version"]
    done = cora.cdop("retry", "--again", key)
    check("nobody to ask: what the other one changed is shown",
          done.code == CONFLICT and "Dr Sample Other" in done.out, done)
    equal("it stays", key in cora.must("retry", "--list").out, True)
    code, shown = run([CDOP, "retry", "--again", key],
                      {"all the same": ["yes"]},
                      dict(cora.env(), TERM="dumb"))
    check("with a yes it goes out under the version of today", code == OK and
          "Amended" in shown, shown)
    now = record(cora, reference)
    equal("it is what was typed", (now["version"], now["form"]["gp"]["name"]),
          (before + 1, "Dr Sample First"))
    equal("then nothing is kept", listed(cora), [])


def dropped(registry, cora, reference):
    overtaken(registry, cora, reference)
    key = listed(cora)[0]["key"][:12]
    equal("nobody says yes", cora.cdop("retry", "--drop", key).code, USAGE)
    code, _ = run([CDOP, "retry", "--drop", key], {"for ever": ["no"]},
                  dict(cora.env(), TERM="dumb"))
    equal("somebody says no", code, STOPPED)
    equal("it is there", len(listed(cora)), 1)
    cora.must("retry", "--drop", key, "--yes")
    equal("dropped", listed(cora), [])
    equal("there is none of that name", [
        cora.cdop("retry", "--drop", name, "--yes").code
        for name in (key, "../../x", "7")], [NOT_FOUND, USAGE, NOT_FOUND])
    code, shown = run([CDOP, "notify"], {"How did it reach": ["phone"], "Who tells us": ["RBL"],
                                      "Name of the": ["Dr Sample"],
                                      "Family name": ["\x03"]},
                      dict(cora.env(), TERM="dumb"))
    check("a draft", code == STOPPED and "draft 1" in shown, shown)
    done = cora.must("retry", "--drop", "1", "--yes", "--json").json()
    equal("a program reads which", (done["schema"], done["dropped"]),
          ("cdop.retry.drop/1", "draft 1"))
    equal("can be dropped, too", "draft" in cora.must("retry", "--list").out,
          False)


def not_begun(registry, cora, row):
    """What cannot be written down again is not sent, and that is said."""
    registry.kill()
    # Longer than what a session writes down by itself.
    row = dict(row, **{"circumstances.narrative": "x" * 6000})
    cora.must(*notify(row), code=UNREACHABLE)
    registry.start()
    full = cora.popen("retry", preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (4096, 4096)))
    out = full.communicate(timeout=60)[0].decode()
    check("on a full disk it says that it was not sent", full.returncode == 1
          and "cannot be kept on this computer" in out, (full.returncode, out))
    equal("and it waits", len(listed(cora)), 1)


def gone(cora):
    """What another cdop has sent since it was listed is not damaged."""
    kept = os.path.join(cora.home, ".local/state/cdop/training/requests")
    name = os.path.join(kept, "0" * 32 + ".request")
    os.symlink("nowhere", name)
    check("what is gone is passed over", "Registered T-" in
          cora.must("retry").out, listed(cora))
    os.unlink(name)
    equal("and nothing waits", listed(cora), [])


def main():
    registry, cora = scene()
    rows = libsynthetic.rows(3, 620)
    reference = cora.must(*notify(rows[0]), "--json").json()["reference"]
    again(cora, reference, refused(registry, cora, rows, reference))
    dropped(registry, cora, reference)
    not_begun(registry, cora, rows[2])
    gone(cora)
    equal("it stops in order", registry.stop(), 0)
    end()


main()
