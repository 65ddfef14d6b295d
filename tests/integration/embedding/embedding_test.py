"""libsignet in other people's programs: the examples of client-lib, against the real thing and each
other. SIGNET_EXAMPLES_DIR names the folder of the compiled ones."""
import os
import pathlib
import re
import unittest

from tests.support.stand import Authority, Stand, wait_for

EXAMPLES = pathlib.Path(os.environ.get("SIGNET_EXAMPLES_DIR", "build/release/examples")).resolve()


class Embedding(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = stand = cls.enterClassContext(Stand())
        stand.add_software()
        stand.start_agent()
        stand.enrol("laptop", "file", "device")
        stand.enrol("alice", "file", "user")
        stand.start_gateway(require=("/login=device,user",))
        stand.allow("laptop", "alice")

    def start_server(self, *command, authority=None):
        """An example server that asks for the device's certificate; its origin."""
        ca = self.stand.dir / "ca"
        self.stand.start("server", *command, ca / "server.pem", ca / "server.key",
                         authority or ca / "device.pem", "0")
        self.addCleanup(self.stand.stop, "server")
        self.addCleanup((self.stand.dir / "server.out").unlink)
        port = self.wait_for_line(r"listening on (\d+)").group(1)
        self.stand.must("policy", "allow", f"https://localhost:{port}", "--identity", "laptop")
        return f"https://localhost:{port}"

    def wait_for_line(self, pattern):
        """Of what the example server prints."""
        return wait_for(pattern, lambda: re.search(pattern, (self.stand.dir / "server.out").read_text()))

    def run_client(self, *command, origin=None, paths):
        port = (origin or self.stand.origin).rsplit(":", 1)[1]
        return self.stand.run(*command, self.stand.dir / "ca" / "server.pem", "localhost", port, *paths)

    def fetch(self, origin, *paths):
        return self.stand.fetch(options=[origin + path for path in paths])

    # -- C: nghttp2 and OpenSSL

    CLIENT = (EXAMPLES / "signet-example-client",)
    SERVER = (EXAMPLES / "signet-example-server",)

    def test_ClientInCProvesDeviceAndUser(self):
        outcome = self.run_client(*self.CLIENT, paths=("/", "/login", "/whoami"))
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn("proved device laptop", outcome.err)
        self.assertIn("proved user alice", outcome.err)
        self.assertEqual(re.findall(r"^\d+ /.*", outcome.err, re.M), ["200 /", "200 /login", "200 /whoami"])
        self.assertIn("CN=alice", outcome.out)

    def test_ClientInCDeclinesWithoutAnAgent(self):
        outcome = self.run_client("/usr/bin/env", "SIGNET_AGENT_SOCKET=/nonexistent/agent.sock", *self.CLIENT,
                                  paths=("/login",))
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("declined, no-agent: agent: connect to /nonexistent/agent.sock", outcome.err)
        self.assertIn("403 /login", outcome.err)

    def test_ServerInCSaysWhoProvedWhat(self):
        origin = self.start_server(*self.SERVER)
        said = self.fetch(origin, "/", "/login", "/login/again").json
        self.assertEqual([each["status"] for each in said["responses"]], [200, 200, 200])
        self.assertEqual([each["body"] for each in said["responses"]],
                         ["for anybody", "CN=laptop,O=Test", "CN=laptop,O=Test"])
        self.assertEqual(said["authenticator_requests"], 1)
        self.wait_for_line(r"request 1: proved CN=laptop,O=Test\n")

    def test_ServerInCRefusesWhoDeclines(self):
        origin = self.start_server(*self.SERVER)
        self.stand.must("policy", "deny", origin, "--identity", "laptop")
        outcome = self.fetch(origin, "/login")
        self.assertEqual([each["status"] for each in outcome.json["responses"]], [403], outcome)
        self.wait_for_line(r"request 1: the client declined\n")

    def test_ServerInCRefusesAStrangersCertificate(self):
        """Another authority of the same name: the client takes it for the one it was asked for."""
        folder = self.stand.dir / "strangers"
        folder.mkdir()
        stranger = Authority(folder, "device")
        origin = self.start_server(*self.SERVER, authority=stranger.pem)
        self.assertEqual(self.fetch(origin, "/login").json["responses"][0]["status"], 403)
        self.wait_for_line(r"request 1: .*certificate")

    def test_ClientAndServerInCMeet(self):
        origin = self.start_server(*self.SERVER)
        outcome = self.run_client(*self.CLIENT, origin=origin, paths=("/login/a", "/"))
        self.assertEqual((outcome.code, outcome.out), (0, "CN=laptop,O=Testfor anybody"), outcome)


if __name__ == "__main__":
    unittest.main()
