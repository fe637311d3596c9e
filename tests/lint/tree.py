"""What the lints share: the files of the tree, and how a finding is said."""
import os
import sys

sys.dont_write_bytecode = True

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(
    sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "..", ".."))
NOT_OURS = {"build", ".git", "__pycache__"}

findings = 0


def files(*suffixes, under=("",)):
    """Paths relative to the root, sorted; git is not asked, tarballs count."""
    found = []
    for top in under:
        for folder, folders, names in os.walk(os.path.join(ROOT, top)):
            folders[:] = sorted(set(folders) - NOT_OURS)
            for name in set(names) - NOT_OURS:  # .git of a work tree
                path = os.path.relpath(os.path.join(folder, name), ROOT)
                if not suffixes or name.endswith(suffixes):
                    found.append(path)
    return sorted(set(found))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8",
              errors="replace") as f:
        return f.read()


def find(path, line, text):
    global findings
    findings += 1
    print("%s:%s: %s" % (path, line, text) if line else
          "%s: %s" % (path, text))


def end():
    sys.exit(1 if findings else 0)
