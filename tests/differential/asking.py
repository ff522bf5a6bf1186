"""Sends many questions to one server and gathers the replies: over UDP with a window of questions under
way, over TCP several on one connection. What is broken is sent apart, spaced out, over TCP alone: NSD
answers no more than a hundred errors a second. What stays unanswered is asked again; None is silence,
and also a TCP connection that was closed in its face."""
import select
import socket
import struct
import time

WINDOW = 24
PATIENCE = 0.7  # seconds until a question counts as unanswered
PACE = 0.0125  # seconds between questions that are broken
AGAIN = 2
GONE = 10 * PATIENCE  # seconds without a word, of questions that are in order


class Gone(Exception):
    """The server answers no more."""



def tagged(number, wire):
    return struct.pack("!H", number) + wire[2:]


class Udp:
    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)

    def receive(self, seconds):
        """The datagrams there are, waiting for the first so long."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return
        while True:
            try:
                yield self.socket.recv(65535)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                raise AssertionError("the server is gone") from None

    def ask(self, wires):
        """{index: reply} for [(index, wire)], a window at a time; ids are the indices."""
        replies, waiting, queue = {}, {}, list(reversed(wires))
        heard = time.monotonic()
        while queue or waiting:
            before = len(replies)
            while queue and len(waiting) < WINDOW:
                index, wire = queue.pop()
                waiting[index] = time.monotonic() + PATIENCE
                self.socket.send(tagged(index, wire))
            self.take(0.05, waiting, replies)
            now = time.monotonic()
            heard = now if len(replies) > before else heard
            if now - heard > GONE:
                raise Gone
            waiting = {index: until for index, until in waiting.items() if until > now}
        return replies

    def ask_spaced(self, wires):
        replies, waiting = {}, {}
        for index, wire in wires:
            waiting[index] = True
            self.socket.send(tagged(index, wire))
            until = time.monotonic() + PACE
            while (left := until - time.monotonic()) > 0:
                self.take(left, waiting, replies)
        until = time.monotonic() + PATIENCE
        while waiting and (left := until - time.monotonic()) > 0:
            self.take(left, waiting, replies)
        return replies

    def take(self, seconds, waiting, replies):
        for reply in self.receive(seconds):
            index = struct.unpack("!H", reply[:2])[0]
            if waiting.pop(index, None):
                replies[index] = reply


def over_udp(port, wires, broken):
    """[(index, wire)] twice, indices below 65536."""
    udp = Udp(port)
    try:
        replies = udp.ask(wires)
        for _ in range(AGAIN):
            left = [(index, wire) for index, wire in wires + broken if index not in replies]
            replies.update(udp.ask_spaced(left))
        return replies
    finally:
        udp.socket.close()


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data


def one_connection(port, wires, replies):
    """Asks one after the other; ends at the first that gets nothing."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(PATIENCE)
        for index, wire in wires:
            connection.sendall(struct.pack("!H", len(wire)) + tagged(index, wire))
            size = struct.unpack("!H", read_exactly(connection, 2))[0]
            replies[index] = read_exactly(connection, size)


def over_tcp(port, wires, share):
    """`share`: questions on one connection."""
    replies, tried = {}, {}
    queue = list(wires)
    while queue:
        batch = queue[:share]
        try:
            one_connection(port, batch, replies)
        except OSError:
            pass
        first = next((index for index, _ in batch if index not in replies), None)
        if first is not None:
            tried[first] = tried.get(first, 0) + 1
        time.sleep(PACE if share == 1 else 0)
        queue = [(index, wire) for index, wire in queue
                 if index not in replies and tried.get(index, 0) < AGAIN]
    return replies


def ask_all(port, questions):
    """The reply to each question, or None."""
    def some(tcp, odd):
        return [(i, q.wire) for i, q in enumerate(questions) if q.tcp == tcp and q.odd == odd]
    replies = {**over_udp(port, some(False, False), some(False, True)),
               **over_tcp(port, some(True, False), 60), **over_tcp(port, some(True, True), 1)}
    return [replies.get(i) for i in range(len(questions))]
