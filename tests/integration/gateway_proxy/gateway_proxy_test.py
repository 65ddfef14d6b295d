"""signet-gateway in front of a site: what goes through, and what comes with it."""
import base64
import hashlib
import json
import unittest

import raw_http2
from proxy_stand import ProxyTest, echoed, names


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


if __name__ == "__main__":
    unittest.main()
