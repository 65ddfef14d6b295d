"""What streams through signet-gateway: large bodies, many connections, and what SIGTERM lets end."""
import hashlib
import json
import resource
import select
import signal
import socket
import threading
import unittest

import raw_http2
from proxy_stand import CLIENT_CERT_AUTH, PATTERN, ProxyTest, echoed, is_sanitized

MEGABYTE = 1 << 20
BIG = 64 * MEGABYTE


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
