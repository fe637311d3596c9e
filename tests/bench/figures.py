"""Figures of a run: collected, as a table, as JSON, and against size."""
import datetime
import json
import math
import os
import platform

from parts import mid, say

# Figures that are drawn: those of calls in one panel, starts in the other.
DRAWN = (
    ("microseconds a call, 64 clients", "calls/s", 64,
     ("register", "amend", "show", "find", "list")),
    ("milliseconds to start", "ms", None, ("start.warm", "start.cold")),
)
COLOURS = ("#1b6ca8", "#c0392b", "#1e8449", "#8e44ad", "#b9770e")


def machine():
    model = "?"
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {"cpu": model, "cores": os.cpu_count(),
            "kernel": platform.release(),
            "load": [round(x, 2) for x in os.getloadavg()]}


class Figures:
    def __init__(self):
        self.runs = {}    # (name, clients, cases): [value, ...]
        self.about = {}   # the same: (unit, limit)
        self.ratios = {}

    def add(self, name, unit, value, clients=None, cases=None, limit=None,
            bare=None):
        """One run.  limit names what it is bound by, bare is that figure of
        the same round."""
        key = (name, clients, cases)
        self.runs.setdefault(key, []).append(value)
        self.about[key] = (unit, limit)
        if bare:
            self.ratios.setdefault(key, []).append(value / bare)

    def rows(self):
        for key, values in self.runs.items():
            median, least, most = mid(values)
            unit, limit = self.about[key]
            ratios = self.ratios.get(key)
            yield {"name": key[0], "clients": key[1], "cases": key[2],
                   "unit": unit, "median": median, "min": least, "max": most,
                   "runs": len(values), "limit": limit,
                   "ratio": mid(ratios)[0] if ratios else None}

    def median(self, name, clients=None, cases=None):
        return mid(self.runs[(name, clients, cases)])[0]

    def table(self):
        say("%-22s %7s %8s %12s %12s %12s %4s  %-9s %s" % (
            "", "clients", "cases", "median", "min", "max", "runs", "unit",
            "of its limit"))
        for row in self.rows():
            say("%-22s %7s %8s %12s %12s %12s %4d  %-9s %s" % (
                row["name"], row["clients"] or "", row["cases"] or "",
                short(row["median"]), short(row["min"]), short(row["max"]),
                row["runs"], row["unit"],
                "%s %s" % (short(row["ratio"]), row["limit"])
                if row["ratio"] is not None else ""))

    def write(self, path, **more):
        said = {"made": datetime.datetime.now(datetime.timezone.utc)
                .isoformat(timespec="seconds"), "machine": machine()}
        said.update(more)
        said["figures"] = list(self.rows())
        with open(path, "w", encoding="ascii") as f:
            json.dump(said, f, indent=1)
            f.write("\n")

    def draw(self, path):
        with open(path, "w", encoding="ascii") as f:
            f.write(svg([self.panel(*p) for p in DRAWN]))

    def panel(self, title, unit, clients, names):
        lines = {}
        for row in self.rows():
            if row["name"] in names and row["clients"] == clients:
                y = row["median"] if unit == "ms" else 1e6 / row["median"]
                lines.setdefault(row["name"], []).append((row["cases"], y))
        return title, lines


def short(value):
    """Three figures, and no more zeros than needed."""
    if value == 0 or abs(value) >= 100:
        return "%.0f" % value
    return "%.*f" % (2 - math.floor(math.log10(abs(value))), value)


# ---- cost against size -----------------------------------------------------

WIDE, HIGH, LEFT, TOP, RIGHT, BELOW = 520, 360, 60, 40, 110, 45


def decades(values):
    low = math.floor(math.log10(min(values)))
    return low, max(low + 1, math.ceil(math.log10(max(values))))


def at(value, span, length):
    return (math.log10(value) - span[0]) / (span[1] - span[0]) * length


def text(x, y, words, how="middle", colour="#222"):
    return ('<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>\n'
            % (x, y, how, colour, words))


def grid(span_x, span_y, wide, high):
    out = []
    for power in range(span_x[0], span_x[1] + 1):
        x = LEFT + at(10 ** power, span_x, wide)
        out.append('<path d="M%.1f %d v%d" stroke="#ddd"/>\n' % (
            x, TOP, high))
        out.append(text(x, TOP + high + 18, format(10 ** power, ",")))
    for power in range(span_y[0], span_y[1] + 1):
        y = TOP + high - at(10 ** power, span_y, high)
        out.append('<path d="M%d %.1f h%d" stroke="#ddd"/>\n' % (
            LEFT, y, wide))
        out.append(text(LEFT - 6, y + 4, "%g" % 10 ** power, "end"))
    return out


def draw_panel(title, lines):
    wide, high = WIDE - LEFT - RIGHT, HIGH - TOP - BELOW
    points = [p for line in lines.values() for p in line]
    if not points:
        return text(WIDE / 2, HIGH / 2, title + ": nothing was measured")
    span_x = decades([x for x, _ in points])
    span_y = decades([y for _, y in points])
    out = grid(span_x, span_y, wide, high)
    out.append(text(LEFT + wide / 2, TOP - 14, title))
    out.append(text(LEFT + wide / 2, HIGH - 8, "cases"))
    for i, (name, line) in enumerate(lines.items()):
        places = [(LEFT + at(x, span_x, wide),
                   TOP + high - at(y, span_y, high)) for x, y in line]
        colour = COLOURS[i % len(COLOURS)]
        out.append('<polyline fill="none" stroke="%s" stroke-width="2" '
                   'points="%s"/>\n' % (colour, " ".join(
                       "%.1f,%.1f" % p for p in places)))
        out.extend('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>\n' % (
            *p, colour) for p in places)
        # Names stand apart; their colours say to which line they belong.
        out.append(text(LEFT + wide + 8, TOP + 14 + 18 * i, name, "start",
                        colour))
    return "".join(out)


def svg(panels):
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'font-family="sans-serif" font-size="12">\n'
           '<rect width="100%%" height="100%%" fill="#fff"/>\n' % (
               WIDE * len(panels), HIGH)]
    for i, (title, lines) in enumerate(panels):
        out.append('<g transform="translate(%d 0)">\n%s</g>\n' % (
            WIDE * i, draw_panel(title, lines)))
    out.append("</svg>\n")
    return "".join(out)
