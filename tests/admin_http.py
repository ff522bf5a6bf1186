"""HTTP to a server's admin side, for tests: over its Unix socket or TCP, raw where it must be."""
import http.client
import json
import socket


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


class Admin:
    """Of a tests' Steerd whose [admin] listens on unix:state/admin.sock and perhaps on TCP."""

    def __init__(self, steerd):
        self.socket = steerd.folder / "state" / "admin.sock"
        self.port = None
        for line in steerd.lines:
            if "admin on 127.0.0.1:" in line:
                self.port = int(line.rsplit(":", 1)[1])

    def connect(self, tcp=False, timeout=30):
        if tcp:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        return UnixConnection(self.socket, timeout)

    def ask(self, method, path, body=None, headers=None, tcp=False):
        connection = self.connect(tcp)
        try:
            text = json.dumps(body) if isinstance(body, dict) else body
            connection.request(method, path, text, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **kwargs):
        return self.ask("GET", path, **kwargs)

    def status(self):
        answer = self.get("/api/v1/status")
        assert answer.status == 200, answer.text
        return answer.json

    def endpoint(self, name):
        return next(e for e in self.status()["endpoints"] if e["name"] == name)

    def order(self, name, state, **more):
        return self.ask("PUT", "/api/v1/overrides/" + name, {"state": state, **more})

    def release(self, name):
        return self.ask("DELETE", "/api/v1/overrides/" + name)

    def raw(self, octets, tcp=True, seconds=30):
        """What comes back until the server closes."""
        if tcp:
            connection = socket.create_connection(("127.0.0.1", self.port), seconds)
        else:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(seconds)
            connection.connect(str(self.socket))
        with connection:
            connection.sendall(octets)
            got = b""
            while True:
                try:
                    more = connection.recv(65536)
                except ConnectionResetError:
                    break
                if not more:
                    break
                got += more
        return got


class Events:
    """A follower of /api/v1/events; next() gives one event with its id."""

    def __init__(self, admin, query="", headers=None, tcp=False):
        self.connection = admin.connect(tcp)
        self.connection.request("GET", "/api/v1/events" + query, headers=headers or {})
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.status
        self.type = self.response.getheader("Content-Type")

    def next(self):
        """(id, event), or None where the stream ended."""
        identity, data = None, None
        while True:
            line = self.response.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            if line.startswith("id: "):
                identity = line[4:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif not line and data is not None:
                return identity, data

    def until(self, condition):
        while True:
            event = self.next()
            assert event is not None, "the stream ended"
            if condition(event[1]):
                return event

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
