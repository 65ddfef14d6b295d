"""Faulty requests and faulty backends: what signet-gateway refuses, and what it answers instead."""
import json
import socket
import threading
import unittest

from proxy_stand import PATTERN, ProxyTest, echoed, names


class Smuggling(ProxyTest):
    def refused(self, response):
        self.assertTrue(response.reset is not None or response.status == 400, vars(response))

    def test_a_body_is_as_long_as_it_says_or_goes_nowhere(self):
        gateway = self.start()
        evil = b"GET /evil HTTP/1.1\r\n\r\n"
        for length, body in [("3", evil), ("30", b"short"), ("0", evil), ("-1", b"x"), ("+1", b"x"),
                             ("1,1", b"x"), ("0x1", b"x")]:
            with self.subTest(length):
                client = self.client(gateway)
                response = client.fetch("/a", "POST", [("content-length", length)], body=body)
                if length == "0" and response.status == 200:  # answered before the body came
                    self.assertEqual(echoed(response)["size"], 0)
                else:
                    self.refused(response)
        self.assertNotIn("/evil", [each.target for each in self.backend.requests])

    def test_no_field_can_end_a_line_or_a_message(self):
        gateway = self.start()
        for fields in [[("x", "1\r\nevil: 2")], [("x", "1\nevil: 2")], [("x", "a\0b")],
                       [("x\r\nevil", "1")], [("x evil", "1")], [("x:evil", "1")],
                       [("transfer-encoding", "chunked")], [("connection", "close")],
                       [("content-length", "1"), ("content-length", "2")], [("upgrade", "h2c")],
                       [("host", "elsewhere")]]:
            with self.subTest(fields):
                client = self.client(gateway)
                response = client.fetch("/a", fields=fields)
                if response.status == 200:  # then without it
                    self.assertNotIn("evil", bytes(response.body).decode())
                    self.assertNotIn("transfer-encoding", names(echoed(response)))
        for each in self.backend.requests:
            self.assertNotIn("evil", dict(each.fields))
            self.assertNotIn("elsewhere", each.values("host"))

    def test_a_request_line_has_three_parts(self):
        gateway = self.start()
        for method, path in [("GET /evil HTTP/1.1\r\nx:", "/"), ("GE T", "/"), ("GET", "/a b"),
                             ("GET", "/a\r\nevil: 1"), ("GET", "http://evil/"), ("GET", "evil"),
                             ("GET", "/a#evil"), ("GET", "*")]:
            with self.subTest((method, path)):
                client = self.client(gateway)
                response = client.fetch(path, method)
                if response.status == 200:
                    self.assertEqual(echoed(response)["target"], "/a")
                else:
                    self.refused(response)
        self.assertEqual({each.target for each in self.backend.requests} - {"/a"}, set())

    def test_the_host_is_one_host(self):
        client = self.client(self.start())
        self.assertEqual(client.fetch("/", fields=[("host", "other")]).status, 400)
        self.refused(client.fetch("/", authority="a/b"))
        request = echoed(client.fetch("/", authority="", fields=[("host", "by-host")]))
        self.assertIn(["host", "by-host"], request["fields"])

    def test_no_other_reading_of_a_path_gets_past_its_rule(self):
        client = self.client(self.start())
        for path in ["//user", "/%2fuser", "/x/%2e%2e%2fuser", "/user%2fopen", "/x\\..\\user", "/user;a=b",
                     "/x%5c..%5cuser", "/user%00", "/x;/../user", "/user//open/../"]:
            with self.subTest(path):
                response = client.fetch(path)
                self.assertIn(response.status, (400, 403))
        self.assertEqual(self.backend.requests, [])
        self.assertEqual(client.fetch("/free//double;a=b/%2F?x=//user").status, 200)

    def test_connect_and_trace_are_not_passed_on(self):
        client = self.client(self.start())
        self.assertEqual(client.fetch("/", "TRACE").status, 501)
        self.assertEqual(self.backend.requests, [])


class Faults(ProxyTest):
    def refused(self, response, status, error):
        self.assertEqual((response.status, json.loads(bytes(response.body))["error"]), (status, error))

    def test_a_backend_that_is_not_there(self):
        port = self.closed_port()
        gateway = self.start(url=f"http://127.0.0.1:{port}")
        response = self.client(gateway).fetch("/")
        self.refused(response, 502, "bad-gateway")
        self.assertIn(f"127.0.0.1:{port}", bytes(response.body).decode())
        self.assertEqual(gateway.next_record()["error"], "bad-gateway")

    def test_a_backend_that_says_nothing(self):
        asked = threading.Event()
        self.backend.handlers["/"] = lambda connection, _: asked.wait(60)
        self.addCleanup(asked.set)
        self.refused(self.client(self.start("timeout = 0.3")).fetch("/"), 504, "backend-timeout")

    def test_a_backend_that_speaks_something_else(self):
        self.backend.handlers["/"] = lambda connection, _: (connection.send("SSH-2.0\r\n"),
                                                            connection.close())
        self.backend.handlers["/switch"] = lambda connection, _: connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")
        client = self.client(self.start())
        self.refused(client.fetch("/"), 502, "bad-gateway")
        self.refused(client.fetch("/switch"), 502, "bad-gateway")

    def test_a_backend_that_dies(self):
        def in_body(connection, _):
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome of it")
            connection.close()

        def in_chunk(connection, _):
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nsome of it")
            connection.close()
        self.backend.handlers.update({"/body": in_body, "/chunk": in_chunk,
                                      "/head": lambda connection, _: connection.close()})
        gateway = self.start()
        client = self.client(gateway)
        for path in ["/body", "/chunk"]:
            response = client.fetch(path)
            self.assertEqual((response.status, bytes(response.body), response.ended, response.reset),
                             (200, b"some of it", False, 2))  # INTERNAL_ERROR
            self.assertEqual(gateway.next_record()["error"], "bad-gateway")
        self.refused(client.fetch("/head"), 502, "bad-gateway")

    def test_an_answer_before_the_end_of_the_request(self):
        def answer(connection, _):
            connection.answer(b"too large", "413 Content Too Large", "Connection: close\r\n")
            connection.raw.shutdown(socket.SHUT_WR)
            while connection.raw.recv(65536):  # so that the answer is not lost in a reset
                pass
            connection.close()
        self.backend.handlers["/up"] = answer
        client = self.client(self.start())
        stream = client.begin("POST", "/up", end=False)
        client.send(stream, PATTERN)
        response = client.wait(stream)
        self.assertEqual((response.status, bytes(response.body)), (413, b"too large"))
        self.assertEqual(client.fetch("/next").status, 200)

    def test_a_client_that_gives_up_frees_the_backend(self):
        gone = threading.Event()

        def wait(connection, _):
            connection.raw.recv(1)  # ends when the gateway hangs up
            gone.set()
            connection.close()
        self.backend.handlers["/wait"] = wait
        client = self.client(self.start())
        stream = client.begin("GET", "/wait")
        client.fetch("/other")
        client.reset(stream)
        self.assertTrue(gone.wait(60))

    def test_more_requests_than_connections_wait_for_their_turn(self):
        client = self.client(self.start("connections = 1"))
        streams = [client.begin("GET", f"/{i}") for i in range(20)]
        self.assertEqual([client.wait(each).status for each in streams], [200] * 20)
        self.assertEqual({each.connection for each in self.backend.requests}, {1})

    def test_a_request_whose_turn_never_comes(self):
        done = threading.Event()
        self.addCleanup(done.set)
        self.backend.handlers["/hold"] = lambda connection, _: done.wait(60)
        client = self.client(self.start("connections = 1\ntimeout = 0.3"))
        first = client.begin("POST", "/hold", end=False)
        client.send_some(first, b"x")
        self.refused(client.fetch("/second"), 503, "backend-busy")


if __name__ == "__main__":
    unittest.main()
