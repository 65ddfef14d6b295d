"""A server that breaks rules, against the real signet-fetch and an agent that would sign anything.

Each row of a table is one Conduct; the test says how signet-fetch must take it, and the server
judges every authenticator it gets with the second implementation of RFC 9261.
"""
import dataclasses
import os
import tempfile
import unittest
from typing import Callable, Optional

import authenticator
import certificates
import raw_http2 as h2
from fake_agent import FakeAgent, prove
from ipc import agent_pb2 as agent
from tools_under_test import fetch, only_cipher_suite

SUPPORT = {h2.CLIENT_CERT_AUTH: 1}
PROTOCOL_ERROR, FRAME_SIZE_ERROR = 1, 6
STREAM = 1  # of the client's only request

# Steps are frames (type, flags, stream, payload), bytes, functions of the Conversation and these:
AWAIT_CERTIFICATE = object()
AWAIT_REQUEST = object()  # the client's next
AWAIT_AGENT = object()  # until it was asked all that the server has asked
RESPOND = object()

NO_SETTINGS = object()


@dataclasses.dataclass
class Conduct:
    """What the server does after the client's request, or `early`, before it looks at that."""
    steps: list
    settings: Optional[dict] = None
    early: tuple = ()
    respond: bool = True  # at the end, when no error is expected
    limit: int = 4
    answer: Optional[Callable] = None  # of the agent
    batch: int = 1
    options: tuple = ()
    server: dict = dataclasses.field(default_factory=dict)  # options of raw_http2.Server
    cipher_suite: str = ""  # the only one that signet-fetch offers


class Conversation:
    """The server's end of the connection, and what it has heard."""

    def __init__(self, peer, fake_agent):
        self.peer = peer
        self.agent = fake_agent
        self.frames = []

    def hold(self, conduct, answers):
        try:
            if conduct.settings is not NO_SETTINGS:
                self.peer.send_settings(SUPPORT if conduct.settings is None else conduct.settings)
            for step in conduct.early:
                self._take(step)
            self.hear(h2.HEADERS)
            for step in conduct.steps:
                self._take(step)
            while answers is not None and len(self.certificates) < answers:
                if not self.hear(h2.CERTIFICATE):
                    break
            if answers is not None and conduct.respond:
                self._take(RESPOND)
        except OSError:
            pass  # it hung up; what it said before that is still to be read
        while self.peer.open and self.hear(None):
            pass
        return self

    def _take(self, step):
        if step is AWAIT_CERTIFICATE:
            self.hear(h2.CERTIFICATE)
        elif step is AWAIT_REQUEST:
            self.hear(h2.HEADERS)
        elif step is AWAIT_AGENT:
            assert self.agent.await_calls(len(self.requests), h2.Peer.TIMEOUT), "no call came"
        elif step is RESPOND:
            self.peer.respond(STREAM)
        elif callable(step):
            step(self)
        elif isinstance(step, bytes):
            self.peer.send_bytes(step)
        else:
            self.peer.send(*step)

    def hear(self, kind):
        """False at the end of the connection."""
        while frame := self.peer.read():
            self.frames.append(frame)
            if kind in (None, frame[0]):
                return True
        return False

    @property
    def certificates(self):
        return [frame for frame in self.frames if frame[0] == h2.CERTIFICATE]

    @property
    def goaway(self):
        """The error codes of the client's GOAWAY frames."""
        return [int.from_bytes(frame[3][4:8], "big") for frame in self.frames
                if frame[0] == h2.GOAWAY]

    @property
    def requests(self):
        return [each for kind, _, _, payload in self.peer.sent if kind == h2.AUTHENTICATOR_REQUESTS
                for each in h2.requests_in(payload)]


class MisbehavingServerTest(unittest.TestCase):
    SERVER = h2.Server
    FETCH_OPTIONS = ()
    CONNECTION_ERROR = 16  # how signet-fetch exits
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.ca = certificates.authority("ca")
        cls.ca_pem, _ = cls.ca.write(cls.folder.name)
        cls.server_files = certificates.server(cls.ca).write(cls.folder.name)
        cls.alice = certificates.client(cls.ca, "alice")

    def setUp(self):
        self.agent = FakeAgent(os.path.join(self.folder.name, "agent.sock"))
        self.addCleanup(self.agent.close)

    def answer(self, call):
        return prove(call, self.alice, agent.IDENTITY_KIND_USER)

    def hold(self, conduct, answers):
        """What signet-fetch says and what the server has heard."""
        self.agent.answer = conduct.answer or self.answer
        self.agent.batch = conduct.batch
        server = self.SERVER(*self.server_files,
                             lambda peer: Conversation(peer, self.agent).hold(conduct, answers),
                             **conduct.server)
        environment = only_cipher_suite(conduct.cipher_suite, self.folder.name) \
            if conduct.cipher_suite else None
        result = fetch("--json", "--agent", self.agent.path, "--cacert", self.ca_pem, "--connect",
                       f"127.0.0.1:{server.port}", "--limit", conduct.limit, *self.FETCH_OPTIONS,
                       *conduct.options, "https://localhost/", environment=environment)
        conversation = server.finish()
        self.agent.settle()
        return result, conversation

    def assert_refused(self, conduct, detail, code, name, by="local", asked=0, answered=0,
                       statuses=()):
        """A connection error that signet-fetch finds; `asked` = requests that reached the agent."""
        result, conversation = self.hold(conduct, None)
        self.assertEqual(result.exit, self.CONNECTION_ERROR, result.stderr)
        error = result.json["connection_error"]
        self.assertEqual({**error, "detail": None},
                         {"by": by, "code": code, "name": name, "detail": None}, error)
        self.assertRegex(error["detail"], f"^(?:{detail})$")
        if by == "local":
            self.assertEqual(conversation.goaway, [code])
        self.assertEqual(len(self.agent.calls), asked, "requests reached the agent")
        self.assertEqual(len(conversation.certificates), answered, "frames were sent")
        self.assertEqual(result.json["certificates_sent"] + result.json["empty_sent"], answered)
        self.assertEqual(result.statuses(), list(statuses))

    def assert_cut(self, conduct, code, message):
        """No error of HTTP/2's, no answer, and no request that reached the agent."""
        result, conversation = self.hold(conduct, None)
        self.assertEqual(result.exit, code, result.stderr)
        self.assertRegex(result.stderr, message)
        self.assertIsNone(result.json["connection_error"])
        self.assertEqual(conversation.certificates, [])
        self.assertEqual(self.agent.calls, [])

    def assert_answered(self, conduct, outcome, asked=None):
        """A normal response after one answer for each letter of `outcome`, Proved or Declined."""
        result, conversation = self.hold(conduct, len(outcome))
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertIsNone(result.json["connection_error"])
        self.assertEqual(result.statuses(), [200])
        self.assertIn(conversation.goaway, ([0], []))  # none when the server's came first
        peer = conversation.peer
        requests = conversation.requests[:len(outcome)]
        chain = [each.der for each in self.alice.chain]
        self.assertEqual([(flags, stream) for _, flags, stream, _ in conversation.certificates],
                         [(0, 0)] * len(outcome))
        for request, letter, frame in zip(requests, outcome, conversation.certificates):
            self.assertEqual(authenticator.validate(peer.keys(), request, frame[3]),
                             chain if letter == "P" else None)
        self.assertEqual((result.json["certificates_sent"], result.json["empty_sent"]),
                         (outcome.count("P"), outcome.count("D")))
        self.assertEqual(len(self.agent.calls), len(outcome) if asked is None else asked)
        for call, request in zip(self.agent.calls, requests):
            self.assertEqual(call.request, request)  # verbatim
            self.assertEqual(call.handshake_context, peer.keys().handshake_context)


# -- how it must end, for a table of Conducts or of their steps alone


def _conduct(row):
    return row if isinstance(row, Conduct) else Conduct(row)


def refused(detail, code=PROTOCOL_ERROR, name="PROTOCOL_ERROR", **expected):
    return lambda self, row: self.assert_refused(_conduct(row), detail, code, name, **expected)


def answered(outcome, **expected):
    return lambda self, row: self.assert_answered(_conduct(row), outcome, **expected)


def cut(code, message):
    return lambda self, row: self.assert_cut(_conduct(row), code, message)


def too_large(detail):
    return refused(detail, FRAME_SIZE_ERROR, "FRAME_SIZE_ERROR")
