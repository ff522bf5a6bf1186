"""Orders and the commands to a running server, as operators meet them."""
import calendar
import json
import os
import pathlib
import random
import signal
import subprocess
import threading
import time
import unittest

import dns.rcode

import admin_http
import steerd_test as t

ADMIN = '[admin]\nlisten = ["unix:state/admin.sock"]\n'
SITES = """
[regions.east]
location = [35.68, 139.69]
[regions.west]
location = [38.95, -77.45]
[endpoints.tokyo]
region = "east"
addresses = ["192.0.2.1", "2001:db8::1"]
[endpoints.osaka]
region = "east"
addresses = ["192.0.2.2", "2001:db8::2"]
[endpoints.ashburn]
region = "west"
addresses = ["192.0.2.3", "2001:db8::3"]
[routes.www]
policy = "failover"
members = ["tokyo", "osaka", "ashburn"]
[routes.stays]
policy = "failover"
members = ["tokyo", "ashburn"]
failback = "manual"
[routes.east]
policy = "failover"
members = ["tokyo", "osaka"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = { route = "www", ttl = "60s" }
"stays" = { route = "stays", ttl = "60s" }
"east" = { route = "east", ttl = "60s" }
"""
ZONES = {"example.com.zone": t.zone_text()}


class Ordering(unittest.TestCase):
    def setUp(self):
        self.steerd = t.Steerd(ADMIN + SITES, ZONES)
        self.addCleanup(self.steerd.close)
        self.admin = admin_http.Admin(self.steerd)

    def run_steerd(self, *args, status=0):
        done = t.run_steerd(*args, cwd=self.steerd.folder)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def www(self, name="www"):
        return self.steerd.addresses(name + ".example.com")

    def test_the_next_query_obeys(self):
        for _ in range(5):
            self.run_steerd("drain", "tokyo", "--reason", "kernel")
            self.assertEqual(self.www(), ["192.0.2.2"])
            self.run_steerd("release", "tokyo")
            self.assertEqual(self.www(), ["192.0.2.1"])

    def test_an_order_says_who_why_and_until_when(self):
        self.run_steerd("drain", "tokyo", "--for", "30m", "--reason", "kernel 6.1")
        order = self.admin.endpoint("tokyo")["override"]
        self.assertEqual((order["state"], order["reason"]), ("drain", "kernel 6.1"))
        user = subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
        self.assertEqual(order["who"], user)
        self.assertIsNotNone(order["until"])
        text = self.run_steerd("status").stdout
        for word in ("kernel 6.1", "drain", user, "safe to stop", order["until"]):
            self.assertIn(word, text)

    def test_regions_are_ordered_and_an_endpoints_own_order_is_stronger(self):
        self.run_steerd("down", "region:east", "--force")  # "east" has no other
        self.assertEqual(self.www(), ["192.0.2.3"])
        self.run_steerd("up", "osaka")
        self.assertEqual(self.www(), ["192.0.2.2"])
        self.run_steerd("release", "osaka")
        self.run_steerd("release", "region:east")
        self.assertEqual(self.www(), ["192.0.2.1"])

    def test_an_order_that_leaves_no_candidate_is_refused_unless_forced(self):
        self.run_steerd("drain", "tokyo")
        refused = self.run_steerd("drain", "osaka", status=1)
        self.assertIn("east.example.com.", refused.stderr)
        self.assertIn("--force", refused.stderr)
        self.assertEqual(self.www("east"), ["192.0.2.2"])
        self.run_steerd("drain", "osaka", "--force")
        answer = self.steerd.ask("east.example.com")
        self.assertEqual((answer.rcode(), answer.answer), (dns.rcode.NOERROR, []))

    def test_orders_end_by_themselves(self):
        self.run_steerd("down", "tokyo", "--for", "1500ms")
        self.assertEqual(self.www(), ["192.0.2.2"])
        t.wait_until(lambda: self.www() == ["192.0.2.1"], 5, "the end of the order")
        self.assertIsNone(self.admin.endpoint("tokyo")["override"])

    def test_unknown_names_are_told_with_near_ones(self):
        wrong = self.run_steerd("drain", "tokio", status=1)
        self.assertIn("tokyo", wrong.stderr)
        self.assertIn("region:east", self.run_steerd("drain", "east", status=1).stderr)
        self.assertIn("route:stays", self.run_steerd("release", "route:stay", status=1).stderr)

    def test_a_held_failback_happens_when_released(self):
        self.run_steerd("down", "tokyo")
        self.assertEqual(self.www("stays"), ["192.0.2.3"])
        self.run_steerd("release", "tokyo")
        self.assertEqual(self.www("stays"), ["192.0.2.3"])
        self.assertIn("steerd release route:stays", self.run_steerd("status").stdout)
        self.run_steerd("release", "route:stays")
        self.assertEqual(self.www("stays"), ["192.0.2.1"])

    def test_a_drain_tells_when_it_is_safe_to_stop(self):
        said = self.run_steerd("drain", "tokyo").stdout
        self.assertIn("safe to stop at", said)
        drain = self.admin.endpoint("tokyo")["drain"]
        self.assertEqual(drain["ttl_s"], 60)
        self.assertFalse(drain["safe"])
        self.assertGreater(drain["clients_left"], 0.5)
        parse = lambda text: time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
        last, caches, safe = (parse(drain[k]) for k in ("last_answer", "caches_let_go",
                                                        "safe_to_stop"))
        self.assertIn(caches - last, (61, 62))
        self.assertGreater(safe, caches)
        self.assertLess(safe - last, 3600)
        before = drain["clients_left"]
        t.wait_until(lambda: self.admin.endpoint("tokyo")["drain"]["clients_left"] < before, 10,
                     "fewer clients")

    def test_a_ttl_that_a_reload_lowers_is_waited_for(self):
        parse = lambda text: calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
        begin = time.time()
        self.assertEqual(self.steerd.ask("www.example.com").answer[0].ttl, 60)
        self.steerd.write_config((ADMIN + SITES).replace('ttl = "60s"', 'ttl = "5s"'))
        self.run_steerd("reload")
        self.assertEqual(self.steerd.ask("www.example.com").answer[0].ttl, 5)
        self.run_steerd("drain", "tokyo")
        drain = self.admin.endpoint("tokyo")["drain"]
        self.assertEqual(drain["ttl_s"], 60)
        # Counted from the reload: with 60 s nothing was handed out after it.
        self.assertGreaterEqual(parse(drain["caches_let_go"]), begin + 60)
        self.assertLessEqual(parse(drain["caches_let_go"]), parse(drain["last_answer"]) + 62)
        # A later reload does not make an endpoint unsafe that has been drained for long.
        before = drain["safe_to_stop"]
        self.run_steerd("reload")
        self.assertEqual(self.admin.endpoint("tokyo")["drain"]["safe_to_stop"], before)

    def test_orders_survive_a_restart_and_a_reload_that_removes_their_name(self):
        self.run_steerd("drain", "tokyo", "--reason", "disk")
        self.steerd.stop()
        self.steerd.start()
        self.assertEqual(self.www(), ["192.0.2.2"])
        without = (ADMIN + SITES).replace("endpoints.tokyo", "endpoints.kyoto").replace(
            '"tokyo"', '"kyoto"')
        self.steerd.write_config(without)
        self.run_steerd("reload")
        self.assertEqual(self.www(), ["192.0.2.1"])
        self.assertEqual([o["name"] for o in self.admin.status()["absent_overrides"]], ["tokyo"])
        self.assertIn("not configured now", self.run_steerd("status").stdout)
        self.steerd.write_config(ADMIN + SITES)
        self.run_steerd("reload")
        self.assertEqual(self.www(), ["192.0.2.2"])

    def test_a_disk_that_cannot_be_written_refuses_orders(self):
        # A folder where the temporary file should be fails for root, too, as a full disk does.
        blocker = self.steerd.folder / "state" / "state.json.new"
        t.wait_until(lambda: not blocker.exists(), 5, "no write under way")
        blocker.mkdir()
        refused = self.run_steerd("drain", "tokyo", status=1)
        self.assertIn("state.json.new", refused.stderr)
        self.assertIn("--force", refused.stderr)
        self.assertEqual(self.www(), ["192.0.2.1"])
        self.assertIsNone(self.admin.endpoint("tokyo")["override"])
        forced = self.run_steerd("drain", "tokyo", "--force")
        self.assertIn("in memory only", forced.stdout)
        self.assertEqual(self.www(), ["192.0.2.2"])
        self.assertIn("cannot be kept", self.run_steerd("status").stdout)
        # A release that would come back after a restart is refused as well.
        self.run_steerd("release", "tokyo", status=1)
        self.assertEqual(self.www(), ["192.0.2.2"])
        blocker.rmdir()
        self.run_steerd("release", "tokyo")
        self.assertEqual(self.www(), ["192.0.2.1"])
        self.assertNotIn("cannot be kept", self.run_steerd("status").stdout)

    def test_without_a_state_dir_orders_say_that_they_are_in_memory_only(self):
        self.steerd.stop()
        config = ('[server]\nlisten = ["127.0.0.1:0"]\n[admin]\n'
                  'listen = ["unix:state/admin.sock"]\n' + SITES)
        (self.steerd.folder / "steerd.toml").write_text(config)
        self.steerd.start()
        self.assertIn("in memory only", self.run_steerd("drain", "tokyo").stdout)


class DisksThatFail(unittest.TestCase):
    """state_dir is a small file system of the test's own, in a mount namespace of its own. Where none
    can be made, Ordering.test_a_disk_that_cannot_be_written_refuses_orders stands in."""

    def setUp(self):
        own = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
        if subprocess.run([*own, "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
                          capture_output=True).returncode != 0:
            self.skipTest("no mount namespace to be had here")
        self.enter = ["-m"] if os.geteuid() == 0 else ["-U", "--preserve-credentials", "-m"]
        self.own = own

    def start(self, options="size=256k", then="true"):
        config = '[admin]\nlisten = ["unix:admin.sock"]\n' + SITES
        steerd = t.Steerd(config, ZONES)
        self.addCleanup(steerd.close)
        steerd.stop()
        self.state = steerd.folder / "state"
        mount = f'mount -t tmpfs -o {options} tmpfs "$0" && {then} && exec "$@"'
        steerd.start(prefix=[*self.own, "sh", "-c", mount, str(self.state)])
        self.steerd = steerd
        self.admin = admin_http.Admin(steerd)
        self.admin.socket = steerd.folder / "admin.sock"
        self.inside = pathlib.Path(f"/proc/{steerd.process.pid}/root{self.state}")

    def remount(self, how):
        subprocess.run(["nsenter", "-t", str(self.steerd.process.pid), *self.enter, "mount", "-o",
                        "remount," + how, str(self.state)], check=True, timeout=30)

    def run_steerd(self, *args, status=0):
        done = t.run_steerd(*args, cwd=self.steerd.folder)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def www(self):
        return self.steerd.addresses("www.example.com")

    def kept(self):
        return json.loads((self.inside / "state.json").read_text())

    def refused_then_forced(self, why):
        before = self.kept()
        said = self.run_steerd("drain", "tokyo", "--reason", "x" * 500, status=1)
        self.assertIn(why, said)
        self.assertIn("--force", said)
        self.assertEqual(self.www(), ["192.0.2.1"])
        self.assertEqual(self.kept(), before)
        self.assertIn("in memory only", self.run_steerd("drain", "tokyo", "--force"))
        self.assertEqual(self.www(), ["192.0.2.2"])
        self.assertIn("cannot be kept", self.run_steerd("status"))
        self.assertIn(why, self.admin.status()["server"]["state_problem"])

    def good_again(self):
        self.run_steerd("release", "tokyo")
        self.assertEqual(self.www(), ["192.0.2.1"])
        self.run_steerd("drain", "tokyo")
        self.assertIn("tokyo", json.dumps(self.kept()))
        self.assertIsNone(self.admin.status()["server"]["state_problem"])

    def test_a_full_disk(self):
        self.start()
        self.run_steerd("up", "osaka")
        self.assertIn("osaka", json.dumps(self.kept()))
        fill = self.inside / "fill"
        with open(fill, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass
        self.refused_then_forced("No space left on device")
        fill.unlink()
        self.good_again()

    def test_a_disk_that_turns_read_only(self):
        self.start()
        self.run_steerd("up", "osaka")
        self.remount("ro")
        self.refused_then_forced("Read-only file system")
        self.remount("rw")
        self.good_again()

    def test_it_serves_from_a_read_only_state_dir(self):
        self.start(then='mount -o remount,ro "$0"')
        self.assertEqual(self.www(), ["192.0.2.1"])
        self.assertIn("Read-only file system", self.run_steerd("drain", "tokyo", status=1))
        self.assertEqual(self.www(), ["192.0.2.1"])
        self.remount("rw")
        self.run_steerd("drain", "tokyo")
        self.assertEqual(self.www(), ["192.0.2.2"])


class KilledAtAnyInstant(unittest.TestCase):
    def test_an_order_that_was_answered_is_never_lost(self):
        rounds = 200 if os.environ.get("STEERD_LONG_TESTS") == "1" else 20
        chance = random.Random(os.environ.get("STEERD_SEED", "7"))
        with t.Steerd(ADMIN + SITES, ZONES) as steerd:
            names = ["tokyo", "osaka", "region:west"]
            known = {}
            orders = 0
            for _ in range(rounds):
                admin = admin_http.Admin(steerd)
                in_flight = {}

                def give_orders():
                    nonlocal orders
                    try:
                        while True:
                            name = chance.choice(names)
                            state = chance.choice(["drain", "up", "down", None])
                            in_flight.clear()
                            in_flight[name] = state
                            reply = (admin.order(name, state, force=True) if state
                                     else admin.release(name))
                            if reply.status != 200:
                                return
                            known[name] = state
                            in_flight.clear()
                            orders += 1
                    except (OSError, ValueError, admin_http.http.client.HTTPException):
                        pass

                giver = threading.Thread(target=give_orders)
                giver.start()
                # Not a wait for something: the instant of the blow is the point.
                time.sleep(chance.uniform(0.0, 0.3))
                steerd.process.kill()
                steerd.process.wait()
                giver.join(30)
                self.assertFalse(giver.is_alive())
                steerd.reader.join(5)
                steerd.process.stderr.close()
                steerd.start()
                held = {o["name"]: o["state"]
                        for o in admin_http.Admin(steerd).get("/api/v1/overrides").json["overrides"]}
                for name in names:
                    may_be = {known.get(name)}
                    if name in in_flight:
                        may_be.add(in_flight[name])
                    self.assertIn(held.get(name), may_be, name)
                    known[name] = held.get(name)
                self.assertFalse((steerd.folder / "state" / "state.json.bad").exists())
            self.assertGreater(orders, rounds)


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.steerd = t.Steerd(ADMIN + SITES, ZONES)
        cls.admin = admin_http.Admin(cls.steerd)

    @classmethod
    def tearDownClass(cls):
        cls.steerd.close()

    def run_steerd(self, *args, status=0, cwd=None):
        done = t.run_steerd(*args, cwd=cwd or self.steerd.folder)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_status_shows_what_is_configured(self):
        text = self.run_steerd("status").stdout
        for word in ("tokyo", "192.0.2.1", "2001:db8::1", "east", "failover", "not probed"):
            self.assertIn(word, text)
        self.assertNotIn("\033", text)  # no colours in a pipe
        status = json.loads(self.run_steerd("status", "--json").stdout)
        self.assertEqual([e["name"] for e in status["endpoints"]], ["tokyo", "osaka", "ashburn"])
        address = status["endpoints"][0]["addresses"][0]
        self.assertEqual(set(address) & {"address", "health", "since", "cause"},
                         {"address", "health", "since", "cause"})

    def test_status_follows(self):
        watch = subprocess.Popen([t.STEERD, "status", "--watch", "--json"], cwd=self.steerd.folder,
                                 stdout=subprocess.PIPE, text=True)
        try:
            for _ in range(2):
                self.assertEqual(len(json.loads(watch.stdout.readline())["endpoints"]), 3)
        finally:
            watch.kill()
            watch.wait()
            watch.stdout.close()

    def test_explain_asks_the_server_and_says_the_same(self):
        question = ["www.example.com", "A", "--client", "203.0.113.0/24", "--draw", "7"]
        offline = self.run_steerd("explain", *question).stdout
        self.assertEqual(self.run_steerd("explain", "--server", *question).stdout, offline)
        one = json.loads(self.run_steerd("explain", "--json", *question).stdout)
        other = json.loads(self.run_steerd("explain", "--server", "--json", *question).stdout)
        self.assertEqual(one, other)
        self.admin.order("tokyo", "drain")
        try:
            live = json.loads(self.run_steerd("explain", "--server", "--json", *question).stdout)
            self.assertEqual(live["decision"]["endpoints"], ["osaka"])
            self.assertIn("drained", json.dumps(live["decision"]["steps"]))
        finally:
            self.admin.release("tokyo")
        self.run_steerd("explain", "--server", "--down", "tokyo", *question, status=2)

    def test_reload_tells_what_came_of_it(self):
        self.assertIn("reloaded", self.run_steerd("reload").stdout)
        file = self.steerd.folder / "steerd.toml"
        good = file.read_text()
        try:
            file.write_text(good.replace('policy = "failover"', 'policy = "failsover"', 1))
            bad = self.run_steerd("reload", status=1)
            self.assertRegex(bad.stderr, r"steerd\.toml:\d+:\d+: error: .*failsover")
            self.assertIn("stays as it was", bad.stderr)
            # The server can be asked while the file is being edited.
            self.assertIn("last load", self.run_steerd("status").stdout)
            self.assertFalse(json.loads(self.run_steerd("reload", "--json", status=1).stdout)["ok"])
            file.write_text(good.replace("listen = [\"unix:state/admin.sock\"]",
                                         "listen = [\"unix:state/admin.sock\", \"127.0.0.1:0\"]"))
            self.assertIn("[admin] keys wait for a restart", self.run_steerd("reload").stderr)
        finally:
            file.write_text(good)
        self.run_steerd("reload")
        zone = self.steerd.folder / "example.com.zone"
        try:
            zone.write_text("nonsense here\n")
            bad = self.run_steerd("reload", status=1)
            self.assertIn("last good copy", bad.stderr)
            self.assertRegex(bad.stderr, r"example\.com\.zone:1")
        finally:
            zone.write_text(ZONES["example.com.zone"])
        self.run_steerd("reload")

    def test_events_are_followed(self):
        follower = subprocess.Popen([t.STEERD, "events", "--json"], cwd=self.steerd.folder,
                                    stdout=subprocess.PIPE, text=True)
        try:
            first = json.loads(follower.stdout.readline())  # there is one: the start
            self.assertIn("kind", first)
            self.admin.order("osaka", "down", reason="test of events")
            self.admin.release("osaka")
            seen = []
            while len(seen) < 2:
                event = json.loads(follower.stdout.readline())
                if event.get("endpoint") == "osaka":
                    seen.append(event["state"])
            self.assertEqual(seen[-2:], ["down", "released"])
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()
        text = self.run_steerd("events", "--no-follow").stdout
        self.assertIn("osaka: down (test of events) by", text)

    def test_wrong_usage_is_2(self):
        self.run_steerd("drain", status=2)
        self.run_steerd("drain", "tokyo", "--for", "soon", status=2)
        self.run_steerd("status", "extra", status=2)
        self.run_steerd("status", "--admin", "nonsense", status=2)
        self.run_steerd("events", "--last", "x", status=2)

    def test_errors_say_what_to_do_next(self):
        gone = self.run_steerd("status", "--admin", "unix:/nowhere/admin.sock", status=1).stderr
        self.assertIn("steerd serve", gone)
        file = self.steerd.folder / "no.sock"
        file.write_text("")
        self.assertIn("no server answers", self.run_steerd("status", "--admin", f"unix:{file}",
                                                           status=1).stderr)
        bare = self.steerd.folder / "bare"
        bare.mkdir()
        (bare / "steerd.toml").write_text('[server]\nlisten = ["127.0.0.1:0"]\n')
        said = self.run_steerd("status", status=1, cwd=bare).stderr
        self.assertIn("[admin]", said)
        self.assertIn("--admin", said)


class Leftovers(unittest.TestCase):
    def test_a_dead_servers_socket_is_replaced_and_a_living_ones_is_not(self):
        with t.Steerd(ADMIN + SITES, ZONES) as steerd:
            second = t.run_steerd("serve", "-c", str(steerd.folder / "steerd.toml"))
            self.assertEqual(second.returncode, 1)
            self.assertIn("another server answers there", second.stderr)
            self.assertEqual(admin_http.Admin(steerd).get("/healthz").status, 200)
            self.assertEqual(admin_http.Admin(steerd).order("tokyo", "drain").status, 200)
            steerd.stop(signal.SIGKILL)
            self.assertTrue((steerd.folder / "state" / "admin.sock").exists())
            steerd.start()
            self.assertEqual(admin_http.Admin(steerd).endpoint("tokyo")["override"]["state"],
                             "drain")
            mode = (steerd.folder / "state" / "admin.sock").stat().st_mode & 0o777
            self.assertEqual(mode, 0o660)
            steerd.stop()
            self.assertFalse((steerd.folder / "state" / "admin.sock").exists())
            steerd.start()


if __name__ == "__main__":
    t.main()
