#!/usr/bin/python3
"""Tunnels through signet-gateway: CONNECT over HTTP/2, to targets of the configuration only."""
import contextlib
import os
import socket
import struct
import tempfile
import unittest

import certificates
import raw_http2 as h2
import raw_http3 as h3
from tools_under_test import Gateway, fetch

CONNECT_ERROR = 0xa
CANCEL = 0x8
PIECE = 16384


class Target:
    """A TCP server of the test, which looks at each connection itself."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(h2.Peer.TIMEOUT)
        self.place = f"127.0.0.1:{self.listener.getsockname()[1]}"

    def accept(self):
        connection, _ = self.listener.accept()
        connection.settimeout(h2.Peer.TIMEOUT)
        return connection

    def close(self):
        self.listener.close()


class TunnelTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.ca = certificates.authority("ca")
        cls.ca_pem, _ = cls.ca.write(cls.folder.name)
        cls.files = {host: certificates.server(cls.ca, host, host).write(cls.folder.name)
                     for host in ["localhost", "inside.test"]}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.target = Target()
        self.addCleanup(self.target.close)

    def gateway(self, configuration="", *arguments, host="localhost"):
        path = os.path.join(self.folder.name, "gateway.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write(configuration)
        gateway = Gateway(*self.files[host], "--config", path, *arguments)
        self.addCleanup(self.stop, gateway)
        return gateway

    def stop(self, gateway):
        code, log = gateway.stop()
        self.assertEqual(code, 0, log)
        self.assertNotRegex(log, "Sanitizer|runtime error")

    def tunnel(self, *more):
        """A gateway with a tunnel to the target."""
        return self.gateway(f'[[tunnel]]\ntarget = "inside.test:443"\n'
                            f'address = "{self.target.place}"\n' + "\n".join(more))

    @contextlib.contextmanager
    def client(self, gateway):
        with h2.Client(gateway.port, self.ca_pem) as client:
            yield client

    def connect(self, client, authority="inside.test:443", stream=1, fields=b"", end=False):
        name = authority.encode()
        client.send(h2.HEADERS, h2.END_HEADERS | (h2.END_STREAM if end else 0), stream,
                    b"\x02\x07CONNECT" + fields + b"\x01" + bytes([len(name)]) + name)

    def open(self, client, stream=1):
        """The two ends of a tunnel that stands: the client's stream, and the target's socket."""
        self.connect(client, stream=stream)
        connection = self.target.accept()
        self.assertEqual(client.expect(h2.HEADERS)[2:], (stream, h2.STATUS_200))
        return connection


class Through(TunnelTest):
    def test_signet_fetch_speaks_tls_with_the_server_behind(self):
        server = self.gateway(host="inside.test")
        proxy = self.gateway(f'[[tunnel]]\ntarget = "inside.test:443"\naddress = "{server.address}"')
        result = fetch("--json", "--no-agent", "--cacert", self.ca_pem, "--resolve",
                       f"localhost:{proxy.port}:127.0.0.1", "--proxy",
                       f"https://localhost:{proxy.port}", "https://inside.test/a",
                       "https://inside.test/b", f"https://localhost:{proxy.port}/c")
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertEqual([body["path"] for body in result.bodies()], ["/a", "/b", "/c"])
        self.assertEqual([(each["connection"], each["use"]) for each in result.json["responses"]],
                         [(2, "new"), (2, "same-origin"), (1, "same-origin")])
        self.assertEqual(server.next_record()["path"], "/a")
        self.assertEqual(proxy.next_record()["path"], "/c")  # the tunnel is still there

    def test_signet_fetch_does_so_over_http3(self):
        server = self.gateway(host="inside.test")
        proxy = self.gateway(f'[[tunnel]]\ntarget = "inside.test:443"\naddress = "{server.address}"',
                             "--http3")
        result = fetch("--json", "--http3", "--no-agent", "--cacert", self.ca_pem, "--resolve",
                       f"localhost:{proxy.port}:127.0.0.1", "--proxy",
                       f"https://localhost:{proxy.port}", "https://inside.test/a",
                       "https://inside.test/b", f"https://localhost:{proxy.port}/c")
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertEqual([body["path"] for body in result.bodies()], ["/a", "/b", "/c"])
        self.assertEqual([each["connection"] for each in result.json["responses"]], [2, 2, 1])
        refused = fetch("--http3", "--no-agent", "--cacert", self.ca_pem, "--resolve",
                        f"localhost:{proxy.port}:127.0.0.1", "--proxy",
                        f"https://localhost:{proxy.port}", "https://inside.test:444/")
        self.assertEqual(refused.exit, 7, refused.stderr)
        self.assertIn("403", refused.stderr)

    def test_bytes_go_both_ways_over_http3_too(self):
        gateway = self.gateway(f'[[tunnel]]\ntarget = "inside.test:443"\n'
                               f'address = "{self.target.place}"\n', "--http3")
        client = h3.Client(gateway.port, self.ca_pem)
        self.addCleanup(client.close)
        client.open_stream(b"", bidirectional=True)
        # QPACK, from its static table: :method CONNECT, and the name :authority.
        client.send(h2.HEADERS, 0, 1, b"\0\0\xcf\x50\x0finside.test:443")
        with self.target.accept() as target:
            self.assertEqual(client.expect(h2.HEADERS)[2:], (1, h3.STATUS_200))
            client.send(h2.DATA, h2.END_STREAM, 1, b"from the client")
            with target.makefile("rb") as received:
                self.assertEqual(received.read(), b"from the client")
            target.sendall(b"from the target")
            self.assertEqual(client.expect(h2.DATA)[3], b"from the target")
        self.assertTrue(client.expect(h2.DATA)[1] & h2.END_STREAM)

    def test_bytes_go_both_ways_and_each_way_ends_by_itself(self):
        with self.client(self.tunnel()) as client, self.open(client) as target:
            client.send(h2.DATA, 0, 1, b"from the client")
            self.assertEqual(target.recv(100), b"from the client")
            target.sendall(b"from the target")
            self.assertEqual(client.expect(h2.DATA)[3], b"from the target")
            client.send(h2.DATA, h2.END_STREAM, 1, b"the end")
            with target.makefile("rb") as received:
                self.assertEqual(received.read(), b"the end")  # up to its end
            target.sendall(b"one word more")
            self.assertEqual(client.expect(h2.DATA)[3], b"one word more")
            target.close()
            kind, flags, stream, rest = client.expect(h2.DATA)
            self.assertEqual((flags & h2.END_STREAM, stream, rest), (h2.END_STREAM, 1, b""))

    def test_the_client_goes_on_when_the_target_has_ended(self):
        with self.client(self.tunnel()) as client, self.open(client) as target:
            target.shutdown(socket.SHUT_WR)
            self.assertTrue(client.expect(h2.DATA)[1] & h2.END_STREAM)
            client.send(h2.DATA, h2.END_STREAM, 1, b"my last words")
            with target.makefile("rb") as received:
                self.assertEqual(received.read(), b"my last words")

    def credit(self, client, stream):
        """So much more may be sent on the stream; waits for it."""
        while True:
            frame = client.expect(h2.WINDOW_UPDATE)
            if frame[2] == stream:
                return struct.unpack("!I", frame[3])[0]

    def test_a_target_that_does_not_read_stops_the_client_and_nobody_else(self):
        with self.client(self.tunnel()) as client, self.open(client) as target:
            window, sent = 65535, 0
            client.connection.settimeout(1)  # by then what fits into the buffers is in them
            with self.assertRaises(TimeoutError):
                while sent < 64 << 20:
                    while window < PIECE:
                        window += self.credit(client, 1)
                    client.send(h2.DATA, 0, 1, bytes(PIECE))
                    window -= PIECE
                    sent += PIECE
            client.connection.settimeout(client.TIMEOUT)
            with self.open(client, stream=3) as other:
                client.send(h2.DATA, 0, 3, b"another")
                self.assertEqual(other.recv(100), b"another")
            received = 0
            while received < sent:
                received += len(target.recv(PIECE))
            self.assertGreater(self.credit(client, 1), 0)

    def test_a_client_that_does_not_read_stops_the_target(self):
        with self.client(self.tunnel()) as client, self.open(client) as target:
            target.settimeout(1)  # by then what fits into the buffers on the way is in them
            pushed = 0
            with self.assertRaises(TimeoutError):
                while pushed < 64 << 20:
                    pushed += target.send(bytes(PIECE))


class Refused(TunnelTest):
    def status(self, client, authority, **how):
        self.connect(client, authority, **how)
        _, _, _, fields = client.expect(h2.HEADERS)
        body = client.expect(h2.DATA)[3]
        # HPACK has 200 and few others in its table; the rest is a literal.
        return fields[:1], body.decode()

    def test_what_is_not_listed(self):
        """Above all the gateway's own machine, and other ports of a listed host."""
        with self.client(self.tunnel()) as client:
            for number, authority in enumerate([
                    self.target.place, "inside.test:80", "inside.test:8443", "other.test:443",
                    "127.0.0.1:22", "[::1]:443", "sub.inside.test:443", "inside.test.:443"]):
                with self.subTest(authority):
                    _, body = self.status(client, authority, stream=2 * number + 1)
                    self.assertIn('"no-tunnel"', body)
        self.target.listener.settimeout(0)
        with self.assertRaises(BlockingIOError):  # nobody has come
            self.target.listener.accept()

    def test_what_is_no_target(self):
        with self.client(self.tunnel()) as client:
            for number, authority in enumerate([
                    "inside.test", "inside.test:", "inside.test:443:443", "inside.test:0443x",
                    "inside.test:99999", "inside.test:0"]):
                with self.subTest(authority):
                    _, body = self.status(client, authority, stream=2 * number + 1)
                    self.assertIn('"bad-request"', body)

    def test_every_target_where_none_is_configured(self):
        gateway = self.gateway()
        with self.client(gateway) as client:
            _, body = self.status(client, self.target.place)
            self.assertIn('"method-not-allowed"', body)

    def test_the_case_of_a_host_does_not_matter(self):
        with self.client(self.tunnel()) as client:
            self.connect(client, "INSIDE.test:443")
            with self.target.accept():
                self.assertEqual(client.expect(h2.HEADERS)[3], h2.STATUS_200)

    def test_a_connect_with_a_path_never_reaches_the_target(self):
        with self.client(self.tunnel()) as client:
            self.connect(client, fields=b"\x87\x84")  # :scheme https, :path /
            self.assertEqual(client.expect(h2.RST_STREAM)[2], 1)

    def test_a_connect_with_a_path_over_http3_either(self):
        """RFC 9114 section 4.4, and the extended CONNECT of RFC 9220."""
        gateway = self.gateway(f'[[tunnel]]\ntarget = "inside.test:443"\n'
                               f'address = "{self.target.place}"\n', "--http3")
        client = h3.Client(gateway.port, self.ca_pem)
        self.addCleanup(client.close)
        for number, protocol in enumerate([b"", b"\x27\x02:protocol\x09websocket"]):
            client.open_stream(b"", bidirectional=True)
            # QPACK, from its static table: :method CONNECT, :scheme https, :path /.
            client.send(h2.HEADERS, h2.END_STREAM, number + 1,
                        b"\0\0\xcf" + protocol + b"\xd7\xc1\x50\x0finside.test:443")
        self.target.listener.settimeout(1)
        with self.assertRaises(TimeoutError):  # nobody comes
            self.target.listener.accept()

    def test_more_at_the_same_time_than_the_operator_allows(self):
        with self.client(self.tunnel("connections = 1")) as client:
            with self.open(client):
                _, body = self.status(client, "inside.test:443", stream=3)
                self.assertIn('"tunnel-busy"', body)
                client.send(h2.RST_STREAM, 0, 1, struct.pack("!I", CANCEL))
            self.open(client, stream=5).close()

    def test_signet_fetch_says_so(self):
        gateway = self.tunnel()
        result = fetch("--json", "--no-agent", "--cacert", self.ca_pem, "--resolve",
                       f"localhost:{gateway.port}:127.0.0.1", "--proxy",
                       f"https://localhost:{gateway.port}", "https://elsewhere.test/")
        self.assertEqual(result.exit, 7, result.stderr)
        self.assertIn("CONNECT elsewhere.test:443", result.stderr)
        self.assertIn("403", result.stderr)


class Broken(TunnelTest):
    def test_a_target_that_nobody_listens_at(self):
        gateway = self.tunnel()
        self.target.close()
        with self.client(gateway) as client:
            self.connect(client)
            client.expect(h2.HEADERS)
            self.assertIn(b'"bad-gateway"', client.expect(h2.DATA)[3])

    def test_a_target_that_resets_its_connection(self):
        with self.client(self.tunnel()) as client:
            target = self.open(client)
            target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            target.close()
            _, _, stream, code = client.expect(h2.RST_STREAM)
            self.assertEqual((stream, struct.unpack("!I", code)[0]), (1, CONNECT_ERROR))

    def test_a_client_that_resets_its_stream(self):
        with self.client(self.tunnel()) as client, self.open(client) as target:
            client.send(h2.RST_STREAM, 0, 1, struct.pack("!I", CANCEL))
            self.assertEqual(target.recv(1), b"")

    def test_a_tunnel_on_which_nothing_moves(self):
        gateway = self.gateway(f'idle_timeout = 3\n[[tunnel]]\ntarget = "inside.test:443"\n'
                               f'address = "{self.target.place}"\n')
        with self.client(gateway) as client, self.open(client) as target:
            self.assertEqual(target.recv(1), b"")
        record = gateway.next_record()
        self.assertEqual((record["method"], record["host"], record["status"]),
                         ("CONNECT", "inside.test:443", 200))


if __name__ == "__main__":
    unittest.main()
