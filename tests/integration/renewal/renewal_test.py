"""An identity's certificate changes while access tokens are bound to it (RFC 8705): no call fails."""
import collections
import contextlib
import io
import os
import pathlib
import ssl
import sys
import threading
import types
import unittest
from unittest import mock

from tests.support.stand import BIN, Stand

os.environ.setdefault("SIGNET_LIBRARY", str(BIN.parent / "lib" / "libsignet.so.0"))
for folder in ("tests/support/python", "client-lib/examples/python"):
    sys.path.insert(0, str(pathlib.Path(folder).resolve()))
from access_tokens import Issuer, key_set

SANITIZED = bool(os.environ.get("SIGNET_SANITIZE"))
CALLS = 1000
# /api takes certificates of both authorities; /legacy of the old one alone.
GATEWAY = """
[[token]]
name = "as"
issuer = "https://as.example"
audience = "https://api.example"
jwks = "{keys}"

[[certificate]]
name = "any"
ca = "{both}"

[[certificate]]
name = "old"
ca = "{old}"

[[path]]
prefix = "/api"
mode = "require"
certificates = ["any"]
without = "401"
token = "as"
token_bound_to = ["any"]

[[path]]
prefix = "/legacy"
mode = "require"
certificates = ["old"]
without = "401"
token = "as"
token_bound_to = ["old"]
"""


@unittest.skipIf(SANITIZED, "Python does not load what is built with a sanitizer")
class Renewal(unittest.TestCase):
    def setUp(self):
        self.stand = stand = self.enterContext(Stand())
        self.enterContext(mock.patch.dict(  # for libsignet in this process
            os.environ, SIGNET_AGENT_SOCKET=str(stand.dir / "run" / "agent.sock")))
        stand.add_software()
        stand.start_agent()
        stand.enrol("laptop", "file", "user", "old")
        self.renewed = stand.authority("new").sign(stand.dir / "ca" / "laptop.csr",
                                                   stand.dir / "renewed.pem")
        old, new = stand.authority("old").pem, stand.authority("new").pem
        issuer = Issuer()
        (stand.dir / "keys.json").write_text(key_set(issuer))
        (stand.dir / "both.pem").write_text(old.read_text() + new.read_text())
        configuration = stand.dir / "gateway.toml"
        configuration.write_text(GATEWAY.format(keys=stand.dir / "keys.json", old=old,
                                                both=stand.dir / "both.pem"))
        stand.start_gateway("--config", configuration, require=())
        stand.allow("laptop")
        self.old_token, self.new_token = [
            issuer.token(types.SimpleNamespace(der=ssl.PEM_cert_to_DER_cert(pem.read_text())))
            for pem in (stand.dir / "ca" / "laptop-chain.pem", self.renewed)]
        self.enterContext(contextlib.redirect_stderr(io.StringIO()))  # what h2_client tells
        self.enterContext(contextlib.redirect_stdout(
            types.SimpleNamespace(buffer=io.BytesIO(), flush=lambda: None)))
        self.statuses = collections.Counter()

    def connect(self):
        import h2_client
        port = int(self.stand.origin.rsplit(":", 1)[1])
        client = h2_client.Client(h2_client.connect(str(self.stand.dir / "ca" / "server.pem"),
                                                    "localhost", port), "localhost", port)
        self.addCleanup(client.close)
        return client

    def call(self, client, token, path="/api", times=1):
        for _ in range(times):
            status = client.get(path, [("authorization", f"Bearer {token}")])
            self.statuses[status] += 1
        return status

    def switch(self):
        self.stand.must("identity", "import", "laptop", self.renewed, "--next")
        self.stand.must("identity", "switch", "laptop")

    def test_AThousandCallsThroughASwitchSeeNo401(self):
        # Connections that present the old certificate, before, while and after it changes.
        old = self.connect()
        self.call(old, self.old_token, times=CALLS // 4)
        switching = threading.Thread(target=self.switch)
        switching.start()
        while switching.is_alive():
            self.call(old, self.old_token)
        switching.join()
        self.assertEqual(self.stand.must("identity", "show", "laptop", "--json").json["identity"]
                         ["issuer"], "CN=Test new CA")
        # A new connection to who knows the old authority alone; the new certificate's own token.
        legacy, new = self.connect(), self.connect()
        for _ in range(CALLS // 4):
            self.call(old, self.old_token)
            self.call(legacy, self.old_token, "/legacy")
            self.call(new, self.new_token)
        # What presented the old certificate before it was retired goes on.
        self.stand.must("identity", "retire", "laptop")
        self.call(old, self.old_token)
        self.call(new, self.new_token)
        self.assertEqual(set(self.statuses), {200}, self.statuses)
        self.assertGreaterEqual(self.statuses[200], CALLS)
        self.stand.wait_for_record(event="identity-retire", identity="laptop")
        records = self.stand.records(identity="laptop", detail="with its previous certificate")
        self.assertEqual(len(records), 1, records)

    def test_TheTokenOfOneCertificateIsNoGoodWithTheOther(self):
        old = self.connect()
        self.assertEqual(self.call(old, self.old_token), 200)
        self.switch()
        self.assertEqual(self.call(old, self.new_token), 401)
        self.assertEqual(self.call(self.connect(), self.old_token), 401)
        self.stand.must("identity", "retire", "laptop")
        self.assertEqual(self.call(self.connect(), self.old_token, "/legacy"), 401)


if __name__ == "__main__":
    unittest.main()
