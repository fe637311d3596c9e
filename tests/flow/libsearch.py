#!/usr/bin/python3
"""Searches files for words that must not be in them, in many spellings.

    libsearch.py FOLDER FILE.csv [WORD ...]

Names, numbers, places and stories of the CSV file are the words.  Exit 1
when one is found.
"""
import base64
import csv
import os
import re
import subprocess
import sys
import tempfile

PRIVATE = re.compile(r"(family_name|first_names|nhs_number|address|postcode|"
                     r"phone|notifier\.name|narrative)$")
LEAST = 5  # bytes: less turns up in random bytes


def spellings(word):
    """A word as it may lie about in bytes."""
    raw = word.encode()
    ways = {raw, raw.lower(), raw.upper(), raw[::-1],
            word.encode("utf-16-le"), word.encode("utf-16-be"),
            raw.hex().encode(), raw.hex().upper().encode()}
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw + b"\0\0\0")
        # What is the same whatever stands before and behind it.
        ways.add(text[(shift * 8 + 5) // 6:(shift + len(raw)) * 8 // 6])
    return {way for way in ways if len(way) >= LEAST}


def words_of(row):
    """The words of a row that say who it is about."""
    words = set()
    for field, value in row.items():
        if not PRIVATE.search(field) or not value or value[0] == "#":
            continue
        words.add(value)
        if field.endswith("nhs_number"):
            words.add(" ".join((value[:3], value[3:6], value[6:])))
        elif not field.endswith("narrative"):
            words.update(re.split(r"[ ,]+", value))
    return {word for word in words if len(word.encode()) >= LEAST}


def files_of(folder):
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def grep(patterns, paths):
    """(path, pattern) of what is found; grep looks for thousands at once."""
    env = dict(os.environ, LC_ALL="C")
    with tempfile.NamedTemporaryFile() as f:
        f.write(b"\n".join(patterns) + b"\n")
        f.flush()
        done = subprocess.run(
            ["grep", "-a", "-o", "-F", "-H", "-Z", "-f", f.name, "--",
             *paths], env=env, stdout=subprocess.PIPE, check=False)
    if done.returncode > 1:
        sys.exit("grep: exit %d" % done.returncode)
    for line in done.stdout.split(b"\n"):
        path, mark, pattern = line.partition(b"\0")
        if mark:
            yield path.decode(), pattern


def search(folder, words, skip=()):
    """Lines "FILE: WORD" for every file that holds one, and bytes read."""
    patterns = {spelling: word for word in words
                for spelling in spellings(word)}
    paths = [path for path in files_of(folder) if path not in skip]
    read = sum(os.path.getsize(path) for path in paths)
    found = {"%s: %s" % (path, patterns.get(pattern, pattern))
             for path, pattern in grep(
                 [p for p in patterns if b"\n" not in p], paths)}
    for path in paths:
        with open(path, "rb") as f:
            data = f.read()
        found |= {"%s: %s" % (path, word)
                  for spelling, word in patterns.items()
                  if b"\n" in spelling and spelling in data}
    return sorted(found), read


def main():
    folder, name, *words = sys.argv[1:]
    words = set(words)
    with open(name, newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            words |= words_of(row)
    found, read = search(folder, words)
    print("\n".join(found[:20] + [
        "%d words in %d spellings, searched in %d bytes: %s" % (
            len(words), sum(len(spellings(w)) for w in words), read,
            "%d FOUND" % len(found) if found else "none found")]))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
