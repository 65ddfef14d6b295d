#!/usr/bin/python3
"""signet-fetch and signet-gateway over HTTP/3, as processes on real UDP, through good networks and bad."""
import hashlib
import http.server
import os
import socket
import threading
import time
import unittest

import certificates
import fetch_gateway_test
from fake_agent import declined
from ipc import agent_pb2 as agent
from tools_under_test import fetch
from udp_relay import UdpRelay

URL = fetch_gateway_test.URL


class Http3Test(fetch_gateway_test.ToolsTest):
    def start_gateway(self, *arguments):
        return super().start_gateway("--http3", *arguments)

    def fetch3(self, gateway, paths, *options, at=None, **keywords):
        """The last --connect counts."""
        if at is not None:
            options += ("--agent", self.socket)
            return fetch("--json", "--http3", "--cacert", self.server_ca_pem, "--connect", at,
                         *options, *[URL + path for path in paths.split()])
        return self.fetch(gateway, paths, "--http3", *options, **keywords)

    def relay(self, gateway, **options):
        relay = UdpRelay(gateway.port, **options)
        self.addCleanup(relay.close)
        return relay


class GoodNetwork(Http3Test):
    def test_proves_the_same_as_over_http2(self):
        gateway = self.start_gateway()
        over2 = self.fetch(gateway, "/ /login /whoami /login?again")
        over3 = self.fetch3(gateway, "/ /login /whoami /login?again")
        self.assertEqual(over3.exit, 0, over3.stderr)
        self.assertEqual(over3.json, over2.json)
        self.assertEqual(over3.json["certificates_sent"], 2)
        self.assertEqual(self.agent.origins, [URL] * 4)

    def test_proves_with_a_chain_of_many_packets(self):
        large = certificates.client(self.device_ca, "post-quantum", extra_size=200_000)
        self.agent.identities = [(large, agent.IDENTITY_KIND_DEVICE)]
        result = self.fetch3(self.start_gateway(), "/a /device /b /whoami")
        self.assertEqual(result.statuses(), [200] * 4, result.stderr)
        self.assertEqual(result.json["certificates_sent"], 1)

    def test_asks_one_after_the_other_at_limit_1(self):
        result = self.fetch3(self.start_gateway(), "/login", "--limit", 1)
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertEqual(result.json["certificates_sent"], 2)

    def test_says_with_verbose_what_happens(self):
        gateway = self.start_gateway()
        result = fetch("--http3", "--cacert", self.server_ca_pem, "--connect", gateway.address,
                       "--agent", self.socket, "--verbose", URL + "/a", URL + "/device")
        self.assertEqual(result.exit, 0, result.stderr)
        for expected in ["QUIC", "h3.authenticator-requests=0xf4f4a1", "negotiated",
                         "authenticator request 1", 'proved device "laptop", CN=laptop',
                         "200 " + URL + "/device"]:
            self.assertIn(expected, result.stderr)

    def test_says_over_http2_where_http3_is(self):
        for options, told in ((("--http3",), True), ((), False)):
            gateway = super(Http3Test, self).start_gateway(*options)
            for http in ((), ("--http3",) if told else ()):
                result = self.fetch(gateway, "/ /device", "--verbose", *http)
                self.assertEqual(result.exit, 0, result.stderr)
                self.assertEqual(result.stderr.count(f'* also at: h3=":{gateway.port}"\n'),
                                 2 if told and not http else 0)

    def test_keeps_identities_to_their_connection(self):
        gateway = self.start_gateway()
        self.assertEqual(self.fetch3(gateway, "/login /whoami").statuses(), [200, 200])
        self.assertEqual(self.fetch3(gateway, "/whoami").bodies()[0]["error"], "no-identity")
        self.assertEqual(self.fetch(gateway, "/whoami").bodies()[0]["error"], "no-identity")


class Site(http.server.BaseHTTPRequestHandler):
    """A web site behind the gateway: a long page, and who it is for."""

    protocol_version = "HTTP/1.1"
    page = os.urandom(500_000).hex()

    def do_GET(self):  # pylint: disable=invalid-name
        page = ((self.headers["Signet-Identities"] or "") + "\n" + self.page).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        if self.path == "/moved":
            self.send_header("Alt-Svc", "clear")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class BehindTheGateway(Http3Test):
    def start_site(self):
        site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        self.addCleanup(site.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(site.shutdown)
        config = os.path.join(self.folder.name, "gateway.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("http3 = true\n"
                       f"[backend]\nurl = \"http://127.0.0.1:{site.server_port}\"\n")
        return self.start_gateway("--config", config)

    def test_a_site_sees_the_same_client_and_its_page_arrives_whole(self):
        gateway = self.start_site()
        results = [self.fetch(gateway, "/user"), self.fetch3(gateway, "/user"),
                   self.fetch3(gateway, "/user", at=self.relay(gateway, bad=0.01).address)]
        for result in results:
            self.assertEqual(result.statuses(), [200], result.stderr)
            identities, page = result.json["responses"][0]["body"].split("\n")
            self.assertIn("People", identities)
            self.assertEqual(hashlib.sha256(page.encode()).hexdigest(),
                             hashlib.sha256(Site.page.encode()).hexdigest())


    def test_a_site_has_the_last_word_on_where_it_is(self):
        result = self.fetch(self.start_site(), "/moved /user", "--verbose")
        self.assertEqual(result.statuses(), [200, 200], result.stderr)
        self.assertEqual(result.stderr.count("* also at: clear\n"), 1)
        self.assertEqual(result.stderr.count('* also at: h3=":'), 1)


class BrokenRules(Http3Test):
    def test_ends_the_connection_with_the_drafts_error(self):
        """What this server calls a request is to the client a certificate, which no server may send."""
        gateway = self.start_gateway("--code-point", "h3.authenticator-requests=0xf4f4a2",
                                     "--code-point", "h3.certificate=0xf4f4a1")
        result = self.fetch3(gateway, "/login")
        self.assertEqual(result.exit, 95, result.stderr)
        error = result.json["connection_error"]
        self.assertEqual((error["by"], error["name"]), ("local", "H3_FRAME_UNEXPECTED"))
        self.assertEqual(result.json["certificates_sent"], 0)
        self.assertEqual(self.agent.calls, [])
        self.assertEqual(gateway.next_record()["error"],
                         "http3, says the client: H3_FRAME_UNEXPECTED")


class RefusalsOverHttp3(Http3Test):
    def refused(self, result, error):
        self.assertEqual(result.exit, 22, result.stderr)
        self.assertEqual(result.statuses(), [403])
        self.assertEqual(result.bodies()[0]["error"], error)

    def test_not_supported_when_only_one_side_changed_its_code_points(self):
        result = self.fetch3(self.start_gateway(), "/login", "--code-point",
                             "h3.client-cert-auth=0xf4f4d0")
        self.refused(result, "not-supported")
        self.assertIs(result.json["negotiated"], False)

    def test_declined_without_an_agent_or_by_it(self):
        gateway = self.start_gateway()
        self.refused(self.fetch3(gateway, "/login", "--no-agent", agent_socket=False), "declined")
        self.agent.answer = lambda call: declined(agent.DECLINE_REASON_DENIED, "no rule")
        result = self.fetch3(gateway, "/login")
        self.refused(result, "declined")
        self.assertEqual(result.json["empty_sent"], 2)

    def test_says_that_a_server_is_not_to_be_trusted(self):
        gateway = self.start_gateway()
        result = fetch("--http3", "--json", "--cacert", self.device_ca_pem, "--connect",
                       gateway.address, URL + "/")
        self.assertEqual(result.exit, 60, result.stderr)
        self.assertIn("--cacert", result.stderr)

    def test_says_that_nobody_answers_on_udp(self):
        gateway = super(Http3Test, self).start_gateway()
        result = self.fetch3(gateway, "/")
        self.assertEqual(result.exit, 7, result.stderr)
        self.assertIn("HTTP/3", result.stderr)

    def test_says_that_somebody_on_udp_does_not_answer(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 0))
        result = self.fetch3(None, "/", "--deadline", 1,
                             at=f"127.0.0.1:{silent.getsockname()[1]}")
        self.assertEqual(result.exit, 28, result.stderr)
        self.assertIn("--deadline", result.stderr)


class BadNetwork(Http3Test):
    def test_proves_through_loss_doubling_and_reordering(self):
        gateway = self.start_gateway()
        large = certificates.client(self.device_ca, "post-quantum", extra_size=60_000)
        self.agent.identities[0] = (large, agent.IDENTITY_KIND_DEVICE)
        relay = self.relay(gateway, bad=0.08)
        result = self.fetch3(gateway, "/a /login /whoami /b", at=relay.address)
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertEqual(result.json["certificates_sent"], 2)
        self.assertGreater(relay.lost, 0)
        self.assertGreater(relay.doubled, 0)
        self.assertGreater(relay.delayed, 0)

    def test_stays_the_same_client_at_another_address(self):
        gateway = self.start_gateway()
        relay = self.relay(gateway)

        def move_then_answer(call):
            relay.rebind()
            return self.agent.answer_honestly(call)

        self.agent.answer = move_then_answer
        result = self.fetch3(gateway, "/device /whoami /user", at=relay.address)
        self.assertEqual(result.statuses(), [200] * 3, result.stderr)
        self.assertEqual(result.json["certificates_sent"], 2)

    def test_lets_clients_show_their_address_first_when_it_is_crowded(self):
        config = os.path.join(self.folder.name, "crowded.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("http3_retry_above = 0\n")
        for options, retried in ((("--config", config), True), ((), False)):
            relay = self.relay(self.start_gateway(*options))
            result = self.fetch3(None, "/login /whoami", at=relay.address)
            self.assertEqual(result.statuses(), [200, 200], result.stderr)
            self.assertEqual(relay.first_answer[0] & 0xf0 == 0xf0, retried)  # its type, RFC 9000

    def test_stays_while_a_person_thinks_for_longer_than_the_idle_timeout(self):
        gateway = self.start_gateway("--idle-timeout", 2)

        def think_then_answer(call):
            time.sleep(4)  # what a person does
            return self.agent.answer_honestly(call)

        self.agent.answer = think_then_answer
        result = self.fetch3(gateway, "/device", at=gateway.address)
        self.assertEqual(result.statuses(), [200], result.stderr)


if __name__ == "__main__":
    unittest.main()
