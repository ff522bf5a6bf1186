"""GET /metrics: right numbers, by Prometheus' own rules and read by a real Prometheus, on which every
query of the dashboard and every alert of examples/ is run; and docs/operate.md lists what there is."""
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import dns.edns
import dns.message
import dns.query

import admin_http
import steerd_test as t

DASHBOARD = t.SOURCE / "examples/grafana/steerd.json"
RULES = t.SOURCE / "examples/prometheus/steerd.rules.yml"
ADMIN = '[admin]\nlisten = ["unix:state/admin.sock", "127.0.0.1:0"]\n'
CONFIG = ADMIN + """
[regions.east]
location = [35.68, 139.69]
[probes.web]
type = "http"
port = {port}
path = "/health"
interval = "300ms"
timeout = "200ms"
fast_interval = "100ms"
fall = 2
rise = 1
[probes.tls]
type = "https"
port = {tls}
verify = false
interval = "300ms"
timeout = "290ms"
[endpoints.tokyo]
region = "east"
addresses = ["127.0.0.21"]
probes = ["web"]
[endpoints.osaka]
region = "east"
addresses = ["127.0.0.22"]
probes = ["web"]
[endpoints.secure]
addresses = ["127.0.0.1"]
probes = ["tls"]
[routes.www]
policy = "failover"
members = ["tokyo", "osaka"]
[routes.both]
policy = "multivalue"
members = ["tokyo", "osaka"]
[routes.tls]
policy = "failover"
members = ["secure"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = {{ route = "www", ttl = "60s" }}
"both" = {{ route = "both", ttl = "60s" }}
"secure" = {{ route = "tls", ttl = "60s" }}
[zones."example.net"]
file = "example.net.zone"
"""
ZONES = {"example.com.zone": t.zone_text(records="static A 192.0.2.9\n"),
         "example.net.zone": t.zone_text("example.net.")}


def parsed(text):
    """name -> (type, {labels: value}); labels as a frozenset of pairs."""
    families, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            types[name] = kind
            families[name] = (kind, {})
        elif line and not line.startswith("#"):
            name, labels, value = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line).groups()
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            family = base if types.get(base) == "histogram" else name
            pairs = frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or ""))
            key = (name, pairs) if family != name else pairs
            if key in families[family][1]:
                raise AssertionError(f"twice: {line}")
            families[family][1][key] = float(value)
    return families


class Metrics:
    def __init__(self, admin):
        answer = admin.get("/metrics")
        assert answer.status == 200, answer.text
        self.type = answer.headers["content-type"]
        self.text = answer.text
        self.families = parsed(answer.text)

    def get(self, name, /, **labels):
        return self.families[name][1].get(frozenset(labels.items()), 0)


def listening_port(pid):
    """The TCP port that a process listens on, once it does."""
    inodes = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.update(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
        except OSError:
            pass
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                return int(fields[1].rsplit(":", 1)[1], 16)
    return None


class Prometheus:
    """Debian's, scraping one target each second, with the rules of examples/."""

    def __init__(self, target):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="prometheus-"))
        (self.folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms",
                       "evaluation_interval": "500ms"},
            "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": "steerd", "static_configs": [{"targets": [target]}]}]}))
        with (self.folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder}/prometheus.yml",
                 f"--storage.tsdb.path={self.folder}/data", "--web.listen-address=127.0.0.1:0"],
                stdout=subprocess.DEVNULL, stderr=log)
        try:
            self.port = t.wait_until(self.port_or_end, 60, "Prometheus listens")
            t.wait_until(lambda: self.value('up{job="steerd"}') == 1, 60, "Prometheus scrapes")
        except BaseException:
            self.close()
            raise

    def port_or_end(self):
        if self.process.poll() is not None:
            raise AssertionError((self.folder / "log").read_text())
        return listening_port(self.process.pid)

    def api(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            text = error.read()  # while it starts, words that are no JSON
            return json.loads(text) if text.startswith(b"{") else {"status": text.decode()}
        except OSError as error:
            return {"status": str(error)}

    def query(self, expression):
        return self.api("query", query=expression)

    def value(self, expression):
        result = self.query(expression).get("data", {}).get("result", [])
        return float(result[0]["value"][1]) if result else None

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class TlsSite:
    """Answers 200 by TLS, with a certificate of ten days."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tls-"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-days", "10", "-subj", "/CN=x.test", "-keyout", "key.pem",
                        "-out", "cert.pem"], cwd=self.folder, check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.folder / "cert.pem", self.folder / "key.pem")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            try:
                plain.settimeout(5)
                with self.context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
            except OSError:
                plain.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)
        shutil.rmtree(self.folder, ignore_errors=True)


class Running(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sites = t.Sites(["127.0.0.21", "127.0.0.22"])
        cls.tls = TlsSite()
        cls.config = CONFIG.format(port=cls.sites.port, tls=cls.tls.port)
        cls.steerd = t.Steerd(cls.config, ZONES)
        cls.admin = admin_http.Admin(cls.steerd)

    @classmethod
    def tearDownClass(cls):
        cls.steerd.close()
        cls.tls.close()
        cls.sites.kill()

    def rise(self, name, do, /, **labels):
        before = Metrics(self.admin).get(name, **labels)
        do()
        return Metrics(self.admin).get(name, **labels) - before

    def test_promtool_finds_nothing_to_object_to(self):
        self.steerd.ask("www.example.com", "A")
        metrics = Metrics(self.admin)
        self.assertEqual(metrics.type, "text/plain; version=0.0.4; charset=utf-8")
        done = subprocess.run(["promtool", "check", "metrics"], input=metrics.text, text=True,
                              capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_queries_and_rcodes_count_by_zone_and_transport(self):
        ask = self.steerd.ask
        for name, rdtype, tcp, labels in [
                ("static.example.com", "A", False, {"zone": "example.com.", "rcode": "NOERROR"}),
                ("nothing.example.com", "A", False, {"zone": "example.com.", "rcode": "NXDOMAIN"}),
                ("example.net", "SOA", True, {"zone": "example.net.", "rcode": "NOERROR"}),
                ("example.org", "A", True, {"zone": "none", "rcode": "REFUSED"})]:
            with self.subTest(name):
                transport = "tcp" if tcp else "udp"
                self.assertEqual(self.rise("steerd_responses_total", lambda: ask(name, rdtype, tcp=tcp),
                                           transport=transport, **labels), 1)
                self.assertEqual(self.rise("steerd_queries_total", lambda: ask(name, rdtype, tcp=tcp),
                                           transport=transport, zone=labels["zone"]), 1)
                self.assertEqual(self.rise("steerd_received_total", lambda: ask(name, rdtype, tcp=tcp),
                                           transport=transport), 1)

    def test_messages_that_are_no_queries_are_drops(self):
        def send():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.sendto(b"xy", ("127.0.0.1", self.steerd.port))
        before = Metrics(self.admin).get("steerd_drops_total", reason="not_a_query")
        send()
        t.wait_until(lambda: Metrics(self.admin).get("steerd_drops_total", reason="not_a_query")
                     == before + 1, 10, "the drop is counted")

    def test_cookies_count_by_state(self):
        def counts():
            metrics = Metrics(self.admin)
            return [metrics.get("steerd_cookies_total", state=state)
                    for state in ("client_only", "bad", "valid")]

        def ask(cookie):
            query = dns.message.make_query("www.example.com", "A", use_edns=0, options=[
                dns.edns.GenericOption(10, cookie)])
            reply = dns.query.udp(query, "127.0.0.1", 10, self.steerd.port)
            return next(option.data for option in reply.options if option.otype == 10)

        before = counts()
        none = self.admin.get("/api/v1/status").json["answers"]["cookies"]["none"]
        whole = ask(b"12345678")
        for _ in range(3):
            ask(whole)
        ask(whole[:-1] + bytes([whole[-1] ^ 1]))
        ask(b"12345678" + bytes(16))
        self.steerd.ask("www.example.com")
        t.wait_until(lambda: [now - then for now, then in zip(counts(), before)] == [1, 2, 3], 5, "the counts")
        t.wait_until(lambda: self.admin.get("/api/v1/status").json["answers"]["cookies"]["none"]
                     == none + 1, 5, "those without")

    def test_decisions_count_by_name_and_endpoint(self):
        self.assertEqual(self.rise("steerd_decisions_total", lambda: self.steerd.ask("www.example.com"),
                                   name="www.example.com.", endpoint="tokyo"), 1)
        for endpoint in ("tokyo", "osaka"):
            self.assertEqual(
                self.rise("steerd_decisions_total", lambda: self.steerd.ask("both.example.com"),
                          name="both.example.com.", endpoint=endpoint), 1)
        answers = self.admin.status()["answers"]
        name = next(n for n in answers["names"] if n["name"] == "both.example.com.")
        self.assertEqual(name["endpoints"]["tokyo"], name["decisions"])
        before = answers["endpoints"]["tokyo"]
        self.steerd.ask("both.example.com")
        self.assertEqual(self.admin.status()["answers"]["endpoints"]["tokyo"], before + 1)
        # AAAA: nobody has one, and that is NODATA.
        self.steerd.ask("www.example.com", "AAAA")
        self.assertEqual(self.admin.status()["answers"]["queries"]["udp"],
                         Metrics(self.admin).get("steerd_received_total", transport="udp"))

    def test_an_outage_shows(self):
        labels = {"endpoint": "secure", "region": "", "address": "127.0.0.1"}
        metrics = Metrics(self.admin)
        self.assertEqual(metrics.get("steerd_address_health", state="up", **labels), 1)
        self.assertEqual(metrics.get("steerd_address_health", state="down", **labels), 0)
        before = metrics.get("steerd_transitions_total", endpoint="osaka", address="127.0.0.22")
        self.assertEqual(self.admin.order("osaka", "down", reason="test", force=True).status, 200)
        metrics = Metrics(self.admin)
        self.assertEqual(metrics.get("steerd_override", endpoint="osaka", state="down"), 1)
        self.assertEqual(metrics.get("steerd_overrides", state="down"), 1)
        self.assertEqual(self.admin.release("osaka").status, 200)
        self.assertEqual(Metrics(self.admin).get("steerd_override", endpoint="osaka", state="down"), 0)
        opened = Metrics(self.admin).get("steerd_fail_open_total", name="www.example.com.")
        self.sites.kill()
        try:
            t.wait_until(lambda: all(
                Metrics(self.admin).get("steerd_address_health", endpoint=e, region="east", address=a,
                                        state="down") for e, a in
                [("tokyo", "127.0.0.21"), ("osaka", "127.0.0.22")]), 20, "both are down")
            # What is believed reaches answers with the next publication.
            t.wait_until(lambda: not Metrics(self.admin).get("steerd_name_available",
                                                             name="www.example.com.", family="ipv4"),
                         20, "nothing is available")
            self.assertGreater(Metrics(self.admin).get("steerd_transitions_total", endpoint="osaka",
                                                       address="127.0.0.22"), before)
            self.steerd.ask("www.example.com")
            metrics = Metrics(self.admin)
            self.assertEqual(metrics.get("steerd_fail_open_total", name="www.example.com."), opened + 1)
            self.assertEqual(metrics.get("steerd_name_available", name="www.example.com.",
                                         family="ipv4"), 0)
            self.assertGreater(metrics.get("steerd_probe_results_total", probe="web",
                                           address="127.0.0.21", result="fail"), 0)
        finally:
            self.sites.start()
        t.wait_until(lambda: all(
            Metrics(self.admin).get("steerd_address_health", endpoint=e, region="east", address=a,
                                    state="up") for e, a in
            [("tokyo", "127.0.0.21"), ("osaka", "127.0.0.22")]), 20, "both are up again")
        t.wait_until(lambda: self.steerd.addresses("www.example.com") == ["127.0.0.21"]
                     and len(self.steerd.addresses("both.example.com")) == 2
                     and Metrics(self.admin).get("steerd_name_available", name="www.example.com.",
                                                 family="ipv4"), 20, "answers are as before")

    def test_probes_tell_their_durations_and_certificates(self):
        metrics = t.wait_until(lambda: (m := Metrics(self.admin)).get(
            "steerd_certificate_expiry_timestamp_seconds", probe="tls", address="127.0.0.1") and m,
            20, "a certificate was seen")
        expiry = metrics.get("steerd_certificate_expiry_timestamp_seconds", probe="tls",
                             address="127.0.0.1")
        self.assertAlmostEqual(expiry, time.time() + 10 * 86400, delta=600)
        samples = metrics.families["steerd_probe_duration_seconds"][1]
        def sample(suffix, **labels):
            return samples["steerd_probe_duration_seconds_" + suffix, frozenset(labels.items())]
        count = sample("count", probe="web")
        self.assertGreater(count, 1)
        self.assertEqual(sample("bucket", probe="web", le="+Inf"), count)
        self.assertGreater(sample("sum", probe="web"), 0)

    def test_reloads_are_counted_and_counts_survive_them(self):
        for _ in range(3):
            self.steerd.ask("www.example.com")
        before = Metrics(self.admin)
        self.assertEqual(self.steerd.reload(), "reloaded")
        self.steerd.write_config(self.config + "nonsense")
        self.assertEqual(self.steerd.reload(), "reload refused")
        after = Metrics(self.admin)
        for result in ("ok", "refused"):
            self.assertEqual(after.get("steerd_reloads_total", result=result)
                             - before.get("steerd_reloads_total", result=result), 1)
        self.assertEqual(after.get("steerd_last_load_successful"), 0)
        labels = {"name": "www.example.com.", "endpoint": "tokyo"}
        self.assertGreaterEqual(after.get("steerd_decisions_total", **labels),
                                before.get("steerd_decisions_total", **labels))
        self.assertGreaterEqual(after.get("steerd_decisions_total", **labels), 3)
        self.steerd.write_config(self.config)
        self.assertEqual(self.steerd.reload(), "reloaded")
        self.assertEqual(Metrics(self.admin).get("steerd_last_load_successful"), 1)

    def test_the_manual_lists_what_there_is(self):
        self.steerd.ask("www.example.com")
        manual = (t.SOURCE / "docs/operate.md").read_text()
        listed = {}
        for name, kind, labels in re.findall(r"^\| `((?:steerd|process)_\w+)` \| (\w+) \|(.*?)\|", manual,
                                             re.M):
            listed[name] = (kind, frozenset(re.findall(r"`(\w+)`", labels)))
        there = {}
        for name, (kind, samples) in Metrics(self.admin).families.items():
            labels = {frozenset(l for l, _ in (key[1] if kind == "histogram" else key)) - {"le"}
                      for key in samples}
            self.assertLessEqual(len(labels), 1, name)
            there[name] = (kind, labels.pop() if labels else listed.get(name, (0, 0))[1])
        self.assertEqual(listed, there)

    def expressions(self):
        """Of the dashboard and the alerts, with Grafana's variables filled in."""
        dashboard = json.loads(DASHBOARD.read_text())
        found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        found += [a["expr"] for a in dashboard["annotations"]["list"]]
        self.assertGreater(len(found), 25)
        filled = [e.replace("$__rate_interval", "1m").replace("$instance", ".*").replace("$name", ".*")
                  for e in found]
        self.assertEqual([e for e in filled if "$" in e], [])
        rules = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True, text=True,
                               timeout=60)
        self.assertEqual(rules.returncode, 0, rules.stderr)
        # YAML without a library: each expression is one line, or a block behind "|".
        text = RULES.read_text()
        alerts = [e.strip() for e in re.findall(r"^ +expr: (?!\|)(.*)$", text, re.M)]
        alerts += [" ".join(b.split()) for b in re.findall(r"^ +expr: \|\n((?: {10,}.*\n)+)", text, re.M)]
        self.assertEqual(len(alerts), text.count("- alert:"))
        return filled, alerts

    def test_a_real_prometheus_runs_every_query_and_alert(self):
        self.steerd.ask("www.example.com")
        queries, alerts = self.expressions()
        with Prometheus(f"127.0.0.1:{self.admin.port}") as prometheus:
            t.wait_until(lambda: (prometheus.value(
                'count_over_time(steerd_decisions_total{endpoint="tokyo",name="www.example.com."}[1m])')
                or 0) >= 3, 30, "three scrapes")
            names = set()
            for expression in queries + alerts:
                with self.subTest(expression):
                    answer = prometheus.query(expression)
                    self.assertEqual(answer.get("status"), "success", answer)
                    self.assertEqual(answer.get("warnings", []), [])
                names.update(re.findall(r"\b(?:steerd|process)_\w+", expression))
            # A query of what does not exist succeeds too.
            there = Metrics(self.admin).families
            known = set(there) | {name + "_bucket" for name in there}
            self.assertEqual(names - known, set())
            # And those that say something here do.
            for expression in (queries[0], 'sum(rate(steerd_queries_total[1m]))',
                               'histogram_quantile(0.5, sum by (le) '
                               '(rate(steerd_probe_duration_seconds_bucket[1m])))'):
                t.wait_until(lambda: prometheus.query(expression)["data"]["result"], 30, expression)
            def healthy():
                groups = prometheus.api("rules").get("data", {}).get("groups", [])
                rules = [rule for group in groups for rule in group["rules"]]
                return len(rules) == len(alerts) and all(r["health"] == "ok" for r in rules)
            t.wait_until(healthy, 30, "all alert rules are evaluated")

    def test_alerts_fire_when_they_should(self):
        done = subprocess.run(["promtool", "test", "rules", "steerd.rules.test.yml"], cwd=RULES.parent,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        tested = set(re.findall(r"alertname: (\w+)", (RULES.parent / "steerd.rules.test.yml").read_text()))
        self.assertEqual(tested, set(re.findall(r"- alert: (\w+)", RULES.read_text())))


class Dashboard(unittest.TestCase):
    def test_its_structure_is_what_grafana_takes(self):
        dashboard = json.loads(DASHBOARD.read_text())
        self.assertGreaterEqual(dashboard["schemaVersion"], 36)
        for key in ("title", "uid", "time", "templating", "panels"):
            self.assertTrue(dashboard[key], key)
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        taken = set()
        for panel in dashboard["panels"]:
            with self.subTest(panel["title"]):
                at = panel["gridPos"]
                self.assertLessEqual(at["x"] + at["w"], 24)
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                         for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(cells & taken, "panels overlap")
                taken |= cells
                if panel["type"] == "row":
                    continue
                self.assertIn(panel["type"], ("stat", "timeseries", "state-timeline", "table"))
                self.assertEqual(panel["datasource"]["uid"], "${datasource}")
                references = [target["refId"] for target in panel["targets"]]
                self.assertTrue(references)
                self.assertEqual(len(references), len(set(references)))
        variables = {v["name"] for v in dashboard["templating"]["list"]}
        used = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard["panels"])))
        self.assertEqual(used - variables - {"__rate_interval"}, set())


class ManyZones(unittest.TestCase):
    COUNT = 1100

    def test_labels_are_bounded(self):
        config = ADMIN + '[endpoints.e]\naddresses = ["192.0.2.1"]\n[routes.r]\npolicy = "failover"\n' \
                         'members = ["e"]\n'
        for i in range(self.COUNT):
            config += f'[zones."z{i}.test"]\nfile = "zone"\n' \
                      f'[zones."z{i}.test".steer]\n"www" = {{ route = "r", ttl = "60s" }}\n'
        zone = "$TTL 300\n@ SOA ns.elsewhere.test. h.elsewhere.test. 1 3600 900 86400 60\n" \
               "@ NS ns.elsewhere.test.\n"
        with t.Steerd(config, {"zone": zone}) as steerd:
            for i in range(0, self.COUNT, 50):
                self.assertEqual(steerd.addresses(f"www.z{i}.test"), ["192.0.2.1"])
            metrics = Metrics(admin_http.Admin(steerd))
            zones = {dict(key)["zone"] for key in metrics.families["steerd_queries_total"][1]}
            self.assertEqual(len(zones), 1002)  # with "none" and "other"
            names = {dict(key)["name"] for key in metrics.families["steerd_decisions_total"][1]}
            self.assertEqual(len(names), 1001)
            self.assertEqual(metrics.get("steerd_queries_total", zone="other", transport="udp"), 2)
            self.assertEqual(metrics.get("steerd_queries_total", zone="z0.test.", transport="udp"), 1)
            self.assertEqual(metrics.get("steerd_decisions_total", name="other", endpoint="e"), 2)
            self.assertLess(len({dict(key)["name"] for key in
                                 metrics.families["steerd_name_available"][1]}), 1001)


if __name__ == "__main__":
    t.main()
