#!/usr/bin/python3
"""Which connection signet-fetch uses for which URL."""
import tempfile
import threading
import unittest

import certificates
import raw_http2 as h2
from tools_under_test import Gateway, fetch

STATUS_421 = b"\x08\x03421"  # HPACK: :status, a literal


class ConnectionsTest(unittest.TestCase):
    """Servers a.test and b.test, each with its own certificate, both at 127.0.0.1."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.ca = certificates.authority("ca")
        cls.ca_pem, _ = cls.ca.write(cls.folder.name)
        cls.servers = {host: certificates.server(cls.ca, host, host)
                       for host in ["a.test", "b.test"]}
        cls.files = {host: server.write(cls.folder.name) for host, server in cls.servers.items()}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def gateway(self, host, *arguments):
        gateway = Gateway(*self.files[host], *arguments)
        self.addCleanup(self.stop, gateway)
        return gateway

    def stop(self, gateway):
        code, log = gateway.stop()
        self.assertEqual(code, 0, log)
        self.assertNotRegex(log, "Sanitizer|runtime error")

    def fetch(self, *arguments, ports=()):
        """`ports` of a.test and b.test, all at 127.0.0.1."""
        resolve = [f"--resolve={host}:{port}:127.0.0.1" for host in self.files for port in ports]
        if "--agent" not in arguments:
            resolve.append("--no-agent")
        return fetch("--json", "--cacert", self.ca_pem, *resolve, *arguments)


class Origins(ConnectionsTest):
    def test_says_why_it_used_no_other_connection_when_it_gets_none_of_its_own(self):
        a = self.gateway("a.test")
        result = self.fetch("--verbose", f"https://a.test:{a.port}/", f"https://b.test:{a.port}/",
                            ports=[a.port])
        self.assertEqual(result.exit, 60, result.stderr)
        self.assertIn("* not connection 1 (not-proved): the server has not proved there that it is "
                      f"https://b.test:{a.port}", result.stderr)

    def test_each_has_one_connection_that_is_kept(self):
        a, b = self.gateway("a.test"), self.gateway("b.test")
        to_a, to_b = f"https://a.test:{a.port}", f"https://b.test:{b.port}"
        for http3 in [[], ["--http3"]]:
            if http3:
                a, b = self.gateway("a.test", "--http3"), self.gateway("b.test", "--http3")
                to_a, to_b = f"https://a.test:{a.port}", f"https://b.test:{b.port}"
            result = self.fetch(*http3, to_a + "/1", to_b + "/2", to_a + "/3", to_b + "/4",
                                ports=[a.port, b.port])
            self.assertEqual(result.exit, 0, result.stderr)
            self.assertEqual([body["path"] for body in result.bodies()], ["/1", "/2", "/3", "/4"])
            said = result.json["responses"]
            self.assertEqual([each["connection"] for each in said], [1, 2, 1, 2])
            self.assertEqual([each["use"] for each in said],
                             ["new", "new", "same-origin", "same-origin"])
            self.assertEqual([each["passed_over"] for each in said][0], [])
            self.assertEqual([(each["connection"], each["reason"])
                              for each in said[1]["passed_over"]], [(1, "not-proved")])

    def test_verbose_says_which_and_why(self):
        a, b = self.gateway("a.test"), self.gateway("b.test")
        result = self.fetch("--verbose", f"https://a.test:{a.port}/", f"https://b.test:{b.port}/",
                            f"https://a.test:{a.port}/", ports=[a.port, b.port])
        self.assertEqual(result.exit, 0, result.stderr)
        for expected in [f"* connection 1 (new): straight to 127.0.0.1:{a.port}\n",
                         "* not connection 1 (not-proved): the server has not proved there that "
                         f"it is https://b.test:{b.port}\n",
                         f"* connection 2 (new): straight to 127.0.0.1:{b.port}\n",
                         "* connection 1 (same-origin): it is the connection of this origin\n"]:
            self.assertIn(expected, result.stderr)

    def test_a_certificate_is_expected_of_each(self):
        a = self.gateway("a.test")
        result = self.fetch(f"https://a.test:{a.port}/", f"https://b.test:{a.port}/",
                            ports=[a.port])
        self.assertEqual(result.exit, 60, result.stderr)
        self.assertEqual([each["status"] for each in result.json["responses"]], [200])

    def test_connect_leads_all_of_them_to_one_place(self):
        a = self.gateway("a.test")
        result = self.fetch("--connect", a.address, "https://a.test/", "https://a.test:444/")
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertEqual([each["connection"] for each in result.json["responses"]], [1, 2])


class SeveralConnections(h2.Server):
    """As h2.Server, for so many clients, each on a thread of its own with its `script(peer)`."""

    def __init__(self, certificate, key, *scripts):
        self._scripts = scripts
        super().__init__(certificate, key, None)

    def _run(self):
        threads = []
        self._listener.settimeout(20)  # a client that does not come again has failed
        try:
            for script in self._scripts:
                connection, _ = self._listener.accept()
                threads.append(threading.Thread(target=self._serve, args=[connection, script]))
                threads[-1].start()
        except TimeoutError as error:
            self._failure = error
        finally:
            for thread in threads:
                thread.join()

    def _serve(self, connection, script):
        try:
            tls, secrets = h2.shake_hands(self._context, connection, server_side=True)
            with tls:
                peer = h2.Peer(tls, secrets)
                peer.expect_preface()
                script(peer)
        except BaseException as error:
            self._failure = error


def answers(*statuses):
    """A script: the answers to the first requests of a connection."""
    def script(peer):
        peer.send_settings()
        for status in statuses:
            stream = peer.expect(h2.HEADERS)[2]
            peer.send(h2.HEADERS, h2.END_HEADERS, stream, status)
            peer.send(h2.DATA, h2.END_STREAM, stream, b"no" if status == STATUS_421 else b"yes")
        while peer.read():
            pass
    return script


class Misdirected(ConnectionsTest):
    """RFC 9110 section 15.5.20: an answer of 421."""

    def serve(self, *scripts):
        server = SeveralConnections(*self.files["a.test"], *scripts)
        self.addCleanup(server.finish)
        return server.port

    def test_leads_to_a_new_connection(self):
        port = self.serve(answers(h2.STATUS_200, STATUS_421), answers(h2.STATUS_200, h2.STATUS_200))
        urls = [f"https://a.test:{port}/{n}" for n in range(3)]
        result = self.fetch(*urls, ports=[port])
        self.assertEqual(result.exit, 0, result.stderr)
        said = result.json["responses"]
        self.assertEqual([(each["status"], each["body"], each["connection"], each["use"])
                          for each in said],
                         [(200, "yes", 1, "new"), (200, "yes", 2, "new"),
                          (200, "yes", 2, "same-origin")])
        self.assertEqual([each["reason"] for each in said[1]["passed_over"]], ["misdirected"])

    def test_is_not_printed_when_another_follows(self):
        port = self.serve(answers(h2.STATUS_200, STATUS_421), answers(h2.STATUS_200))
        url = f"https://a.test:{port}/"
        result = fetch("--no-agent", "--cacert", self.ca_pem, f"--resolve=a.test:{port}:127.0.0.1",
                       url, url)
        self.assertEqual((result.exit, result.stdout), (0, "yesyes"), result.stderr)

    def test_is_the_last_word_on_a_new_connection(self):
        port = self.serve(answers(STATUS_421))
        url = f"https://a.test:{port}/"
        result = self.fetch(url, ports=[port])
        self.assertEqual(result.exit, 22, result.stderr)
        self.assertEqual([(each["status"], each["body"]) for each in result.json["responses"]],
                         [(421, "no")])


if __name__ == "__main__":
    unittest.main()
