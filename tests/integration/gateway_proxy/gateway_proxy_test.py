"""signet-gateway in front of a site: what goes through, and what must not."""
import base64
import hashlib
import json
import resource
import select
import signal
import socket
import threading
import unittest

import raw_http2
from proxy_stand import CLIENT_CERT_AUTH, ProxyTest, is_sanitized

MEGABYTE = 1 << 20
BIG = 64 * MEGABYTE
PATTERN = hashlib.sha256(b"signet").digest() * 2048  # 64 KiB


def echoed(response):
    """What the backend was asked: the body that python_backend.echo made."""
    return json.loads(bytes(response.body))


def names(request):
    return [name for name, _ in request["fields"]]


class Forwarding(ProxyTest):
    def test_passes_a_request_with_what_the_gateway_says_in_place_of_the_client(self):
        client = self.client(self.start())
        response = client.fetch("/a/./b%41?q=%2e&r", fields=[
            ("user-agent", "test"), ("cookie", "a=1"), ("cookie", "b=2"), ("x-list", "1"),
            ("x-list", "2"), ("te", "trailers"), ("forwarded", "for=6.6.6.6"),
            ("x-forwarded-for", "6.6.6.6"), ("x-forwarded-port", "1"), ("proxy-authorization", "x")])
        self.assertEqual(response.status, 200)
        request = echoed(response)
        self.assertEqual((request["method"], request["target"]), ("GET", "/a/bA?q=%2e&r"))
        self.assertEqual(request["fields"], [
            ["host", client.authority], ["user-agent", "test"], ["x-list", "1"], ["x-list", "2"],
            ["cookie", "a=1; b=2"], ["x-forwarded-for", "127.0.0.1"], ["x-forwarded-proto", "https"],
            ["x-forwarded-host", client.authority], ["via", "2.0 signet-gateway"]])

    def test_passes_a_response_without_what_is_meant_for_one_hop(self):
        def answer(connection, _):
            connection.answer(b"late", "404 Not Here", "X-Own: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
                              "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
                              "Client-Cert: :AAAA:\r\nX-Empty:\r\n")
        self.backend.handlers["/x"] = answer
        response = self.client(self.start()).fetch("/x")
        self.assertEqual((response.status, bytes(response.body)), (404, b"late"))
        self.assertEqual(response.fields, {"content-length": "4", "x-own": "1", "set-cookie": "b",
                                           "x-empty": ""})

    def test_passes_long_and_many_fields_of_a_response_and_refuses_more(self):
        self.backend.handlers["/long"] = lambda connection, _: connection.answer(
            b"", fields=f"X-Long: {'x' * 60000}\r\n")
        self.backend.handlers["/many"] = lambda connection, _: connection.answer(
            b"", fields="".join(f"X-{i}: \r\n" for i in range(1500)))
        self.backend.handlers["/more"] = lambda connection, _: connection.answer(
            b"", fields=f"X-Long: {'x' * 70000}\r\n")
        gateway = self.start()
        client = raw_http2.Client(gateway.port, self.ca_pem)
        self.addCleanup(client.connection.close)
        for stream, path in [(1, "/long"), (3, "/many")]:
            client.request(stream, path)
            self.assertEqual(client.expect(raw_http2.HEADERS)[2], stream)
        self.assertEqual(self.client(gateway).fetch("/more").status, 502)

    def test_answers_without_a_body_have_none(self):
        self.backend.handlers["/head"] = lambda connection, _: connection.send(
            "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        self.backend.handlers["/none"] = lambda connection, _: connection.send(
            "HTTP/1.1 204 No Content\r\n\r\n")
        self.backend.handlers["/same"] = lambda connection, _: connection.send(
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n")
        client = self.client(self.start())
        for path, method, status in [("/head", "HEAD", 200), ("/none", "GET", 204), ("/same", "GET", 304)]:
            response = client.fetch(path, method)
            self.assertEqual((response.status, bytes(response.body)), (status, b""))
        self.assertEqual(client.fetch("/head", "HEAD").fields["content-length"], "1000")

    def test_a_body_of_unknown_length_goes_in_chunks_one_of_known_length_as_it_is(self):
        client = self.client(self.start())
        request = echoed(client.fetch("/up", "POST", body=b"x" * 100000))
        self.assertEqual((request["size"], "transfer-encoding" in names(request)), (100000, True))
        request = echoed(client.fetch("/up", "PUT", [("content-length", "5")], body=b"hello"))
        self.assertEqual((request["size"], ["content-length", "5"] in request["fields"]), (5, True))
        request = echoed(client.fetch("/up", "POST"))
        self.assertIn(["content-length", "0"], request["fields"])

    def test_trailers_go_both_ways(self):
        def answer(connection, request):
            connection.read_body(request)
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
                            f"X-Sum: {request.trailers}\r\nTransfer-Encoding: x\r\n\r\n")
        self.backend.handlers["/t"] = answer
        response = self.client(self.start()).fetch("/t", "POST", body=b"abc", trailers=[("x-crc", "7")])
        self.assertEqual(bytes(response.body), b"hello")
        self.assertEqual(response.trailers, {"x-sum": "[('x-crc', '7')]"})

    def test_a_body_up_to_the_end_of_the_connection(self):
        def answer(connection, _):
            connection.send("HTTP/1.0 200 OK\r\n\r\nall of it")
            connection.close()
        self.backend.handlers["/old"] = answer
        self.assertEqual(bytes(self.client(self.start()).fetch("/old").body), b"all of it")

    def test_early_hints_and_100_continue(self):
        def answer(connection, request):
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
            connection.read_body(request)
            connection.answer(b"done")
        self.backend.handlers["/hints"] = answer
        client = self.client(self.start())
        stream = client.begin("POST", "/hints", [("expect", "100-continue")], end=False)
        client.wait(stream, lambda response: len(response.informational) == 2)
        client.send(stream, b"body", end=True)
        response = client.wait(stream)
        self.assertEqual(response.informational, [(100, {}), (103, {"link": "</a.css>"})])
        self.assertEqual(bytes(response.body), b"done")
        self.assertIsNone(self.backend.requests[0].value("expect"))

    def test_keeps_connections_for_requests_that_can_be_said_again(self):
        client = self.client(self.start())
        self.assertEqual([echoed(client.fetch("/"))["connection"] for _ in range(3)], [1, 1, 1])
        self.assertEqual(echoed(client.fetch("/", "DELETE"))["connection"], 1)
        # RFC 9110 section 9.2.2: these might have been heard when their connection breaks.
        self.assertEqual(echoed(client.fetch("/", "PUT", body=b"x"))["connection"], 2)
        self.assertEqual(echoed(client.fetch("/", "POST"))["connection"], 3)

    def test_a_kept_connection_that_the_backend_closes_costs_nobody_a_request(self):
        def answer(connection, _):  # closes at the next request, as if it had been idle for too long
            connection.answer(b"last")
            connection.read_request()
            connection.close()
        self.backend.handlers["/last"] = answer
        client = self.client(self.start())
        self.assertEqual(bytes(client.fetch("/last").body), b"last")
        self.assertEqual(echoed(client.fetch("/next"))["connection"], 2)

    def test_the_access_log_says_what_was_done(self):
        gateway = self.start()
        self.client(gateway).fetch("/a?secret", "POST", body=b"12345")
        record = gateway.next_record()
        self.assertEqual({key: record[key] for key in ["method", "path", "status", "received"]},
                         {"method": "POST", "path": "/a", "status": 200, "received": 5})
        self.assertGreater(record["sent"], 0)
        self.assertNotIn("secret", json.dumps(record))


class Identities(ProxyTest):
    def test_one_travels_as_rfc_9440_says_and_all_as_json(self):
        gateway = self.start('client_cert = "user"')
        result = self.fetch(gateway, "/both /offer", fake=self.start_agent())
        self.assertEqual(result.statuses(), [200, 200], result.stderr)
        for request in result.bodies():
            fields = dict(request["fields"])
            self.assertEqual(len(names(request)), len(set(names(request))))
            leaf, chain = fields["client-cert"], fields["client-cert-chain"]
            self.assertRegex(leaf + "," + chain, r"^:[A-Za-z0-9+/]+=*:,:[A-Za-z0-9+/]+=*:$")
            self.assertEqual(base64.b64decode(leaf.strip(":")), self.user.der)
            self.assertEqual(base64.b64decode(chain.strip(":")), self.issuer.der)
            self.assertTrue(fields["signet-identities"].isascii())
            told = json.loads(fields["signet-identities"])
            self.assertEqual([(each["certificate"], each["subject"], each["sha256"])
                              for each in told["identities"]],
                             [("user", "CN=Jäne Doe", hashlib.sha256(self.user.der).hexdigest()),
                              ("device", "CN=laptop", hashlib.sha256(self.device.der).hexdigest())])
            self.assertEqual(told["missing"], [])

    def test_the_chain_stays_here_when_it_is_not_wanted_or_there_is_none(self):
        fake = self.start_agent()
        for backend in ['client_cert = "user"\nclient_cert_chain = false', 'client_cert = "device"']:
            result = self.fetch(self.start(backend), "/both", fake=fake)
            self.assertIn("client-cert", names(result.bodies()[0]))
            self.assertNotIn("client-cert-chain", names(result.bodies()[0]))

    def test_where_nothing_is_asked_nothing_is_told(self):
        result = self.fetch(self.start('client_cert = "user"'), "/both /other /user/open",
                            fake=self.start_agent())
        for request in result.bodies()[1:]:
            self.assertNotRegex(" ".join(names(request)), "client-cert|signet")

    def test_without_an_identity_there_is_no_client_cert_and_the_backend_learns_why(self):
        request = self.fetch(self.start('client_cert = "user"'), "/pass").bodies()[0]
        self.assertNotIn("client-cert", names(request))
        told = json.loads(dict(request["fields"])["signet-identities"])
        self.assertEqual(told["identities"], [])
        self.assertEqual([(each["certificate"], each["error"]) for each in told["missing"]],
                         [("device", "declined"), ("user", "declined")])

    def test_refuses_without_asking_the_backend(self):
        result = self.fetch(self.start(), "/user /both /user/deep")
        self.assertEqual(result.statuses(), [403] * 3)
        self.assertEqual(self.backend.requests, [])

    def test_nobody_outside_can_say_what_the_gateway_says(self):
        client = self.client(self.start('client_cert = "user"'))
        spoofed = ["client-cert", "client_cert", "client-cert-chain", "client_cert_chain",
                   "client_cert-chain", "signet-identities", "signet_identities", "client.cert",
                   "client^cert", "signet!identities", "x_forwarded_for", "x-forwarded-client-cert"]
        fields = [(name, "forged") for name in spoofed]
        for path, method, body, trailers in [
                ("/x", "GET", None, None), ("/offer", "GET", None, None), ("/x", "POST", b"b", fields)]:
            response = client.fetch(path, method, fields, body=body, trailers=trailers)
            self.assertEqual(response.status, 200)
            self.assertNotIn("forged", bytes(response.body).decode())

    def test_upper_case_names_never_get_through(self):
        client = self.client(self.start())
        for fields in [[("Client-Cert", "forged")], [("CLIENT-CERT", "forged")]]:
            response = client.fetch("/x", fields=fields)
            self.assertTrue(response.reset == 1 or b"forged" not in response.body, response.body)
        self.assertFalse([each for each in self.backend.requests
                          if "forged" in dict(each.fields).values()])


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


class Bodies(ProxyTest):
    def test_large_bodies_stream_both_ways_in_little_memory(self):
        gateway = self.start()
        count = BIG // len(PATTERN) // (8 if is_sanitized(gateway.pid) else 1)

        def stream(connection, _):
            connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {count * len(PATTERN)}\r\n\r\n")
            for _ in range(count):
                connection.send(PATTERN)

        def take(connection, request):
            connection.answer(list(connection.read_body(request, keep=False)))
        self.backend.handlers.update({"/big": stream, "/take": take})
        digest = hashlib.sha256(PATTERN * count).hexdigest()
        client = self.client(gateway)
        # A client whose windows open as it reads; the default ones are small.
        client.h2.increment_flow_control_window(MEGABYTE)
        response = client.fetch("/big")
        self.assertEqual(hashlib.sha256(response.body).hexdigest(), digest)
        client = self.client(gateway)
        response = client.fetch("/take", "POST", body=PATTERN * count)
        self.assertEqual(json.loads(bytes(response.body)), [count * len(PATTERN), digest])
        if not is_sanitized(gateway.pid):
            with open(f"/proc/{gateway.pid}/status", encoding="utf-8") as status:
                peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
            self.assertLess(peak, 32 * 1024, "kB")

    def test_a_client_that_does_not_read_stops_the_backend_and_nobody_else(self):
        sent = []
        blocked = threading.Event()

        def stream(connection, _):
            connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {BIG}\r\n\r\n")
            connection.raw.setblocking(False)
            # A moment without progress counts as blocked: on a slow machine that says so too early.
            while sum(sent) < BIG and select.select([], [connection.raw], [], 0.5)[1]:
                sent.append(connection.raw.send(PATTERN))
            blocked.set()
            connection.close()
        self.backend.handlers["/big"] = stream
        client = self.client(self.start())
        client.take = False
        stuck = client.begin("GET", "/big")
        client.wait(stuck, lambda response: len(response.body) == 65535)
        self.assertTrue(blocked.wait(60))
        self.assertLess(sum(sent), BIG // 2)  # a window, and what the kernel's buffers take
        client.h2.increment_flow_control_window(MEGABYTE)  # of the connection, not of that stream
        self.assertEqual(client.fetch("/beside").status, 200)
        self.assertEqual(len(client.responses[stuck].body), 65535)

    def test_a_backend_that_does_not_read_stops_the_client_and_no_other_stream(self):
        reading = threading.Event()

        def hold(connection, request):
            reading.wait(60)
            connection.answer(list(connection.read_body(request, keep=False)))
        self.backend.handlers["/hold"] = hold
        client = self.client(self.start())
        stuck = client.begin("POST", "/hold", end=False)
        sent = 0
        # What the gateway and the kernel's buffers hold is far less than this.
        while sent < BIG:
            count = client.send_some(stuck, PATTERN)
            sent += count
            if count == 0:  # until the gateway gives window, or has answered a question put later
                client.fetch("/probe")
                if client.h2.local_flow_control_window(stuck) == 0:
                    break
        self.assertLess(sent, BIG)
        self.assertEqual(echoed(client.fetch("/beside", "POST", body=PATTERN))["size"], len(PATTERN))
        reading.set()
        client.end(stuck)
        self.assertEqual(json.loads(bytes(client.wait(stuck).body))[0], sent)

    def test_a_request_that_waits_for_a_certificate_holds_up_no_other(self):
        client = self.client(self.start(), {CLIENT_CERT_AUTH: 4})
        waiting = client.begin("GET", "/user")
        posting = client.begin("POST", "/user/x", end=False)
        client.send_some(posting, PATTERN)
        self.assertEqual(echoed(client.fetch("/beside", "POST", body=PATTERN * 8))["size"],
                         len(PATTERN) * 8)
        self.assertIsNone(client.responses[waiting].status)
        self.assertIsNone(client.responses[posting].status)

    def test_a_body_that_came_while_its_request_waited_is_passed_on_whole(self):
        client = self.client(self.start(), {CLIENT_CERT_AUTH: 4})
        request = echoed(client.fetch("/hasty", "POST", body=PATTERN * 4))  # nobody answers in 0.3 s
        self.assertEqual(request["sha256"], hashlib.sha256(PATTERN * 4).hexdigest())
        told = json.loads(dict(request["fields"])["signet-identities"])
        self.assertEqual({each["error"] for each in told["missing"]}, {"timeout"})


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


class Load(ProxyTest):
    def test_a_thousand_connections_at_once(self):
        gateway = self.start("timeout = 600")
        count = 200 if is_sanitized(gateway.pid) else 1000
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 3 * count:
            self.skipTest(f"{hard} descriptors are not enough")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        arrived = threading.Semaphore(0)
        go = threading.Event()

        def meet(connection, _):
            arrived.release()
            go.wait(600)
            connection.answer(b"met")
        self.backend.handlers["/meet"] = meet
        self.addCleanup(go.set)
        clients = []
        for _ in range(count):
            client = raw_http2.Client(gateway.port, self.ca_pem)
            self.addCleanup(client.connection.close)
            client.request(1, "/meet")
            clients.append(client)
        for _ in range(count):
            self.assertTrue(arrived.acquire(timeout=60))
        go.set()
        for client in clients:
            self.assertEqual(client.read_body(1), b"met")


class Ending(ProxyTest):
    def test_sigterm_lets_a_body_that_streams_come_to_its_end(self):
        go = threading.Event()
        self.addCleanup(go.set)

        def stream(connection, _):
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nbefore")
            go.wait(60)
            connection.send(" after")
        self.backend.handlers["/slow"] = stream
        gateway = self.start(more="drain_timeout = 60")
        # python3-h2 takes no data after a GOAWAY.
        client = raw_http2.Client(gateway.port, self.ca_pem)
        self.addCleanup(client.connection.close)
        client.request(1, "/slow")
        self.assertEqual(client.expect(raw_http2.DATA)[3], b"before")
        gateway.signal(signal.SIGTERM)
        self.assertEqual(client.expect_goaway(), 0)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", gateway.port))
        go.set()
        self.assertEqual(client.read_body(1), b" after")
        client.connection.close()
        self.assertEqual(gateway.wait()[0], 0)

    def test_what_takes_too_long_after_sigterm_is_cut(self):
        go = threading.Event()
        self.addCleanup(go.set)
        self.backend.handlers["/never"] = lambda connection, _: go.wait(60)
        gateway = self.start(more="drain_timeout = 0.3")
        client = self.client(gateway)
        client.begin("GET", "/never")
        gateway.signal(signal.SIGTERM)
        self.assertEqual(gateway.wait()[0], 0)


if __name__ == "__main__":
    unittest.main()
