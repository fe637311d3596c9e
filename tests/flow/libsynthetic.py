#!/usr/bin/python3
"""Makes notifications of children who never lived, as CSV.

    libsynthetic.py [--awkward] [--bad N] [--start N] COUNT

Names are plainly made up, NHS numbers are of the 999 range, dates lie well
in the past, and the same arguments give the same file.  --awkward takes what
real input is like: names with diacritics, apostrophes, other scripts and 200
characters, twins, unknown and partial dates, children who lived minutes,
deaths abroad, every pseudo postcode; and rows that have to be refused.
--bad N spoils N rows, each under a rule of its own.

As a module: rows() gives dicts.  Beside the columns a row has "_rule", the
rule it is refused for ("" when it is taken), and "_want", what a value reads
as afterwards where that is not what was written.
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
    "child.estimated_age", "child.address", "child.postcode",
    "birth.date", "birth.time", "birth.multiplicity", "birth.order",
    "birth.possible_stillbirth", "birth.gestation_weeks",
    "birth.weight_grams",
    "death.date", "death.date_is_found", "death.time", "death.expected",
    "place.type", "place.name", "place.country",
    "area.residence", "area.death",
    "mother.family_name", "mother.first_names",
    "parent.1.family_name", "parent.1.first_names", "parent.1.relationship",
    "parent.2.family_name", "parent.2.first_names", "parent.2.relationship",
    "circumstances.narrative", "scope.decision", "scope.reason",
    "decision", "decision_reason", "warnings_accepted",
]

FAMILY = ["Tarrant", "Oyelaran", "Quillfeather", "Penhallow", "Brackwater",
          "Illingstone", "Macravey", "Dunmarrow", "Ashgrove", "Villarreal",
          "Korczakova", "Threlfell", "Nwachukwura", "Wintersedge", "Abernock",
          "Salisberg", "Hollowmere", "Featherley", "Marchbankes", "Estwicke"]
# Long enough that none of them turns up in random bytes by chance.
FIRST = ["Testarina", "Orlantha", "Benedikta", "Ifeomara", "Callumius",
         "Priyanshi", "Noorjehan", "Elsiebeth", "Tomaszek", "Gracelynn",
         "Yusufina", "Maevelyn", "Theodulf", "Aishanora", "Rhysander",
         "Lenalotte"]
STRANGE = ["Ng\u0169g\u0129", "O'Hara-D'Arcy", "\u00d8rsted \u00c5s",
           "\u05db\u05d4\u05df", "\u0645\u062d\u0645\u062f", "Null", "None",
           "Na", "\u674e", "de la Cruz y Pe\u00f1a", "St. John-Smythe",
           "Zo\u00eb-Ma\u00ebl", "\u0141uka\u015biewicz", "M\u02bcBala",
           "Van \u2019t Hof", "\u015eahin", "Bjo\u0308rk", "\u1e62\u1eb9gun",
           "A", "Unknown", "#nkomo", "=1+1", "\U0001f56f", "Smith;Jones",
           '"Quoted"', "Kommat, of"]
AREAS = ["knowsley", "liverpool", "sefton", "st-helens", "wirral",
         "isle-of-man"]
ELSEWHERE = ["halton", "lancashire", "flintshire", "elsewhere_england",
             "scotland", "abroad", "no_fixed_abode", "#nk"]
PSEUDO = ["ZZ99 3VZ", "ZZ99 3WZ", "ZZ99 3CZ", "ZZ99 1WZ", "ZZ99 2WZ",
          "ZZ99 3GZ", "ZZ99 6CZ"]
LAST = datetime.date(2024, 11, 20)


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
    died = LAST - datetime.timedelta(days=(i * 7) % 320 + 2)
    born = died - datetime.timedelta(days=(i * 611) % 5400 + 3)
    told = died + datetime.timedelta(days=1)
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
        "child.postcode": ["L36 9UX", "L1 8JQ", "PR8 1AA", "WA10 1AA",
                           "CH41 5AA", "IM1 1AA"][i % 6],
        "birth.date": born.isoformat(),
        "death.date": died.isoformat(),
        "death.time": "%02d:%02d" % (i * 5 % 24, i * 11 % 60),
        "death.expected": ["yes", "no"][i % 2],
        "place.type": "emergency_department",
        "area.residence": AREAS[i % len(AREAS)],
        "area.death": "liverpool",
        "mother.family_name": family(i),
        "mother.first_names": FIRST[(i * 5 + 1) % len(FIRST)],
        "circumstances.narrative":
            "Synthetic circumstances %d: found unwell at home." % (i + 1),
        "_rule": "", "_want": {},
    }


# ---- what real input is like -----------------------------------------------

def twin(row, first):
    """The row before, born with it: a decision, not a duplicate."""
    for field in ("child.family_name", "birth.date", "death.date",
                  "received.notified_date", "mother.family_name",
                  "mother.first_names", "child.postcode", "area.residence"):
        row[field] = first[field]
    row["_want"]["child.family_name"] = first["_want"].get(
        "child.family_name", first["child.family_name"])
    row["child.first_names"] = "Seconda"
    row["birth.multiplicity"], row["birth.order"] = "2", "2"
    row["decision"] = "new:twin"
    row["decision_reason"] = "second of synthetic twins"


def one_name(row):
    row["child.name_kind"] = "one_only"
    row["child.first_names"] = ""


def estimated(row):
    """Born about five years before."""
    row["birth.date"] = "~%d" % (int(row["death.date"][:4]) - 5)


def partial(row):
    row["birth.date"] = "%d-%s" % (int(row["death.date"][:4]) - 3,
                                   row["birth.date"][5:7])


def minutes(row):
    row["birth.date"] = row["death.date"]
    row["birth.time"], row["death.time"] = "03:10", "03:22"
    row["child.name_kind"] = "baby_of"
    row["child.family_name"] = row["child.first_names"] = ""
    row["_want"].pop("child.family_name", None)
    row["child.nhs_number"] = ""
    row["child.nhs_number_absent_reason"] = "NOT_CURRENTLY_AVAILABLE"
    row["birth.gestation_weeks"], row["birth.weight_grams"] = "23", "520"


def no_birth_date(row):
    row["birth.date"] = "#nk"
    row["child.estimated_age"] = "7"


def abroad(row):
    row["area.death"] = "abroad"
    row["place.type"], row["place.country"] = "abroad", "Portugal"
    row["death.time"] = "#nk"


def pseudo(row, i):
    row["child.postcode"] = PSEUDO[i % len(PSEUDO)]
    if row["child.postcode"] == "ZZ99 3WZ":
        row["_want"]["child.postcode"] = "#nk"


def not_known(row):
    row["child.sex"] = "0"
    row["_want"]["child.sex"] = "#nk"
    row["child.nhs_number"] = "#nk"
    row["child.nhs_number_absent_reason"] = "NON_RESIDENT_ENGLAND"


def long_text(row, i):
    row["circumstances.narrative"] = (
        "Line one, \"quoted\"; it's\r\nline two\r\n\r\n" +
        "\u2018smart\u2019 \u2014 caf\u00e9 \u05e9\u05dc\u05d5\u05dd " * 200 +
        "end %d" % i)
    row["_want"]["circumstances.narrative"] = \
        row["circumstances.narrative"].replace("\r\n", "\n")
    row["parent.1.family_name"] = row["child.family_name"]
    row["parent.1.first_names"] = "M\u00e1ire"
    row["parent.1.relationship"] = "mother"
    row["parent.2.family_name"] = "#nk"
    row["parent.2.first_names"] = "\u0627\u062d\u0645\u062f"
    row["parent.2.relationship"] = "father"
    row["_want"]["parent.1.family_name"] = row["_want"].get(
        "child.family_name", row["child.family_name"])


def blanks(row):
    """Pasted from a page: hard blanks, a zero-width one, blanks around."""
    name = row["child.family_name"]
    row["child.family_name"] = " \u00a0%s\u200b\u00a0Ni\u2009Dhroma " % name
    row["_want"]["child.family_name"] = name + " Ni Dhroma"
    row["child.nhs_number"] = "%s %s-%s" % (row["child.nhs_number"][:3],
                                            row["child.nhs_number"][3:6],
                                            row["child.nhs_number"][6:])
    row["_want"]["child.nhs_number"] = \
        row["child.nhs_number"].replace(" ", "").replace("-", "")
    row["death.date"] = "%s/%s/%s" % tuple(row["death.date"].split("-")[::-1])
    row["_want"]["death.date"] = \
        "-".join(row["death.date"].split("/")[::-1])


def two_hundred(row, i):
    letter = ["X", "\u00dc", "\u05d0", "\u4e2d"][i % 4]
    name = family(i)
    row["child.family_name"] = name + letter * (200 - len(name))


def found(row):
    """A body without a name: a date, a place, a guess of the age."""
    for field in ("child.first_names", "child.nhs_number", "child.address",
                  "child.postcode", "mother.family_name",
                  "mother.first_names", "death.time"):
        row[field] = ""
    row["child.name_kind"], row["child.family_name"] = "unknown", ""
    row["_want"].pop("child.family_name", None)
    row["child.sex"] = row["area.residence"] = row["birth.date"] = "#nk"
    row["child.estimated_age"] = "4"
    row["death.date_is_found"] = "yes"
    row["place.name"] = "River bank, mile 3"


def light(row):
    row["birth.weight_grams"] = "250"
    row["warnings_accepted"] = "weight.range: read twice from the chart"


# ---- what has to be refused ------------------------------------------------

def years_before(day, years):
    return "%d%s" % (int(day[:4]) - years, day[4:].replace("-29", "-28"))


REFUSED = [
    ("age.over_18", "birth.date",
     lambda row: years_before(row["death.date"], 19)),
    ("text.too_long", "child.family_name", lambda row: "Y" * 201),
    ("date.order", "birth.date", lambda row: row["received.notified_date"]),
    ("nhs.spreadsheet", "child.nhs_number", lambda row: "9.99E+09"),
    ("nhs.spreadsheet", "child.nhs_number", lambda row: "999000001"),
    ("nhs.check_digit", "child.nhs_number",
     lambda row: row["child.nhs_number"][:9] +
     str((int(row["child.nhs_number"][9]) + 1) % 10)),
    ("nhs.repeated", "child.nhs_number", lambda row: "9999999999"),
    ("nhs.form", "child.nhs_number", lambda row: "unknown"),
    ("nhs.training_range", "child.nhs_number", lambda row: "4010232137"),
    ("agency.retired", "notifier.agency", lambda row: "RVY"),
    ("agency.unknown", "notifier.agency", lambda row: "RZZ99"),
    ("code.unknown", "received.channel", lambda row: "pigeon"),
    ("text.control", "child.family_name", lambda row: "Bell\x07"),
    ("postcode.form", "child.postcode", lambda row: "NOWHERE"),
    ("accept.channel", "received.channel", lambda row: ""),
    ("accept.sex", "child.sex", lambda row: ""),
    ("date.future", "death.date", lambda row: "2199-01-01"),
    ("date.form", "birth.date", lambda row: "2020-02-30"),
    ("time.form", "death.time", lambda row: "25:10"),
    ("choice.unknown", "child.name_kind", lambda row: "maybe"),
    ("scope.enquiry", "birth.possible_stillbirth", lambda row: "yes"),
    ("weight.range", "birth.weight_grams", lambda row: "250"),
]


def refused(row, i):
    rule, field, value = REFUSED[i % len(REFUSED)]
    row[field] = value(row)
    row["_rule"] = rule


def awkward(i, row, before):
    """Sixteen ways; the eighth way of them is refused."""
    row["child.family_name"] = "%s %s" % (STRANGE[i % len(STRANGE)],
                                          family(i))
    turn = i // 16
    ways = [lambda: None, lambda: twin(row, before) if before else None,
            lambda: one_name(row), lambda: estimated(row),
            lambda: partial(row), lambda: minutes(row),
            lambda: no_birth_date(row), lambda: refused(row, turn),
            lambda: pseudo(row, turn), lambda: not_known(row),
            lambda: row.update({"area.residence":
                                ELSEWHERE[turn % len(ELSEWHERE)]}),
            lambda: abroad(row), lambda: long_text(row, i),
            lambda: blanks(row), lambda: two_hundred(row, i),
            lambda: found(row) if turn % 2 else light(row)]
    ways[i % 16]()


def spoil(made, n):
    """Each of them under a rule of its own."""
    ways = [
        ("nhs.check_digit", "child.nhs_number", "9990000019"),
        ("date.form", "birth.date", "2021-02-30"),
        ("date.future", "death.date", "2199-01-15"),
        ("postcode.form", "child.postcode", "NOWHERE"),
    ]
    step = max(1, len(made) // (n + 1))
    for i in range(n):
        rule, field, value = ways[i % len(ways)]
        made[(i + 1) * step - 1][field] = value
        made[(i + 1) * step - 1]["_rule"] = rule


def rows(count, start=0, odd=False, bad=0):
    number = numbers()
    for _ in range(start):
        next(number)
    made = []
    for i in range(start, start + count):
        row = plain(i, next(number))
        if odd:
            awkward(i, row, made[-1] if made else None)
        made.append(row)
    spoil(made, bad)
    return made


def said(row):
    """What a row says of the child, as words of cdop notify."""
    return ["--set=%s=%s" % (path, value) for path, value in row.items()
            if path[0] != "_" and value and "." in path]


def save(path, made):
    with open(path, "w", newline="", encoding="utf-8") as f:
        write(made, f)


def write(made, out):
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n",
                            extrasaction="ignore")
    writer.writeheader()
    writer.writerows(made)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--awkward", action="store_true")
    parser.add_argument("--bad", type=int, default=0)
    parser.add_argument("--start", type=int, default=0)
    args = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8", newline="")
    write(rows(args.count, args.start, args.awkward, args.bad), sys.stdout)


if __name__ == "__main__":
    main()
