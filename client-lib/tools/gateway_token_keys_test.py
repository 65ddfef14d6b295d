#!/usr/bin/python3
"""signet-gateway and the keys of a token's issuer, by HTTPS and in a file: they change, and servers
fail."""
import http.server
import json
import os
import ssl
import threading
import unittest

import certificates
import gateway_token_test
import raw_http2 as h2
import raw_http3 as h3
from access_tokens import Issuer, key_set

API = gateway_token_test.API


class KeyServer:
    """Serves a JWK Set on /keys. `answer` makes a response of its own: status, fields and body."""

    def __init__(self, certificate, key, keys):
        self.keys = keys
        self.answer = None
        self.asked = threading.Semaphore(0)
        self.count = 0
        self.go = threading.Event()
        self.go.set()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.count += 1
                server.asked.release()
                server.go.wait(60)
                status, fields, body = server.answer or (200, {}, server.keys.encode())
                try:
                    self.send_response(status)
                    for field in {"Content-Length": str(len(body)), **fields}.items():
                        self.send_header(*field)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # the gateway has had enough of it

            def log_message(self, *unused):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, *unused):
                pass  # a client that does not trust us

        self._http = Quiet(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"https://127.0.0.1:{self._http.server_port}/keys"

    def close(self):
        self.go.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class KeysTest(gateway_token_test.TokenTest):
    def setUp(self):
        self.server = KeyServer(self.server_pem, self.server_key, key_set(self.issuer))
        self.addCleanup(self.server.close)

    def start_with(self, url=None, ca="ca.pem", http3=False):
        return self.start(
            'handshake_certificate = "request"\n[[token]]\nname = "as"\n'
            f'issuer = "{Issuer.NAME}"\naudience = "{Issuer.AUDIENCE}"\n'
            f'jwks = "{url or self.server.url}"\njwks_ca = "{ca}"\n{API}', *["--http3"] * http3)

    def ask(self, gateway, issuer, path="/api"):
        """Status and error of a request with a token of that issuer."""
        status, _, body = self.curl(gateway, path, f"Bearer {issuer.token(self.user)}",
                                    identity=self.user)
        return status, json.loads(body).get("error")


class Http3(KeysTest):
    def test_who_never_sends_settings_is_answered_when_the_keys_come(self):
        self.server.go.clear()
        gateway = self.start_with(http3=True)
        self.server.asked.acquire()
        client = h3.Client(gateway.port, self.ca_pem, settings=False)
        self.addCleanup(client.close)
        value = f"Bearer {self.issuer.token(self.user)}".encode()
        size, length = len(value) - 0x7f, b"\x7f"
        while size > 0x7f:
            size, length = size >> 7, length + bytes([0x80 | size & 0x7f])
        client.open_stream(b"", bidirectional=True)
        client.send(h2.HEADERS, h2.END_STREAM, 1, h3.FIELDS + b"\xd1\xd7\x50\x09localhost\x51\x04/api"
                    b"\x5f\x45" + length + bytes([size]) + value)
        client.open_stream(b"", bidirectional=True)
        client.send(h2.HEADERS, h2.END_STREAM, 3, h3.FIELDS + b"\xd1\xd7\x50\x09localhost\x51\x05/open")
        self.assertEqual(json.loads(client.read_body(3)), {"path": "/open"})
        self.server.go.set()
        self.assertEqual(json.loads(client.read_body(1))["error"], "token-no-certificate")


class Keys(KeysTest):
    def test_a_new_key_counts_at_once_and_unknown_ones_do_not_load_the_server(self):
        gateway = self.start_with()
        self.assertEqual(self.ask(gateway, self.issuer), (200, None))
        self.assertEqual(self.server.count, 1)
        new = Issuer("new")
        self.server.keys = key_set(self.issuer, new)
        self.assertEqual(self.ask(gateway, new), (200, None))
        self.assertEqual(self.server.count, 2)
        for kid in ("a", "b", "c"):
            self.assertEqual(self.ask(gateway, Issuer(kid)), (401, "token-key"))
        self.assertEqual(self.server.count, 2)
        self.assertEqual(self.ask(gateway, self.issuer), (200, None))

    def test_a_key_that_the_issuer_has_dropped_counts_no_more(self):
        gateway = self.start_with()
        self.assertEqual(self.ask(gateway, self.issuer), (200, None))
        new = Issuer("new")
        self.server.keys = key_set(new)
        self.assertEqual(self.ask(gateway, new), (200, None))
        self.assertEqual(self.ask(gateway, self.issuer), (401, "token-key"))

    def test_old_keys_stay_when_there_are_no_new_ones(self):
        for answer in [(500, {}, b""), (200, {}, b"<html>"), (200, {}, b'{"keys": []}'),
                       (200, {}, b" " * 300_000),
                       (302, {"Location": self.server.url + "?elsewhere"}, b"")]:
            with self.subTest(answer[:2]):
                self.server.answer = None
                gateway = self.start_with()
                self.assertEqual(self.ask(gateway, self.issuer), (200, None))
                gateway.next_record()
                self.server.answer = answer
                self.assertEqual(self.ask(gateway, Issuer("new")), (401, "token-key"))
                record = gateway.next_record()
                self.assertEqual((record["peer"], record["error"]), (self.server.url, "token-keys"))
                self.assertIn("the keys from before stay", record["detail"])
                self.assertEqual(self.ask(gateway, self.issuer), (200, None))

    def test_a_server_that_takes_its_time_holds_up_only_who_needs_its_keys(self):
        self.server.go.clear()
        gateway = self.start_with()
        results = []
        waiting = threading.Thread(target=lambda: results.append(self.ask(gateway, self.issuer)))
        self.server.asked.acquire()
        waiting.start()
        self.assertEqual(self.ask(gateway, self.issuer, "/open"), (200, None))
        self.assertEqual(self.curl(gateway, "/api")[0], 401)  # no token: no key is needed
        self.assertEqual(results, [])
        self.server.go.set()
        waiting.join()
        self.assertEqual(results, [(200, None)])

    def test_without_keys_it_says_that_it_can_not_tell_until_it_has_some(self):
        stranger = certificates.authority("stranger", "Stranger")
        stranger.write(self.folder.name)
        gateway = self.start_with(ca="stranger.pem")
        record = gateway.next_record()
        self.assertEqual(record["error"], "token-keys")
        self.assertIn("certificate", record["detail"])
        self.assertEqual(self.ask(gateway, self.issuer), (503, "token-keys"))
        self.assertEqual(self.server.count, 0)
        self.server.answer = (500, {}, b"")
        gateway = self.start_with()
        self.assertIn("500", gateway.next_record()["detail"])
        self.assertEqual(self.ask(gateway, self.issuer), (503, "token-keys"))
        self.server.answer = None
        for _ in range(self.server.count + 1):  # the next try comes by itself
            self.server.asked.acquire()
        self.assertEqual(self.ask(gateway, self.issuer), (200, None))

    def test_ends_while_it_waits_for_a_server(self):
        self.server.go.clear()
        gateway = self.start_with()
        self.server.asked.acquire()
        self.assertEqual(gateway.stop()[0], 0)

    def test_keys_come_over_nothing_but_https(self):
        for url, expected in [("http://127.0.0.1/keys", "https://"), ("file:///keys", "https://"),
                              ("https://", "https://HOST"), ("https://a b/", "https://HOST")]:
            with self.assertRaisesRegex(AssertionError, expected):
                self.start_with(url)
        with self.assertRaisesRegex(AssertionError, "none.pem"):
            self.start_with(ca="none.pem")


class KeyFile(gateway_token_test.TokenTest):
    """The file of `jwks` is replaced while the gateway runs."""

    def setUp(self):
        self.keys = os.path.join(self.folder.name, f"{self.id()}.json")
        self.replace(key_set(self.issuer))
        token = gateway_token_test.TOKEN.replace("keys.json", os.path.basename(self.keys))
        self.gateway = self.start('handshake_certificate = "request"' + token + API)

    def replace(self, text):
        """As who does it well: nobody sees half of it."""
        with open(self.keys + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.keys + ".new", self.keys)

    def ask(self, issuer):
        """Status and error of a request with a token of that issuer; what the log says of the file."""
        status, _, body = self.curl(self.gateway, "/api", f"Bearer {issuer.token(self.user)}",
                                    identity=self.user)
        error = json.loads(body).get("error")
        record = self.gateway.next_record()
        complaint = None
        if record.get("error") == "token-keys":
            complaint, record = record, self.gateway.next_record()
        self.assertEqual((record["status"], record.get("error")), (status, error))
        return status, error, complaint

    def test_new_keys_count_for_the_next_token_and_dropped_ones_no_more(self):
        new = Issuer("new")
        self.assertEqual(self.ask(self.issuer), (200, None, None))
        self.assertEqual(self.ask(new), (401, "token-key", None))
        self.replace(key_set(self.issuer, new))
        self.assertEqual(self.ask(new), (200, None, None))
        self.assertEqual(self.ask(self.issuer), (200, None, None))
        self.replace(key_set(new))
        self.assertEqual(self.ask(self.issuer), (401, "token-key", None))
        self.assertEqual(self.ask(new), (200, None, None))

    def test_the_keys_stay_when_the_file_is_no_good_any_more_and_the_log_says_so_once(self):
        def half():
            with open(self.keys, "w", encoding="utf-8") as file:
                file.write(key_set(Issuer("new"))[:-1])

        def pipe():
            os.remove(self.keys)
            os.mkfifo(self.keys)

        for spoil, expected in [(half, "is no JWK Set"),
                                (lambda: self.replace('{"keys": []}'), "holds no public key"),
                                (lambda: self.replace(" " * 300_000), "is no JWK Set"),
                                (lambda: self.replace(""), "can't be read"),
                                (pipe, "can't be read"),
                                (lambda: os.remove(self.keys), None)]:
            with self.subTest(expected):
                spoil()
                status, error, complaint = self.ask(self.issuer)
                self.assertEqual((status, error), (200, None))
                if expected:  # a file that is gone is no worse than a pipe
                    self.assertEqual(complaint["peer"], self.keys)
                    self.assertIn(expected, complaint["detail"])
                    self.assertIn("; the keys from before stay", complaint["detail"])
                self.assertEqual(self.ask(self.issuer), (200, None, None))
        new = Issuer("new")
        self.replace(key_set(new))
        self.assertEqual(self.ask(new), (200, None, None))
        self.assertEqual(self.ask(self.issuer), (401, "token-key", None))


if __name__ == "__main__":
    unittest.main()
