"""libsignet in other people's programs: the examples of client-lib, against the real thing and each
other. SIGNET_EXAMPLES_DIR names the folder of the compiled ones."""
import ctypes
import os
import pathlib
import re
import socket
import sys
import unittest

from tests.support.stand import BIN, Authority, Stand, wait_for

sys.path.insert(0, str(pathlib.Path("tests/support/python").resolve()))
import certificates
import raw_http2
from authenticator import Proof, vector

COMPILED = pathlib.Path(os.environ.get("SIGNET_EXAMPLES_DIR", "build/release/examples")).resolve()
IN_PYTHON = pathlib.Path("client-lib/examples/python").resolve()
PROTOCOL_ERROR = 1
ORIGIN = 0x0c  # a frame type
LIBRARY = BIN.parent / "lib" / "libsignet.so.0"
PYTHON = ("/usr/bin/env", f"SIGNET_LIBRARY={LIBRARY}", sys.executable, "-B", "-W", "ignore")
WITHOUT_SANITIZER = unittest.skipIf(os.environ.get("SIGNET_SANITIZE"),
                                    "Python does not load what is built with a sanitizer")
STAND = Stand()


def setUpModule():
    stand = unittest.enterModuleContext(STAND)
    stand.add_software()
    stand.start_agent()
    stand.enrol("laptop", "file", "device")
    stand.enrol("alice", "file", "user")
    stand.start_gateway(require=("/login=device,user",))
    stand.allow("laptop", "alice")


def run_client(command, *paths, origin=None):
    port = (origin or STAND.origin).rsplit(":", 1)[1]
    return STAND.run(*command, STAND.dir / "ca" / "server.pem", "localhost", port, *paths)


def agent_connection():
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(STAND.dir / "run" / "agent.sock"))
    return connection


def fetch(origin, *paths):
    return STAND.fetch(options=[origin + path for path in paths])


class ExamplesTest:
    """What the examples of each language must do; `client` and `server` are their command lines."""

    def start_server(self, authority=None):
        """It asks for the device's certificate. Returns its origin."""
        ca = STAND.dir / "ca"
        STAND.start("server", *self.server, ca / "server.pem", ca / "server.key",
                    authority or ca / "device.pem", "0")
        self.addCleanup((STAND.dir / "server.out").unlink)
        self.addCleanup(STAND.stop, "server")
        port = self.wait_for_line(r"listening on (\d+)\n").group(1)
        STAND.must("policy", "allow", f"https://localhost:{port}", "--identity", "laptop")
        return f"https://localhost:{port}"

    def wait_for_line(self, pattern):
        """Of what the server prints."""
        return wait_for(pattern, lambda: re.search(pattern, (STAND.dir / "server.out").read_text()))

    def test_ClientProvesDeviceAndUserToTheGateway(self):
        outcome = run_client(self.client, "/", "/login", "/whoami")
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn("proved device laptop (", outcome.err)
        self.assertIn("proved user alice (", outcome.err)
        self.assertEqual(re.findall(r"^\d+ /.*", outcome.err, re.M), ["200 /", "200 /login", "200 /whoami"])
        self.assertIn("CN=alice", outcome.out)

    def test_ClientDeclinesWithoutAnAgent(self):
        nobody = ("/usr/bin/env", "SIGNET_AGENT_SOCKET=/nonexistent/agent.sock")
        outcome = run_client((*nobody, *self.client), "/login")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("declined, no-agent: agent: connect to /nonexistent/agent.sock", outcome.err)
        self.assertIn("403 /login", outcome.err)

    def test_ServerSaysWhoProvedWhat(self):
        outcome = fetch(self.start_server(), "/", "/login", "/login/again")
        self.assertEqual([(each["status"], each["body"]) for each in outcome.json["responses"]],
                         [(200, "for anybody"), (200, "CN=laptop,O=Test"), (200, "CN=laptop,O=Test")])
        self.assertEqual(outcome.json["authenticator_requests"], 1)
        self.wait_for_line(r"request 1: proved CN=laptop,O=Test\n")

    def test_ServerRefusesWhoDeclines(self):
        origin = self.start_server()
        STAND.must("policy", "deny", origin, "--identity", "laptop")
        outcome = fetch(origin, "/login")
        self.assertEqual([each["status"] for each in outcome.json["responses"]], [403], outcome)
        self.wait_for_line(r"request 1: the client declined\n")

    def test_ServerRefusesTheCertificateOfAStranger(self):
        """An authority of the same name: the client takes it for the one that it is asked for."""
        folder = STAND.dir / f"strangers of {type(self).__name__}"
        folder.mkdir()
        origin = self.start_server(Authority(folder, "device").pem)
        outcome = fetch(origin, "/login")
        self.assertEqual([each["status"] for each in outcome.json["responses"]], [403], outcome)
        self.assertEqual(outcome.json["certificates_sent"], 1)
        self.wait_for_line(r"request 1: .*certificate")

    def test_ServerRefusesWhoCanNotBeAsked(self):
        origin = self.start_server()
        outcome = STAND.fetch(options=["--code-point", "h2.client-cert-auth=0xe0c1", origin + "/login"])
        self.assertEqual([each["status"] for each in outcome.json["responses"]], [403], outcome)

    def test_ClientClosesWithTheRightErrorWhenTheServerBreaksARule(self):
        def ask_nonsense(peer):
            peer.send_settings({raw_http2.CLIENT_CERT_AUTH: 1})
            peer.send(raw_http2.AUTHENTICATOR_REQUESTS, 0, 0, b"nonsense")
            return peer.expect_goaway()
        ca = STAND.dir / "ca"
        server = raw_http2.Server(ca / "server.pem", ca / "server.key", ask_nonsense)
        outcome = run_client(self.client, "/", origin=f"https://localhost:{server.port}")
        self.assertEqual(server.finish(), PROTOCOL_ERROR)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("AUTHENTICATOR_REQUESTS is malformed", outcome.err)

    def test_ServerClosesWithTheRightErrorWhenTheClientBreaksARule(self):
        port = int(self.start_server().rsplit(":", 1)[1])
        with raw_http2.Client(port, STAND.dir / "ca" / "server.pem",
                              {raw_http2.CLIENT_CERT_AUTH: 1}) as client:
            client.send(raw_http2.CERTIFICATE, 0, 0, b"unasked")
            self.assertEqual(client.expect_goaway(), PROTOCOL_ERROR)
        self.wait_for_line("PROTOCOL_ERROR: ")

    def test_ClientAndServerMeet(self):
        outcome = run_client(self.client, "/login/a", "/", origin=self.start_server())
        self.assertEqual((outcome.code, outcome.out), (0, "CN=laptop,O=Testfor anybody"), outcome)


class ExamplesInC(ExamplesTest, unittest.TestCase):
    """On nghttp2 and OpenSSL."""
    client = (COMPILED / "signet-example-client",)
    server = (COMPILED / "signet-example-server",)

    def get_from_a_server_that_proves_a_shop(self, url):
        """Of the server's own page, then the URL."""
        folder = STAND.dir / f"shops of {self.id()}"
        folder.mkdir()
        ca = certificates.authority("ca")
        ca_pem, _ = ca.write(folder)
        shop = certificates.server(ca, "shop.test")

        def prove_and_serve(peer):
            peer.send_settings({raw_http2.SERVER_CERT_AUTH: 1})
            proof = Proof(peer.keys("server"), b"", [shop.der], shop.key, context=b"one")
            peer.send(raw_http2.SERVER_CERTIFICATE, 0, 0, proof.build())
            peer.send(ORIGIN, 0, 0, vector(2, b"https://shop.test") + vector(2, b"https://b.test"))
            while frame := peer.read():
                if frame[0] == raw_http2.HEADERS:
                    peer.respond(frame[2])
        server = raw_http2.Server(*certificates.server(ca).write(folder), prove_and_serve)
        outcome = STAND.run(*self.client, ca_pem, "localhost", str(server.port), "/", url)
        server.finish()
        self.assertIn("the server proved shop.test\n200 /\n", outcome.err)
        return outcome

    def test_ClientGetsFromAnotherOriginWhatItsServerProves(self):
        outcome = self.get_from_a_server_that_proves_a_shop("https://shop.test/goods")
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn("200 https://shop.test/goods", outcome.err)

    def test_ClientGetsNothingForAnOriginThatIsNotProved(self):
        outcome = self.get_from_a_server_that_proves_a_shop("https://b.test/goods")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("https://b.test: signet-example-client: needs a connection of its own",
                      outcome.err)


@WITHOUT_SANITIZER
class ExamplesInPython(ExamplesTest, unittest.TestCase):
    """On python3-h2 and pyOpenSSL."""
    client = (*PYTHON, IN_PYTHON / "h2_client.py")
    server = (*PYTHON, IN_PYTHON / "h2_server.py")


@WITHOUT_SANITIZER
class UnloadingTest(unittest.TestCase):
    def test_LeavesNothingBehind(self):
        def is_loaded():
            return LIBRARY.resolve().name in pathlib.Path("/proc/self/maps").read_text()
        library = ctypes.CDLL(str(LIBRARY))
        self.assertTrue(is_loaded())
        self.assertEqual(library.signet_agent_fd(None), -1)
        ctypes.CDLL(None).dlclose(ctypes.c_void_p(library._handle))
        self.assertFalse(is_loaded())


class BrowserTest(unittest.TestCase):
    """browser.cc: another TLS library, other protobufs, no socket but those that it is given."""

    def browse(self, way):
        if not (COMPILED / way).exists():
            self.skipTest("no BoringSSL: install android-libboringssl-dev")
        STAND.must("policy", "allow", "https://browser.example:443", "--identity", "laptop")
        STAND.must("policy", "allow", "https://browser.example:443", "--identity", "alice")
        ca = STAND.dir / "ca"
        with agent_connection() as one, agent_connection() as another:
            outcome = STAND.run(COMPILED / way, LIBRARY, ca / "server.pem", ca / "server.key",
                                ca / "device.pem", ca / "user.pem", one.fileno(), another.fileno(),
                                pass_fds=(one.fileno(), another.fileno()))
        self.assertEqual(outcome.code, 0, outcome)
        self.assertEqual(outcome.err, "")
        self.assertEqual(outcome.out.splitlines(), [
            "without a descriptor: declined, no-agent: agent: socket: Operation not permitted",
            "without a descriptor: the server says: no identity",
            "parent: proved device laptop",
            "parent: the server says: trusted",
            "child: proved device laptop",
            "child: the server says: trusted",
            "parent: proved user alice",
            "parent: the server says: trusted"])

    def test_LinkedItWorksInASandboxBesideBoringSslAndOtherProtobufs(self):
        self.browse("browser_linked")

    def test_OpenedItWorksInASandboxBesideBoringSslAndOtherProtobufs(self):
        self.browse("browser_opened")


class DocumentationTest(unittest.TestCase):
    def test_NamesInClientLibMdAreThoseOfTheHeaders(self):
        text = pathlib.Path("docs/client-lib.md").read_text()
        declared = "".join(header.read_text() for header in pathlib.Path("client-lib/include/signet").iterdir())
        names = set(re.findall(r"\b(?:signet|SIGNET)_\w+\b(?!\.py|\*)", text)) - {"signet_requester_"}
        self.assertGreater(len(names), 20)
        self.assertEqual([name for name in sorted(names) if not re.search(rf"\b{name}", declared)], [])
        for file in re.findall(r"`(?:python/)?(\w+\.(?:py|c))`", text):
            self.assertTrue(list(pathlib.Path("client-lib/examples").rglob(file)), file)


if __name__ == "__main__":
    unittest.main()
