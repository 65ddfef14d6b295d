#!/usr/bin/python3
"""signet-fetch and signet-gateway together, as processes over TLS, with an agent of the test."""
import os
import re
import subprocess
import tempfile
import unittest

import certificates
from fake_agent import FakeAgent, declined, prove
from ipc import agent_pb2 as agent
from tools_under_test import Gateway, fetch

URL = "https://localhost:4433"


class ToolsTest(unittest.TestCase):
    """A gateway with /login (device and user), /device and /user, an agent that has both."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.server_ca = certificates.authority("server-ca")
        cls.device_ca = certificates.authority("device-ca", "Devices")
        cls.user_ca = certificates.authority("user-ca", "Users")
        cls.user_issuer = certificates.authority("user-issuer", "People", issuer=cls.user_ca)
        cls.device = certificates.client(cls.device_ca, "laptop")
        cls.user = certificates.client(cls.user_issuer, "jane", "Jäne Doe, Dr.",
                                       ORGANIZATION_NAME="Exämple")
        cls.server_pem, cls.server_key = certificates.server(cls.server_ca).write(cls.folder.name)
        cls.server_ca_pem, _ = cls.server_ca.write(cls.folder.name)
        cls.device_ca_pem, _ = cls.device_ca.write(cls.folder.name)
        cls.user_ca_pem, _ = cls.user_ca.write(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.socket = os.path.join(self.folder.name, "agent.sock")
        self.agent = FakeAgent(self.socket, [(self.device, agent.IDENTITY_KIND_DEVICE),
                                             (self.user, agent.IDENTITY_KIND_USER)])
        self.addCleanup(self.agent.close)

    def start_gateway(self, *arguments):
        gateway = Gateway(self.server_pem, self.server_key,
                          "--require", f"/login={self.device_ca_pem},{self.user_ca_pem}",
                          "--require", f"/user={self.user_ca_pem}",
                          "--require", f"/device={self.device_ca_pem}", *arguments)
        self.addCleanup(self.stop_gateway, gateway)
        return gateway

    def stop_gateway(self, gateway):
        code, log = gateway.stop()
        self.assertEqual(code, 0, log)
        self.assertNotRegex(log, "Sanitizer|runtime error")

    def fetch(self, gateway, paths, *options, agent_socket=True):
        """Fetches the paths (with spaces between them) on one connection."""
        if agent_socket:
            options += ("--agent", self.socket)
        return fetch("--json", "--cacert", self.server_ca_pem, "--connect", gateway.address,
                     *options, *[URL + path for path in paths.split()])


class HappyPath(ToolsTest):
    def test_proves_device_and_user_in_the_middle_of_one_connection(self):
        gateway = self.start_gateway()
        result = self.fetch(gateway, "/ /login /whoami /login?again")
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertEqual(result.statuses(), [200] * 4)
        root, login, whoami, again = result.bodies()
        self.assertEqual(root, {"path": "/"})
        self.assertEqual([each["ca"] for each in login["identities"]],
                         [self.device_ca_pem, self.user_ca_pem])
        self.assertEqual(login, whoami)
        self.assertEqual(login, again)
        self.assertEqual(
            {key: value for key, value in result.json.items() if key != "responses"},
            {"negotiated": True, "authenticator_requests": 2, "certificates_sent": 2, "empty_sent": 0,
             "identities": [{"name": "laptop", "kind": "device", "subject": "CN=laptop"},
                            {"name": "jane", "kind": "user",
                             "subject": self.user.certificate.subject.rfc4514_string()}],
             "declined": [], "server_certificates": [], "connection_error": None})
        self.assertEqual(list(result.json), [
            "responses", "negotiated", "authenticator_requests", "certificates_sent", "empty_sent",
            "identities", "declined", "server_certificates", "connection_error"])
        self.assertEqual(self.agent.origins, [URL, URL])

    def test_proves_with_a_chain_larger_than_frames_are_by_default(self):
        large = certificates.client(self.device_ca, "post-quantum", extra_size=40_000)
        self.agent.identities = [(large, agent.IDENTITY_KIND_DEVICE)]
        result = self.fetch(self.start_gateway(), "/a /device /b /whoami")
        self.assertEqual(result.statuses(), [200] * 4, result.stderr)
        self.assertEqual(result.json["certificates_sent"], 1)
        self.assertEqual(result.bodies()[1]["identities"][0]["subject"], "CN=post-quantum")

    def test_describes_certificates_as_openssl_does(self):
        gateway = self.start_gateway()
        identity = self.fetch(gateway, "/user").bodies()[0]["identities"][0]
        pem, _ = self.user.write(self.folder.name)
        expected = subprocess.run(
            ["openssl", "x509", "-in", pem, "-noout", "-serial", "-fingerprint", "-sha256"],
            check=True, capture_output=True, text=True).stdout
        self.assertEqual(identity["serial"], re.search(r"serial=(\S+)", expected)[1])
        self.assertEqual(identity["sha256"],
                         re.search(r"Fingerprint=(\S+)", expected)[1].replace(":", "").lower())
        self.assertEqual(identity["subject"], "CN=Jäne Doe\\, Dr.,O=Exämple")
        self.assertEqual(identity["issuer"], "CN=People")

    def test_prints_bodies_and_with_verbose_the_whole_story(self):
        gateway = self.start_gateway()
        result = fetch("--cacert", self.server_ca_pem, "--connect", gateway.address, "--agent",
                       self.socket, "--verbose", URL + "/a", URL + "/device", URL + "/b")
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertRegex(result.stdout, r'^\{"path":"/a"\}\n\{"identities":.*\}\n\{"path":"/b"\}\n$')
        for expected in ["h2.authenticator-requests=0xf4", "setting 0xf0c4 = 1", "negotiated",
                         "authenticator request 1",
                         'authenticator 1: proved device "laptop", CN=laptop', "200 " + URL + "/b"]:
            self.assertIn(expected, result.stderr)

    def test_finds_the_agent_in_the_environment(self):
        gateway = self.start_gateway()
        arguments = ["--json", "--cacert", self.server_ca_pem, "--connect", gateway.address,
                     URL + "/device"]
        for environment in [{"SIGNET_AGENT_SOCKET": self.socket},
                            {"SIGNET_AGENT_SOCKET": "", "SIGNET_RUNTIME_DIR": self.folder.name}]:
            result = fetch(*arguments, environment=environment)
            self.assertEqual(result.statuses(), [200], result.stderr)

    def test_asks_one_after_the_other_at_limit_1(self):
        gateway = self.start_gateway()
        result = self.fetch(gateway, "/login", "--limit", 1)
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertEqual(result.json["certificates_sent"], 2)

    def test_agrees_on_other_code_points(self):
        points = ["--code-point", "h2.authenticator-requests=0xe0", "--code-point",
                  "h2.certificate=225", "--code-point", "h2.server-certificate=225",
                  "--code-point", "h2.client-cert-auth=0xf0d0"]
        profile = os.path.join(self.folder.name, "profile.toml")
        with open(profile, "w", encoding="utf-8") as file:
            file.write("[h2]\nauthenticator-requests = 0xe0\ncertificate = 0xe1\n"
                       "server-certificate = 225\nclient-cert-auth = 0xf0d0\n")
        gateway = self.start_gateway("--profile", profile)
        result = self.fetch(gateway, "/login", *points)
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertEqual(result.json["certificates_sent"], 2)

    def test_keeps_identities_to_their_connection(self):
        gateway = self.start_gateway()
        self.assertEqual(self.fetch(gateway, "/login /whoami").statuses(), [200, 200])
        self.assertEqual(self.fetch(gateway, "/whoami").bodies()[0]["error"], "no-identity")


class Refusals(ToolsTest):
    def refused(self, result, error, detail=""):
        self.assertEqual(result.exit, 22, result.stderr)
        self.assertEqual(result.statuses(), [403])
        body = result.bodies()[0]
        self.assertEqual(body["error"], error, body)
        self.assertIn(detail, body["detail"])
        self.assertEqual(sorted(body), ["detail", "error"])

    def test_not_supported_when_only_one_side_changed_its_code_points(self):
        gateway = self.start_gateway()
        result = self.fetch(gateway, "/login", "--code-point", "h2.client-cert-auth=0xf0d0")
        self.refused(result, "not-supported")
        self.assertEqual(result.json["authenticator_requests"], 0)

    def test_declined_without_an_agent(self):
        gateway = self.start_gateway()
        for options, detail in [(["--no-agent"], "--no-agent"),
                                (["--agent", "/nonexistent/agent.sock"], "signetd")]:
            result = self.fetch(gateway, "/login", *options, agent_socket=False)
            self.refused(result, "declined", self.device_ca_pem)
            self.assertEqual(result.json["empty_sent"], 2)
            self.assertEqual(result.json["certificates_sent"], 0)
            self.assertEqual([each["reason"] for each in result.json["declined"]],
                             ["no-agent", "no-agent"])
            self.assertIn(detail, result.json["declined"][0]["detail"])

    def fetch_with_agents_that(self, answer, *options):
        gateway = self.start_gateway()
        self.agent.answer = answer
        return self.fetch(gateway, "/login", *options)

    def test_declined_for_the_reason_the_agent_gives(self):
        result = self.fetch_with_agents_that(
            lambda call: declined(agent.DECLINE_REASON_DENIED, "no rule; see signet policy allow"))
        self.refused(result, "declined")
        self.assertEqual(result.json["declined"],
                         [{"reason": "denied", "detail": "no rule; see signet policy allow"}] * 2)

    def test_declined_when_one_of_two_is_missing_and_the_other_one_is_proved(self):
        gateway = self.start_gateway()
        del self.agent.identities[0]
        result = self.fetch(gateway, "/login /whoami")
        self.assertEqual(result.statuses(), [403, 200])
        self.assertIn(self.device_ca_pem, result.bodies()[0]["detail"])
        self.assertEqual([each["ca"] for each in result.bodies()[1]["identities"]],
                         [self.user_ca_pem])
        self.assertEqual(result.json["certificates_sent"], 1)
        self.assertEqual(result.json["empty_sent"], 1)

    def test_declined_when_the_agent_is_killed_in_the_middle_of_a_request(self):
        result = self.fetch_with_agents_that(lambda call: FakeAgent.CLOSE)
        self.refused(result, "declined")
        self.assertEqual({each["reason"] for each in result.json["declined"]}, {"no-agent"})

    def test_declined_when_the_agent_answers_garbage(self):
        for garbage in [b"\0\0\0\x04\xff\xff\xff\xff", b"\xff" * 64, b"HTTP/1.1 400 \r\n\r\n"]:
            with self.subTest(garbage):
                self.refused(self.fetch_with_agents_that(lambda call, g=garbage: g), "declined")

    def test_declined_at_the_deadline_when_the_agent_is_silent(self):
        result = self.fetch_with_agents_that(lambda call: None, "--deadline", 1)
        self.refused(result, "declined")
        self.assertEqual([each["reason"] for each in result.json["declined"]], ["deadline"] * 2)

    def test_declined_at_each_deadline_when_the_agent_is_silent_at_limit_1(self):
        gateway = self.start_gateway()
        self.agent.answer = lambda call: None
        result = self.fetch(gateway, "/device /user", "--deadline", 1, "--limit", 1)
        self.assertEqual(result.statuses(), [403, 403])
        self.assertEqual(result.json["empty_sent"], 2)

    def test_asks_again_after_a_decline(self):
        gateway = self.start_gateway()
        del self.agent.identities[1]
        result = self.fetch(gateway, "/user /user /device /device")
        self.assertEqual(result.statuses(), [403, 403, 200, 200])
        self.assertEqual(result.json["authenticator_requests"], 3)

    def answer_with(self, identity):
        return lambda call: prove(call, identity, agent.IDENTITY_KIND_USER)

    def test_untrusted_when_the_chain_does_not_lead_to_the_authority(self):
        stranger = certificates.client(certificates.authority("user-ca", "Users"), "stranger")
        gateway = self.start_gateway()
        self.agent.answer = self.answer_with(stranger)
        self.refused(self.fetch(gateway, "/user"), "untrusted", self.user_ca_pem)

    def test_untrusted_when_the_certificate_has_expired_or_another_purpose(self):
        gateway = self.start_gateway()
        for identity, detail in [
                (certificates.client(self.user_ca, "old", days=-1), "expired"),
                (certificates.client(self.user_ca, "web", usage=certificates.SERVER), "purpose")]:
            self.agent.answer = self.answer_with(identity)
            self.refused(self.fetch(gateway, "/user"), "untrusted", detail)

    def test_invalid_when_the_signature_is_not_of_the_certificates_key(self):
        forged = certificates.client(self.user_ca, "forged")
        forged.key = self.device.key
        gateway = self.start_gateway()
        self.agent.answer = self.answer_with(forged)
        result = self.fetch(gateway, "/user")
        self.refused(result, "invalid")
        self.assertIsNone(result.json["connection_error"])

    def test_timeout_when_the_client_does_not_decide(self):
        gateway = self.start_gateway("--decision-timeout", 3, "--idle-timeout", 2)
        self.agent.answer = lambda call: None
        self.refused(self.fetch(gateway, "/user", "--deadline", 10), "timeout")

    def test_trusts_an_intermediate_that_is_given_as_authority(self):
        issuer_pem, _ = self.user_issuer.write(self.folder.name)
        gateway = self.start_gateway("--require", f"/people={issuer_pem}")
        self.assertEqual(self.fetch(gateway, "/people").statuses(), [200])


if __name__ == "__main__":
    unittest.main()
