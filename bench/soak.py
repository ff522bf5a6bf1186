#!/usr/bin/python3
"""Serves for a long time while everything goes on at once, and tells what grew and what was lost.

usage: bench/soak.py [--steerd build/release/cli/steerd] [--seconds 60 | --long] [--rate N] [--json FILE]

One steerd with two workers on loopback. All the while: dnsperf asks over UDP at half the rate that a
calibration of 3 s found (or at --rate), and at 100 a second over TCP; connections come and go; sites that
probes check die and come back in turn, never all; every 5 s a reload with a changed zone, every other one
with changed weights as well; /metrics, status and explain are read each second. --long: 30 minutes.

Told are questions lost (dnsperf waits 5 s for each), answers by RCODE, reloads and transitions, and the
series of resident memory, descriptors and threads of steerd, each second. The first quarter, 5 minutes at
most, is warm-up: what is kept for reuse is allocated then. From there on a straight line is fitted to each
series; its rise from end to end is the growth. The exit status is 1 if anything was lost or SERVFAIL, a
reload failed, descriptors grew by more than 2, or, over 10 minutes and more, memory by more than 2 %.
Loss may come from a machine that is busy with other things: pace it low there. Loopback only.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests"))

ENDPOINTS = 8
RECORDS = 2000
RELOAD_EVERY = 5.0
FLAP_EVERY = 3.0
TCP_RATE = 100
LEAST_FOR_MEMORY = 600.0
CONFIG = """[server]
listen = ["127.0.0.1:0"]
state_dir = "state"
workers = 2
[admin]
listen = ["unix:state/admin.sock", "127.0.0.1:0"]
[regions.east]
location = [35.7, 139.7]
[regions.west]
location = [38.9, -77.5]
[probes.web]
type = "http"
port = {port}
interval = "1s"
timeout = "500ms"
fast_interval = "200ms"
{endpoints}
[routes.draw]
policy = "weighted"
members = [{weighted}]
[routes.near]
policy = "latency"
members = [{all}]
[routes.first]
policy = "failover"
members = [{all}]
[routes.all]
policy = "multivalue"
members = [{all}]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"draw" = {{ route = "draw", ttl = "30s", ttl_min = "1s" }}
"near" = {{ route = "near", ttl = "30s" }}
"first" = {{ route = "first", ttl = "30s" }}
"all" = {{ route = "all", ttl = "30s" }}
"""


def configuration(port, generation):
    names = [f"e{i}" for i in range(ENDPOINTS)]
    endpoints = "\n".join(f'[endpoints.{name}]\nregion = "{("east", "west")[i % 2]}"\n'
                          f'addresses = ["127.0.3.{i + 1}"]\nprobes = ["web"]'
                          for i, name in enumerate(names))
    weighted = ", ".join(f'{{ to = "{name}", weight = {1 + (generation // 2 + i) % 5} }}'
                         for i, name in enumerate(names))
    quoted = ", ".join(f'"{name}"' for name in names)
    return CONFIG.format(port=port, endpoints=endpoints, weighted=weighted, all=quoted)


def zone(t, generation):
    return t.zone_text(records=f'generation TXT "{generation}"\n' + "".join(
        f"n{i} A 192.0.2.{(i + generation) % 250 + 1}\n" for i in range(RECORDS)))


def questions(folder):
    lines = [f"n{i}.example.com A" for i in range(0, RECORDS, 10)]
    lines += [f"{name}.example.com {kind}" for name in ("draw", "near", "first", "all")
              for kind in ("A", "AAAA", "TXT")] * 8
    lines += [f"none{i}.example.com A" for i in range(50)]
    file = folder / "questions"
    file.write_text("\n".join(lines) + "\n")
    return file


class Load:
    """dnsperf, and what it says at its end."""

    def __init__(self, port, file, seconds, *more):
        self.process = subprocess.Popen(
            ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(file), "-l", str(seconds), "-t", "5",
             *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def result(self):
        out = self.process.communicate()[0]
        number = lambda what: int(re.search(what + r":\s+(\d+)", out).group(1))
        codes = re.search(r"Response codes:\s+(.*)", out)
        return {"sent": number("Queries sent"), "completed": number("Queries completed"),
                "lost": number("Queries lost"), "rcodes": codes.group(1) if codes else "",
                "rate": float(re.search(r"Queries per second:\s+([\d.]+)", out).group(1))}


class Turmoil:
    """What goes on beside the load, each in a thread of its own, until the end."""

    def __init__(self, t, server, sites):
        self.t, self.server, self.sites = t, server, sites
        self.end = threading.Event()
        self.reloads = self.bad_reloads = self.flaps = self.reads = self.connections = 0
        self.failures = []
        self.series = []
        self.begin = time.monotonic()
        text = server.wait_for_log(r"admin on (\S*:\d+)", 5).group(1)
        self.admin = f"http://{text}"
        self.threads = [threading.Thread(target=self.run, args=what, daemon=True) for what in (
            (self.reload, RELOAD_EVERY), (self.flap, FLAP_EVERY), (self.read, 1.0), (self.connect, 0.1),
            (self.sample, 1.0))]
        for thread in self.threads:
            thread.start()

    def run(self, work, every):
        due = time.monotonic() + every
        while not self.end.wait(max(0.0, due - time.monotonic())):
            try:
                work()
            except Exception as error:  # whatever it was belongs into the report
                self.failures.append(f"{time.monotonic() - self.begin:.1f} s: {work.__name__}: {error}")
            due = max(due + every, time.monotonic())

    def reload(self):
        self.reloads += 1
        self.server.write("example.com.zone", zone(self.t, self.reloads))
        self.server.write_config(configuration(self.sites[0].port, self.reloads))
        if self.server.reload() != "reloaded":
            self.bad_reloads += 1
        answer = self.server.ask("generation.example.com", "TXT").answer[0][0].strings[0].decode()
        if answer != str(self.reloads):
            self.bad_reloads += 1
        del self.server.lines[:-2000]

    def flap(self):
        site = self.sites[self.flaps // 2 % len(self.sites)]
        if self.flaps % 2 == 0:
            site.kill()
        else:
            site.start()
        self.flaps += 1

    def read(self):
        for path in ("/metrics", "/api/v1/status",
                     "/api/v1/explain?name=near.example.com&type=A&client=198.51.100.7"):
            with urllib.request.urlopen(self.admin + path, timeout=20) as response:
                response.read()
            self.reads += 1

    def connect(self):
        self.server.ask("first.example.com", tcp=True, timeout=5)
        self.connections += 1

    def sample(self):
        proc = pathlib.Path(f"/proc/{self.server.process.pid}")
        text = (proc / "status").read_text()
        number = lambda key: int(re.search(rf"{key}:\s+(\d+)", text).group(1))
        self.series.append([round(time.monotonic() - self.begin, 1), number("VmRSS"),
                            len(os.listdir(proc / "fd")), number("Threads")])

    def metrics(self):
        with urllib.request.urlopen(self.admin + "/metrics", timeout=20) as response:
            return response.read().decode()

    def stop(self):
        self.end.set()
        for thread in self.threads:
            thread.join(60)


def fit(points):
    """Least squares: the value at the first and the last moment."""
    times = [t for t, _ in points]
    values = [v for _, v in points]
    mean_t, mean_v = statistics.fmean(times), statistics.fmean(values)
    spread = sum((t - mean_t) ** 2 for t in times)
    slope = sum((t - mean_t) * (v - mean_v) for t, v in points) / spread if spread else 0.0
    return [mean_v + slope * (t - mean_t) for t in (times[0], times[-1])]


def growth(series, seconds):
    warm = min(seconds / 4, 300)
    rows = [row for row in series if row[0] >= warm]
    out = {"warm_up_s": warm}
    for column, name in ((1, "rss_kib"), (2, "descriptors"), (3, "threads")):
        first, last = fit([(row[0], row[column]) for row in rows])
        values = [row[column] for row in rows]
        out[name] = {"fit_first": round(first, 1), "fit_last": round(last, 1), "least": min(values),
                     "median": statistics.median(values), "most": max(values),
                     "growth_percent": round(100 * (last - first) / first, 3)}
    return out


def counted(text, name, labels=""):
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith(name) and labels in line)


def soak(args, t):
    address = [f"127.0.3.{i + 1}" for i in range(ENDPOINTS)]
    sites = [t.Sites(address[:1])]
    sites += [t.Sites([one], sites[0].port) for one in address[1:]]
    server = t.Steerd(configuration(sites[0].port, 0), {"example.com.zone": zone(t, 0)})
    try:
        file = questions(server.folder)
        out = {"seconds": args.seconds, "cpus": os.cpu_count()}
        if not args.rate:
            out["calibrated"] = Load(server.port, file, 3, "-c", "8", "-q", "400").result()["rate"]
        rate = args.rate or out["calibrated"] / 2
        out["rate"] = round(rate)
        turmoil = Turmoil(t, server, sites)
        udp = Load(server.port, file, args.seconds, "-Q", str(out["rate"]), "-c", "16", "-q", "1000")
        tcp = Load(server.port, file, args.seconds, "-m", "tcp", "-Q", str(TCP_RATE), "-c", "4")
        out["udp"], out["tcp"] = udp.result(), tcp.result()
        turmoil.stop()
        text = turmoil.metrics()
        out.update({
            "reloads": turmoil.reloads, "bad_reloads": turmoil.bad_reloads, "flaps": turmoil.flaps,
            "transitions": counted(text, "steerd_transitions_total{"), "reads": turmoil.reads,
            "connections": turmoil.connections, "failures": turmoil.failures,
            "servfail": counted(text, "steerd_responses_total{", 'rcode="SERVFAIL"'),
            "queries": counted(text, "steerd_queries_total{"),
            "growth": growth(turmoil.series, args.seconds),
            "series": {"columns": ["t_s", "rss_kib", "descriptors", "threads"], "rows": turmoil.series}})
        return out
    finally:
        for site in sites:
            site.__exit__()
        server.close()


def complaints(out):
    found = list(out["failures"])
    for kind in ("udp", "tcp"):
        if out[kind]["lost"]:
            found.append(f"{out[kind]['lost']} questions over {kind} were lost")
    for what in ("servfail", "bad_reloads"):
        if out[what]:
            found.append(f"{what}: {out[what]}")
    descriptors, memory = out["growth"]["descriptors"], out["growth"]["rss_kib"]
    if descriptors["fit_last"] - descriptors["fit_first"] > 2:
        found.append("descriptors grew")
    if out["seconds"] >= LEAST_FOR_MEMORY and memory["growth_percent"] > 2:
        found.append("memory grew")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steerd", default=str(ROOT / "build/release/cli/steerd"))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--rate", type=int)
    parser.add_argument("--json")
    args = parser.parse_args()
    args.seconds = 1800.0 if args.long else args.seconds
    os.environ.update(STEERD_BINARY=args.steerd, STEERD_SOURCE_DIR=str(ROOT))
    import steerd_test as t
    out = soak(args, t)
    if args.json:
        text = json.dumps(out, indent=1)
        text = re.sub(r"\[\s+([\d.]+),\s+(\d+),\s+(\d+),\s+(\d+)\s+\]", r"[\1, \2, \3, \4]", text)
        pathlib.Path(args.json).write_text(text + "\n")
    print(json.dumps({k: v for k, v in out.items() if k != "series"}, indent=1))
    found = complaints(out)
    print("\n".join(found) or "nothing lost, nothing grew")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
