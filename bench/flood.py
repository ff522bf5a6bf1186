#!/usr/bin/python3
"""A legitimate client beside a flood from forged addresses, against the same client left alone.

usage: bench/flood.py --steerd BINARY [--rate 50000] [--times 3] [--prefixes 100000] [--rounds 5]
                      [--seconds 3] [--ask random|large] [--json FILE]
       bench/flood.py --from FILE.json...            # print earlier runs

One address asks for 5,000 names in turn, on a schedule; the flood sends so many times that rate of queries,
each with another source of so many /24s: for random names of the zone, or (large) for a TXT record of 750
octets. All of it in a network namespace of its own with a local route for the forged addresses (needs root,
or unprivileged namespaces), on the loopback device: nothing leaves the machine. Two servers, with
[server.rate_limit] as its defaults have it and without; in each round both are measured alone and under
the flood, in an order that turns, so that what else the machine does falls on all alike. The figure is the
median of the rounds. Client, flood and server share the processors: where the flood does not reach its
rate, or the client's own falls behind, the machine is too small, and that is said.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
NAMES = 5000
CONFIG = """[server]
listen = ["127.0.0.1:0"]
state_dir = "state"
{limits}
[admin]
listen = ["127.0.0.1:0"]
[geo]
country_table = "none"
[zones."example.com"]
file = "example.com.zone"
"""
SETTINGS = {"on": "[server.rate_limit]\n", "off": ""}
ZONE = "$TTL 300\n@ SOA ns1 hostmaster 1 3600 900 86400 60\n@ NS ns1\nns1 A 192.0.2.53\n" \
    f'big TXT "{"a" * 250}" "{"b" * 250}" "{"c" * 250}"\n'
BAR = 5.0  # % of the undisturbed answers that may be missing


class Server:
    def __init__(self, steerd, name, folder):
        folder.mkdir()
        (folder / "steerd.toml").write_text(CONFIG.format(limits=SETTINGS[name]))
        (folder / "example.com.zone").write_text(
            ZONE + "".join(f"n{i} A 192.0.2.1\n" for i in range(NAMES)))
        log = folder / "log"
        self.process = subprocess.Popen([steerd, "serve", "-c", folder / "steerd.toml"],
                                        stderr=log.open("w"))
        deadline = time.monotonic() + 30
        while " ready" not in log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(log.read_text())
            time.sleep(0.02)
        self.port = re.search(r"listening on \S*:(\d+)", log.read_text()).group(1)
        self.admin = re.search(r"admin on \S*:(\d+)", log.read_text()).group(1)

    def answers(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/api/v1/status", timeout=20) as response:
            return json.load(response)["answers"]

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def udp_counters():
    """What the namespace's kernel lost: datagrams that found a socket's buffer full."""
    head, values = [line.split()[1:] for line in pathlib.Path("/proc/net/snmp").read_text().splitlines()
                    if line.startswith("Udp:")]
    return dict(zip(head, map(int, values)))


def measure(args, tool, server, flooded):
    before, kernel, cpu = server.answers(), udp_counters(), server.cpu_s()
    to = ["--to", "127.0.0.1", "--port", server.port]
    flood = None
    if flooded:
        flood = subprocess.Popen([tool, "spoof", *to, "--rate", str(args.rate * args.times),
                                  "--seconds", str(args.seconds + 1), "--prefixes", str(args.prefixes),
                                  "--ask", args.ask], stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)  # it begins before the client does, and ends after it
    legit = json.loads(subprocess.run([tool, "legit", *to, "--rate", str(args.rate), "--names", str(NAMES),
                                       "--seconds", str(args.seconds)],
                                      capture_output=True, text=True, check=True, timeout=60).stdout)
    sent = json.loads(flood.communicate(timeout=60)[0]) if flood else {"sent": 0, "sent_qps": 0}
    after = server.answers()
    limited = sum(counts[key] - before["limited"][kind][key]
                  for kind, counts in after["limited"].items() for key in ("dropped", "slipped"))
    return {"legit": legit, "flood": sent, "limited": limited,
            "unproven": after["unproven"] - before["unproven"],
            "received": after["queries"]["udp"] - before["queries"]["udp"],
            "server_cpu_s": round(server.cpu_s() - cpu, 2),
            "answered_share": legit["answered"] / max(1, args.rate * args.seconds)}


def machine():
    model = [line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return {"cpu": model[0] if model else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release().split("-")[0], "load": os.getloadavg()[0]}


def run(args):
    for command in ("link set lo up", "route add local 10.0.0.0/7 dev lo"):
        subprocess.run(["ip", *command.split()], check=True)
    result = {"started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(),
              "rate": args.rate, "times": args.times, "prefixes": args.prefixes, "seconds": args.seconds,
              "ask": args.ask, "rounds": []}
    with tempfile.TemporaryDirectory(prefix="flood-") as name:
        folder = pathlib.Path(name)
        tool = folder / "traffic"
        subprocess.run([os.environ.get("CXX", "c++"), "-std=c++20", "-O2", "-o", tool,
                        HERE / "flood/traffic.cc"], check=True)
        servers = {}
        try:
            for setting in SETTINGS:
                servers[setting] = Server(args.steerd, setting, folder / setting)
            cases = [(setting, flooded) for setting in SETTINGS for flooded in (False, True)]
            for number in range(args.rounds):
                for setting, flooded in cases[number % 4:] + cases[:number % 4]:
                    one = measure(args, tool, servers[setting], flooded)
                    result["rounds"].append({"round": number, "limits": setting, "flooded": flooded, **one})
                    print(f"{number} limits {setting:3} {'flood' if flooded else 'alone'}: answered "
                          f"{100 * one['answered_share']:.1f} %", file=sys.stderr, flush=True)
        finally:
            for server in servers.values():
                server.stop()
    return result


def show(result):
    """The table; the share of the undisturbed answers that is missing with limits on, in %."""
    print(f"{result['started']}, {result['machine']['cpu']}, {result['machine']['cores']} processors, load "
          f"{result['machine']['load']:.1f} at the start; {result['ask']}, {len(result['rounds']) // 4} "
          f"rounds of {result['seconds']} s")
    print(f"{'limits':7}{'':6}{'client q/s':>11}{'answered':>10}{'p50 us':>9}{'p99 us':>9}"
          f"{'flood q/s':>11}{'limited':>9}{'CPU':>6}")
    missing = {}
    for setting in SETTINGS:
        shares = {}
        for flooded in (False, True):
            rounds = [r for r in result["rounds"] if r["limits"] == setting and r["flooded"] == flooded]

            def median(value):
                return statistics.median(value(r) for r in rounds)
            shares[flooded] = median(lambda r: r["answered_share"])
            sent = sum(r["flood"]["sent"] for r in rounds)
            held = sum(r["limited"] + r["unproven"] for r in rounds)
            print(f"{setting:7}{'flood' if flooded else 'alone':6}"
                  f"{median(lambda r: r['legit']['sent_qps']):11.0f}{100 * shares[flooded]:9.2f}%"
                  f"{median(lambda r: r['legit']['p50_us']):9.0f}{median(lambda r: r['legit']['p99_us']):9.0f}"
                  f"{median(lambda r: r['flood']['sent_qps']):11.0f}"
                  f"{100 * held / sent if sent else 0:8.1f}%"
                  f"{median(lambda r: r['server_cpu_s']) / result['seconds']:6.2f}")
        missing[setting] = 100 * (1 - shares[True] / shares[False])
        print(f"limits {setting}: {missing[setting]:.2f} % of the undisturbed answers are missing under the flood")
    want = result["rate"] * result["times"]
    reached = statistics.median(r["flood"]["sent_qps"] for r in result["rounds"] if r["flooded"])
    if reached < 0.95 * want:
        print(f"the machine is too small: the flood came to {reached:.0f} of {want:.0f} q/s")
    return missing["on"]


def main():
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description=__doc__.split("\n\n")[0])
    parser.add_argument("--steerd")
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--times", type=float, default=3)
    parser.add_argument("--prefixes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--ask", choices=("random", "large"), default="random")
    parser.add_argument("--json")
    parser.add_argument("--from", dest="files", nargs="+")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.files:
        for file in args.files:
            show(json.loads(pathlib.Path(file).read_text()))
        return 0
    if not args.steerd:
        parser.error("--steerd is missing")
    if not args.inside:  # again, with a network that is ours alone
        how = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
        return subprocess.call([*how, sys.executable, __file__, *sys.argv[1:], "--inside"])
    result = run(args)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(result, indent=1) + "\n")
    return 0 if show(result) <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
