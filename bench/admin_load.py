#!/usr/bin/python3
"""What followers and dashboards cost the answers: throughput at full load with them and without, side
by side, in pairs.

    bench/admin_load.py [--steerd build/release/cli/steerd] [--pairs 6] [--seconds 4]
                        [--followers 1000] [--dashboards 3] [--json FILE]

A server with one worker is held to one CPU and asked by bench/peers/ask from another as fast as it
answers; the generator's idle share, which is printed, says that the server was the narrow part. "With"
is: FOLLOWERS connections that follow the events, half of which never read; DASHBOARDS that do what the
page does (events, the status after each and every 5 s); one order a second, which each follower is
told; and a scrape of the metrics every 5 s. Pairs run one after the other, without and with, then with and without; the medians are held against
each other. What followers cost themselves is taken from the
generator's CPU, at the lowest priority, not from the server's. Beside it stands how many answers a
second of the server's CPU time gives, all its threads together (/proc/PID/task/*/schedstat), which is what
full load comes to and moves little with what else the machine does; by thread, where the time went; and
memory.
Needs a compiler and two CPUs; the machine should be quiet otherwise.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import re
import resource
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench/peers")]

ENDPOINTS = 30
NAMES = 10
SERVER_CPU = 0
WINDOW = 768  # under way on each of four sockets: what the server does while another has the other CPU


def configuration():
    text = ['[server]\nlisten = ["127.0.0.1:0"]\nstate_dir = "state"\nworkers = 1',
            '[admin]\nlisten = ["unix:state/admin.sock", "127.0.0.1:0"]']
    names = [f"e{i}" for i in range(ENDPOINTS)]
    text += [f'[endpoints.{name}]\naddresses = ["192.0.2.{i + 1}"]' for i, name in enumerate(names)]
    members = ", ".join(f'"{name}"' for name in names)
    text.append(f'[routes.all]\npolicy = "weighted"\nmembers = [{members}]')
    text.append('[zones."example.com"]\nfile = "example.com.zone"\n[zones."example.com".steer]')
    text += [f'"n{i}" = {{ route = "all", ttl = "60s" }}' for i in range(NAMES)]
    return "\n".join(text) + "\n"


class Unix:
    """Requests over the admin's Unix socket."""

    def __init__(self, path):
        self.path = str(path)

    def ask(self, request):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(self.path)
            connection.sendall(request.replace("\n", "\r\n").encode())
            got = b""
            while more := connection.recv(1 << 16):
                got += more
        return got


def orders_and_dashboards(path, dashboards, stop):
    os.nice(19)
    admin = Unix(path)
    get = "GET {} HTTP/1.1\nHost: x\nConnection: close\n\n"
    number, polled = 0, 0.0
    while not stop.wait(1):
        number += 1
        body = json.dumps({"state": "up", "reason": f"order {number}"})
        got = admin.ask(f"PUT /api/v1/overrides/e0 HTTP/1.1\nHost: x\nConnection: close\n"
                        f"Content-Length: {len(body)}\n\n{body}")
        assert b" 200 " in got.split(b"\r\n")[0], got[:200]
        for _ in range(dashboards * (2 if time.monotonic() - polled > 5 else 1)):
            assert b" 200 " in admin.ask(get.format("/api/v1/status"))[:20]
        if time.monotonic() - polled > 5:
            assert b" 200 " in admin.ask(get.format("/metrics"))[:20]
            polled = time.monotonic()


def follow(port, count, ready, stop, told):
    """In a process of its own: half of the connections are read, half never again."""
    os.nice(19)  # what followers cost themselves is not the server's
    sockets, poll = [], select.epoll()
    deadline = time.monotonic() + 60
    while len(sockets) < count:
        connection = socket.create_connection(("127.0.0.1", port), 30)
        connection.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if b"200 OK" in connection.recv(64):
            sockets.append(connection)
            continue
        # Followers that went away keep their place until the server has something to tell them.
        connection.close()
        assert time.monotonic() < deadline, "no room for the followers"
        time.sleep(0.2)
    for connection in sockets[::2]:
        poll.register(connection.fileno(), select.EPOLLIN)
    by_fd = {connection.fileno(): connection for connection in sockets}
    ready.set()
    while not stop.is_set():
        for fd, _ in poll.poll(0.2):
            got = by_fd[fd].recv(1 << 16)
            told.value += got.count(b"\ndata: ")
            if not got:
                poll.unregister(fd)
    for connection in sockets:
        connection.close()


class Crowd:
    def __init__(self, port, path, args):
        context = multiprocessing.get_context("fork")
        self.stop, ready = context.Event(), context.Event()
        self.told = context.Value("q", 0, lock=False)
        self.processes = [
            context.Process(target=follow, args=(port, args.followers, ready, self.stop, self.told)),
            context.Process(target=orders_and_dashboards, args=(path, args.dashboards, self.stop))]
        for process in self.processes:
            process.start()
        assert ready.wait(90), "the followers did not get in"

    def close(self):
        self.stop.set()
        for process in self.processes:
            process.join(30)
            assert process.exitcode == 0, "a follower or dashboard failed"


def thread_seconds(pid):
    """CPU time by the names of threads, those of equal names together."""
    out = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            ran = int((task / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            continue  # it has ended meanwhile
        out[name] = out.get(name, 0.0) + ran
    return out


def memory_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024


def run_once(ask, steerd, questions, seconds):
    threads = thread_seconds(steerd.process.pid)
    done = subprocess.run(
        [ask, "--port", str(steerd.port), "--queries", questions, "--seconds", str(seconds),
         "--window", str(WINDOW)],
        capture_output=True, text=True, timeout=seconds + 60, check=True)
    threads = {name: ran - threads.get(name, 0.0)
               for name, ran in thread_seconds(steerd.process.pid).items()}
    told = json.loads(done.stdout)
    assert told["wrong"] == 0, told
    return {"qps": told["qps"], "seconds": seconds, "lost": told["lost"],
            "completed": told["received"], "generator_idle": told["generator_idle"],
            "p99_us": told["p99_us"], "threads_s": threads}


def measure(args):
    import steerd_test as t
    import admin_http
    import works
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, args.followers + 1024)), hard))
    cpus = os.sched_getaffinity(0)
    assert len(cpus) >= 2, "needs two CPUs"
    os.sched_setaffinity(0, {SERVER_CPU})
    steerd = t.Steerd(configuration(), {"example.com.zone": t.zone_text()})
    os.sched_setaffinity(0, cpus - {SERVER_CPU})
    runs = {"without": [], "with": []}
    try:
        port = admin_http.Admin(steerd).port
        path = steerd.folder / "state" / "admin.sock"
        with tempfile.TemporaryDirectory(prefix="admin-load-") as folder:
            ask = f"{folder}/ask"
            subprocess.run(["c++", "-std=c++20", "-O2", "-o", ask, str(ROOT / "bench/peers/ask.cc")],
                           check=True)
            questions = pathlib.Path(folder, "questions")
            questions.write_bytes(b"".join(works.query(f"n{i}.example.com") for i in range(NAMES)))
            run_once(ask, steerd, questions, 1)  # warm
            memory = [memory_mib(steerd.process.pid)]
            for pair in range(args.pairs):
                for which in (("without", "with"), ("with", "without"))[pair % 2]:
                    crowd = Crowd(port, path, args) if which == "with" else None
                    one = run_once(ask, steerd, questions, args.seconds)
                    if crowd is not None:
                        memory.append(memory_mib(steerd.process.pid))
                        one["events_read"] = crowd.told.value
                        crowd.close()
                    runs[which].append(one)
                    print(f"pair {pair + 1} {which:8} {one['qps']:10.0f} q/s "
                          f"{sum(one['threads_s'].values()):6.2f} s of CPU, lost {one['lost']}, generator idle "
                          f"{one['generator_idle'] * 100:.0f} %, p99 {one['p99_us']:.0f} us"
                          + (f", events read {one['events_read']}" if crowd else ""), flush=True)
    finally:
        steerd.close()
    return runs, memory


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--steerd", default=str(ROOT / "build/release/cli/steerd"))
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--followers", type=int, default=1000)
    parser.add_argument("--dashboards", type=int, default=3)
    parser.add_argument("--json")
    args = parser.parse_args()
    os.environ["STEERD_BINARY"] = str(pathlib.Path(args.steerd).resolve())
    os.environ["STEERD_SOURCE_DIR"] = str(ROOT)
    runs, memory = measure(args)
    out = {"followers": args.followers, "dashboards": args.dashboards, "runs": runs,
           "memory_mib": {"before": memory[0], "most": max(memory)}}
    medians = {which: statistics.median(run["qps"] for run in runs[which]) for which in runs}
    ratios = sorted(w["qps"] / wo["qps"] for w, wo in zip(runs["with"], runs["without"]))
    out["ratio"] = medians["with"] / medians["without"]
    print(f"throughput: without {medians['without']:.0f} q/s, with {medians['with']:.0f} q/s: "
          f"{(out['ratio'] - 1) * 100:+.2f} % (pairs {(ratios[0] - 1) * 100:+.2f} to "
          f"{(ratios[-1] - 1) * 100:+.2f} %)")
    # What a second of the server's CPU answers: the same at full load, and hardly moved by what else
    # the machine does.
    each = [run["completed"] / sum(run["threads_s"].values()) for which in ("without", "with")
            for run in runs[which]]
    half = len(each) // 2
    shares = sorted(w / wo for w, wo in zip(each[half:], each[:half]))
    out["per_cpu_ratio"] = statistics.median(shares)
    print(f"answers per second of the server's CPU: without {statistics.median(each[:half]):.0f}, with "
          f"{statistics.median(each[half:]):.0f}: {(out['per_cpu_ratio'] - 1) * 100:+.2f} % "
          f"(pairs {(shares[0] - 1) * 100:+.2f} to {(shares[-1] - 1) * 100:+.2f} %)")
    names = {name for which in runs.values() for run in which for name in run["threads_s"]}
    print("CPU by thread, % of one CPU, without -> with:")
    for name in sorted(names):
        share = {which: statistics.median(run["threads_s"].get(name, 0.0) / run["seconds"] * 100
                                          for run in runs[which]) for which in runs}
        if max(share.values()) >= 0.01:
            print(f"  {name:16} {share['without']:6.2f} -> {share['with']:6.2f}")
    print(f"memory: {memory[0]:.0f} MiB before, {max(memory):.0f} MiB at most")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
