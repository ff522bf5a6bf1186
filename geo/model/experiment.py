#!/usr/bin/python3
"""Finds out which model of the round trip between two places sends clients best, and bakes it.

    geo/model/experiment.py           measures all candidates, writes the tables of docs/latency.md
    geo/model/experiment.py --bake    fits the shipped one to all cities: geo/rtt_table.inc and
                                      tests/geo/rtt_reference.csv

Needs Debian's python3-numpy; takes about a minute of one core. The same data and the same numpy
give the same bytes.

Data (cities.csv, rtt.csv beside this file): the smallest round trip between 123 cities over 19 and
20 July 2020, which WonderProxy published in "A day in the life of the Internet" (Oct 2020); rows
faster than light in fibre were left out.

How it is measured. A client stands in a city that the model has never seen; k regions are drawn from
all other cities; the model picks one; what that costs over the best is the regret. Three ways to
hide cities: a twelfth of them at a time, half of them at a time (then half of the regions are unseen
too), a whole country at a time. Everything (curves included) is fitted anew without them. The six
figures of the shipped model were chosen by such scores, so they are a little flattering: with the
first ones ever tried the mean regret at 3, 5 and 8 regions was 0.33, 0.36 and 0.45 of distance's
where it now is 0.27, 0.33 and 0.38 (a twelfth hidden).
"""
import csv
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EARTH_KM = 6371.0088
FIBRE_MS_PER_KM = 2 * 1.468 / 299.792458
REGIONS = (2, 3, 5, 8, 12)
DRAWS = 400  # of regions for each client and number of regions
KNOTS_KM = np.array([0, 200, 500, 1000, 2000, 4000, 7000, 10000, 15000, 20016.0])

# The shipped model: see Process. Rounded; anything near does as well.
CONSTANT, SCALE, LENGTH_KM = 1.6, 0.83, 10300.0
NUGGET, NOISE, OFFSET_MS = 0.0072, 0.083, 30.0
TRUST_KM, FORGET_KM = 4000.0, 5000.0  # from the nearest city: full weight, none
FLOOR = 0.6  # of the curve
TOWN_KM = 200.0  # nothing was measured within a town: what is known fades out


def load():
    cities = list(csv.DictReader(open(HERE / "cities.csv", encoding="utf-8")))
    index = {c["city"]: i for i, c in enumerate(cities)}
    rtt = np.full((len(cities), len(cities)), np.nan)
    for row in csv.DictReader(open(HERE / "rtt.csv", encoding="utf-8")):
        a, b = index[row["a"]], index[row["b"]]
        rtt[a, b] = rtt[b, a] = float(row["rtt_ms"])
    points = np.array([[float(c["latitude"]), float(c["longitude"])] for c in cities])
    return cities, points, rtt


def vectors(points):
    lat, lon = np.radians(points).T
    return np.c_[np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]


def chord_km(a, b):
    return np.sqrt(np.maximum(0, ((a[:, None] - b[None]) ** 2).sum(-1))) * EARTH_KM


def arc_km(chords):
    return 2 * EARTH_KM * np.arcsin(np.minimum(1, chords / (2 * EARTH_KM)))


CITIES, POINTS, RTT = load()
COUNT = len(CITIES)
ALL = np.arange(COUNT)
CHORD = chord_km(vectors(POINTS), vectors(POINTS))
KM = arc_km(CHORD)
LIGHT = KM * FIBRE_MS_PER_KM


class Curve:
    """Round trip over distance alone: rising, piecewise linear, least absolute error of the log."""

    def __init__(self, seen):
        pairs = np.ix_(seen, seen)
        upper = np.triu_indices(len(seen), 1)
        km, rtt = KM[pairs][upper], RTT[pairs][upper]
        km, rtt = km[~np.isnan(rtt)], rtt[~np.isnan(rtt)]
        basis = np.stack([np.interp(km, KNOTS_KM, row) for row in np.eye(len(KNOTS_KM))], axis=1)
        start = np.interp(KNOTS_KM, [0, 20016], [2, 330])
        knots = start
        for _ in range(40):
            now = np.maximum(basis @ knots, 0.5)
            error = np.log(rtt / now)
            weight = 1 / now / np.sqrt(np.maximum(np.abs(error), 0.02))
            # A little of a straight line, for knots that no pair is near.
            left = np.r_[basis * weight[:, None], 1e-4 * np.eye(len(KNOTS_KM))]
            right = np.r_[now * (1 + error) * weight, 1e-4 * start]
            knots = np.linalg.solve(left.T @ left, left.T @ right)
        self.knots_ms = np.maximum.accumulate(np.maximum(knots, 2))

    def __call__(self, km):
        return np.maximum(np.interp(km, KNOTS_KM, self.knots_ms), km * FIBRE_MS_PER_KM)


CURVES = {}


def curve_of(seen):
    key = tuple(seen)
    if key not in CURVES:
        CURVES[key] = Curve(seen)
    return CURVES[key]


def residual(seen, offset):
    """Log of measured over curve between the seen cities; nan where nothing was measured."""
    pairs = np.ix_(seen, seen)
    return np.log(RTT[pairs] + offset) - np.log(curve_of(seen)(KM[pairs]) + offset)


class Process:
    """A Gaussian process over pairs of places: f(x, y) is the log of the stretch against the curve,
    with covariance k(x, x') k(y, y'), k = CONSTANT + SCALE exp(-chord / LENGTH). The products hold
    everything at once: what is common to all pairs, what an end brings along (node effects), and
    what is so between two parts of the world. NUGGET is what a city has to itself. All cities being
    measured against all, the posterior comes from one eigendecomposition, and its mean is
    f(x, y) = phi(x)' A phi(y) with phi the covariances to the cities: A is what ships."""

    def __init__(self, seen):
        self.seen = seen
        target = residual(seen, OFFSET_MS)
        missing = np.isnan(target)  # the diagonal and a few pairs: filled in with what is believed
        target[missing] = 0
        values, basis = np.linalg.eigh(self.phi(CHORD[np.ix_(seen, seen)])
                                       + NUGGET * np.eye(len(seen)))
        product = np.outer(np.maximum(values, 0), np.maximum(values, 0))
        for _ in range(8):
            inner = basis.T @ target @ basis / (product + NOISE)
            target[missing] = (basis @ (product * inner) @ basis.T)[missing]
        self.matrix = basis @ (basis.T @ target @ basis / (product + NOISE)) @ basis.T
        self.curve = curve_of(seen)

    @staticmethod
    def phi(chords):
        return CONSTANT + SCALE * np.exp(-chords / LENGTH_KM)

    @staticmethod
    def trust(chords):
        return np.clip((FORGET_KM - arc_km(chords).min(1)) / (FORGET_KM - TRUST_KM), 0, 1)

    def estimate(self, chords_a, chords_b, km):
        """Chords from each place to each seen city, great circles between the places."""
        log_stretch = self.phi(chords_a) @ self.matrix @ self.phi(chords_b).T
        log_stretch *= self.trust(chords_a)[:, None] * self.trust(chords_b)[None]
        log_stretch *= 1 - np.exp(-km / TOWN_KM)
        curve = self.curve(km)
        ms = (curve + OFFSET_MS) * np.exp(log_stretch) - OFFSET_MS
        return np.maximum(ms, np.maximum(FLOOR * curve, km * FIBRE_MS_PER_KM))


def by_distance(seen, hidden):
    return KM[hidden]


def by_curve(seen, hidden):
    return curve_of(seen)(KM[hidden])


def by_process(seen, hidden):
    chords = CHORD[:, seen]
    return Process(seen).estimate(chords[hidden], chords, KM[hidden])


def by_neighbours(seen, hidden, reach_km=500.0):
    """The stretch of measured pairs near both ends, nearer ones counting more."""
    known = residual(seen, 0)
    there = ~np.isnan(known)
    known[~there] = 0
    weight = np.exp(-KM[:, seen] / reach_km) + 1e-9
    stretch = (weight[hidden] @ known @ weight.T) / (weight[hidden] @ there @ weight.T)
    return np.maximum(curve_of(seen)(KM[hidden]) * np.exp(stretch), LIGHT[hidden])


def by_detour(seen, hidden):
    """The best way by two measured cities, as if cables ran there: curve, measured, curve."""
    between = RTT[np.ix_(seen, seen)].copy()
    np.fill_diagonal(between, 0)
    between[np.isnan(between)] = 1e4
    ends = curve_of(seen)(KM[:, seen])
    ways = (ends[hidden][:, :, None] + between[None]).min(1)
    detour = np.stack([(way[:, None] + ends.T).min(0) for way in ways])
    return np.maximum(detour, LIGHT[hidden])


def by_embedding(seen, hidden, dimensions=5, steps=400):
    """Coordinates and heights for the seen cities (as Vivaldi has them), found by descent; a hidden
    city stands among its neighbours."""
    measured = RTT[np.ix_(seen, seen)]
    there = ~np.isnan(measured)
    safe = np.where(there, measured, 1.0)
    place = np.c_[vectors(POINTS)[seen] * 90, np.zeros((len(seen), dimensions - 3))]
    place += np.random.default_rng(1).normal(size=place.shape)
    height = np.full(len(seen), 5.0)
    speed = [np.zeros_like(place), np.zeros_like(height)]
    for step in range(steps):
        apart = place[:, None] - place[None]
        length = np.sqrt((apart ** 2).sum(-1)) + 1e-6
        error = np.where(there, (length + height[:, None] + height[None] - safe) / safe, 0)
        pull = [(error / length)[:, :, None] * apart, error]
        for i, value in enumerate((place, height)):
            speed[i] = 0.9 * speed[i] - 0.3 * (1 - step / steps) * pull[i].mean(1) * 10
            value += speed[i]
        np.maximum(height, 0.5, out=height)
    weight = np.exp(-KM[:, seen] / 300) + 1e-12 * np.exp(-KM[:, seen] / 3000)
    weight /= weight.sum(1, keepdims=True)
    where, high = weight @ place, weight @ height
    length = np.sqrt(((where[hidden][:, None] - where[None]) ** 2).sum(-1))
    return np.maximum(length + high[hidden][:, None] + high[None], LIGHT[hidden])


CANDIDATES = {"distance": by_distance, "nearest neighbours": by_neighbours,
              "detour by measured cities": by_detour, "embedding with height": by_embedding,
              "Gaussian process (shipped)": by_process}


def foldings():
    order = np.random.default_rng(3).permutation(COUNT)
    country = np.array([c["country"] for c in CITIES])
    halves = []
    for seed in range(3):
        mixed = np.random.default_rng(100 + seed).permutation(COUNT)
        halves.append([mixed[:COUNT // 2], mixed[COUNT // 2:]])
    return {"a twelfth of the cities hidden": [[order[i::12] for i in range(12)]],
            "half of the cities hidden": halves,
            "a whole country hidden": [[np.flatnonzero(country == c) for c in sorted(set(country))]]}


def draws():
    rng = np.random.default_rng(7)
    out = {}
    for k in REGIONS:
        clients = np.repeat(ALL, DRAWS)
        reachable = [np.flatnonzero(~np.isnan(RTT[c])) for c in ALL]
        out[k] = clients, np.stack([rng.choice(reachable[c], k, replace=False) for c in clients])
    return out


def regrets(estimates, clients, regions):
    real = RTT[clients[:, None], regions]
    chosen = estimates[clients[:, None], regions].argmin(1)
    return real[np.arange(len(clients)), chosen] - real.min(1)


def measure():
    """By folding, candidate and number of regions: mean, p95, p99 and how often it was the best."""
    drawn = draws()
    results = {}
    for folding, variants in foldings().items():
        for name, candidate in CANDIDATES.items():
            found = {k: [] for k in REGIONS}
            for folds in variants:
                estimates = np.full((COUNT, COUNT), np.nan)
                for hidden in folds:
                    estimates[hidden] = candidate(np.setdiff1d(ALL, hidden), hidden)
                for k in REGIONS:
                    found[k].append(regrets(estimates, *drawn[k]))
            for k in REGIONS:
                r = np.concatenate(found[k])
                results[folding, name, k] = (r.mean(), np.percentile(r, 95), np.percentile(r, 99),
                                             (r <= 0).mean())
            print(f"{folding}: {name}", file=sys.stderr, flush=True)
    return results


def tables(results):
    lines = []
    for folding in foldings():
        lines += [f"**{folding.capitalize()}**", "",
                  "| regions | model | mean, ms | of distance's | p95, ms | p99, ms | fastest picked |",
                  "|---:|---|---:|---:|---:|---:|---:|"]
        for k in REGIONS:
            base = results[folding, "distance", k][0]
            for name in CANDIDATES:
                mean, p95, p99, best = results[folding, name, k]
                lines.append(f"| {k} | {name} | {mean:.1f} | {mean / base:.2f} | {p95:.0f} "
                             f"| {p99:.0f} | {best:.0%} |")
        lines.append("")
    return "\n".join(lines)


def put_tables(text):
    page = ROOT / "docs" / "latency.md"
    start, end = "<!-- tables of geo/model/experiment.py -->\n", "<!-- end of tables -->"
    before, rest = page.read_text(encoding="utf-8").split(start)
    page.write_text(before + start + "\n" + text + "\n" + end + rest.split(end)[1], encoding="utf-8")


def wrapped(values):
    lines, line = [], "   "
    for value in values:
        word = f" {value},"
        if len(line) + len(word) > 99:
            lines.append(line)
            line = "   "
        line += word
    return "\n".join(lines + [line])


def bake():
    process = Process(ALL)
    # Rounded to what ships, so that the reference below is what the rounded table says.
    step = 2.0 ** -14
    process.matrix = np.round(process.matrix / step) * step
    process.curve.knots_ms = np.round(process.curve.knots_ms, 1)
    cities = np.round(vectors(POINTS), 6)
    integers = np.round(process.matrix / step).astype(int)
    text = f"""// Made by geo/model/experiment.py --bake; see geo/rtt_model.cc for what it means.
// From figures that WonderProxy published in "A day in the life of the Internet" (Oct 2020).
constexpr std::size_t kCities = {COUNT};
constexpr double kConstant = {CONSTANT};
constexpr double kScale = {SCALE};
constexpr double kLengthKm = {LENGTH_KM};
constexpr double kOffsetMs = {OFFSET_MS};
constexpr double kTrustKm = {TRUST_KM};
constexpr double kForgetKm = {FORGET_KM};
constexpr double kFloor = {FLOOR};
constexpr double kTownKm = {TOWN_KM};
constexpr double kMatrixStep = 1.0 / {round(1 / step)};
constexpr Knot kCurve[] = {{
{wrapped(f"{{{k:g}, {m:g}}}" for k, m in zip(KNOTS_KM, process.curve.knots_ms))}
}};
/// Where the cities are: unit vectors from the middle of the Earth.
constexpr Vector kCityVectors[kCities] = {{
{wrapped("{" + ", ".join(f"{v:g}" for v in city) + "}" for city in cities)}
}};
/// The lower triangle of a symmetric matrix, row after row, in steps of kMatrixStep.
constexpr std::int32_t kMatrix[kCities * (kCities + 1) / 2] = {{
{wrapped(integers[i, j] for i in range(COUNT) for j in range(i + 1))}
}};
"""
    (ROOT / "geo" / "rtt_table.inc").write_text(text, encoding="utf-8")
    rng = np.random.default_rng(11)
    tests = np.round(np.r_[POINTS[rng.choice(COUNT, 40)],
                           np.c_[rng.uniform(-90, 90, 160), rng.uniform(-180, 180, 160)]], 2)
    chords = chord_km(vectors(tests), cities)
    estimates = process.estimate(chords, chords, arc_km(chord_km(vectors(tests), vectors(tests))))
    with open(ROOT / "tests" / "geo" / "rtt_reference.csv", "w", encoding="utf-8") as out:
        out.write("latitude_a,longitude_a,latitude_b,longitude_b,rtt_ms\n")
        for i in range(400):
            a, b = rng.choice(len(tests), 2)
            out.write(",".join(f"{v:g}" for v in (*tests[a], *tests[b]))
                      + f",{estimates[a, b]:.6f}\n")
    print(f"largest entry {np.abs(integers).max()}, knots {process.curve.knots_ms}")
    return process


if __name__ == "__main__":
    if sys.argv[1:] == ["--bake"]:
        bake()
    elif not sys.argv[1:]:
        put_tables(tables(measure()))
    else:
        sys.exit(__doc__)
