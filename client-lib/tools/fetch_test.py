#!/usr/bin/python3
"""signet-fetch as a process: its command line, servers it can't reach, servers that don't answer."""
import os
import socket
import ssl
import struct
import tempfile
import threading
import time
import unittest

import certificates
import raw_http2 as h2
from fake_agent import FakeAgent
from raw_http2 import AUTHENTICATOR_REQUESTS, certificate_request, requests_payload
from tools_under_test import fetch

URL = "https://localhost:4433/"
SUPPORT = {h2.CLIENT_CERT_AUTH: 1}
ONE_REQUEST = requests_payload(certificate_request(b"one"))
ENHANCE_YOUR_CALM = 11


class FetchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.ca = certificates.authority("ca")
        cls.ca_pem, _ = cls.ca.write(cls.folder.name)
        cls.server_pem, cls.server_key = certificates.server(cls.ca).write(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def file(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def fetch_from(self, script, *options, url=URL, ca=None, **server_options):
        """What signet-fetch made of a server that runs `script`, and what the script returned."""
        server = h2.Server(self.server_pem, self.server_key, script, **server_options)
        result = fetch("--json", "--no-agent", "--cacert", ca or self.ca_pem, "--connect",
                       f"127.0.0.1:{server.port}", *options, url)
        self.assertEqual(list(result.json), [
            "responses", "negotiated", "authenticator_requests", "certificates_sent", "empty_sent",
            "identities", "declined", "server_certificates", "connection_error"])
        return result, server.finish()


class CommandLine(FetchTest):
    def test_refuses_what_makes_no_sense(self):
        file = self.file
        for arguments, expected in [
                ([], "URL"),
                (["http://localhost/"], "https://"),
                (["https://user@localhost/"], "https://"),
                (["https://localhost:70000/"], "https://"),
                ([URL, "--resolve", "localhost:4433"], "HOST:PORT:ADDRESS"),
                ([URL, "--resolve", "localhost:4433:there"], "HOST:PORT:ADDRESS"),
                ([URL, "--resolve", "localhost:0:127.0.0.1"], "HOST:PORT:ADDRESS"),
                ([URL, "--proxy", "http://proxy"], "--proxy"),
                ([URL, "--proxy", "https://proxy/path"], "--proxy"),
                ([URL, "--cert", file], "belong together"),
                ([URL, "--cert", file, "--key", file], "--cert"),
                ([URL, "--cert", file, "--key", file, "--http3"], "--cert"),
                ([URL, "--header", "no field"], "NAME: VALUE"),
                ([URL, "--header", ":path: /"], "NAME: VALUE"),
                ([URL, "--header", "a: b\nc"], "NAME: VALUE"),
                ([URL, "--header", "Host: a"], "leave it out"),
                ([URL, "--header", "Connection: a"], "leave it out"),
                ([URL, "--header", "@/nonexistent"], "/nonexistent: no header fields"),
                ([URL, "--limit", "0"], "limit"),
                ([URL, "--limit", "many"], "limit"),
                ([URL, "--deadline", "0"], "deadline"),
                ([URL, "--deadline", "nan"], "deadline"),
                ([URL, "--connect", "localhost"], "HOST:PORT"),
                ([URL, "--connect", "localhost:0"], "HOST:PORT"),
                ([URL, "--cacert", "/nonexistent.pem"], "--cacert"),
                ([URL, "--cacert", file("empty.pem", "")], "--cacert"),
                ([URL, "--code-point", "h2.certificate"], "NAME=NUMBER"),
                ([URL, "--code-point", "h2.certificate=0xzz"], "NAME=NUMBER"),
                ([URL, "--code-point", "h2.color=1"], "authenticator-requests"),
                ([URL, "--code-point", "h2.certificate=0xf4"], "wire profile"),
                ([URL, "--code-point", "h2.certificate=1"], "wire profile"),
                ([URL, "--profile", "/nonexistent.toml"], "nonexistent.toml"),
                ([URL, "--profile", file("a.toml", "h2.color = 1")], "h2.color"),
                ([URL, "--profile", file("b.toml", "h2 = 1")], "h2"),
                ([URL, "--profile", file("c.toml", "h2.certificate = \"x\"")], "whole number"),
                ([URL, "--profile", file("d.toml", "h2.certificate = -1")], "whole number"),
                ([URL, "--profile", file("e.toml", "\nh2.certificate =")], "line 2"),
                ([URL, "--frobnicate"], "frobnicate")]:
            with self.subTest(arguments):
                result = fetch("--json", *arguments)
                self.assertEqual(result.exit, 2, result.stderr)
                self.assertIn(expected, result.stderr)
                self.assertEqual(result.json["responses"], [])
                plain = fetch(*arguments)
                self.assertEqual((plain.exit, plain.stdout), (2, ""))

    def test_help_names_every_option_and_exit_code(self):
        result = fetch("--help")
        self.assertEqual(result.exit, 0)
        for word in ["--cacert", "--cert", "--key", "--header", "--connect", "--resolve", "--proxy",
                     "--limit", "--agent", "--deadline", "--no-agent",
                     "--verbose", "--json", "--code-point", "--profile", "Example", " 7 ", " 16 ",
                     " 22 ", " 28 ", " 35 ", " 60 "]:
            self.assertIn(word, result.stdout)

    def test_says_when_it_can_not_write(self):
        def script(peer):
            answer_request(peer)
        server = h2.Server(self.server_pem, self.server_key, script)
        result = os.system(f"'{os.environ['SIGNET_BIN']}/signet-fetch' --no-agent --cacert "
                           f"{self.ca_pem} --connect 127.0.0.1:{server.port} {URL} "
                           ">/dev/full 2>/dev/null")
        server.finish()
        self.assertEqual(os.waitstatus_to_exitcode(result), 23)


def answer_request(peer, settings=None, body=b"hello"):
    peer.send_settings(settings)
    stream = peer.expect(h2.HEADERS)[2]
    peer.send(h2.HEADERS, h2.END_HEADERS, stream, h2.STATUS_200)
    peer.send(h2.DATA, h2.END_STREAM, stream, body)
    while peer.read():
        pass


class Unreachable(FetchTest):
    def assert_fails(self, result, code, *expected):
        self.assertEqual(result.exit, code, result.stderr)
        self.assertIsNone(result.json["connection_error"])
        for text in expected:
            self.assertIn(text, result.stderr)

    def test_7_when_the_connection_is_refused(self):
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))  # and does not listen
            result = fetch("--json", "--connect", f"127.0.0.1:{deaf.getsockname()[1]}", URL)
        self.assert_fails(result, 7, "Connection refused")

    def test_7_when_the_host_is_unknown(self):
        self.assert_fails(fetch("--json", "https://no-such-host.invalid/"), 7,
                          "no-such-host.invalid:443")

    def test_28_when_the_server_accepts_and_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            before = time.monotonic()
            result = fetch("--json", "--deadline", 0.3, "--connect",
                           f"127.0.0.1:{silent.getsockname()[1]}", URL)
            self.assertLess(time.monotonic() - before, 10)
        self.assert_fails(result, 28, "--deadline")

    def test_28_when_the_response_does_not_come(self):
        def script(peer):
            peer.send_settings()
            while peer.read():
                pass
        result, _ = self.fetch_from(script, "--deadline", 1)
        self.assert_fails(result, 28, "--deadline")

    def test_28_when_a_server_always_has_a_question_more(self):
        """Then the time for the agent's answers never ends, but the time for the URL does."""
        agent_socket = os.path.join(self.folder.name, "agent.sock")
        slow = FakeAgent(agent_socket)
        self.addCleanup(slow.close)
        honest = slow.answer

        def answer_late(call):
            time.sleep(0.1)
            return honest(call)
        slow.answer = answer_late

        def script(peer):
            peer.send_settings(SUPPORT)
            peer.expect(h2.HEADERS)
            number = 0
            peer.send(AUTHENTICATOR_REQUESTS, 0, 0, ONE_REQUEST)
            while True:
                number += 1
                peer.send(AUTHENTICATOR_REQUESTS, 0, 0,
                          requests_payload(certificate_request(struct.pack("!I", number))))
                while (frame := peer.read()) and frame[0] != h2.CERTIFICATE:
                    pass
                if frame is None:
                    return number
        server = h2.Server(self.server_pem, self.server_key, script)
        before = time.monotonic()
        result = fetch("--json", "--agent", agent_socket, "--deadline", 1, "--cacert", self.ca_pem,
                       "--connect", f"127.0.0.1:{server.port}", URL)
        self.assertLess(time.monotonic() - before, 30)
        server.finish()
        self.assert_fails(result, 28, "--deadline")
        self.assertGreater(result.json["empty_sent"], 10)

    def test_28_when_a_server_asks_without_end(self):
        def script(peer):
            peer.send_settings(SUPPORT)
            peer.expect(h2.HEADERS)
            number = 0
            peer.send(AUTHENTICATOR_REQUESTS, 0, 0, ONE_REQUEST)
            while frame := peer.read():
                if frame[0] == h2.CERTIFICATE:
                    number += 1
                    time.sleep(0.05)
                    peer.send(AUTHENTICATOR_REQUESTS, 0, 0,
                              requests_payload(certificate_request(struct.pack("!I", number))))
            return number
        result, asked = self.fetch_from(script, "--deadline", 2)
        self.assert_fails(result, 28, "--deadline")
        self.assertEqual(result.json["empty_sent"], asked)

    def test_35_when_the_server_speaks_no_tls(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            def answer():
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            thread = threading.Thread(target=answer)
            thread.start()
            result = fetch("--json", "--connect", f"127.0.0.1:{server.getsockname()[1]}", URL)
            thread.join()
        self.assert_fails(result, 35, "TLS")

    def test_35_when_the_server_speaks_only_tls_1_2(self):
        result, _ = self.fetch_from(answer_request, version=ssl.TLSVersion.TLSv1_2)
        self.assert_fails(result, 35, "TLS 1.3")

    def test_35_when_the_server_does_not_speak_http2(self):
        for alpn in [(), ("http/1.1",)]:
            result, _ = self.fetch_from(lambda peer: None, alpn=alpn)
            self.assert_fails(result, 35, "HTTP/2")

    def test_60_when_the_server_is_not_trusted(self):
        stranger, _ = certificates.authority("stranger").write(self.folder.name)
        result, _ = self.fetch_from(answer_request, ca=stranger)
        self.assert_fails(result, 60, "--cacert")

    def test_60_when_the_certificate_is_for_another_host(self):
        for url in ["https://other.example/", "https://127.0.0.2/"]:
            result, _ = self.fetch_from(answer_request, url=url)
            self.assert_fails(result, 60, "mismatch")

    def test_fetches_by_address_when_the_certificate_bears_it(self):
        result, _ = self.fetch_from(answer_request, url="https://127.0.0.1:4433/")
        self.assertEqual(result.exit, 0, result.stderr)
        (said,) = result.json["responses"]
        self.assertEqual((said["url"], said["status"], said["body"]),
                         ("https://127.0.0.1:4433/", 200, "hello"))

    def test_16_when_the_server_hangs_up_or_resets_the_stream_or_goes_away(self):
        def hang_up(peer):
            peer.send_settings()
            peer.expect(h2.HEADERS)

        def cut(peer):
            peer.expect(h2.HEADERS)
            peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        def reset(peer):
            peer.send_settings()
            stream = peer.expect(h2.HEADERS)[2]
            peer.send(h2.RST_STREAM, 0, stream, struct.pack("!I", 2))
            while peer.read():
                pass

        def go_away(peer):
            peer.send_settings()
            peer.expect(h2.HEADERS)
            peer.send(h2.GOAWAY, 0, 0, struct.pack("!II", 0, 0))
            while peer.read():
                pass
        for script in [hang_up, cut, reset, go_away]:
            with self.subTest(script.__name__):
                result, _ = self.fetch_from(script)
                self.assert_fails(result, 16)
                self.assertEqual(result.json["responses"], [])

    def test_reports_the_error_that_the_server_reports(self):
        def script(peer):
            peer.send_settings()
            peer.expect(h2.HEADERS)
            peer.send(h2.GOAWAY, 0, 0, struct.pack("!II", 0, ENHANCE_YOUR_CALM) + b"too many")
            while peer.read():
                pass
        result, _ = self.fetch_from(script)
        self.assertEqual(result.exit, 16)
        self.assertEqual(result.json["connection_error"],
                         {"by": "peer", "code": ENHANCE_YOUR_CALM, "name": "ENHANCE_YOUR_CALM",
                          "detail": "too many"})


class Answers(FetchTest):
    """What servers may do to others: tests/integration/misbehaving_server."""

    def test_a_body_that_is_not_utf_8_is_mended_in_the_report(self):
        result, _ = self.fetch_from(lambda peer: answer_request(peer, body=b"\xff not UTF-8"))
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertEqual(result.json["responses"][0]["body"], "\ufffd not UTF-8")


if __name__ == "__main__":
    unittest.main()
