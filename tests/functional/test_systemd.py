"""steerd under a service manager. PID 1 of a build machine is seldom systemd, so this plays its part of
the protocol for real: LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID, NOTIFY_SOCKET with descriptors, the
descriptor store, WATCHDOG_USEC. docs/systemd.md names what only PID 1 itself could show."""
import array
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

import dns.message

import steerd_test as t

CONFIG = """
[server]
listen = [{listen}]
state_dir = "state"
workers = {workers}
[geo]
country_table = "geo"
[zones."example.com"]
file = "example.com.zone"
"""
ZONES = {"example.com.zone": t.zone_text(records="www A 192.0.2.77\n")}
# Becomes the process that systemd would have made: descriptors from 3 on, LISTEN_PID its own.
LAUNCH = "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid()); os.execv(sys.argv[1], sys.argv[1:])"


class Manager:
    """The service manager: sockets of its own (a .socket unit), a descriptor store, a notify socket."""

    def __init__(self, workers=2, own=(), watchdog=None, listen='"127.0.0.1:0"', keeps=True):
        self.own = [(name, s) for name, s in own]
        self.store = {}
        self.keeps = keeps
        self.said = []
        self.watchdog = watchdog
        self.name = f"steerd-test-manager-{os.getpid()}-{id(self)}"
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind("\0" + self.name)
        self.listening = threading.Thread(target=self._listen, daemon=True)
        self.listening.start()
        self.steerd = t.Steerd(CONFIG.format(listen=listen, workers=workers), ZONES, wait=None)
        self.steerd.stop(signal.SIGKILL)  # its folder is what we need
        self.workers = workers

    def listen_on(self, *addresses, workers=None):
        listen = ", ".join(f'"{a}"' for a in addresses)
        self.steerd.write_config(CONFIG.format(listen=listen, workers=workers or self.workers))

    def _listen(self):
        while True:
            data, control, _, _ = self.notify.recvmsg(4096, socket.CMSG_SPACE(16 * 4))
            if data == b"END":
                return
            fds = array.array("i")
            for level, kind, payload in control:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(payload)
            words = dict(line.split("=", 1) for line in data.decode().splitlines())
            if "FDSTOREREMOVE" in words:
                self.store.pop(words["FDNAME"]).close()
            elif "FDSTORE" in words:
                assert words["FDPOLL"] == "0" and len(fds) == 1, words
                assert words["FDNAME"] not in self.store, words
                if self.keeps:
                    self.store[words["FDNAME"]] = socket.socket(fileno=fds[0])
                else:
                    os.close(fds[0])
            self.said.append(words)

    def start(self, wait="ready"):
        given = self.own + sorted(self.store.items())
        env = dict(os.environ, NOTIFY_SOCKET="@" + self.name, LISTEN_FDS=str(len(given)),
                   LISTEN_FDNAMES=":".join(name for name, _ in given))
        if self.watchdog:
            env["WATCHDOG_USEC"] = str(int(self.watchdog * 1e6))

        def place():
            # First out of the way, then onto 3, 4, ... (dup2 makes them inheritable).
            high = [fcntl_dup(s.fileno(), 500) for _, s in given]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i, inheritable=True)

        from fcntl import F_DUPFD_CLOEXEC, fcntl

        def fcntl_dup(fd, least):
            return fcntl(fd, F_DUPFD_CLOEXEC, least)

        mark = len(self.said)
        s = self.steerd
        s.lines = []
        s.process = subprocess.Popen(
            ["/usr/bin/python3", "-c", LAUNCH, t.STEERD, "serve", "-c", str(s.folder / "steerd.toml")],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=env,
            preexec_fn=place, pass_fds=range(3, 3 + len(given)))
        s.reader = threading.Thread(target=s._read, args=(s.process, s.lines), daemon=True)
        s.reader.start()
        if wait:
            self.wait_for_word("READY", "1", mark)
            s.port = int(s.wait_for_log(r"listening on .*:(\d+)", 5).group(1))

    def wait_for_word(self, key, value, after=0, seconds=30):
        def said():
            if self.steerd.process.poll() is not None and key != "STOPPING":
                raise AssertionError("steerd ended:\n" + "\n".join(self.steerd.lines))
            return any(w.get(key) == value for w in self.said[after:])
        t.wait_until(said, seconds, f"{key}={value} among {self.said[after:]}")

    def keys(self, after=0):
        """The order in which words were said, the watchdog's left out."""
        return [k for words in self.said[after:] for k in words if not k.startswith(("WATCHDOG", "FD"))]

    def close(self):
        try:
            self.steerd.close()
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                s.sendto(b"END", "\0" + self.name)
            self.listening.join(5)
            self.notify.close()
            for s in [s for _, s in self.own] + list(self.store.values()):
                s.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def unit_sockets(port=0, address="127.0.0.1", reuse=True):
    """A UDP and a listening TCP socket on one port, as steerd.socket has them."""
    for _ in range(16):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        for s in (udp, tcp):
            if reuse:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        udp.bind((address, port))
        try:
            tcp.bind(udp.getsockname())
            tcp.listen(1024)
            return [("steerd.socket", udp), ("steerd.socket", tcp)], udp.getsockname()[1]
        except OSError:
            udp.close()
            tcp.close()
    raise AssertionError("no port is free for both")


class Load(threading.Thread):
    """Asks over UDP and over new TCP connections without pause until told to end. A UDP query is
    never sent again: each must be answered. A TCP connection must never be refused or reset."""

    def __init__(self, port, patience=20):
        super().__init__(daemon=True)
        self.port = port
        self.patience = patience
        self.ending = threading.Event()
        self.wire = dns.message.make_query("www.example.com", "A").to_wire()[2:]
        self.sent = self.answered = self.connected = 0
        self.lost, self.refused = [], []

    def run(self):
        tcp = threading.Thread(target=self.connect, daemon=True)
        tcp.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            s.connect(("127.0.0.1", self.port))
            s.settimeout(0.002)
            waiting, number = {}, 0
            while not self.ending.is_set() or waiting:
                if not self.ending.is_set() and number < 60000:
                    number += 1
                    s.send(number.to_bytes(2, "big") + self.wire)
                    self.sent += 1
                    waiting[number] = time.monotonic()
                try:
                    while True:
                        waiting.pop(int.from_bytes(s.recv(4096)[:2], "big"))
                        self.answered += 1
                        if len(waiting) < 4:
                            break
                except (TimeoutError, ConnectionRefusedError) as error:
                    if isinstance(error, ConnectionRefusedError):
                        self.lost.append("ICMP: nobody listens")
                now = time.monotonic()
                late = [n for n, at in waiting.items() if now - at > self.patience]
                for n in late:
                    self.lost.append(n)
                    del waiting[n]
        tcp.join(30)

    def connect(self):
        wire = len(self.wire + b"id").to_bytes(2, "big") + b"id" + self.wire
        while not self.ending.is_set():
            try:
                # A source of its own, so that no port comes twice.
                with socket.create_connection(("127.0.0.1", self.port),
                                              timeout=self.patience):
                    self.connected += 1
                    time.sleep(0.001)  # no deadline hangs on it: only a pace
            except OSError as error:
                self.refused.append(repr(error))

    def finish(self):
        self.ending.set()
        self.join(60)


class UnderAManager(unittest.TestCase):
    def test_words_from_start_to_end(self):
        with Manager() as m:
            m.start()
            self.assertTrue(any("serving" in w.get("STATUS", "") for w in m.said), m.said)
            mark = len(m.said)
            m.steerd.reload("reloaded")
            m.wait_for_word("READY", "1", mark)
            keys = m.keys(mark)
            self.assertEqual(keys[:2], ["RELOADING", "MONOTONIC_USEC"])
            self.assertIn("READY", keys[2:])
            usec = next(int(w["MONOTONIC_USEC"]) for w in m.said if "MONOTONIC_USEC" in w)
            self.assertLess(abs(usec / 1e6 - time.monotonic()), 30)
            mark = len(m.said)
            m.steerd.write("steerd.toml", "[server]\nlisten = nonsense\n")
            m.steerd.reload("reload refused")
            m.wait_for_word("READY", "1", mark)  # a refused reload is over as well
            mark = len(m.said)
            self.assertEqual(m.steerd.stop(), 0)
            m.wait_for_word("STOPPING", "1", mark)

    def test_every_socket_is_stored_once_and_comes_back(self):
        with Manager(workers=2) as m:
            m.start()
            self.assertEqual(len(m.store), 4)  # UDP and TCP for each of two workers
            m.listen_on(f"127.0.0.1:{m.steerd.port}")
            for _ in range(3):
                self.assertEqual(m.steerd.stop(), 0)
                mark = len(m.said)
                m.start()
                self.assertEqual(m.steerd.addresses("www.example.com"), ["192.0.2.77"])
                self.assertFalse([w for w in m.said[mark:] if "FDSTORE" in w])

    def test_a_changed_address_gives_its_sockets_back(self):
        with Manager(workers=1) as m:
            m.start()
            self.assertEqual(m.steerd.stop(), 0)
            old = m.steerd.port
            own, new = unit_sockets()
            for _, s in own:
                s.close()
            m.listen_on(f"127.0.0.2:{new}")
            m.start()
            self.assertEqual({s.getsockname()[0] for s in m.store.values()}, {"127.0.0.2"})
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.bind(("127.0.0.1", old))  # free again
            self.assertEqual(m.steerd.addresses("www.example.com", address="127.0.0.2"), ["192.0.2.77"])

    def test_sockets_of_a_unit_are_used_and_only_further_ones_stored(self):
        own, port = unit_sockets()
        with Manager(workers=2, own=own) as m:
            m.listen_on(f"127.0.0.1:{port}")
            m.start()
            self.assertEqual(m.steerd.port, port)
            self.assertEqual(len(m.store), 2)  # the second worker's
            self.assertEqual(m.steerd.addresses("www.example.com"), ["192.0.2.77"])
            self.assertEqual(m.steerd.addresses("www.example.com", tcp=True), ["192.0.2.77"])

    def test_a_unit_of_one_socket_without_reuseport_serves_all_workers(self):
        own, port = unit_sockets(reuse=False)
        with Manager(workers=2, own=own) as m:
            m.listen_on(f"127.0.0.1:{port}")
            m.start()
            self.assertEqual(m.store, {})
            for tcp in (False, True) * 8:
                self.assertEqual(m.steerd.addresses("www.example.com", tcp=tcp), ["192.0.2.77"])

    def test_more_sockets_than_workers_are_all_read(self):
        own, port = unit_sockets()
        own += [("steerd.socket", s) for _ in range(3) for _, s in unit_sockets(port)[0]]
        with Manager(workers=1, own=own) as m:
            m.listen_on(f"127.0.0.1:{port}")
            m.start()
            for tcp in (False, True) * 30:  # the kernel spreads them over all
                self.assertEqual(m.steerd.addresses("www.example.com", tcp=tcp), ["192.0.2.77"])

    def test_a_socket_that_nobody_will_read_is_named(self):
        own, port = unit_sockets()
        with Manager(workers=1, own=own) as m:
            m.start()
            m.steerd.wait_for_log(rf"warning: the service manager passed UDP 127.0.0.1:{port} ", 5)

    def restart_under_load(self, m, stop, times):
        m.start()
        m.listen_on(f"127.0.0.1:{m.steerd.port}")
        load = Load(m.steerd.port)
        load.start()
        try:
            for _ in range(times):
                before, connected = load.answered, load.connected
                t.wait_until(lambda: load.answered > before + 50 and load.connected > connected + 10,
                             20, "answers under load")
                stop()
                sent, connected = load.sent, load.connected
                # While nobody serves, queries go on to be sent and connections to be accepted.
                t.wait_until(lambda: load.sent > sent + 20 and load.connected > connected + 5, 20,
                             "queries while nobody serves")
                m.start()
        finally:
            load.finish()
        print(f"\n  {times} restarts: {load.sent} UDP queries, {load.answered} answered; "
              f"{load.connected} TCP connections, {len(load.refused)} refused", end=" ")
        return load

    def test_restarts_under_load_lose_no_query_and_refuse_no_connection(self):
        with Manager(workers=2) as m:
            load = self.restart_under_load(m, lambda: self.assertEqual(m.steerd.stop(), 0), 5)
            self.assertEqual(load.lost, [])
            self.assertEqual(load.answered, load.sent)
            self.assertEqual(load.refused, [])

    def test_the_same_with_sockets_of_a_unit(self):
        own, port = unit_sockets()
        with Manager(workers=2, own=own) as m:
            m.listen_on(f"127.0.0.1:{port}")
            load = self.restart_under_load(m, lambda: self.assertEqual(m.steerd.stop(), 0), 3)
            self.assertEqual((load.lost, load.refused), ([], []))
            self.assertEqual(load.answered, load.sent)

    def test_after_a_crash_only_what_was_in_its_hands_is_lost(self):
        with Manager(workers=2) as m:
            load = self.restart_under_load(m, lambda: m.steerd.stop(signal.SIGKILL), 3)
            self.assertEqual(load.refused, [])
            # At each crash at most the batch each of two receivers had taken.
            self.assertLessEqual(len(load.lost), 3 * 2 * 64)
            self.assertGreaterEqual(load.answered, load.sent - len(load.lost))

    def test_without_the_store_the_same_load_sees_the_gap(self):
        with Manager(workers=2, keeps=False) as m:
            m.start()
            m.listen_on(f"127.0.0.1:{m.steerd.port}")
            load = Load(m.steerd.port, patience=1)
            load.start()
            t.wait_until(lambda: load.answered > 50 and load.connected > 10, 20, "answers under load")
            self.assertEqual(m.steerd.stop(), 0)
            t.wait_until(lambda: load.lost and load.refused, 20, "lost queries, refused connections")
            load.finish()
            m.start()

    @unittest.skipUnless(shutil.which("dnsperf"), "needs dnsperf")
    def test_dnsperf_loses_no_query_across_restarts(self):
        with Manager(workers=2) as m:
            m.start()
            m.listen_on(f"127.0.0.1:{m.steerd.port}")
            m.steerd.write("queries", "www.example.com A\nnx.example.com A\n")
            with subprocess.Popen(["dnsperf", "-s", "127.0.0.1", "-p", str(m.steerd.port), "-d",
                                   str(m.steerd.folder / "queries"), "-l", "6", "-Q", "1000",
                                   "-q", "60000", "-c", "8", "-t", "20"], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True) as dnsperf:
                restarts = 0
                while restarts < 3:
                    # Into the midst of it: dnsperf has no condition to wait for.
                    time.sleep(1)
                    self.assertIsNone(dnsperf.poll(), "the load ended too early")
                    self.assertEqual(m.steerd.stop(), 0)
                    m.start()
                    restarts += 1
                out = dnsperf.communicate(timeout=60)[0]
            sent = int(re.search(r"Queries sent:\s+(\d+)", out).group(1))
            done = int(re.search(r"Queries completed:\s+(\d+)", out).group(1))
            lost = int(re.search(r"Queries lost:\s+(\d+)", out).group(1))
            print(f"\n  dnsperf, {restarts} restarts: {sent} sent, {done} completed, {lost} lost", end=" ")
            self.assertGreater(sent, 1000, out)
            self.assertEqual((lost, done), (0, sent), out)

    def test_the_watchdog_is_fed_while_all_is_well_and_not_when_stopped(self):
        with Manager(watchdog=1.0) as m:
            m.start()
            fed = lambda: sum("WATCHDOG" in w for w in m.said)
            t.wait_until(lambda: fed() >= 4, 15, "WATCHDOG=1, four times")
            # At a second's interval more than three a second would be noise.
            begin, count = time.monotonic(), fed()
            t.wait_until(lambda: fed() >= count + 4, 15, "four more")
            self.assertGreater(time.monotonic() - begin, 1.2)
            m.steerd.process.send_signal(signal.SIGSTOP)
            try:
                count = fed()
                time.sleep(1.5)  # what must not happen has no condition to wait for
                self.assertLessEqual(fed(), count + 1)
            finally:
                m.steerd.process.send_signal(signal.SIGCONT)

    def test_variables_of_another_process_are_left_alone(self):
        own, port = unit_sockets()
        with Manager(workers=1, own=own) as m:
            env = dict(os.environ, LISTEN_PID="1", LISTEN_FDS="2", NOTIFY_SOCKET="/nowhere",
                       WATCHDOG_USEC="nonsense")
            m.steerd.env = env
            m.steerd.start()
            self.assertNotEqual(m.steerd.port, port)


class Units(unittest.TestCase):
    UNITS = t.SOURCE / "systemd"

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_exposure_is_1_5_or_better(self):
        out = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                              str(self.UNITS / "steerd.service")], capture_output=True, text=True,
                             timeout=60)
        found = re.search(r"Overall exposure level for steerd.service: ([\d.]+)", out.stdout)
        self.assertTrue(found, out.stdout + out.stderr)
        print(f"\n  exposure {found.group(1)}", end=" ")
        self.assertLessEqual(float(found.group(1)), 1.5)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_units_have_no_word_that_systemd_does_not_know(self):
        for unit in ("steerd.service", "steerd.socket"):
            out = subprocess.run(["systemd-analyze", "verify", "--man=no", str(self.UNITS / unit)],
                                 capture_output=True, text=True, timeout=60)
            complaints = [l for l in out.stderr.splitlines() if unit in l
                          and "is not executable" not in l]
            self.assertEqual(complaints, [], unit)

    def test_a_reload_by_the_unit_tells_what_came_of_it(self):
        line = re.search(r"^ExecReload=(.+)$", (self.UNITS / "steerd.service").read_text(), re.M).group(1)
        zone = '[zones."example.com"]\nfile = "example.com.zone"\n'
        for admin in ('[admin]\nlisten = ["unix:state/admin.sock"]\n', ""):
            with t.Steerd(admin + zone, {"example.com.zone": t.zone_text()}) as steerd:
                file = steerd.folder / "steerd.toml"
                command = line.replace("/usr/bin/steerd", t.STEERD).replace(
                    "/etc/steerd/steerd.toml", str(file)).replace("$MAINPID", str(steerd.process.pid))

                def reload(expect):
                    mark = len(steerd.lines)
                    done = subprocess.run(command.split(), capture_output=True, text=True, timeout=60)
                    steerd.wait_for_log(expect, 30, mark)
                    return done
                self.assertEqual(reload("reloaded").returncode, 0)
                file.write_text(file.read_text() + "[nonsense]\n")
                done = reload("reload refused")
                if admin:
                    self.assertEqual(done.returncode, 1)
                    self.assertRegex(done.stderr, r"steerd\.toml:\d+:\d+: error: ")
                else:
                    self.assertEqual(done.returncode, 0)
                    self.assertIn("SIGHUP", done.stderr)

    def test_the_socket_unit_names_the_default_addresses(self):
        text = (self.UNITS / "steerd.socket").read_text()
        config = (t.SOURCE / "packaging/steerd.toml").read_text()
        listen = set(re.findall(r'"([^"]+)"', re.search(r"^listen = (.*)$", config, re.M).group(1)))
        for key in ("ListenDatagram", "ListenStream"):
            self.assertEqual(set(re.findall(rf"^{key}=(.+)$", text, re.M)), listen)

    @unittest.skipUnless(shutil.which("systemd-sysusers"), "needs systemd-sysusers")
    def test_sysusers_and_tmpfiles_do_what_they_say_in_a_root_of_their_own(self):
        import tempfile
        with tempfile.TemporaryDirectory() as root:
            for folder in ("etc", "var/lib", "run"):
                (pathlib.Path(root) / folder).mkdir(parents=True)
            for name in ("passwd", "group"):
                (pathlib.Path(root) / "etc" / name).write_text("")
            subprocess.run(["systemd-sysusers", f"--root={root}", str(self.UNITS / "steerd.sysusers")],
                           check=True, capture_output=True, timeout=60)
            passwd = (pathlib.Path(root) / "etc/passwd").read_text()
            self.assertRegex(passwd, r"(?m)^steerd:.*:/var/lib/steerd:/usr/sbin/nologin$")
            if os.geteuid() != 0:
                return  # owners need root
            subprocess.run(["systemd-tmpfiles", "--create", f"--root={root}",
                            str(self.UNITS / "steerd.tmpfiles")], capture_output=True, timeout=60)
            state = (pathlib.Path(root) / "var/lib/steerd").stat()
            self.assertEqual(state.st_mode & 0o777, 0o750)
            self.assertEqual(state.st_uid, int(passwd.split("steerd:")[1].split(":")[1]))


if __name__ == "__main__":
    t.main()
