#!/usr/bin/python3
"""signet-fetch with signet-gateway as a server of several origins, and as the hybrid proxy of the
IETF 118 slides: asked for a tunnel, it proves that it is the target itself, and is asked directly."""
import os
import subprocess
import unittest

import certificates
import fake_agent
from fetch_connections_test import ConnectionsTest as _ConnectionsTest
from ipc import agent_pb2
from tools_under_test import TIMEOUT, fetch


class HybridTest(_ConnectionsTest):
    """The gateway at a.test can prove b.test; the server of b.test is another gateway."""

    def certificate(self, origin, host="b.test", when="start"):
        pem, key = (os.path.basename(file) for file in self.files[host])
        return (f'[[server_certificate]]\ncert = "{pem}"\nkey = "{key}"\nwhen = "{when}"\n'
                f'origins = ["{origin}"]\n')

    def start(self, configuration, *arguments, host="a.test"):
        path = os.path.join(self.folder.name, f"{self.id()}.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write(configuration)
        return self.gateway(host, "--config", path, *arguments)

    def connections(self, result):
        self.assertEqual(result.exit, 0, result.stderr)
        return [(each["connection"], each["use"]) for each in result.json["responses"]]


class Proxy(HybridTest):
    def setUp(self):
        self.server = self.gateway("b.test")
        self.tunnel = (f'[[tunnel]]\ntarget = "b.test:{self.server.port}"\n'
                       f'address = "{self.server.address}"\n')
        self.origin = f"https://b.test:{self.server.port}"

    def fetch_through(self, proxy, *paths, options=()):
        """Nobody but the proxy knows where b.test is."""
        return fetch("--json", "--cacert", self.ca_pem, "--no-agent", *options,
                     f"--resolve=a.test:{proxy.port}:127.0.0.1", "--proxy",
                     f"https://a.test:{proxy.port}", *[self.origin + path for path in paths])

    def next_request(self):
        """The next one at the server behind; a tunnel that nobody used is no request."""
        while "path" not in (record := self.server.next_record()):
            pass
        return record["path"]

    def test_is_asked_directly_once_it_has_proved_the_target_before_its_200(self):
        for version in [[], ["--http3"]]:
            with self.subTest(version):
                proxy = self.start(self.tunnel + self.certificate(self.origin, when="request"),
                                   *version)
                result = self.fetch_through(proxy, "/1", "/2", options=["--verbose", *version])
                self.assertEqual(self.connections(result), [(1, "coalesced"), (1, "coalesced")])
                self.assertEqual([body["path"] for body in result.bodies()], ["/1", "/2"])
                self.assertEqual([(each["names"], each["proved"])
                                  for each in result.json["server_certificates"]],
                                 [("b.test", True)])
                story = [result.stderr.index(each) for each in [
                    f"> CONNECT b.test:{self.server.port} through https://a.test:{proxy.port}\n",
                    "< server certificate 1 for b.test: proved\n",
                    f"* connection 1 (coalesced): the proxy has proved that it is {self.origin}\n",
                    f"> GET {self.origin}/1\n"]]
                self.assertEqual(story, sorted(story))
                records = [proxy.next_record() for _ in range(3)]
                self.assertEqual({(each["method"], each["path"]) for each in records},
                                 {("CONNECT", ""), ("GET", "/1"), ("GET", "/2")})

    def test_is_asked_directly_and_for_no_tunnel_when_it_has_proved_the_target_at_the_start(self):
        proxy = self.start(self.tunnel + self.certificate(self.origin))
        home = f"https://a.test:{proxy.port}/home"
        result = fetch("--json", "--cacert", self.ca_pem, "--no-agent",
                       f"--resolve=a.test:{proxy.port}:127.0.0.1", "--proxy",
                       f"https://a.test:{proxy.port}", home, self.origin + "/1")
        self.assertEqual(self.connections(result), [(1, "new"), (1, "coalesced")])
        self.assertEqual([proxy.next_record()["method"] for _ in range(2)], ["GET", "GET"])

    def test_tunnels_when_it_proves_nothing(self):
        proxy = self.start(self.tunnel)
        result = self.fetch_through(proxy, "/1")
        self.assertEqual(self.connections(result), [(2, "new")])
        self.assertEqual(self.next_request(), "/1")

    def test_tunnels_when_it_proves_another_port_of_the_target(self):
        """A certificate has no port, but the gateway says 421, and then there is the tunnel."""
        proxy = self.start(self.tunnel + self.certificate("https://b.test:1", when="start"))
        result = self.fetch_through(proxy, "/1")
        self.assertEqual(self.connections(result), [(2, "new")], result.stderr)
        (told,) = [each["reason"] for each in result.json["responses"][0]["passed_over"]]
        self.assertEqual(told, "misdirected")
        self.assertEqual(self.next_request(), "/1")

    def test_tunnels_when_its_certificate_is_not_trusted(self):
        certificates.server(certificates.authority("stranger"), "b.test",
                            "strange").write(self.folder.name)
        self.files["strange"] = ("strange.pem", "strange.key")
        self.addCleanup(self.files.pop, "strange")
        proxy = self.start(self.tunnel + self.certificate(self.origin, "strange", "request"))
        result = self.fetch_through(proxy, "/1")
        self.assertEqual(self.connections(result), [(2, "new")])
        self.assertEqual([each["reason"] for each in result.json["server_certificates"]],
                         ["untrusted"])


class Origins(HybridTest):
    def test_share_a_connection_over_http2_and_http3(self):
        for version in [[], ["--http3"]]:
            with self.subTest(version):
                gateway = self.start(self.certificate("https://b.test"), *version)
                a = f"https://a.test:{gateway.port}"
                result = self.fetch(*version, a + "/1", "https://b.test/2", a + "/3",
                                    "https://b.test/4", ports=[gateway.port])
                self.assertEqual(self.connections(result),
                                 [(1, "new"), (1, "coalesced"), (1, "same-origin"),
                                  (1, "coalesced")])
                self.assertEqual([gateway.next_record()["host"] for _ in range(4)],
                                 [f"a.test:{gateway.port}", "b.test"] * 2)

    def test_share_none_after_a_client_certificate(self):
        user = certificates.client(self.ca, "jane")
        path = os.path.join(self.folder.name, "agent.sock")
        agent = fake_agent.FakeAgent(path, [(user, agent_pb2.IDENTITY_KIND_USER)])
        self.addCleanup(agent.close)
        for version in [[], ["--http3"]]:
            with self.subTest(version):
                other = self.gateway("b.test", *version)
                b = f"https://b.test:{other.port}"
                gateway = self.start(self.certificate(b), "--require", f"/user={self.ca_pem}",
                                     *version)
                a = f"https://a.test:{gateway.port}"
                result = self.fetch(*version, "--agent", path, a + "/user", b + "/1",
                                    a + "/whoami", ports=[gateway.port, other.port])
                self.assertEqual(self.connections(result),
                                 [(1, "new"), (2, "new"), (1, "same-origin")])
                self.assertEqual([(each["connection"], each["reason"]) for each in
                                  result.json["responses"][1]["passed_over"]],
                                 [(1, "client-certificate")])
                self.assertEqual([each["proved"] for each in result.json["server_certificates"]],
                                 [True])
                self.assertEqual(other.next_record()["path"], "/1")

    def test_share_none_where_the_client_takes_no_part_in_it(self):
        """The gateway itself says so: it was not asked for b.test when the connection began."""
        gateway = self.start(self.certificate("https://b.test"))
        result = subprocess.run(
            ["curl", "--silent", "--http2", "--cacert", self.ca_pem, "--header", "host: b.test",
             "--write-out", "%{http_code}", "--output", os.devnull, "--resolve",
             f"a.test:{gateway.port}:127.0.0.1", f"https://a.test:{gateway.port}/"],
            capture_output=True, text=True, timeout=TIMEOUT, check=True)
        self.assertEqual(result.stdout, "421")


if __name__ == "__main__":
    unittest.main()
