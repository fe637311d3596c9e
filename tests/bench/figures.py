"""Figures of a run: collected, as a table, as JSON, and against size."""
import datetime
import json
import math
import os
import platform

from parts import mid, say

# Panels of the plot: title, what its axis says, unit, clients, figures.
DRAWN = (
    ("A call, 64 clients at once", "microseconds: a second / calls",
     "calls/s", 64, ("register", "amend", "show", "find", "list")),
    ("A call, one client alone", "milliseconds, median", "ms", 1,
     ("register.p50", "amend.p50", "show.p50", "find.p50", "list.p50")),
    ("Until it is ready", "milliseconds", "ms", None,
     ("start.cold", "start.warm")),
    ("Memory of all processes", "MiB (PSS)", "MiB", None,
     ("memory.64", "memory.64.rest", "memory.idle")),
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

    def has(self, name, clients=None, cases=None):
        return (name, clients, cases) in self.runs

    def median(self, name, clients=None, cases=None):
        return mid(self.runs[(name, clients, cases)])[0]

    def last(self, name, clients=None, cases=None):
        """Of this round."""
        return self.runs[(name, clients, cases)][-1]

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

    def draw(self, path, note):
        """note: what it is a plot of."""
        with open(path, "w", encoding="ascii") as f:
            f.write(svg([self.panel(*p) for p in DRAWN], note))

    def panel(self, title, axis, unit, clients, names):
        """Lines of (cases, median, least, most)."""
        lines = {name: [] for name in names}
        for row in self.rows():
            if row["name"] not in names or not row["cases"] or (
                    clients and row["clients"] != clients):
                continue
            spread = [row[x] for x in ("median", "min", "max")]
            if unit == "calls/s":
                spread = [1e6 / x for x in spread]
            lines[row["name"]].append((row["cases"], *spread))
        return title, axis, lines


def short(value):
    """Three figures, and no more zeros than needed."""
    if value == 0 or abs(value) >= 100:
        return "%.0f" % value
    return "%.*f" % (2 - math.floor(math.log10(abs(value))), value)


# ---- cost against size -----------------------------------------------------

WIDE, HIGH, LEFT, TOP, RIGHT, BELOW = 600, 340, 80, 40, 120, 60
ABOVE = 70            # of all panels: what it is
ACROSS = 2            # panels beside each other


def decades(values):
    low = math.floor(math.log10(min(values)))
    return low, max(low + 1, math.ceil(math.log10(max(values))))


def at(value, span, length):
    return (math.log10(value) - span[0]) / (span[1] - span[0]) * length


def text(x, y, words, how="middle", more='fill="#222"'):
    return ('<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>\n'
            % (x, y, how, more, words))


def steps(span):
    """Where a line is: 1, 2 and 5 of each decade; and whether it is a 1."""
    for power in range(span[0], span[1] + 1):
        for times in (1, 2, 5):
            if power < span[1] or times == 1:
                yield times * 10 ** power, times == 1


def grid(span_x, span_y, wide, high):
    out = []
    for value, whole in steps(span_x):
        out.append('<path d="M%.1f %d v%d" stroke="%s"/>\n' % (
            LEFT + at(value, span_x, wide), TOP, high,
            "#bbb" if whole else "#eee"))
        if whole:
            out.append(text(LEFT + at(value, span_x, wide), TOP + high + 18,
                            format(value, ",")))
    for value, whole in steps(span_y):
        y = TOP + high - at(value, span_y, high)
        out.append('<path d="M%d %.1f h%d" stroke="%s"/>\n' % (
            LEFT, y, wide, "#bbb" if whole else "#eee"))
        out.append(text(LEFT - 6, y + 4, "%g" % value, "end"))
    return out


def draw_line(line, place, colour):
    """The medians, and at each from the least to the most."""
    out = ['<polyline fill="none" stroke="%s" stroke-width="2" '
           'points="%s"/>\n' % (colour, " ".join(
               "%.1f,%.1f" % place(x, mid_y) for x, mid_y, _, _ in line))]
    for x, mid_y, least, most in line:
        out.append('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>\n' % (
            *place(x, mid_y), colour))
        out.append('<path d="M%.1f %.1f V%.1f" stroke="%s"/>\n' % (
            *place(x, least), place(x, most)[1], colour))
    return "".join(out)


def draw_panel(title, axis, lines):
    wide, high = WIDE - LEFT - RIGHT, HIGH - TOP - BELOW
    points = [p for line in lines.values() for p in line]
    if not points:
        return text(WIDE / 2, HIGH / 2, title + ": nothing was measured")
    span_x = decades([p[0] for p in points])
    span_y = decades([y for p in points for y in p[1:]])

    def place(x, y):
        return LEFT + at(x, span_x, wide), TOP + high - at(y, span_y, high)

    out = grid(span_x, span_y, wide, high)
    out.append(text(LEFT + wide / 2, TOP - 12, title, "middle",
                    'font-weight="bold"'))
    out.append(text(LEFT + wide / 2, TOP + high + 38,
                    "cases in the registry (log)"))
    out.append(text(0, 0, axis + " (log)", "middle",
                    'transform="translate(20 %d) rotate(-90)"' % (
                        TOP + high / 2)))
    # Names stand apart, the dearest above; their colours tell the lines.
    colours = dict(zip(lines, COLOURS))
    names = sorted(filter(lines.get, lines), key=lambda x: -lines[x][-1][1])
    for i, name in enumerate(names):
        colour = colours[name]
        out.append(draw_line(lines[name], place, colour))
        out.append(text(LEFT + wide + 10, TOP + 14 + 18 * i, name, "start",
                        'fill="%s"' % colour))
    return "".join(out)


def svg(panels, note):
    rows = -(-len(panels) // ACROSS)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'font-family="sans-serif" font-size="12">\n'
           '<rect width="100%%" height="100%%" fill="#fff"/>\n' % (
               WIDE * ACROSS, ABOVE + HIGH * rows),
           text(20, 30, "What it costs as the registry grows: less is "
                "better, and level is best", "start", 'font-size="18"'),
           text(20, 52, note, "start")]
    for i, panel in enumerate(panels):
        out.append('<g transform="translate(%d %d)">\n%s</g>\n' % (
            WIDE * (i % ACROSS), ABOVE + HIGH * (i // ACROSS),
            draw_panel(*panel)))
    out.append("</svg>\n")
    return "".join(out)
