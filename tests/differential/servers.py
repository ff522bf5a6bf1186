"""steerd, NSD, Knot DNS and BIND on loopback with the same zone files, each in a folder of its own, on a
free port of its own, as the user who runs the test; ended by its process id. Their settings ask for what
steerd does without being asked: minimal answers, no recursion, no cookies, 1232 octets over UDP. Whatever
still differs is the subject of the test."""
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

NAMES = ("steerd", "nsd", "knot", "bind")
TITLES = {"steerd": "steerd", "nsd": "NSD", "knot": "Knot", "bind": "BIND"}
PACKAGES = {"nsd": "nsd", "knot": "knot", "bind": "bind9"}

NSD = """server:
  ip-address: 127.0.0.1
  port: {port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  database: ""
  logfile: "{folder}/log"
  verbosity: 1
  zonefiles-check: no
  hide-version: {hidden}
  hide-identity: {hidden}
  version: "{identity}"
  identity: "{identity}"
  {nsid}
  ipv4-edns-size: 1232
  minimal-responses: yes
  refuse-any: no
  tcp-count: 200
  tcp-query-count: 0
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
"""
KNOT = """server:
  rundir: "{folder}"
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  udp-max-payload: 1232
  version: "{identity}"
  identity: "{identity}"
  nsid: "{identity}"
control:
  listen: "{folder}/knot.sock"
log:
  - target: "{folder}/log"
    any: info
database:
  storage: "{folder}/db"
template:
  - id: default
    storage: "{folder}"
    semantic-checks: off
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
"""
BIND = """options {{
  directory "{folder}";
  pid-file "{folder}/named.pid";
  session-keyfile "{folder}/session.key";
  managed-keys-directory "{folder}";
  lock-file none;
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  zero-no-soa-ttl no;
  empty-zones-enable no;
  minimal-responses yes;
  minimal-any yes;
  allow-transfer {{ none; }};
  notify no;
  edns-udp-size 1232;
  max-udp-size 1232;
  nocookie-udp-size 4096;
  answer-cookie no;
  version {identity};
  hostname {identity};
  server-id {identity};
  check-names primary ignore;
  check-integrity no;
  check-wildcard no;
  check-dup-records ignore;
  check-mx ignore;
  check-mx-cname ignore;
  check-srv-cname ignore;
  check-sibling no;
  check-spf ignore;
  tcp-clients 200;
}};
controls {{ }};
logging {{ channel l {{ file "{folder}/log"; severity info; }}; category default {{ l; }};
  category queries {{ null; }}; category lame-servers {{ null; }}; category query-errors {{ null; }}; }};
"""
STEERD = """[geo]
country_table = "."  # nothing is steered, so no table is read

[server]
listen = ["127.0.0.1:0"]
state_dir = "state"
workers = 1
"""


def free_port():
    """A port that was free just now for UDP and TCP; whoever is beaten to it is started again."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


def version_of(name):
    """Upstream version of a peer as installed: "4.6.1"."""
    done = subprocess.run(["dpkg-query", "-W", "-f=${Version}", PACKAGES[name]],
                          capture_output=True, text=True, check=True)
    return re.sub(r"^\d+:|-[^-]*$", "", done.stdout.strip())


class Server:
    """One running server. `identity`: what it says of itself when asked by CHAOS or NSID, or None."""

    def __init__(self, name, zones, binary=None, identity=None):
        self.name, self.zones, self.binary, self.identity = name, zones, binary, identity
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"differential-{name}-"))
        self.process = None
        self.port = 0
        try:
            for _ in range(5):
                if self.start():
                    return
            raise AssertionError(f"{name} does not start:\n{self.log()[-3000:]}")
        except BaseException:
            self.close()
            raise

    def log(self):
        return "\n".join(path.read_text(errors="replace")
                         for path in (self.folder / "out", self.folder / "log") if path.exists())

    def start(self):
        """Whether it came up; waits until it listens and has its zones."""
        for path in (self.folder / "out", self.folder / "log"):
            path.unlink(missing_ok=True)
        self.port = 0 if self.name == "steerd" else free_port()
        command = getattr(self, "command_" + self.name)()
        with open(self.folder / "out", "wb") as out:
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            beaten = re.search(r"in use|cannot bind|can't bind|could not listen", self.log())
            if beaten or self.process.poll() is not None:  # not all of them end then
                return self.kill()
            if self.up():
                return self.answers() or self.kill()
            time.sleep(0.02)
        return False

    def kill(self):
        self.process.kill()
        self.process.wait()
        return False

    def answers(self):
        """Whether UDP and TCP of the port are both its own: BIND goes on with one of them."""
        question = struct.pack("!HHHHHH", 4711, 0, 1, 0, 0, 0) + b"\0\0\6\0\1"  # SOA of the root
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as tcp:
                tcp.sendall(struct.pack("!H", len(question)) + question)
                over_tcp = tcp.recv(4, socket.MSG_WAITALL)[2:]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.settimeout(5)
                udp.sendto(question, ("127.0.0.1", self.port))
                return over_tcp == question[:2] == udp.recv(512)[:2]
        except OSError:
            return False

    def up(self):
        if self.name == "steerd":
            text = self.log()
            found = re.search(r"listening on .*:(\d+)", text)
            if found and "ready" in text:
                self.port = int(found.group(1))
            return self.port != 0
        ready = {"nsd": r"nsd started", "knot": r"server started", "bind": r"all zones loaded"}
        # BIND says "all zones loaded" also when some were refused; so does Knot start.
        return re.search(ready[self.name], self.log()) is not None

    def command_steerd(self):
        text = STEERD + (f'identity = "{self.identity}"\n' if self.identity else "")
        text += "".join(f'[zones."{apex}"]\nfile = "{file}"\n' for apex, file in self.zones)
        (self.folder / "steerd.toml").write_text(text)
        return [self.binary, "serve", "-c", "steerd.toml"]

    def command_nsd(self):
        nsid = f'nsid: "ascii_{self.identity}"' if self.identity else ""
        text = NSD.format(folder=self.folder, port=self.port, nsid=nsid,
                          hidden="no" if self.identity else "yes", identity=self.identity or "")
        text += "".join(f'zone:\n  name: "{apex}"\n  zonefile: "{file}"\n' for apex, file in self.zones)
        (self.folder / "conf").write_text(text)
        return ["/usr/sbin/nsd", "-d", "-c", str(self.folder / "conf")]

    def command_knot(self):
        (self.folder / "db").mkdir(exist_ok=True)
        text = KNOT.format(folder=self.folder, port=self.port, identity=self.identity or "")
        text += "".join(f'  - domain: "{apex}"\n    file: "{file}"\n' for apex, file in self.zones)
        (self.folder / "conf").write_text(text)
        return ["/usr/sbin/knotd", "-c", str(self.folder / "conf")]

    def command_bind(self):
        identity = f'"{self.identity}"' if self.identity else "none"
        text = BIND.format(folder=self.folder, port=self.port, identity=identity)
        text += "".join(f'zone "{apex}" {{ type primary; file "{file}"; }};\n'
                        for apex, file in self.zones)
        (self.folder / "conf").write_text(text)
        return ["/usr/sbin/named", "-f", "-n", "1", "-c", str(self.folder / "conf")]

    def close(self):
        """Ends it; says what a sanitizer complained of."""
        try:
            if self.process is not None and self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                try:
                    self.process.wait(15)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
            text = self.log()
            if self.name == "steerd" and re.search(r"runtime error|Sanitizer|CHECK failed", text):
                raise AssertionError(text[-6000:])
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


class Four:
    """All four with the same zones: [(apex, file)]."""

    def __init__(self, zones, identity=None):
        self.servers = {}
        try:
            for name in NAMES:
                self.servers[name] = Server(name, zones, os.environ["STEERD_BINARY"], identity)
        except BaseException:
            self.close()
            raise

    def ports(self):
        return {name: server.port for name, server in self.servers.items()}

    def close(self):
        problem = None
        for server in self.servers.values():
            try:
                server.close()
            except AssertionError as error:
                problem = problem or error
        if problem:
            raise problem

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
