"""Starting, watching and ending what is measured. Only processes started here are ended, by their pid."""
import json
import os
import pathlib
import selectors
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import servers
import works

TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    pass


def build_tools(folder, steerd, before=None):
    """The generator and the echo, and the server under its plain name, as it is and as it was."""
    here = pathlib.Path(__file__).parent
    for name in ("ask", "echo"):
        subprocess.run(["c++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-o", str(folder / name),
                        str(here / f"{name}.cc")], check=True)
    (folder / "steerd").symlink_to(pathlib.Path(steerd).resolve())
    if before:
        (folder / "before").symlink_to(pathlib.Path(before).resolve())


class Sites(threading.Thread):
    """What probes find: an HTTP server of one answer on many addresses of 127.64.0.0/16."""

    def __init__(self, count):
        super().__init__(daemon=True)
        self.port = servers.free_port()
        self.selector = selectors.DefaultSelector()
        self.running = True
        self.answered = 0
        for i in range(count):
            listener = socket.create_server((servers.site(i), self.port))
            listener.setblocking(False)
            self.selector.register(listener, selectors.EVENT_READ, True)
        self.start()

    def run(self):
        while self.running:
            for key, _ in self.selector.select(0.2):
                try:
                    if key.data:
                        connection = key.fileobj.accept()[0]
                        connection.setblocking(False)
                        self.selector.register(connection, selectors.EVENT_READ, False)
                        continue
                    if key.fileobj.recv(4096):
                        key.fileobj.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                        self.answered += 1
                except OSError:
                    pass
                if not key.data:
                    self.selector.unregister(key.fileobj)
                    key.fileobj.close()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def close(self):
        self.running = False
        self.join()


class Scraper(threading.Thread):
    """Reads /metrics once a second, as a monitoring system would (those do it less often)."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.url = f"http://127.0.0.1:{port}/metrics"
        self.ended = threading.Event()
        self.scrapes = 0
        self.start()

    def run(self):
        while not self.ended.wait(1):
            try:
                with urllib.request.urlopen(self.url, timeout=2) as answer:
                    self.scrapes += 1 if answer.read() else 0
            except (urllib.error.URLError, OSError):
                pass

    def close(self):
        self.ended.set()
        self.join()


def tree_of(pid):
    pids = [pid]
    for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            pids += tree_of(int(child))
    return pids


def memory_of(pid):
    """Proportional share and peak of the resident set of the whole tree, MiB."""
    pss = peak = 0
    for each in tree_of(pid):
        for line in pathlib.Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            pss += int(line.split()[1]) if line.startswith("Pss:") else 0
        for line in pathlib.Path(f"/proc/{each}/status").read_text().splitlines():
            peak = max(peak, int(line.split()[1])) if line.startswith("VmHWM") else peak
    return {"pss_mib": round(pss / 1024, 1), "peak_mib": round(peak / 1024, 1)}


def busy_ticks(cpu):
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{cpu} "):
            v = [int(w) for w in line.split()[1:9]]
            return v[0] + v[1] + v[2] + v[5] + v[6], v[7]
    return 0, 0


def wait_quiet(seconds):
    """Waits, so long at most, until both cores are nearly idle."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = [busy_ticks(cpu)[0] for cpu in (0, 1)]
        time.sleep(0.25)
        if all(busy_ticks(cpu)[0] - b <= 0.04 * TICKS for cpu, b in zip((0, 1), before)):
            return


class Running:
    """A contender's server with its files in a folder of its own, up and answering."""

    def __init__(self, contender, work, folder, tools, queries):
        self.contender, self.queries, self.tools = contender, queries, tools
        self.folder = folder / f"{work}-{contender.label}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.sites = self.scraper = self.process = None
        try:
            self.start(contender.setup)
        except BaseException:
            self.stop()
            raise

    def start(self, setup):
        self.port = servers.free_port()
        more, admin_port = {}, 0
        if self.contender.server in servers.OURS and (setup.probed or setup.kind == "nested"):
            self.sites = Sites(setup.endpoints or 7)
            admin_port = servers.free_port() if setup.probed else 0
            more = {"probe_port": self.sites.port, "admin_port": admin_port}
        command = servers.SERVERS[self.contender.server](
            self.folder, self.port, setup, self.contender.workers, self.tools, **more)
        self.log = self.folder / "log"
        begin = time.monotonic()
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(["taskset", "-c", self.contender.cpus, *command], cwd=self.folder,
                                            stdout=log, stderr=subprocess.STDOUT)
        waiting = subprocess.Popen(self.asking("--first", "120"), stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        while waiting.poll() is None:
            if self.process.poll() is not None:
                waiting.kill()
            time.sleep(0.002)
        waiting.communicate()
        self.load_s = time.monotonic() - begin
        if waiting.returncode != 0:
            raise Failed(f"{self.contender.label} does not answer: {self.log.read_text()[-600:]}")
        if admin_port:
            self.scraper = Scraper(admin_port)

    def asking(self, *more):
        echo = ["--echo"] if self.contender.server == works.ECHO else []
        return ["taskset", "-c", self.contender.generator_cpus, str(self.tools / "ask"), "--port",
                str(self.port), "--queries", str(self.queries), *echo, *more]

    def ask(self, seconds, *more):
        """One measurement; what else ran on the server's core is told as other_cores."""
        cpu = int(self.contender.cpus.split(",")[0])
        busy, steal = busy_ticks(cpu)
        begin = time.monotonic()
        done = subprocess.run(self.asking("--seconds", str(seconds), "--pid", str(self.process.pid), *more),
                              capture_output=True, text=True, timeout=seconds + 30)
        if done.returncode != 0 or self.process.poll() is not None:
            raise Failed(f"{self.contender.label}: {done.stderr} {self.log.read_text()[-600:]}")
        took = time.monotonic() - begin
        result = json.loads(done.stdout)
        busy_now, steal_now = busy_ticks(cpu)
        result["other_cores"] = round(max(0, (busy_now - busy) / TICKS
                                          - result["server_cores"] * seconds) / took, 3)
        result["steal_cores"] = round((steal_now - steal) / TICKS / took, 3)
        return result

    def measure(self, seconds):
        self.ask(min(0.2, seconds / 2), *self.contender.options)  # warm
        return self.ask(seconds, *self.contender.options)

    def scrapes(self):
        return self.scraper.scrapes if self.scraper else 0

    def stop(self):
        if self.scraper:
            self.scraper.close()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.sites:
            self.sites.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def reload_under_load(running, seconds, rate=50_000):
    """p99 and losses at a fixed rate, undisturbed and while the zone is read anew."""
    calm = running.ask(seconds, "--rate", str(rate))
    servers.write_names(running.folder / "bench.test", works.MANY, serial=int(time.time()))
    mark = running.log.stat().st_size
    begin = time.monotonic()
    result = {}

    def reload():
        time.sleep(0.2)
        running.process.send_signal(signal.SIGHUP)
        while time.monotonic() < begin + 60 and "reload" not in result:
            text = running.log.read_bytes()[mark:].decode(errors="replace")
            if "reloaded" in text or "reload refused" in text:
                result["reload"] = "reloaded" in text
                result["reload_s"] = round(time.monotonic() - begin - 0.2, 3)
            time.sleep(0.01)

    thread = threading.Thread(target=reload)
    thread.start()
    disturbed = running.ask(max(seconds, running.load_s * 2.5 + 1), "--rate", str(rate))
    thread.join()
    if "reload" not in result:
        raise Failed("no reload within 60 s: at idle priority it gets only what others leave")
    if not result["reload"]:
        raise Failed(f"no reload: {running.log.read_text()[-600:]}")
    return {"calm": calm, "reloading": disturbed, **result}
