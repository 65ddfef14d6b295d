#!/usr/bin/python3
"""signet-gateway as a process: its command line, plain HTTP, clients that break rules."""
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import unittest

import certificates
import raw_http2 as h2
from tools_under_test import TIMEOUT, Gateway, run_gateway

PROTOCOL_ERROR = 1
EMPTY = b"\x14\x00\x00\x20" + bytes(32)  # a Finished message with a wrong MAC


class GatewayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.ca = certificates.authority("ca")
        cls.ca_pem, _ = cls.ca.write(cls.folder.name)
        cls.second_pem, _ = certificates.authority("second").write(cls.folder.name)
        cls.server_pem, cls.server_key = certificates.server(cls.ca).write(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def start(self, *arguments):
        gateway = Gateway(self.server_pem, self.server_key,
                          "--require", f"/login={self.ca_pem},{self.second_pem}", *arguments)
        self.addCleanup(self.stop, gateway)
        return gateway

    def stop(self, gateway):
        code, log = gateway.stop()
        self.assertEqual(code, 0, log)
        self.assertNotRegex(log, "Sanitizer|runtime error")

    def client(self, gateway, limit=None):
        settings = {h2.CLIENT_CERT_AUTH: limit} if limit else None
        client = h2.Client(gateway.port, self.ca_pem, settings)
        self.addCleanup(client.connection.close)
        return client

    def curl(self, gateway, path, *options):
        """Status and body by curl, a client that knows nothing of all this."""
        run = subprocess.run(
            ["curl", "--silent", "--show-error", "--http2", "--cacert", self.ca_pem,
             "--resolve", f"localhost:{gateway.port}:127.0.0.1", "--path-as-is",
             "--write-out", "\n%{http_code}", *options, f"https://localhost:{gateway.port}{path}"],
            capture_output=True, text=True, timeout=TIMEOUT, check=True)
        body, status = run.stdout.rsplit("\n", 1)
        return int(status), body


class CommandLine(GatewayTest):
    def test_refuses_what_can_not_work(self):
        base = ["--listen", "127.0.0.1:0", "--cert", self.server_pem, "--key", self.server_key]
        broken = os.path.join(self.folder.name, "broken.pem")
        with open(broken, "w", encoding="utf-8") as file:
            file.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        ca = self.ca_pem
        for arguments, code, expected in [
                (base[2:], 2, "--listen"),
                (["--listen", "nowhere", *base[2:]], 2, "ADDR:PORT"),
                (["--listen", "192.0.2.1:1", *base[2:]], 1, "192.0.2.1"),
                (["--listen", "name.invalid:1", *base[2:]], 1, "name.invalid"),
                ([*base, "--cert", "/nonexistent"], 2, "--cert"),
                ([*base[:4], "--key", self.server_key, "--cert", broken], 2, "--cert"),
                ([*base[:4], "--key", "/nonexistent"], 2, "/nonexistent"),
                ([*base, "--require", "/login"], 2, "PATH="),
                ([*base, "--require", f"login={ca}"], 2, "PATH="),
                ([*base, "--require", f"/login?a=b={ca}"], 2, "PATH="),
                ([*base, "--require", "/login="], 2, "at least one"),
                ([*base, "--require", f"/login={ca},{ca}"], 2, "twice"),
                ([*base, "--require", f"/a={ca}", "--require", f"/%61={ca}"], 2, "already"),
                ([*base, "--require", f"/whoami={ca}"], 2, "/whoami"),
                ([*base, "--require", "/login=/nonexistent.pem"], 2, "/nonexistent.pem"),
                ([*base, "--require", f"/login={broken}"], 2, "broken.pem"),
                ([*base, "--require", "/login=/dev/null"], 2, "no certificate"),
                ([*base, "--code-point", "h2.certificate=0xf4"], 2, "wire profile"),
                ([*base, "--idle-timeout", "-1"], 2, "idle-timeout"),
                ([*base, "--decision-timeout", "nan"], 2, "decision-timeout")]:
            with self.subTest(arguments):
                result = run_gateway(*arguments)
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertIn(expected, result.stderr)
                self.assertEqual(result.stdout, "")

    def test_refuses_a_key_of_another_certificate_and_a_port_in_use(self):
        _, other_key = certificates.server(self.ca, name="other").write(self.folder.name)
        result = run_gateway("--listen", "127.0.0.1:0", "--cert", self.server_pem, "--key", other_key)
        self.assertEqual(result.returncode, 2)
        self.assertIn("--key", result.stderr)
        gateway = self.start()
        result = run_gateway("--listen", gateway.address, "--cert", self.server_pem, "--key",
                             self.server_key)
        self.assertEqual(result.returncode, 1)
        self.assertIn("in use", result.stderr)

    def test_help_names_every_option(self):
        result = run_gateway("--help")
        self.assertEqual(result.returncode, 0)
        for word in ["--listen", "--cert", "--key", "--require", "--decision-timeout",
                     "--idle-timeout", "--code-point", "--profile", "Example", "/whoami",
                     "not-supported", "declined", "invalid", "untrusted", "timeout"]:
            self.assertIn(word, result.stdout)


class PlainHttp(GatewayTest):
    def test_serves_a_client_without_the_extension(self):
        gateway = self.start()
        self.assertEqual(self.curl(gateway, "/any?x=y"), (200, '{"path":"/any"}\n'))
        status, body = self.curl(gateway, "/login")
        self.assertEqual((status, json.loads(body)["error"]), (403, "not-supported"))
        status, body = self.curl(gateway, "/whoami")
        self.assertEqual((status, json.loads(body)["error"]), (403, "no-identity"))

    def test_a_required_path_has_no_other_spelling_that_slips_through(self):
        gateway = self.start()
        for path in ["/%6cogin", "/./login", "/x/../login", "/x/%2e%2E/login", "/login?query"]:
            self.assertEqual(self.curl(gateway, path)[0], 403, path)
        self.assertEqual(self.curl(gateway, "/log%2fin"), (200, '{"path":"/log%2Fin"}\n'))
        self.assertEqual(self.curl(gateway, "/%zz")[0], 400)
        self.assertEqual(self.curl(gateway, "/" + "x" * 9000)[0], 414)

    def test_head_has_the_headers_and_no_body(self):
        status, head = self.curl(self.start(), "/", "--head")
        self.assertEqual(status, 200)
        self.assertIn("content-length: 13\n", head.replace("\r", ""))
        self.assertNotIn("path", head)

    def test_refuses_other_methods_and_long_bodies(self):
        gateway = self.start()
        status, body = self.curl(gateway, "/login", "--data", "x", "--include")
        self.assertEqual(status, 405)
        self.assertIn("allow: GET, HEAD", body)
        client = self.client(gateway)
        client.request(1, "/", method="POST", end=False)
        self.assertIn(b"method-not-allowed", client.read_body(1))
        for _ in range(3):
            client.send(h2.DATA, 0, 1, bytes(16384))
        self.assertEqual(client.expect(h2.RST_STREAM)[2:], (1, struct.pack("!I", 0)))

    def test_refuses_what_is_not_tls_1_3_with_http2(self):
        gateway = self.start()
        for options in [["--http1.1"], ["--tls-max", "1.2"]]:
            with self.assertRaises(subprocess.CalledProcessError):
                self.curl(gateway, "/", *options)
            self.assertEqual(gateway.next_record()["error"], "tls")
        self.assertEqual(self.curl(gateway, "/")[0], 200)

    def test_takes_no_early_data(self):
        """Nobody has proved anything before the handshake is complete, so nothing is read before."""
        gateway = self.start()
        ticket = os.path.join(self.folder.name, "ticket")
        early = os.path.join(self.folder.name, "early")
        with open(early, "wb") as file:
            file.write(h2.PREFACE)

        def talk(*options):
            """A frame that makes no sense ends the connection."""
            return subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-alpn", "h2",
                 "-CAfile", self.ca_pem, "-ign_eof", *options], input=h2.PREFACE + bytes(9),
                capture_output=True, timeout=TIMEOUT, check=False).stdout
        self.assertRegex(talk("-sess_out", ticket), rb"Max Early Data: 0\n")
        self.assertIn(b"Early data was not sent",
                      talk("-sess_in", ticket, "-early_data", early))

    def test_logs_each_request_without_its_query(self):
        gateway = self.start()
        self.curl(gateway, "/a?password=secret")
        record = gateway.next_record()
        self.assertEqual({key: record[key] for key in ["method", "path", "status"]},
                         {"method": "GET", "path": "/a", "status": 200})
        self.assertRegex(record["peer"], r"^127\.0\.0\.1:\d+$")
        self.assertNotIn("secret", json.dumps(record))


class Asking(GatewayTest):
    def test_asks_in_one_frame_when_the_limit_allows(self):
        client = self.client(self.start(), limit=2)
        client.request(1, "/login")
        _, flags, stream, payload = client.expect(h2.AUTHENTICATOR_REQUESTS)
        self.assertEqual((flags, stream), (0, 0))
        self.assertIn(self.ca.subject_der, payload)
        kinds = [request[0] for request in h2.requests_in(payload)]
        self.assertEqual(kinds, [h2.CERTIFICATE_REQUEST] * 2)

    def test_streams_that_wait_share_a_request_and_hold_up_no_other(self):
        client = self.client(self.start(), limit=4)
        client.request(1, "/login")
        client.request(3, "/login")
        client.request(5, "/other")
        frames = []
        while not frames or frames[-1][0] != h2.DATA:
            frames.append(client.read())
        self.assertEqual(frames[-1][2:], (5, b'{"path":"/other"}\n'))
        asked = [each for each in frames if each[0] == h2.AUTHENTICATOR_REQUESTS]
        self.assertEqual(len(asked), 1)
        for _ in range(2):
            client.send(h2.CERTIFICATE, 0, 0, EMPTY)
        self.assertEqual({json.loads(client.read_body(stream))["error"] for stream in [1, 3]},
                         {"invalid"})

    def test_a_stream_that_the_client_resets_leaves_the_others_waiting(self):
        client = self.client(self.start(), limit=1)
        client.request(1, "/login")
        client.expect(h2.AUTHENTICATOR_REQUESTS)
        client.send(h2.RST_STREAM, 0, 1, struct.pack("!I", 8))
        client.request(3, "/login")
        client.send(h2.CERTIFICATE, 0, 0, EMPTY)
        client.expect(h2.AUTHENTICATOR_REQUESTS)
        client.send(h2.CERTIFICATE, 0, 0, EMPTY)
        self.assertEqual(json.loads(client.read_body(3))["error"], "invalid")

    def test_a_client_that_vanishes_while_it_is_asked_costs_nothing(self):
        gateway = self.start()
        client = self.client(gateway, limit=4)
        client.request(1, "/login")
        client.expect(h2.AUTHENTICATOR_REQUESTS)
        client.connection.close()
        self.assertEqual(self.curl(gateway, "/")[0], 200)

    def assert_goaway(self, *frames, limit=4, ask=True):
        gateway = self.start()
        client = self.client(gateway, limit)
        if ask:
            client.request(1, "/login")
            client.expect(h2.AUTHENTICATOR_REQUESTS)
        for frame in frames:
            client.send(*frame)
        self.assertEqual(client.expect_goaway(), PROTOCOL_ERROR)
        self.assertIsNone(client.read())
        record = gateway.next_record()
        self.assertEqual(record["error"], "http2: PROTOCOL_ERROR")
        return record["detail"]

    def test_rules_that_a_client_breaks_end_the_connection(self):
        certificate = (h2.CERTIFICATE, 0, 0, EMPTY)
        for frames, ask, detail in [
                ([certificate], False, "without an outstanding request"),
                ([certificate] * 3, True, "without an outstanding request"),
                ([(h2.CERTIFICATE, 0, 1, EMPTY)], True, "wrong stream"),
                ([(h2.AUTHENTICATOR_REQUESTS, 0, 0, b"x")], True, "from a client"),
                ([(h2.SERVER_CERTIFICATE, 0, 0, b"x")], True, "from a client"),
                ([(h2.SETTINGS, 0, 0, struct.pack("!HI", h2.CLIENT_CERT_AUTH, 0))], True,
                 "withdrew")]:
            with self.subTest(frames=frames, ask=ask):
                self.assertIn(detail, self.assert_goaway(*frames, ask=ask))


class Lifetime(GatewayTest):
    def test_ends_idle_connections(self):
        client = self.client(self.start("--idle-timeout", 2))
        self.assertEqual(client.expect_goaway(), 0)
        self.assertIsNone(client.read())

    def test_ends_connections_that_never_finish_the_handshake_when_told_to_stop(self):
        gateway = self.start()
        with socket.create_connection(("127.0.0.1", gateway.port)):
            gateway.signal(signal.SIGINT)
            self.assertEqual(gateway.wait()[0], 0)

    def test_on_sigterm_finishes_what_waits_and_refuses_the_rest(self):
        gateway = self.start()
        client = self.client(gateway, limit=4)
        client.request(1, "/login")
        client.expect(h2.AUTHENTICATOR_REQUESTS)
        gateway.signal(signal.SIGTERM)
        self.assertEqual(client.expect_goaway(), 0)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", gateway.port))
        for _ in range(2):
            client.send(h2.CERTIFICATE, 0, 0, EMPTY)
        self.assertEqual(json.loads(client.read_body(1))["error"], "invalid")
        client.connection.close()
        self.assertEqual(gateway.wait()[0], 0)

    def test_the_first_goaway_lets_in_what_is_on_its_way_the_last_does_not(self):
        gateway = self.start()
        client = self.client(gateway)
        client.expect(h2.SETTINGS)  # the handshake is over for the gateway, too
        gateway.signal(signal.SIGTERM)
        ping = client.expect(h2.PING)[3]
        self.assertEqual(client.expect(h2.GOAWAY)[3], struct.pack("!II", 0x7fffffff, 0))
        client.request(1, "/late")  # sent before the client has seen the GOAWAY
        client.send(h2.PING, h2.ACK, 0, ping)
        frames = []
        while frame := client.read():
            frames.append(frame)
        self.assertIn((h2.DATA, h2.END_STREAM, 1, b'{"path":"/late"}\n'), frames)
        self.assertIn((h2.GOAWAY, 0, 0, struct.pack("!II", 1, 0)), frames)
        client.connection.close()
        self.assertEqual(gateway.wait()[0], 0)

    def test_a_second_signal_ends_it_at_once(self):
        gateway = self.start()
        client = self.client(gateway, limit=4)
        client.request(1, "/login")
        client.expect(h2.AUTHENTICATOR_REQUESTS)
        gateway.signal(signal.SIGTERM)
        client.expect_goaway()
        gateway.signal(signal.SIGTERM)
        self.assertEqual(gateway.wait()[0], 0)

    def test_garbage_in_place_of_tls_or_http2_hurts_nobody(self):
        gateway = self.start()
        with socket.create_connection(("127.0.0.1", gateway.port)) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertEqual(gateway.next_record()["error"], "tls")
        context = ssl.create_default_context(cafile=self.ca_pem)
        context.set_alpn_protocols(["h2"])
        with context.wrap_socket(socket.create_connection(("127.0.0.1", gateway.port)),
                                 server_hostname="localhost") as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertRegex(gateway.next_record()["error"], "http2")
        self.assertEqual(self.curl(gateway, "/")[0], 200)

    def test_serves_many_connections_at_once(self):
        gateway = self.start()
        clients = [self.client(gateway) for _ in range(50)]
        for client in clients:
            client.request(1, "/x")
        for client in reversed(clients):
            self.assertEqual(client.read_body(1), b'{"path":"/x"}\n')


if __name__ == "__main__":
    unittest.main()
