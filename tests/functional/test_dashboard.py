"""The dashboard in a real browser (Debian's Chromium, without a window): what it shows, follows and
changes, by mouse and by keys alone, and that it loads nothing from elsewhere."""
import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import admin_http
import steerd_test as t

TOKEN = "correct-horse-battery"
EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
CONFIG = """
[admin]
listen = ["unix:state/admin.sock", "127.0.0.1:%(admin)s"]
token_file = "admin.token"
[regions.east]
location = [35.68, 139.69]
country = "JP"
[regions.west]
location = [38.95, -77.45]
[probes.web]
type = "http"
port = %(port)d
interval = "300ms"
timeout = "200ms"
fast_interval = "100ms"
[endpoints.tokyo]
region = "east"
addresses = ["127.0.0.21"]
probes = ["web"]
[endpoints.osaka]
region = "east"
addresses = ["127.0.0.22"]
probes = ["web"]
[endpoints.ashburn]
region = "west"
addresses = ["127.0.0.23"]
probes = ["web"]
[routes.www]
policy = "failover"
members = ["tokyo", "osaka", "ashburn"]
[routes.only]
policy = "failover"
members = ["ashburn"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = { route = "www", ttl = "60s" }
"only" = { route = "only", ttl = "30s" }
"""
ZONES = {"example.com.zone": t.zone_text(), "admin.token": TOKEN + "\n"}


class Sites:
    """The endpoints' web sites; each can be killed."""

    def __init__(self, *addresses):
        self.processes = {}
        self.port = 0
        for address in addresses:
            self.start(address)

    def start(self, address):
        process = subprocess.Popen([sys.executable, str(t.TESTS / "sites.py"), str(self.port), address],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(process.stdout.readline())
        self.processes[address] = process

    def kill(self, address):
        process = self.processes.pop(address)
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()

    def close(self):
        for address in list(self.processes):
            self.kill(address)


def start_browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--disable-gpu", "--hide-scrollbars",
                     "--force-device-scale-factor=1", "--disable-dev-shm-usage",
                     # Its own services are of no concern here.
                     "--disable-background-networking", "--disable-component-update",
                     "--no-first-run"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # it refuses to run as root with one
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


class Page:
    """The dashboard of one server in the browser."""

    def __init__(self, driver, port, path="/"):
        self.driver = driver
        self.base = f"http://127.0.0.1:{port}"
        driver.get(self.base + path)

    def run(self, script, *args):
        return self.driver.execute_script(script, *args)

    def wait(self, script, what, seconds=20):
        try:
            return t.wait_until(lambda: self.run("return " + script), seconds, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.run('return document.body.innerText')[:3000]}\n"
                                 f"{self.driver.get_log('browser')}") from None

    def drawn(self):
        self.wait("document.body.dataset.drawn === 'yes' && document.body.dataset.live === 'live'",
                  "the page is live")
        return self

    def state(self, endpoint):
        return self.run("return document.querySelector(`tr[data-endpoint='${arguments[0]}']`)"
                        "?.dataset.state", endpoint)

    def wait_state(self, endpoint, state):
        self.wait(f"document.querySelector(\"tr[data-endpoint='{endpoint}']\")?.dataset.state"
                  f" === '{state}'", f"{endpoint} is shown {state}")

    def css(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.css(selector).text

    def size(self, width, height, scheme="light"):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def picture(self, name, beyond=True):
        folder = pathlib.Path(os.environ.get("STEERD_ARTIFACTS", t.SOURCE / "build" / "artifacts"))
        folder.mkdir(parents=True, exist_ok=True)
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot",
                                           {"format": "png", "captureBeyondViewport": beyond})
        (folder / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def open_order(self, label):
        self.driver.find_element(By.CSS_SELECTOR, f"button[aria-label='Order {label}']").click()
        self.wait("document.getElementById('order').open", "the dialogue")

    def pick(self, state):
        self.css(f"#order input[value='{state}']").click()

    def token(self, text):
        field = self.css("#order input[name='token']")
        field.clear()
        field.send_keys(text)

    def go(self):
        self.css("#order-go").click()

    def problem(self):
        return self.wait("document.getElementById('order-problem').textContent", "what was refused")

    def closed(self):
        self.wait("!document.getElementById('order').open", "the dialogue closes")


class Dashboard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sites = Sites("127.0.0.21", "127.0.0.22", "127.0.0.23")
        cls.addClassCleanup(cls.sites.close)
        cls.steerd = t.Steerd(CONFIG % {"admin": "0", "port": cls.sites.port}, ZONES)
        cls.addClassCleanup(cls.steerd.close)
        cls.admin = admin_http.Admin(cls.steerd)
        cls.driver = start_browser()
        cls.addClassCleanup(cls.driver.quit)

    def setUp(self):
        for address in ("127.0.0.21", "127.0.0.22", "127.0.0.23"):
            if address not in self.sites.processes:
                self.sites.start(address)
        for order in self.admin.get("/api/v1/overrides").json["overrides"]:
            self.admin.release(order["name"])
        t.wait_until(lambda: all(a["health"] == "up" for e in self.admin.status()["endpoints"]
                                 for a in e["addresses"]), 20, "all is up")
        self.page = Page(self.driver, self.admin.port)
        self.page.size(1280, 900)
        self.page.drawn()
        self.driver.get_log("browser")

    def tearDown(self):
        # A violation of the page's policy, a failed load or a thrown error would stand here.
        # Refusals that a test asked for are the browser's own lines about their status.
        log = [line["message"] for line in self.driver.get_log("browser")
               if not re.search(r"status of (400|401|403|404|409|429) ", line["message"])]
        self.assertEqual(log, [])

    def test_it_shows_what_is_configured(self):
        page = self.page
        for name in ("tokyo", "osaka", "ashburn"):
            self.assertEqual(page.state(name), "up")
        table = page.text("table.endpoints")
        for word in ("127.0.0.21", "east", "west", "2 of 2 in service", "http 200"):
            self.assertIn(word, table)
        self.assertEqual(page.run("return [...document.querySelectorAll('.mark')]"
                                  ".map(m => m.getAttribute('aria-label').split(':')[0])"),
                         ["east", "west"])
        names = page.text("#names")
        worst = {n["name"]: n["worst_case_s"] for n in self.admin.status()["names"]}
        self.assertIn("www.example.com.", names)
        self.assertIn(f"{round(worst['www.example.com.'], 1):g} s", names)
        self.assertIn("/ 3", page.text("#tiles"))

    def test_answers_are_counted_for_each_endpoint(self):
        def shown():
            self.steerd.addresses("www.example.com")
            text = self.page.text("#answers")
            return "tokyo" in text and self.page.run(
                "return document.querySelector('.series b')?.textContent > 0")
        t.wait_until(shown, 30, "tokyo's answers: " + self.page.text("#answers"))

    def test_nothing_is_loaded_from_elsewhere(self):
        self.driver.get_log("performance")
        Page(self.driver, self.admin.port).drawn()
        asked = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.append(message["params"]["request"]["url"])
        self.assertGreater(len(asked), 10)
        self.assertEqual([url for url in asked if not url.startswith(self.page.base + "/")], [])
        answer = self.admin.get("/", tcp=True)
        self.assertIn("default-src 'none'", answer.headers["content-security-policy"])
        self.assertNotIn("unsafe", answer.headers["content-security-policy"])
        for text in [answer.text] + [self.admin.get("/page/" + file.name).text
                                     for file in (t.SOURCE / "admin" / "page").iterdir()]:
            self.assertEqual(re.findall(r"https?://(?!www\.w3\.org/)[^\s\"']+", text), [])

    def test_its_files_and_no_others(self):
        for file in (t.SOURCE / "admin" / "page").iterdir():
            answer = self.admin.get("/page/" + file.name, tcp=True)
            if file.name == "index.html":  # its links hold at / only
                self.assertEqual(answer.status, 404)
                continue
            self.assertEqual((answer.status, answer.text), (200, file.read_text()))
        for path in ("/page/", "/page/nothing.js", "/page/../index.html", "/page/%2e%2e/steerd.toml"):
            self.assertEqual(self.admin.get(path, tcp=True).status, 404, path)
        self.assertEqual(self.admin.get("/", headers={"Host": "evil.example"}, tcp=True).status, 421)
        self.assertEqual(self.admin.ask("POST", "/", tcp=True).status, 405)

    def test_a_killed_endpoint_turns_down_without_a_reload(self):
        page = self.page
        page.run("window.marked = true")
        self.sites.kill("127.0.0.22")
        page.wait_state("osaka", "down")
        self.assertTrue(page.run("return window.marked"))
        # Only the stream of events brings these.
        page.wait("[...document.querySelectorAll('#events tr')].some(r => "
                  "r.textContent.includes('osaka') && r.textContent.includes('up → down'))", "the event")
        page.wait("document.getElementById('said').textContent.includes('osaka')", "it is said")
        self.assertIn("1 down", self.driver.title)
        self.assertIn("partly up", page.css(".mark").get_attribute("aria-label"))
        self.assertTrue(page.run("return !!document.querySelector('#lanes .bar.is-down')"))
        colour = page.run("return getComputedStyle(document.querySelector("
                          "\"tr[data-endpoint='osaka'] .shape\")).color")
        self.assertEqual(colour, "rgb(195, 39, 27)")
        self.admin.order("tokyo", "drain", reason="kernel")
        page.wait_state("tokyo", "drained")
        page.picture("dashboard-down")
        page.size(1280, 900, "dark")
        page.picture("dashboard-dark")
        page.size(390, 800)
        page.picture("dashboard-phone")
        page.size(1280, 900)
        self.sites.start("127.0.0.22")
        page.wait_state("osaka", "up")

    def test_the_explain_box(self):
        page = self.page
        page.css("#explain input[name=name]").send_keys("www.example.com")
        page.css("#explain input[name=client]").send_keys("203.0.113.0/24")
        page.css("#explain button").click()
        page.wait("document.querySelector('#explained .records')", "the answer")
        text = page.text("#explained")
        for word in ("www.example.com. 60 IN A 127.0.0.21", "chosen: tokyo", "failover",
                     "first available"):
            self.assertIn(word, text)
        client = page.css("#explain input[name=client]")
        client.clear()
        client.send_keys("300.1.1.1")
        page.css("#explain button").click()
        page.wait("document.querySelector('#explained .bad')", "the refusal")
        self.assertIn("300.1.1.1", page.text("#explained"))
        # A name in the table asks about itself.
        client.clear()
        client.send_keys("203.0.113.7")
        self.driver.find_element(By.XPATH, "//button[text()='only.example.com.']").click()
        page.wait("document.querySelector('#explained').textContent.includes('127.0.0.23')",
                  "the other name")

    def test_an_order_needs_a_second_look_and_the_token(self):
        page = self.page
        page.open_order("tokyo")
        self.assertFalse(page.css("#order input[value='release']").is_displayed())
        page.css("#order input[name='reason']").send_keys("kernel")
        page.go()
        self.assertIn("www.example.com.", page.text("#order-confirm"))
        self.assertEqual(page.text("#order-go"), "Drain tokyo")
        page.css("#order-back").click()
        page.css("#order-cancel").click()
        page.closed()
        self.assertIsNone(self.admin.endpoint("tokyo")["override"])
        page.open_order("tokyo")
        page.go()
        page.go()
        self.assertIn("token", page.problem())
        self.assertEqual(page.run("return document.activeElement.name"), "token")
        page.token("wrong")
        page.go()
        page.go()
        self.assertIn("wrong token", page.problem())
        self.assertIsNone(self.admin.endpoint("tokyo")["override"])
        page.token(TOKEN)
        page.css("#order input[name='reason']").send_keys("kernel")
        page.go()
        page.go()
        page.closed()
        page.wait_state("tokyo", "drained")
        order = self.admin.endpoint("tokyo")["override"]
        self.assertEqual((order["state"], order["reason"], order["who"]),
                         ("drain", "kernel", "token@127.0.0.1"))
        row = page.text("tr[data-endpoint='tokyo']")
        for word in ("token@127.0.0.1", "kernel", "safe to stop"):
            self.assertIn(word, row)
        page.open_order("tokyo")
        self.assertTrue(page.css("#order input[value='release']").is_selected())
        page.go()
        page.go()
        page.closed()
        page.wait_state("tokyo", "up")
        self.assertIsNone(self.admin.endpoint("tokyo")["override"])

    def test_an_order_that_is_refused_may_be_forced(self):
        page = self.page
        page.open_order("ashburn")
        page.pick("down")
        page.token(TOKEN)
        page.go()
        page.go()
        self.assertIn("only.example.com.", page.problem())
        page.css("#order-force input").click()
        page.go()
        page.closed()
        page.wait_state("ashburn", "taken")
        page.wait("document.getElementById('notices').textContent.includes('only.example.com.')",
                  "the notice")

    def test_a_region_is_ordered(self):
        page = self.page
        page.open_order("region east")
        page.pick("up")
        page.token(TOKEN)
        page.go()
        self.assertIn("tokyo, osaka", page.text("#order-confirm"))
        page.go()
        page.closed()
        page.wait_state("osaka", "forced")
        self.assertEqual([o["name"] for o in self.admin.status()["overrides"]], ["region:east"])

    def test_names_and_reasons_are_text(self):
        self.admin.order("tokyo", "drain", reason=EVIL)
        page = self.page
        page.wait_state("tokyo", "drained")
        self.assertIn(EVIL, page.text("tr[data-endpoint='tokyo']"))
        page.css("#explain input[name=name]").send_keys(EVIL)
        page.css("#explain input[name=client]").send_keys(EVIL)
        page.css("#explain button").click()
        page.wait("document.querySelector('#explained .bad')", "the refusal")
        self.assertEqual(page.run("return document.querySelectorAll('img, main script').length"), 0)
        self.assertNotIn("owned", self.driver.title)

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def active(self, script="document.activeElement.getAttribute('aria-label')"):
        return self.page.run("return " + script)

    def tab_to(self, condition, what, limit=40):
        for _ in range(limit):
            if self.page.run("const at = document.activeElement; return " + condition):
                # Wherever the focus is, it can be seen.
                self.assertEqual(self.page.run(
                    "return getComputedStyle(document.activeElement).outlineStyle"), "solid", what)
                return
            self.press(Keys.TAB)
        self.fail(f"no way to {what} by Tab")

    def test_keys_alone_are_enough(self):
        page = self.page
        self.press("/")
        self.assertEqual(self.active("document.activeElement.id"), "find")
        self.press("osaka")
        page.wait("document.querySelectorAll('tr.endpoint').length === 1", "only osaka")
        self.tab_to("at.getAttribute('aria-label') === 'Order osaka'", "the order button")
        self.press(Keys.ENTER)
        page.wait("document.getElementById('order').open", "the dialogue")
        self.assertEqual(self.active("document.activeElement.value"), "drain")
        self.press(Keys.ESCAPE)
        page.closed()
        self.assertEqual(self.active(), "Order osaka")  # the focus comes back
        self.press(Keys.ENTER)
        page.wait("document.getElementById('order').open", "the dialogue again")
        self.press(Keys.ARROW_DOWN)
        self.assertEqual(self.active("document.activeElement.value"), "down")
        self.tab_to("at.name === 'token'", "the token", 6)
        self.press(TOKEN, Keys.ENTER)
        page.wait("document.activeElement.textContent === 'Down osaka'", "the second look")
        self.press(Keys.ENTER)
        page.closed()
        page.wait_state("osaka", "taken")
        self.press("/", Keys.ESCAPE)
        self.press("e")
        self.assertEqual(self.active("document.activeElement.name"), "name")
        self.press("www.example.com", Keys.TAB, "AAAA", Keys.TAB, "2001:db8::1", Keys.ENTER)
        page.wait("document.querySelector('#explained .records')", "the answer")
        # Everything that can be reached has a name.
        nameless = page.run(
            "return [...document.querySelectorAll('button, input, select, a')].filter(n => "
            "!(n.getAttribute('aria-label') || n.textContent.trim() || n.labels?.length))"
            ".map(n => n.outerHTML)")
        self.assertEqual(nameless, [])

    def test_light_and_dark_and_narrow(self):
        page = self.page
        back = "return getComputedStyle(document.body).backgroundColor"
        light = page.run(back)
        page.size(1280, 900, "dark")
        dark = page.run(back)
        brightness = lambda colour: sum(int(n) for n in re.findall(r"\d+", colour)[:3])
        self.assertGreater(brightness(light), 600)
        self.assertLess(brightness(dark), 150)
        for width in (320, 390, 800, 1920):
            page.size(width, 800)
            self.assertLessEqual(page.run("return document.documentElement.scrollWidth"), width)
        page.size(1280, 900)


class ComingBack(unittest.TestCase):
    def test_it_says_that_it_is_stale_and_comes_back(self):
        sites = Sites("127.0.0.21", "127.0.0.22", "127.0.0.23")
        self.addCleanup(sites.close)
        steerd = t.Steerd(CONFIG % {"admin": "0", "port": sites.port}, ZONES)
        self.addCleanup(steerd.close)
        port = admin_http.Admin(steerd).port
        driver = start_browser()
        self.addCleanup(driver.quit)
        page = Page(driver, port).drawn()
        page.run("window.marked = true")
        steerd.stop()
        page.wait("document.body.dataset.live === 'stale'", "stale")
        self.assertIn("Out of date", page.text("#notices"))
        self.assertIn("stale", driver.title)
        self.assertEqual(page.state("tokyo"), "up")  # what was known is shown still
        sites.kill("127.0.0.21")
        steerd.write_config(CONFIG % {"admin": str(port), "port": sites.port})
        steerd.start()
        page.wait("document.body.dataset.live === 'live'", "live again", 30)
        page.wait_state("tokyo", "down")
        self.assertEqual(page.text("#notices"), "")
        self.assertTrue(page.run("return window.marked"))

    def test_a_server_without_endpoints(self):
        steerd = t.Steerd('[admin]\nlisten = ["unix:state/admin.sock", "127.0.0.1:0"]\n'
                          '[zones."example.com"]\nfile = "example.com.zone"\n', ZONES)
        self.addCleanup(steerd.close)
        driver = start_browser()
        self.addCleanup(driver.quit)
        page = Page(driver, admin_http.Admin(steerd).port).drawn()
        self.assertIn("No endpoints are configured", page.text("#endpoints"))
        self.assertIn("No name is steered", page.text("main"))
        self.assertEqual(driver.get_log("browser"), [])


if __name__ == "__main__":
    t.main()
