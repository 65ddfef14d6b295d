"""The gateway proves a further certificate of its own with a key in the TPM, through the agent."""
import os
import signal
import socket
import ssl
import unittest

import raw_http2 as h2
from authenticator import validate_unasked

from tests.support.stand import Stand, wait_for

ORIGIN = 0x0c
RULE = '[[rule]]\npurpose = "server"\nidentity = "site"\ndecision = "allow"\n'
FOR_B = "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:b.example"


class ServerKeys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = stand = cls.enterClassContext(Stand())
        stand.start_tpm()
        stand.rules.append(RULE)
        stand.start_agent()
        for name in ("site", "other"):
            stand.enrol(name, "tpm", "server", "sites", "/CN=b.example", extensions=FOR_B)
        with open(stand.dir / "ca" / "site-chain.pem", encoding="ascii") as file:
            cls.leaf = ssl.PEM_cert_to_DER_cert(file.read())

    def configured(self, text):
        path = self.stand.dir / "gateway.toml"
        path.write_text(text)
        return "--config", path

    def start(self, text='[[server_certificate]]\nkey = "signet:site"\n'):
        self.stand.start_gateway(*self.configured(text), require=())
        self.port = int(self.stand.origin.rsplit(":", 1)[1])

    def client(self):
        client = h2.Client(self.port, self.stand.dir / "ca" / "server.pem", {h2.SERVER_CERT_AUTH: 1})
        self.addCleanup(client.close)
        return client

    def assert_proved(self, client, payload):
        _, chain = validate_unasked(client.keys("server"), payload)
        self.assertEqual(chain, [self.leaf])

    def test_AKeyInTheTpmProvesOnEachConnection(self):
        self.start()
        clients = [self.client() for _ in range(3)]
        for client in clients:
            self.assert_proved(client, client.expect(h2.SERVER_CERTIFICATE)[3])
        clients[0].request(1, "/", authority=f"b.example:{self.port}")
        self.assertEqual(clients[0].read_body(1), b'{"path":"/"}\n')
        self.stand.wait_for_record(purpose="server", outcome="signed")

    def test_TheCertificateMayBeAFile(self):
        chain = self.stand.dir / "ca" / "site-chain.pem"
        self.start(f'[[server_certificate]]\nkey = "signet:site"\ncert = "{chain}"\n')
        client = self.client()
        self.assert_proved(client, client.expect(h2.SERVER_CERTIFICATE)[3])

    def test_ATunnelWaitsForTheProofOfItsTarget(self):
        target = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(target.close)
        self.start('[[server_certificate]]\nkey = "signet:site"\nwhen = "request"\n'
                   'origins = ["https://b.example"]\n[[tunnel]]\ntarget = "b.example:443"\n'
                   f'address = "127.0.0.1:{target.getsockname()[1]}"\n')
        client = self.client()
        client.send(h2.HEADERS, h2.END_HEADERS, 1, b"\x02\x07CONNECT\x01\x0db.example:443")
        client.send(h2.DATA, 0, 1, b"early")
        frames = []
        while not frames or frames[-1][0] != h2.HEADERS:
            frames.append(client.read())
        proofs = [payload for kind, _, _, payload in frames if kind == h2.SERVER_CERTIFICATE]
        self.assertEqual(len(proofs), 1)
        self.assert_proved(client, proofs[0])
        connection, _ = target.accept()
        with connection:
            connection.settimeout(h2.Peer.TIMEOUT)
            self.assertEqual(connection.recv(5, socket.MSG_WAITALL), b"early")

    def test_WithoutTheAgentTheConnectionGoesOn(self):
        self.start()
        self.stand.stop("signetd")
        try:
            client = self.client()
            client.request(1, "/")
            self.assertEqual(client.read_body(1), b'{"path":"/"}\n')
            wait_for("the log", lambda: "is signetd running?" in self.stand.log("gateway"))
            client.request(3, "/", authority=f"b.example:{self.port}")
            self.assertIn(b"misdirected", client.read_body(3))
        finally:
            self.stand.start_agent()
        client = self.client()
        self.assert_proved(client, client.expect(h2.SERVER_CERTIFICATE)[3])

    def test_NothingIsSignedForConnectionsThatHaveGone(self):
        def descriptors():
            return len(os.listdir(f"/proc/{self.stand.processes['gateway'].pid}/fd"))

        self.start()
        idle, gateway = descriptors(), self.stand.processes["gateway"].pid
        agent = self.stand.processes["signetd"]
        agent.send_signal(signal.SIGSTOP)
        try:
            clients = [self.client() for _ in range(8)]
            for client in clients:
                client.expect(ORIGIN)  # its proof has begun
            for client in clients[:-1]:
                client.close()
            # One connection, and the call to the agent that is in progress.
            wait_for("the connections to end", lambda: descriptors() <= idle + 2)
        finally:
            agent.send_signal(signal.SIGCONT)
        self.assert_proved(clients[-1], clients[-1].expect(h2.SERVER_CERTIFICATE)[3])
        self.stand.must("policy", "deny", "https://last.example", "--identity", "other")
        self.stand.wait_for_record(event="rule-add", origin="https://last.example")
        self.assertIn(len(self.stand.records(purpose="server", pid=gateway)), (1, 2))

    def test_EachRefusalNamesTheLineAndTheNextStep(self):
        other = self.stand.dir / "ca" / "other-chain.pem"
        for key, cert, expected in [
                ("other", "", "signet policy allow --purpose"),
                ("none", "", "signet policy allow --purpose"),
                ("site", f'cert = "{other}"\n', "not a certificate of the key")]:
            options = self.configured(f'[[server_certificate]]\nkey = "signet:{key}"\n{cert}')
            run = self.stand.run("signet-gateway", "--listen", "127.0.0.1:0", "--cert",
                                 other, "--key", other, *options)
            self.assertEqual(run.code, 2, run)
            self.assertIn("gateway.toml:2: ", run.err)
            self.assertIn(expected, run.err)


if __name__ == "__main__":
    unittest.main()
