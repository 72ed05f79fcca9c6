"""A mail server for tests. What it is to do comes as a JSON object in its first argument; what happens goes to standard
output, one JSON object a line, the port first.

port          where to listen; 0 is a free one
certificate   a PEM file with key and certificate
tls           "none", "starttls" or "implicit"
user, password  who may send; nobody has to sign in if there is none
answers       {"rcpt:bob@example.com": "550 5.1.1 No such user"}: what to say instead of yes; also for "mail:…" (the
              sender), "data:…" (a recipient), and "rcpt:*" and the like for all
drops         ["bob@example.com"]: recipients on whom the connection ends without a word
per_connection  how many mails a connection may carry before it is closed with 421
kill          {"stage": "connect|ehlo|mail|rcpt|data|after", "pid_file": "…"}: the process to kill -9 at this stage, once
"""

import asyncio
import email
import email.policy
import json
import logging
import os
import signal
import ssl
import sys
import time
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, TLSSetupException

WISHES = json.loads(sys.argv[1])
ANSWERS = WISHES.get("answers", {})
KILL = WISHES.get("kill", {})


def tell(**what):
    print(json.dumps(what), flush=True)


def kill_at(stage):
    if KILL.get("stage") != stage:
        return
    KILL.pop("stage")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with open(KILL["pid_file"], encoding="ascii") as file:
                pid = int(file.read())
            break
        except (FileNotFoundError, ValueError):
            time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    tell(event="killed", stage=stage)


class Handler:
    def answer(self, stage, address):
        return ANSWERS.get(f"{stage}:{address}") or ANSWERS.get(f"{stage}:*")

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        kill_at("ehlo")
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        kill_at("mail")
        if no := self.answer("mail", address):
            return no
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        kill_at("rcpt")
        if address in WISHES.get("drops", []):
            server.transport.abort()
            return "421 4.7.0 Gone"
        if no := self.answer("rcpt", address):
            tell(event="refused", to=address)
            return no
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        kill_at("data")
        if no := self.answer("data", envelope.rcpt_tos[0]):
            tell(event="refused", to=envelope.rcpt_tos[0])
            return no
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: message.get_body((kind,)).get_content().replace("\r\n", "\n")
        tell(
            event="mail",
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            hello=session.host_name,
            tls=server.transport.get_extra_info("ssl_object") is not None,
            signed_in=bool(session.authenticated),
            connection=id(session),
            headers={name: str(value) for name, value in message.items()},
            type=message.get_content_type(),
            text=part("plain"),
            html=part("html"),
        )
        return "250 OK"


class Server(SMTP):
    carried = 0

    def connection_made(self, transport):
        super().connection_made(transport)
        kill_at("connect")
        if not self._over_ssl:
            tell(event="connected")

    async def smtp_DATA(self, arg):
        if self.carried >= WISHES.get("per_connection", 1_000_000):
            await self.push("421 4.7.0 Enough for one connection")
            self.transport.close()
            return
        self.carried += 1
        await super().smtp_DATA(arg)
        # The answer is on its way; the process that reads it is not to get any further.
        kill_at("after")


def check(server, session, envelope, mechanism, data):
    user, password = data.login.decode(), data.password.decode()
    right = (user, password) == (WISHES["user"], WISHES["password"])
    return AuthResult(success=right, handled=False)


def complain(loop, context):
    # A client that hangs up, or that doesn't like our certificate, is what a test wants.
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


def is_our_fault(record):
    return not (record.exc_info and isinstance(record.exc_info[1], (OSError, TLSSetupException)))


async def main():
    asyncio.get_running_loop().set_exception_handler(complain)
    logging.getLogger("mail").setLevel(logging.ERROR)
    logging.getLogger("mail.log").addFilter(is_our_fault)
    warnings.simplefilter("ignore")
    tls, context = WISHES.get("tls", "none"), None
    if tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(WISHES["certificate"])
    login = {}
    if "user" in WISHES:
        login = {"authenticator": check, "auth_required": True, "auth_require_tls": False}
    starttls = {"tls_context": context, "require_starttls": True} if tls == "starttls" else {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(Handler(), hostname="mail.test", enable_SMTPUTF8=WISHES.get("utf8", True), **login, **starttls),
        "127.0.0.1",
        WISHES.get("port", 0),
        ssl=context if tls == "implicit" else None,
    )
    tell(event="listening", port=server.sockets[0].getsockname()[1])
    # Whoever started us holds the other end of standard input; when they are gone, so are we.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
