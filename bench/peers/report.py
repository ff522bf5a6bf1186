"""What was measured, as a table in text, as Markdown between two marks of a document, and as a plot.

Figures are medians over the rounds. A ratio is the median of the ratios within each round, since what else
the machine does moves all contenders of a round alike.
"""
import json
import statistics

import works

BEGIN = "<!-- figures: written by bench/peers/run.py --write-docs -->"
END = "<!-- end of figures -->"
NOISY = 0.10  # of the server's core, taken by others


def together(results):
    """Several runs as one: of a work that more than one of them measured, the last counts."""
    out = {**results[-1], "started": min(r["started"] for r in results), "scrapes": {},
           "seconds": min(r["seconds"] for r in results),
           **{key: [] for key in ("rounds", "starts", "reloads", "skipped")}}
    for result in results:
        fresh = {entry["work"] for key in ("rounds", "starts") for entry in result[key]}
        for key in ("rounds", "starts", "skipped"):
            out[key] = [entry for entry in out[key] if entry["work"] not in fresh] + result[key]
        out["reloads"] = result["reloads"] or out["reloads"]
        out["scrapes"].update(result["scrapes"])
    return out


def rows(result):
    """One for each work and contender, in the order of the table."""
    out = []
    for work in works.works({"geo": "", "city": ""}):
        name = work.name
        rounds = [r for r in result["rounds"] if r["work"] == name]
        labels = list(dict.fromkeys(r["label"] for r in sorted(rounds, key=lambda r: r["round"])))
        order = [contender.label for contender in work.contenders] + ["before"]
        base = "before" if "before" in labels else work.base
        for label in sorted(labels, key=order.index):
            mine = [r for r in rounds if r["label"] == label]
            costs = [r["us_per_query"] for r in mine]
            out.append({"work": name, "title": work.title, "label": label, "rounds": len(mine),
                        "us": statistics.median(costs), "low": min(costs), "high": max(costs),
                        "kqps": statistics.median(r["qps"] for r in mine) / 1e3,
                        "idle": statistics.median(r["generator_idle"] for r in mine),
                        "quiet": sum(r["other_cores"] < NOISY for r in mine),
                        "wrong": sum(r["wrong"] for r in mine), "lost": sum(r["lost"] for r in mine),
                        "echo": ratio(rounds, label, "echo"), "base": ratio(rounds, label, base)})
    return out


def ratio(rounds, label, to):
    costs = {(r["round"], r["label"]): r["us_per_query"] for r in rounds}
    ratios = [cost / costs[number, to] for (number, who), cost in costs.items()
              if who == label and (number, to) in costs]
    return statistics.median(ratios) if ratios else None


def shown(value, form="{:.2f}"):
    return form.format(value) if value is not None else "-"


def text(result):
    lines = [f"{'work':9} {'server':16} {'us/query':>8} {'min':>6} {'max':>6} {'/echo':>6} {'/base':>6} "
             f"{'kq/s':>6} {'idle':>5} {'quiet':>6} {'wrong':>5} {'lost':>5}"]
    for r in rows(result):
        lines.append(f"{r['work']:9} {r['label']:16} {r['us']:8.3f} {r['low']:6.2f} {r['high']:6.2f} "
                     f"{shown(r['echo']):>6} {shown(r['base']):>6} {r['kqps']:6.0f} {r['idle']:5.2f} "
                     f"{r['quiet']:3}/{r['rounds']:<2} {r['wrong']:5} {r['lost']:5}")
    lines.append("base: " + ", ".join(f"{work.name} {work.base}" for work in works.works({"geo": "", "city": ""})
                                      if work.base != "gdnsd") + ", else gdnsd; before, where it is there")
    lines.append("idle: of the generator; quiet: rounds with under 10 % others on the server's core")
    for s in starts(result):
        lines.append(f"start {s['work']:9} {s['label']:16} {s['load_s']:7.2f} s  {s['pss_mib']:7.0f} MiB  "
                     f"peak {s['peak_mib']:7.0f} MiB")
    lines += answering(result)
    lines += ["reload " + words for words in reload_words(result["reloads"])]
    for s in result["skipped"]:
        lines.append(f"without {s['work']} {s['label']}: {s['why']}")
    for label, count in result["scrapes"].items():
        lines.append(f"{label}: /metrics read {count} times")
    return "\n".join(lines)


def starts(result):
    """Medians of loading where it takes long enough to matter."""
    out = {}
    for s in result["starts"]:
        if s["work"] in ("names", "zones", "steered", "city", "geo"):
            out.setdefault((s["work"], s["label"]), []).append(s)
    return [{"work": work, "label": label, **{key: statistics.median(s[key] for s in mine)
                                              for key in ("load_s", "pss_mib", "peak_mib")}}
            for (work, label), mine in out.items() if label != works.ECHO]


def answering(result):
    """Where answering was told apart from the rest of the server: one line for each contender."""
    out = []
    for work in dict.fromkeys(r["work"] for r in result["rounds"] if r.get("us_in_threads")):
        rounds = [r for r in result["rounds"] if r["work"] == work and r.get("us_in_threads")]
        for label in dict.fromkeys(r["label"] for r in rounds):
            costs = [r["us_in_threads"] for r in rounds if r["label"] == label]
            out.append(f"{work}, {label}: {statistics.median(costs):.3f} us in the threads that answer")
    return out


def reload_words(reloads):
    """One line for each, and the median of the ratios: a single p99 shows what else the machine did."""
    if not reloads:
        return []
    ratios = [r["reloading"]["p99_us"] / max(r["calm"]["p99_us"], 1) for r in reloads]
    return [f"{r['reload_s']:.2f} s: p99 {r['calm']['p99_us']:.0f} us before, "
            f"{r['reloading']['p99_us']:.0f} us meanwhile; lost {r['reloading']['lost']}" for r in reloads] + [
            f"median of {len(reloads)}: p99 meanwhile {statistics.median(ratios):.2f} times that before"]


def noisy_words(result):
    """Which works others disturbed in most rounds, and how much."""
    rounds = {}
    for r in result["rounds"]:
        rounds.setdefault(r["work"], []).append(r["other_cores"])
    noisy = {work: shares for work, shares in rounds.items() if statistics.median(shares) >= NOISY}
    if not noisy:
        return []
    share = statistics.median(s for shares in noisy.values() for s in shares)
    return [f"**Not quiet: {', '.join(noisy)}.** Other work had {share:.0%} of the server's core meanwhile, so starts "
            "took longer there, and ratios may be off by a tenth.", ""]


def markdown(result, plot):
    m = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    quiet = sum(r["other_cores"] < NOISY for r in result["rounds"])
    warnings = []
    if quiet * 2 < len(result["rounds"]):
        warnings += [f"**Provisional: other work took its share in {len(result['rounds']) - quiet} of "
                     f"{len(result['rounds'])} rounds; no figure here is worth quoting.**", ""]
    warnings += noisy_words(result)
    if not any(r["label"].startswith("steerd") for r in result["rounds"]):
        warnings += ["**steerd did not take part in this run.**", ""]
    out = warnings + [f"Run of {result['started'][:10]} on {m['cores']} cores of {m['cpu']}, Linux {m['kernel']}; "
                      f"{versions}; at least {result['seconds']:g} s for each round.", "",
                      f"![CPU per query]({plot})", "",
                      "| work | server | us CPU/query (min-max) | / echo | / base | kq/s | rounds (quiet) |",
                      "|---|---|---|---|---|---|---|"]
    seen = None
    for r in rows(result):
        title = f"{r['work']}: {r['title']}" if r["work"] != seen else ""
        seen = r["work"]
        strong = "**" if r["label"].startswith("steerd") else ""
        out.append(f"| {title} | {strong}{r['label']}{strong} | {r['us']:.2f} ({r['low']:.2f}-{r['high']:.2f}) | "
                   f"{shown(r['echo'])} | {shown(r['base'])} | {r['kqps']:.0f} | {r['rounds']} ({r['quiet']}) |")
    wrong, lost = (sum(r[key] for r in result["rounds"]) for key in ("wrong", "lost"))
    total = sum(r["received"] for r in result["rounds"])
    out += ["", f"All {total:,} answers were checked: {wrong} wrong, {lost} lost.", ""]
    loads = starts(result)
    if loads:
        out += ["| start | server | to the first right answer, s | memory, MiB | peak, MiB |", "|---|---|---|---|---|"]
        out += [f"| {s['work']} | {s['label']} | {s['load_s']:.2f} | {s['pss_mib']:.0f} | {s['peak_mib']:.0f} |"
                for s in loads] + [""]
    out += [f"- Reload of 1,000,000 names under 50,000 queries/s: {words}." for words in reload_words(result["reloads"])]
    out += [f"- {line}." for line in answering(result)]
    out += [f"- Left out: {s['work']}, {s['label']}: {' '.join(s['why'].split())[:160]}."
            for s in result["skipped"]]
    out += [f"- {label}: metrics were read {count} times meanwhile." for label, count in result["scrapes"].items()]
    return "\n".join(out)


def with_kept(path, result):
    """The run put into what stands beside the document, and both; so a table can grow run by run."""
    kept = path.with_suffix(".json")
    if kept.exists():
        result = together([json.loads(kept.read_text()), result])
    needed = {"work", "label", "round", "us_per_query", "us_in_threads", "qps", "generator_idle", "other_cores",
              "wrong", "lost", "received"}
    result["rounds"] = [{key: value for key, value in r.items() if key in needed} for r in result["rounds"]]
    lists = ("rounds", "starts", "reloads", "skipped")  # one entry to a line
    text = [json.dumps(key) + ": " + ("[\n" + ",\n".join(map(json.dumps, value)) + "]" if key in lists
                                     else json.dumps(value)) for key, value in result.items()]
    kept.write_text("{" + ",\n".join(text) + "}\n")
    return result


def write_docs(path, result):
    """Replaces what stands between the two marks; draws the plot beside the document."""
    document = path.read_text()
    if BEGIN not in document or END not in document:
        raise SystemExit(f"{path}: the marks are missing: {BEGIN} and {END}")
    plot = path.with_suffix(".svg")
    plot.write_text(svg(result))
    before, after = document.split(BEGIN)[0], document.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n{markdown(result, plot.name)}\n{END}{after}")


COLOURS = {"echo": "#9aa0a6", "gdnsd": "#5b8db8", "knot": "#7fb285", "nsd": "#c9a24b", "steerd": "#c8553d"}


def svg(result):
    """Bars of CPU per query by work and server, with the spread over the rounds as a line."""
    entries = rows(result)
    scale = 520 / max((r["high"] for r in entries), default=1)
    parts, y, seen = [], 20, None
    for r in entries:
        if r["work"] != seen:
            y += 24
            parts.append(f'<text x="10" y="{y}" class="work">{r["work"]}: {r["title"]}</text>')
            y += 8
            seen = r["work"]
        width, low, high = (190 + r[key] * scale for key in ("us", "low", "high"))
        colour = COLOURS[r["label"].split("-")[0]]
        middle = y + 7
        parts.append(f'<text x="182" y="{y + 11}" text-anchor="end">{r["label"]}</text>'
                     f'<rect x="190" y="{y}" width="{width - 190:.1f}" height="14" fill="{colour}"/>'
                     f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 3}v6M{high:.1f} {middle - 3}v6" '
                     f'stroke="#222" fill="none"/>'
                     f'<text x="{max(width, high) + 6:.1f}" y="{y + 11}">{r["us"]:.2f}</text>')
        y += 18
    return ('<svg xmlns="http://www.w3.org/2000/svg" width="800" height="{0}" viewBox="0 0 800 {0}">\n'
            '<style>text{{font:12px sans-serif;fill:#222}}.work{{font-weight:bold}}</style>\n'
            '<rect width="800" height="{0}" fill="#fff"/>\n'
            '<text x="10" y="20">CPU per query at saturation, microseconds (median; line: all rounds)</text>\n'
            '{1}\n</svg>\n').format(y + 20, "\n".join(parts))
