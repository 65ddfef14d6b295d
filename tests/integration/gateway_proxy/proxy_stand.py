"""What the tests of the gateway as a proxy share: certificates, a backend, a gateway before it."""
import hashlib
import json
import os
import pathlib
import socket
import tempfile
import unittest

import certificates
from fake_agent import FakeAgent
from http2_client import Http2Client
from ipc import agent_pb2 as agent
from python_backend import PythonBackend
from tools_under_test import Gateway, fetch

CLIENT_CERT_AUTH = 0xf0c4  # the setting; wire profile draft-00
URL = "https://localhost:4433"
PATTERN = hashlib.sha256(b"signet").digest() * 2048  # 64 KiB

RULES = """
[[certificate]]
name = "user"
ca = "user-ca.pem"
[[certificate]]
name = "device"
ca = "device-ca.pem"

[[path]]
prefix = "/user"
mode = "require"
certificates = ["user"]
[[path]]
prefix = "/both"
mode = "require"
certificates = ["user", "device"]
[[path]]
prefix = "/pass"
mode = "require"
certificates = ["device", "user"]
without = "pass"
[[path]]
prefix = "/hasty"
mode = "require"
certificates = ["user"]
without = "pass"
decision_timeout = 0.3
[[path]]
prefix = "/offer"
mode = "offer"
certificates = ["user"]
[[path]]
prefix = "/user/open"
mode = "none"
"""


def is_sanitized(pid):
    """Sanitizers keep freed memory: its size says nothing then."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    return "libasan" in maps or "libtsan" in maps


def echoed(response):
    """What the backend was asked: the body that its echo made."""
    return json.loads(bytes(response.body))


def names(request):
    return [name for name, _ in request["fields"]]


class ProxyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.server_ca = certificates.authority("server-ca")
        cls.ca_pem, _ = cls.server_ca.write(cls.folder)
        cls.server_pem, cls.server_key = certificates.server(cls.server_ca).write(cls.folder)
        cls.user_ca = certificates.authority("user-ca", "Users")
        cls.user_ca.write(cls.folder)
        cls.issuer = certificates.authority("user-issuer", "People", issuer=cls.user_ca)
        cls.user = certificates.client(cls.issuer, "jane", "Jäne Doe")
        cls.device_ca = certificates.authority("device-ca", "Devices")
        cls.device_ca.write(cls.folder)
        cls.device = certificates.client(cls.device_ca, "laptop")

    def setUp(self):
        self.backend = PythonBackend()
        self.addCleanup(self.backend.close)

    def closed_port(self):
        """Nobody listens on it, and nobody else can."""
        held = socket.socket()
        self.addCleanup(held.close)
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]

    def start(self, backend="", more="", rules=RULES, url=None):
        """`backend` goes into [backend], `more` before it."""
        config = self.folder / f"{self.id()}.toml"
        config.write_text(f'{more}\n[backend]\nurl = "{url or self.backend.url}"\n{backend}\n{rules}')
        gateway = Gateway(self.server_pem, self.server_key, "--config", config)
        self.addCleanup(self.stop, gateway)
        return gateway

    def stop(self, gateway):
        code, log = gateway.stop()
        self.assertEqual(code, 0, log)
        self.assertNotRegex(log, "Sanitizer|runtime error")

    def client(self, gateway, settings=None):
        client = Http2Client(gateway.port, self.ca_pem, settings)
        self.addCleanup(client.socket.close)
        return client

    def start_agent(self):
        path = os.path.join(self.folder, f"{self.id()[-40:]}.sock")
        fake = FakeAgent(path, [(self.device, agent.IDENTITY_KIND_DEVICE),
                                (self.user, agent.IDENTITY_KIND_USER)])
        self.addCleanup(fake.close)
        return fake

    def fetch(self, gateway, paths, *options, fake=None):
        options += ("--agent", fake.path) if fake else ("--no-agent",)
        return fetch("--json", "--cacert", self.ca_pem, "--connect", gateway.address, *options,
                     *[URL + path for path in paths.split()])
