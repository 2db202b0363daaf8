"""A mail server for tests: a real SMTP server (aiosmtpd) that writes what it receives into a folder, and that can be
told to refuse or to break.

Usage: smtp_server.py FOLDER PORT [CERTIFICATE KEY]    (port 0: any; with a certificate it offers STARTTLS)

It prints `ready PORT`. Then it obeys lines on standard input and answers each with `done`:

    recipient ADDRESS REPLY    answers RCPT for the address with the reply
    drop N                     cuts the connection off in the middle of DATA, the next N times
    lose N                     takes the message, the next N times, but cuts off before it answers
    hang N                     takes the message, the next N times, and never answers
    hold N                     takes the message, the next N times, and answers when it is told to `release`
    await N                    is answered when N messages have been received
    greet REPLY                answers every connection with the reply instead of its greeting
    well                       forgets all of this
"""

import asyncio
import itertools
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP

folder = pathlib.Path(sys.argv[1])
orders = {"recipients": {}, "drop": 0, "lose": 0, "hang": 0, "hold": 0, "greet": None}
released = asyncio.Event()
numbers = itertools.count(1)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = orders["recipients"].get(address)
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        number = next(numbers)
        head = f"X-Test-From: {envelope.mail_from}\r\nX-Test-To: {','.join(envelope.rcpt_tos)}\r\n"
        head += f"X-Test-Encrypted: {session.ssl is not None}\r\nX-Test-Peer: {session.peer[1]}\r\n"
        aside = folder / f"{number}.part"
        aside.write_bytes(head.encode() + envelope.original_content)
        aside.rename(folder / f"{number:06}.eml")
        if orders["hang"] > 0:
            orders["hang"] -= 1
            await asyncio.Event().wait()
        if orders["hold"] > 0:
            orders["hold"] -= 1
            await released.wait()
        if orders["lose"] > 0:
            orders["lose"] -= 1
            server.transport.abort()
        return f"250 2.0.0 OK: queued as {number} for <{envelope.rcpt_tos[0]}>"


class Server(SMTP):
    async def smtp_DATA(self, arg):
        if orders["drop"] > 0:
            orders["drop"] -= 1
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            await self._reader.readline()
            self.transport.abort()
            await asyncio.Event().wait()
        await super().smtp_DATA(arg)

    async def push(self, status):
        greeting = isinstance(status, str) and status.startswith("220 ") and self.session.host_name is None
        if greeting and orders["greet"]:
            await super().push(orders["greet"])
            self.transport.close()
            return
        await super().push(status)


async def obey(line):
    what, _, rest = line.strip().partition(" ")
    if what == "recipient":
        address, _, reply = rest.partition(" ")
        orders["recipients"][address] = reply
    elif what == "well":
        orders.update(recipients={}, drop=0, lose=0, hang=0, hold=0, greet=None)
    elif what == "await":
        while len(list(folder.glob("*.eml"))) < int(rest):
            await asyncio.sleep(0.01)
    elif what == "release":
        released.set()
    elif what == "greet":
        orders["greet"] = rest
    else:
        orders[what] = int(rest)


async def main():
    context = None
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3], sys.argv[4])
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: Server(Handler(), hostname="mail.test", tls_context=context, loop=loop), "127.0.0.1", int(sys.argv[2])
    )
    print("ready", listening.sockets[0].getsockname()[1], flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await obey(line)
        print("done", flush=True)


asyncio.run(main())
