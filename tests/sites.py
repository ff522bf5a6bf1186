#!/usr/bin/python3
"""Many small HTTP sites in one process, for tests that kill, freeze and break them.

usage: sites.py PORT ADDRESS...     (port 0: one free port for all; printed first)
Commands on standard input, one a line: "ok", "slow SECONDS", "status CODE", "body TEXT"
apply to all sites at once. The process ends with its standard input.
"""
import asyncio
import sys


class Mode:
    delay = 0.0
    status = 200
    body = "ok"


async def handle(reader, writer):
    try:
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        if Mode.delay:
            await asyncio.sleep(Mode.delay)
        body = Mode.body.encode()
        writer.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                     % (Mode.status, len(body), body))
        await writer.drain()
    except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


def command(line):
    words = line.split(None, 1)
    if not words:
        return
    if words[0] == "ok":
        Mode.delay, Mode.status, Mode.body = 0.0, 200, "ok"
    elif words[0] == "slow":
        Mode.delay = float(words[1])
    elif words[0] == "status":
        Mode.status = int(words[1])
    elif words[0] == "body":
        Mode.body = words[1].strip()


async def main():
    port, addresses = int(sys.argv[1]), sys.argv[2:]
    for address in addresses:
        server = await asyncio.start_server(handle, address, port, backlog=512, reuse_address=True)
        port = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    while line := await stdin.readline():
        command(line.decode())
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
