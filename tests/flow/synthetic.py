#!/usr/bin/python3
"""Makes notifications of children who never lived, as CSV.

    synthetic.py [--awkward] [--bad N] [--start N] COUNT

Names are plainly made up, NHS numbers are of the 999 range, and the same
arguments give the same file.  --awkward takes what real input is like: names
with diacritics, apostrophes, other scripts and 200 characters, twins,
unknown and partial dates, children who lived minutes, deaths abroad, every
pseudo postcode.  --bad N spoils N rows, each under a rule of its own.
"""
import argparse
import csv
import datetime
import sys

COLUMNS = [
    "received.channel", "received.notified_date", "received.notified_time",
    "notifier.agency", "notifier.name", "notifier.phone",
    "child.name_kind", "child.family_name", "child.first_names",
    "child.nhs_number", "child.nhs_number_absent_reason", "child.sex",
    "child.address", "child.postcode",
    "birth.date", "birth.time", "birth.multiplicity", "birth.order",
    "birth.gestation_weeks", "birth.weight_grams",
    "death.date", "death.time", "death.expected",
    "place.type", "place.country",
    "area.residence", "area.death",
    "mother.family_name", "mother.first_names",
    "circumstances.narrative",
    "decision", "decision_reason", "warnings_accepted",
]

FAMILY = ["Tarrant", "Oyelaran", "Quillfeather", "Penhallow", "Brackwater",
          "Illingstone", "Macravey", "Dunmarrow", "Ashgrove", "Villarreal",
          "Korczakova", "Threlfell", "Nwachukwura", "Wintersedge", "Abernock",
          "Salisberg", "Hollowmere", "Featherley", "Marchbankes", "Estwicke"]
FIRST = ["Testa", "Orla", "Ben", "Ifeoma", "Callum", "Priya", "Noor", "Elsie",
         "Tomasz", "Grace", "Yusuf", "Maeve", "Theo", "Aisha", "Rhys", "Lena"]
STRANGE = ["Ng\u0169g\u0129-Synthetic", "O'Hara-D'Arcy", "\u00d8rsted \u00c5s",
           "\u05db\u05d4\u05df", "\u0645\u062d\u0645\u062f", "Null", "None",
           "Na", "\u674e", "de la Cruz y Pe\u00f1a", "St. John-Smythe",
           "Zo\u00eb-Ma\u00ebl", "\u0141uka\u015biewicz", "M\u02bcBala",
           "Van 't Hof", "\u015eahin", "Bj\u00f6rk", "\u1e62\u1eb9gun",
           "A", "X" * 200]
AREAS = ["knowsley", "liverpool", "sefton", "st-helens", "wirral",
         "isle-of-man"]
PSEUDO = ["ZZ99 3VZ", "ZZ99 3WZ", "ZZ99 3CZ", "ZZ99 1WZ", "ZZ99 2WZ",
          "ZZ99 3GZ", "ZZ99 6CZ"]
TODAY = datetime.date(2026, 11, 20)


def numbers():
    """The valid numbers of the 999 range, in order (mod 11)."""
    body = 999000001
    while True:
        digits = [int(c) for c in str(body)]
        check = 11 - sum(d * w for d, w in zip(digits, range(10, 1, -1))) % 11
        if check != 10:
            yield "%d%d" % (body, 0 if check == 11 else check)
        body += 1


def family(i):
    """No two rows look like the same child."""
    word = FAMILY[i % len(FAMILY)]
    return "%s%s-Synthetic" % (word, "" if i < len(FAMILY) else
                               chr(97 + i // len(FAMILY) % 26) +
                               chr(97 + i // len(FAMILY) // 26))


def plain(i, number):
    died = TODAY - datetime.timedelta(days=(i * 7) % 320 + 2)
    born = died - datetime.timedelta(days=(i * 611) % 5400 + 3)
    told = died + datetime.timedelta(days=1)
    area = AREAS[i % len(AREAS)]
    return {
        "received.channel": ["phone", "web", "email"][i % 3],
        "received.notified_date": told.isoformat(),
        "received.notified_time": "%02d:%02d" % (8 + i % 10, i * 7 % 60),
        "notifier.agency": "RBS",
        "notifier.name": "Dr Sample %s" % FIRST[i % len(FIRST)],
        "notifier.phone": "0151 496 0%03d" % (i % 1000),
        "child.name_kind": "known",
        "child.family_name": family(i),
        "child.first_names": FIRST[i * 3 % len(FIRST)],
        "child.nhs_number": number,
        "child.sex": "12"[i % 2],
        "child.address": "%d Example Road, Nowhere" % (i + 1),
        "child.postcode": ["L1 8JQ", "CH41 5AA", "PR8 1AA", "WA10 1AA",
                           "L36 9UX", "IM1 1AA"][i % 6],
        "birth.date": born.isoformat(),
        "death.date": died.isoformat(),
        "death.time": "%02d:%02d" % (i * 5 % 24, i * 11 % 60),
        "death.expected": "YN"[i % 2],
        "place.type": "hospital-emergency",
        "area.residence": area,
        "area.death": "liverpool",
        "mother.family_name": family(i),
        "mother.first_names": FIRST[(i * 5 + 1) % len(FIRST)],
        "circumstances.narrative":
            "Synthetic circumstances %d: found unwell at home." % (i + 1),
    }


def twin(row, first):
    """The row before, born minutes later: a decision, not a duplicate."""
    row["child.family_name"] = first["child.family_name"]
    for field in ("birth.date", "death.date", "mother.family_name",
                  "mother.first_names", "child.postcode", "area.residence"):
        row[field] = first[field]
    row["child.first_names"] = "Second"
    row["birth.multiplicity"], row["birth.order"] = "2", "2"
    row["decision"] = "new:twin"
    row["decision_reason"] = "second of synthetic twins"


def minutes(row):
    row["birth.date"] = row["death.date"]
    row["birth.time"], row["death.time"] = "03:10", "03:22"
    row["child.name_kind"] = "baby of"
    row["child.family_name"] = row["child.first_names"] = ""
    row["child.nhs_number"] = ""
    row["child.nhs_number_absent_reason"] = "NOT_CURRENTLY_AVAILABLE"
    row["birth.gestation_weeks"], row["birth.weight_grams"] = "23", "520"


def abroad(row):
    row["area.death"] = "abroad"
    row["place.type"], row["place.country"] = "abroad", "Portugal"
    row["death.time"] = ""


def awkward(i, row, before):
    row["child.family_name"] = "%s %s" % (STRANGE[i % len(STRANGE)],
                                          family(i)) \
        if len(STRANGE[i % len(STRANGE)]) < 100 else STRANGE[-1]
    kind = i % 12
    if kind == 1 and before:
        twin(row, before)
    elif kind == 3:
        row["birth.date"] = "~" + row["birth.date"][:4]
    elif kind == 4:
        row["birth.date"] = row["birth.date"][:7]
    elif kind == 5:
        minutes(row)
    elif kind == 7:
        abroad(row)
    elif kind == 8:
        row["child.postcode"] = PSEUDO[i // 12 % len(PSEUDO)]
    elif kind == 9:
        row["child.sex"] = "#nk"
        row["child.nhs_number"] = "#nk"
    elif kind == 10:
        row["area.residence"] = "#nk"


def spoil(rows, n):
    """Each of them under a rule of its own."""
    ways = [
        ("child.nhs_number", "9990000019"),   # check digit
        ("birth.date", "2031-02-30"),         # no such day
        ("death.date", "2027-01-15"),         # not yet
        ("child.postcode", "NOWHERE"),
    ]
    step = max(1, len(rows) // (n + 1))
    for i in range(n):
        field, value = ways[i % len(ways)]
        rows[(i + 1) * step - 1][field] = value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--awkward", action="store_true")
    parser.add_argument("--bad", type=int, default=0)
    parser.add_argument("--start", type=int, default=0)
    args = parser.parse_args()
    number = numbers()
    for _ in range(args.start):
        next(number)
    rows = []
    for i in range(args.start, args.start + args.count):
        row = plain(i, next(number))
        if args.awkward:
            awkward(i, row, rows[-1] if rows else None)
        rows.append(row)
    spoil(rows, args.bad)
    out = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\r\n")
    out.writeheader()
    out.writerows(rows)


if __name__ == "__main__":
    main()
