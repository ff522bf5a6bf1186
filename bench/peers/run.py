#!/usr/bin/python3
"""Name servers side by side: steerd, the peers that Debian ships, and an echo as the ceiling.

usage: bench/peers/run.py --steerd BINARY [--kinds "static geo"] [--servers "echo gdnsd steerd"]
                          [--before BINARY] [--rounds 9] [--seconds 1]
                          [--json FILE] [--plot FILE] [--write-docs FILE]
       bench/peers/run.py --from FILE.json... [--plot FILE] [--write-docs FILE]  # print earlier runs

Needs a C++ compiler; for the peers Debian's gdnsd, nsd, knot and knot-module-geoip (no service of theirs
running). COUNTRY_MMDB and CITY_MMDB name databases in MaxMind's layout for geo, nested and city; without
them steerd answers geo from network tables of its own, and peers and city are left out, which the table
says. Loopback only; the method is in docs/performance.md.
"""
import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile

import report
import running
import servers
import works

RESTART_EVERY = 3  # rounds: another layout of memory, other hash seeds


def machine():
    model = [line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return {"cpu": model[0] if model else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release().split("-")[0]}


def package_versions():
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "gdnsd", "knot", "nsd"],
                           capture_output=True, text=True)
    return dict(line.split() for line in shown.stdout.splitlines() if len(line.split()) == 2)


class Bench:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.tools = folder / "tools"
        self.tools.mkdir()
        running.build_tools(self.tools, args.steerd, args.before)
        self.result = {"started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                       "machine": machine(), "versions": package_versions(), "seconds": args.seconds,
                       "rounds": [], "starts": [], "reloads": [], "skipped": [], "scrapes": {}}

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def queries(self, key):
        path = self.folder / ("-".join(map(str, key)) + ".queries")
        if not path.exists():
            path.write_bytes(b"".join(works.MAKERS[key[0]](*key[1:])))
        return path

    def skip(self, work, label, why):
        entry = {"work": work, "label": label, "why": why}
        if entry not in self.result["skipped"]:
            self.result["skipped"].append(entry)
            self.say(f"{work}: without {label}: {why}")

    def start(self, work, contenders):
        up = []
        try:
            for each in contenders:
                try:
                    server = running.Running(each, work.name, self.folder, self.tools,
                                             self.queries(each.queries))
                except servers.Cannot as why:
                    self.skip(work.name, each.label, str(why))
                    continue
                except (running.Failed, FileNotFoundError) as why:
                    self.skip(work.name, each.label, f"did not start: {why}")
                    continue
                up.append(server)
            for server in up:  # the first has had time to give back what loading took
                self.result["starts"].append({"work": work.name, "label": server.contender.label,
                                              "load_s": round(server.load_s, 3),
                                              **running.memory_of(server.process.pid)})
        except BaseException:
            for server in up:
                server.stop()
            raise
        return up

    def do(self, work):
        contenders = [c for c in work.contenders if c.server in self.args.servers]
        if self.args.before:
            contenders += [dataclasses.replace(c, label="before", server="before") for c in contenders
                           if c.label == "steerd"]
        if work.name == "city" and not os.environ.get("CITY_MMDB"):
            self.skip("city", "all", "no database given (CITY_MMDB)")
            return
        up = []
        try:
            for number in range(self.args.rounds):
                if number % RESTART_EVERY == 0:
                    for server in up:
                        server.stop()
                    up = []
                    up = self.start(work, contenders)
                for server in up[number % len(up):] + up[:number % len(up)] if up else []:
                    running.wait_quiet(self.args.quiet)
                    label = server.contender.label
                    try:
                        measured = server.measure(self.args.seconds)
                    except running.Failed as why:
                        self.skip(work.name, label, str(why))
                        continue
                    self.result["rounds"].append({"work": work.name, "label": label, "round": number,
                                                  **measured})
                    self.say(f"{work.name} {number} {label}: {measured['us_per_query']:.3f} us, "
                             f"{measured['qps'] / 1e3:.0f} kq/s, others {measured['other_cores']:.2f}, "
                             f"wrong {measured['wrong']}, lost {measured['lost']}")
                for server in up:
                    if server.scraper:
                        label, count = server.contender.label, server.scrapes()
                        self.result["scrapes"][label] = count
                        if not count:
                            self.skip(work.name, f"{label}'s metrics", "none could be read")
        finally:
            for server in up:
                server.stop()

    def do_reload(self):
        contender = works.Contender("steerd", "steerd", works.Setup("names", works.MANY),
                                    ("static", works.MANY, False))
        up = self.start(works.Work("reload", "", ()), [contender])
        try:
            for server in up:
                for _ in range(self.args.rounds):
                    running.wait_quiet(self.args.quiet)
                    measured = running.reload_under_load(server, self.args.seconds)
                    self.result["reloads"].append(measured)
                    self.say(f"reload in {measured['reload_s']} s: p99 {measured['calm']['p99_us']} -> "
                             f"{measured['reloading']['p99_us']} us, lost {measured['reloading']['lost']}")
        finally:
            for server in up:
                server.stop()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steerd", default=os.environ.get("STEERD"))
    parser.add_argument("--before", help="an earlier build of steerd, measured beside it in the same rounds")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--servers", default=" ".join(servers.SERVERS))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--quiet", type=float, default=3, help="wait so long at most for idle cores")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--plot", type=pathlib.Path)
    parser.add_argument("--write-docs", type=pathlib.Path)
    parser.add_argument("--from", dest="earlier", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    args.servers = args.servers.split()
    return parser, args


def measure(parser, args):
    databases = {"geo": os.environ.get("COUNTRY_MMDB", ""), "city": os.environ.get("CITY_MMDB", "")}
    all_works = works.works({key: str(pathlib.Path(p).resolve()) if p else "" for key, p in databases.items()})
    known = [work.name for work in all_works] + ["reload"]
    kinds = args.kinds.split() or known
    if not args.steerd or not shutil.which(args.steerd) or set(kinds) - set(known):
        parser.error(f"--steerd needs a program; kinds are {' '.join(known)}")
    if args.before and (not shutil.which(args.before) or args.write_docs):
        parser.error("--before needs a program, and is not for the table of the docs")
    if (os.cpu_count() or 1) < 2:
        parser.error("two cores are needed")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="peers-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    os.sched_setaffinity(0, {1})  # the server has core 0 for itself
    try:
        bench = Bench(args, folder)
        todo = [(work.name, lambda work=work: bench.do(work)) for work in all_works]
        if "steerd" in args.servers:
            todo.append(("reload", bench.do_reload))
        for name, do in todo:
            try:
                if name in kinds:
                    do()
            except (running.Failed, OSError, subprocess.TimeoutExpired) as why:  # keep what there is
                bench.skip(name, "the rest", str(why))
        return bench.result
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser, args = arguments()
    result = (report.together([json.loads(path.read_text()) for path in args.earlier]) if args.earlier
              else measure(parser, args))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    print(report.text(result))
    if args.plot:
        args.plot.write_text(report.svg(result))
    if args.write_docs:
        report.write_docs(args.write_docs, report.with_kept(args.write_docs, result))


if __name__ == "__main__":
    main()
