#!/usr/bin/python3
"""The file of signet-gateway --config: what it refuses, and what its rules do to a client."""
import os
import subprocess
import tempfile
import unittest

import certificates
import raw_http2 as h2
from fake_agent import FakeAgent, declined, prove
from ipc import agent_pb2 as agent
from tools_under_test import TIMEOUT, Gateway, assert_refused, fetch

URL = "https://localhost:4433"
CLIENT_AUTH = bytes.fromhex("300a06082b06010505070302")  # SEQUENCE of one OID
DIGITAL_SIGNATURE = bytes.fromhex("03020780")            # BIT STRING


class ConfigurationTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.ca = certificates.authority("users", "Users")
        cls.ca.write(cls.folder.name)
        cls.user = certificates.client(cls.ca, "jane")
        certificates.authority("devices", "Devices").write(cls.folder.name)
        cls.server_pem, cls.server_key = certificates.server(cls.ca).write(cls.folder.name)
        with open(os.path.join(cls.folder.name, "page.html"), "w", encoding="utf-8") as page:
            page.write("<h1>Insert your card</h1>")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def write(self, text):
        path = os.path.join(self.folder.name, "gateway.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


USER = '[[certificate]]\nname = "user"\nca = "users.pem"\n'  # lines 1 to 3


class Refusals(ConfigurationTest):
    def test_each_names_file_line_and_what_to_write(self):
        path = '[[path]]\nprefix = "/a"\nmode = "require"\ncertificates = ["user"]\n'  # 4 to 7
        backend = USER + '[backend]\nurl = "http://127.0.0.1:8080"\n'  # 4 and 5
        for text, line, expected in [
                ("listen = [", 1, "TOML"),
                ("\nlisten = 1", 2, 'listen = "..."'),
                ("\n\nbackends = 1", 3, 'unknown key "backends" in the file; known here: listen'),
                ("idle_timeout = 0", 1, "0.001 to 86400"),
                ('decision_timeout = "x"', 1, "seconds"),
                ("path = 1", 1, "[[path]]"),
                ('[[certificate]]\nca = "users.pem"', 1, "has no name"),
                ('[[certificate]]\nname = "user"\nca = "nowhere.pem"', 3, "nowhere.pem"),
                (USER + USER, 5, "a second certificate"),
                (USER + 'key_usage = ["signature"]', 4, "digitalSignature"),
                (USER + "key_usage = []", 4, "at least one"),
                (USER + 'extended_key_usage = ["1.x"]', 4, "1.x"),
                (USER + 'extended_key_usage = ["anyExtendedKeyUsage"]', 4, "name the purposes"),
                (USER + 'extensions = [{ oid = "2.5.29.15" }]', 4, "key_usage"),
                (USER + 'extensions = [{ oid = "here" }]', 4, "OID"),
                (USER + 'extensions = [{ oid = "2.5.29.32", value = "3" }]', 4, "hexadecimal"),
                (USER + 'extensions = [{ oid = "2.5.29.32" }, { oid = "2.5.29.32" }]', 4, "twice"),
                (USER + '[[path]]\nmode = "none"', 4, "has no prefix"),
                (USER + '[[path]]\nprefix = "a"\nmode = "none"', 5, "start it with"),
                (USER + '[[path]]\nprefix = "/a?b"\nmode = "none"', 5, "without query"),
                (USER + '[[path]]\nprefix = "/a"\nmode = "ask"', 6, '"offer"'),
                (USER + '[[path]]\nprefix = "/a"\nmode = "offer"', 4, "which certificates"),
                (USER + path.replace('"user"', '"device"'), 7, "[[certificate]]"),
                (USER + path.replace('"user"', '"user", "user"'), 7, "twice"),
                (USER + path.replace("require", "none"), 7, "asks for nothing"),
                (USER + path + path.replace("/a", "/%61/"), 9, "a second [[path]]"),
                (USER + path + 'without = "404"', 8, '"401"'),
                (USER + path + 'page = "page.html"', 8, 'without = "401"'),
                (USER + path + 'without = "401"\npage = "none.html"', 9, "none.html"),
                (USER + path.replace("require", "offer") + 'without = "403"', 8, "only mode"),
                (USER + path + "mood = 1", 8, 'unknown key "mood" in [[path]]'),
                ("[[tunnel]]", 1, "has no target"),
                ('[[tunnel]]\ntarget = "127.0.0.1"', 2, "HOST:PORT"),
                ('[[tunnel]]\ntarget = "*:443"', 2, "HOST:PORT"),
                ('[[tunnel]]\ntarget = "127.0.0.1:0"', 2, "HOST:PORT"),
                ('[[tunnel]]\ntarget = "name.invalid:1"', 2, "a name that is known here"),
                ('[[tunnel]]\ntarget = "a.test:1"\naddress = "name.invalid:1"', 3, "known here"),
                ('[[tunnel]]\ntarget = "127.0.0.1:1"\nconnections = 0', 3, "from 1 to"),
                (2 * '[[tunnel]]\ntarget = "127.0.0.1:1"\n', 4, "a second [[tunnel]]"),
                ("backend = 1", 1, "[backend]"),
                ("[backend]", 1, "has no url"),
                ('[backend]\nurl = "127.0.0.1:80"', 2, "http://HOST:PORT"),
                ('[backend]\nurl = "https://127.0.0.1"', 2, "h2c://HOST:PORT"),
                ('[backend]\nurl = "http://127.0.0.1:80/path"', 2, "without a path"),
                ('[backend]\nurl = "http://name.invalid:80"', 2, "a name that is known here"),
                (backend + "timeout = 0", 6, "seconds"),
                (backend + "connections = 0", 6, "from 1 to"),
                (backend + 'client_cert = "device"', 6, "[[certificate]]"),
                (backend + "client_cert_chain = true", 6, "client_cert ="),
                (backend + "client_cert_chain = 1", 6, "neither true nor false")]:
            with self.subTest(text):
                file = self.write(text)
                assert_refused(self, ["--config", file], f"{file}:{line}: ", expected)

    def test_a_file_that_is_not_there(self):
        assert_refused(self, ["--config", "/nonexistent/gateway.toml"], "/nonexistent/gateway.toml")

    def test_a_folder_is_not_read_as_an_empty_file(self):
        for option in ("--config", "--profile"):
            assert_refused(self, ["--listen", "127.0.0.1:0", "--cert", self.server_pem, "--key",
                                  self.server_key, option, self.folder.name],
                           f"{self.folder.name}: it is a folder")


class Rules(ConfigurationTest):
    def setUp(self):
        self.socket = os.path.join(self.folder.name, "agent.sock")
        self.agent = FakeAgent(self.socket, [(self.user, agent.IDENTITY_KIND_USER)])
        self.addCleanup(self.agent.close)

    def start(self, text):
        gateway = Gateway(self.server_pem, self.server_key, "--config", self.write(text))
        self.addCleanup(self.stop, gateway)
        return gateway

    def stop(self, gateway):
        code, log = gateway.stop()
        self.assertEqual(code, 0, log)
        self.assertNotRegex(log, "Sanitizer|runtime error")

    def fetch(self, gateway, paths, *options):
        return fetch("--json", "--cacert", os.path.join(self.folder.name, "users.pem"), "--connect",
                     gateway.address, "--agent", self.socket, *options,
                     *[URL + path for path in paths.split()])

    def test_the_longest_prefix_decides_at_the_border_of_a_segment(self):
        gateway = self.start(USER + """
[[path]]
prefix = "/admin"
mode = "require"
certificates = ["user"]
[[path]]
prefix = "/admin/help"
mode = "none"
""")
        result = self.fetch(gateway, "/administrator /admin/help/me /admin/helpers /admin", "--no-agent")
        self.assertEqual(result.statuses(), [200, 200, 403, 403])
        self.assertEqual(self.fetch(gateway, "/admin /admin/x").statuses(), [200, 200])

    def test_offer_asks_once_and_goes_on_whatever_the_client_says(self):
        gateway = self.start(USER + '[[path]]\nprefix = "/"\nmode = "offer"\ncertificates = ["user"]\n')
        result = self.fetch(gateway, "/a /b")
        self.assertEqual([len(each["identities"]) for each in result.bodies()], [1, 1])
        self.agent.answer = lambda call: declined(agent.DECLINE_REASON_DENIED, "not here")
        result = self.fetch(gateway, "/a /b")
        self.assertEqual(result.bodies(), [{"identities": []}] * 2)
        self.assertEqual(result.json["authenticator_requests"], 1)

    def test_an_offer_without_an_answer_holds_up_only_the_first_request(self):
        gateway = self.start(USER + '[[path]]\nprefix = "/"\nmode = "offer"\ncertificates = ["user"]\n'
                                    "decision_timeout = 0.2\n")
        self.agent.answer = lambda call: None
        result = self.fetch(gateway, "/a /b /c")
        self.assertEqual(result.statuses(), [200] * 3)
        self.assertEqual(result.json["authenticator_requests"], 1)

    def test_a_401_brings_a_page_and_a_challenge(self):
        gateway = self.start(USER + """
[[path]]
prefix = "/own"
mode = "require"
certificates = ["user"]
without = "401"
page = "page.html"
[[path]]
prefix = "/ours"
mode = "require"
certificates = ["user"]
without = "401"
[[path]]
prefix = "/pass"
mode = "require"
certificates = ["user"]
without = "pass"
""")
        result = self.fetch(gateway, "/own /ours /pass", "--no-agent")
        self.assertEqual(result.statuses(), [401, 401, 200])
        bodies = [each["body"] for each in result.json["responses"]]
        self.assertEqual(bodies[0], "<h1>Insert your card</h1>")
        self.assertIn("Certificate needed", bodies[1])
        head = subprocess.run(
            ["curl", "--silent", "--head", "--http2", "--insecure", f"https://{gateway.address}/own"],
            capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout
        self.assertIn('www-authenticate: Client-Certificate realm="/own"', head)
        self.assertIn("content-type: text/html; charset=utf-8", head)

    def test_filters_are_asked_for_and_the_answer_is_held_against_them(self):
        path = '[[path]]\nprefix = "/"\nmode = "require"\ncertificates = ["user"]\n'
        for filters, expected, status in [
                ('extended_key_usage = ["clientAuth"]\n', CLIENT_AUTH, 200),
                ('extended_key_usage = ["clientAuth", "1.2.3.4"]\n', b"\x06\x03\x2a\x03\x04", 403),
                ('key_usage = ["digitalSignature"]\n', DIGITAL_SIGNATURE, 403),  # it has none at all
                ('extensions = [{ oid = "2.5.29.17" }]\n', bytes.fromhex("0603551d11"), 403),
                ('extensions = [{ oid = "2.5.29.32", value = "3000" }]\n', b"\x00\x02\x30\x00", 403)]:
            with self.subTest(filters):
                gateway = self.start(USER + filters + path)
                result = self.fetch(gateway, "/")
                self.assertEqual(result.statuses(), [status])
                with h2.Client(gateway.port, os.path.join(self.folder.name, "users.pem"),
                               {h2.CLIENT_CERT_AUTH: 4}) as client:
                    client.request(1, "/")
                    self.assertIn(expected, client.expect(h2.AUTHENTICATOR_REQUESTS)[3])

    def test_two_certificates_of_one_authority_are_two_requests(self):
        gateway = self.start(USER + USER.replace('"user"', '"second"') +
                             '[[path]]\nprefix = "/"\nmode = "require"\n'
                             'certificates = ["user", "second"]\n')
        self.agent.answer = lambda call: prove(call, self.user, agent.IDENTITY_KIND_USER)
        result = self.fetch(gateway, "/")
        self.assertEqual(result.statuses(), [200])
        self.assertEqual(result.json["authenticator_requests"], 2)


if __name__ == "__main__":
    unittest.main()
