"""signet-gateway in front of sites of other kinds: Debian's nginx on both protocols, and HTTP/2 on
python3-h2."""
import base64
import hashlib
import json
import unittest

import certificates
import h2.errors
from fake_agent import prove
from h2c_backend import H2cBackend, HangUp
from ipc import agent_pb2 as agent
from nginx import PROGRAM, Nginx
from proxy_stand import CLIENT_CERT_AUTH, PATTERN, ProxyTest, echoed, is_sanitized


def servers(folder):
    """HTTP/1.1 on one port, h2c on another."""
    return lambda http1, h2c: f"""
  client_max_body_size 0;
  large_client_header_buffers 4 32k;
  server {{
    listen 127.0.0.1:{http1};
    listen 127.0.0.1:{h2c} http2;
    location /files/ {{ root {folder}; dav_methods PUT; create_full_put_path on; }}
    location / {{
      return 200 "$server_protocol|$host|$uri|$http_x_forwarded_for|$http_client_cert|$http_signet_identities";
    }}
  }}
"""


class NginxSite:
    """The tests; each protocol is a class of its own."""

    def setUp(self):
        super().setUp()
        if PROGRAM is None:
            self.skipTest("nginx is not installed")
        folder = self.folder / self.id()
        folder.mkdir()
        nginx = Nginx(folder, servers(folder), ports=2)
        self.addCleanup(nginx.close)
        self.http1, self.h2c = nginx.ports

    def start_gateway(self):
        return self.start('client_cert = "user"', url=self.url())

    def seen(self, body):
        return dict(zip(["protocol", "host", "uri", "for", "cert", "identities"],
                        bytes(body).decode().split("|")))

    def test_serves_a_page_to_somebody_it_can_name(self):
        gateway = self.start_gateway()
        result = self.fetch(gateway, "/free /user/page", fake=self.start_agent())
        free, page = [self.seen(each["body"].encode()) for each in result.json["responses"]]
        self.assertEqual(free, {"protocol": self.PROTOCOL, "host": "localhost", "uri": "/free",
                                "for": "127.0.0.1", "cert": "", "identities": ""})
        self.assertRegex(page["cert"], "^:[A-Za-z0-9+/=]+:$")
        self.assertEqual(json.loads(page["identities"])["identities"][0]["subject"], "CN=Jäne Doe")
        self.assertEqual(self.fetch(gateway, "/user/page").statuses(), [403])

    def test_takes_a_file_and_gives_it_back_whole_in_part_and_not_at_all(self):
        gateway = self.start_gateway()
        client = self.client(gateway)
        body = PATTERN * (16 if is_sanitized(gateway.pid) else 256)
        for fields in [[("content-length", str(len(body)))], []]:
            self.assertIn(client.fetch("/files/a/b", "PUT", fields, body=body).status, (201, 204))
            response = client.fetch("/files/a/b")
            self.assertEqual(hashlib.sha256(response.body).digest(), hashlib.sha256(body).digest())
        self.assertEqual(client.fetch("/files/a/b", "HEAD").fields["content-length"], str(len(body)))
        part = client.fetch("/files/a/b", fields=[("range", "bytes=3-5")])
        self.assertEqual((part.status, bytes(part.body)), (206, body[3:6]))
        same = client.fetch("/files/a/b", fields=[("if-none-match", response.fields["etag"])])
        self.assertEqual((same.status, bytes(same.body)), (304, b""))
        self.assertEqual(client.fetch("/files/none").status, 404)

    def test_no_reading_of_a_path_by_nginx_gets_past_its_rule(self):
        client = self.client(self.start_gateway())
        for path in ["/user", "//user", "/%2fuser", "/x%2f..%2fuser", "/x/%2e%2e/user", "/./user", "/user/%2e"]:
            self.assertIn(client.fetch(path).status, (400, 403), path)
        self.assertEqual(self.seen(client.fetch("/free//x").body)["uri"], "/free/x")

    def test_many_requests_at_once_on_one_connection(self):
        client = self.client(self.start_gateway())
        streams = [client.begin("GET", f"/{i}") for i in range(100)]
        self.assertEqual([self.seen(client.wait(each).body)["uri"] for each in streams],
                         [f"/{i}" for i in range(100)])


class NginxHttp1(NginxSite, ProxyTest):
    PROTOCOL = "HTTP/1.1"

    def url(self):
        return f"http://127.0.0.1:{self.http1}"


class NginxH2c(NginxSite, ProxyTest):
    PROTOCOL = "HTTP/2.0"

    def url(self):
        return f"h2c://127.0.0.1:{self.h2c}"


class H2c(ProxyTest):
    def serve(self, settings=None, backend=""):
        self.site = H2cBackend(settings)
        self.addCleanup(self.site.close)
        return self.start(backend, url=self.site.url)

    def test_passes_a_request_with_what_the_gateway_says_in_place_of_the_client(self):
        client = self.client(self.serve())
        spoofed = [("client_cert", "forged"), ("signet-identities", "forged"), ("forwarded", "forged")]
        request = echoed(client.fetch("/a?q", "POST", [("te", "trailers"), ("x-own", "1"), *spoofed],
                                      body=b"12345", trailers=[("x-sum", "9"), *spoofed]))
        self.assertEqual(request["fields"], [
            [":method", "POST"], [":scheme", "http"], [":authority", client.authority],
            [":path", "/a?q"], ["x-own", "1"], ["x-forwarded-for", "127.0.0.1"],
            ["x-forwarded-proto", "https"], ["x-forwarded-host", client.authority],
            ["via", "2.0 signet-gateway"], ["te", "trailers"]])
        self.assertEqual((request["size"], request["trailers"]), (5, [["x-sum", "9"]]))

    def test_passes_trailers_and_information_back(self):
        def answer(_, connection, stream, __):
            connection.send_headers(stream, [(":status", "103"), ("link", "</a>")])
            connection.send_headers(stream, [(":status", "200"), ("client-cert", ":forged:")])
            connection.send_data(stream, b"hello")
            connection.send_headers(stream, [("grpc-status", "0")], end_stream=True)
        gateway = self.serve()
        self.site.handlers["/grpc"] = answer
        response = self.client(gateway).fetch("/grpc")
        self.assertEqual((response.informational, response.fields, bytes(response.body),
                          response.trailers),
                         ([(103, {"link": "</a>"})], {}, b"hello", {"grpc-status": "0"}))

    def test_a_long_certificate_fits_into_the_fields(self):
        def hash_it(_, connection, stream, request):
            leaf = base64.b64decode(dict(request.fields)["client-cert"].strip(":"))
            connection.send_headers(stream, [(":status", "200")])
            connection.send_data(stream, hashlib.sha256(leaf).hexdigest().encode(), end_stream=True)
        gateway = self.serve(backend='client_cert = "user"')
        self.site.handlers["/user"] = hash_it
        fake = self.start_agent()
        long = certificates.client(self.user_ca, "long", extra_size=52000)
        fake.answer = lambda call: prove(call, long, agent.IDENTITY_KIND_USER)
        result = self.fetch(gateway, "/user", fake=fake)
        self.assertEqual(result.statuses(), [200], result.stdout)
        self.assertEqual(result.json["responses"][0]["body"], hashlib.sha256(long.der).hexdigest())

    def test_requests_of_all_clients_share_a_connection(self):
        gateway = self.serve()
        numbers = {echoed(self.client(gateway).fetch("/"))["connection"] for _ in range(3)}
        self.assertEqual(numbers, {1})

    def test_a_refused_request_is_tried_once_more_and_one_with_a_body_is_not(self):
        def refuse(_, connection, stream, __):
            connection.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)
            self.site.handlers.pop("/once", None)
        gateway = self.serve()
        self.site.handlers.update({"/once": refuse, "/ever": refuse})
        client = self.client(gateway)
        self.assertEqual(client.fetch("/once").status, 200)
        self.assertEqual(client.fetch("/ever").status, 502)
        self.site.handlers["/once"] = refuse
        self.assertEqual(client.fetch("/once", "POST", body=b"x").status, 502)

    def test_after_a_goaway_there_is_a_new_connection(self):
        def leave(_, connection, stream, request):
            body = json.dumps({"connection": request.connection}).encode()
            connection.send_headers(stream, [(":status", "200")])
            connection.send_data(stream, body, end_stream=True)
            connection.close_connection(last_stream_id=stream)
        gateway = self.serve()
        self.site.handlers["/leave"] = leave
        client = self.client(gateway)
        self.assertEqual([echoed(client.fetch(path))["connection"] for path in ["/leave", "/", "/"]],
                         [1, 2, 2])

    def test_a_backend_that_resets_or_hangs_up_in_a_response(self):
        def begin(_, connection, stream, __):
            connection.send_headers(stream, [(":status", "200")])
            connection.send_data(stream, b"some of it")

        def reset(site, connection, stream, request):
            begin(site, connection, stream, request)
            connection.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)

        def hang_up(site, connection, stream, request):
            begin(site, connection, stream, request)
            raise HangUp
        gateway = self.serve()
        self.site.handlers.update({"/reset": reset, "/gone": hang_up})
        client = self.client(gateway)
        for path in ["/reset", "/gone"]:
            response = client.fetch(path)
            self.assertEqual((response.ended, response.reset), (False, 2), path)
        self.assertEqual(client.fetch("/next").status, 200)

    def test_a_backend_that_says_nothing_is_not_there_or_speaks_something_else(self):
        gateway = self.serve(backend="timeout = 0.3")
        self.site.handlers["/silent"] = lambda *_: None
        client = self.client(gateway)
        response = client.fetch("/silent")
        self.assertEqual((response.status, echoed(response)["error"]), (504, "backend-timeout"))
        gateway = self.start(url=f"h2c://127.0.0.1:{self.closed_port()}")
        response = self.client(gateway).fetch("/")
        self.assertEqual((response.status, echoed(response)["error"]), (502, "bad-gateway"))
        response = self.client(self.start(url=self.backend.url.replace("http", "h2c"))).fetch("/")
        self.assertEqual((response.status, echoed(response)["error"]), (502, "bad-gateway"))

    def test_an_answer_before_the_end_of_the_request(self):
        def answer(_, connection, stream, __):
            connection.send_headers(stream, [(":status", "413")])
            connection.send_data(stream, b"too large", end_stream=True)
        gateway = self.serve()
        self.site.at_start["/up"] = answer
        client = self.client(gateway)
        stream = client.begin("POST", "/up", end=False)
        response = client.wait(stream)
        self.assertEqual((response.status, bytes(response.body)), (413, b"too large"))
        self.assertEqual(client.fetch("/next").status, 200)

    def test_a_client_that_does_not_read_holds_up_no_other(self):
        def stream_all(_, connection, stream, __):  # as far as the window allows
            connection.send_headers(stream, [(":status", "200")])
            while size := min(connection.local_flow_control_window(stream), 16384):
                connection.send_data(stream, bytes(size))
        gateway = self.serve()
        self.site.handlers["/big"] = stream_all
        stuck = self.client(gateway)
        stuck.take = False
        streams = [stuck.begin("GET", "/big") for _ in range(4)]
        stuck.wait(streams[0], lambda _: sum(len(stuck.responses[each].body) for each in streams) == 65535)
        self.assertEqual(echoed(self.client(gateway).fetch("/"))["connection"], 1)

    def test_waits_for_certificates_before_it_asks_the_backend(self):
        gateway = self.serve()
        client = self.client(gateway, {CLIENT_CERT_AUTH: 4})
        waiting = client.begin("GET", "/user")
        self.assertEqual(client.fetch("/free").status, 200)
        self.assertEqual([each.path for each in self.site.requests], ["/free"])
        self.assertIsNone(client.responses[waiting].status)


if __name__ == "__main__":
    unittest.main()
