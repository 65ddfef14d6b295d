"""A page for anyone, and a link "log in with a certificate": the site and the gateway's file are those of
packaging/desktop.
"""
import unittest

from tests.integration.desktop.login_site import Fetching, LoginSite
from tests.support.python import nginx

# A server of today: HTTP/2, the site behind it, and no way to ask for a certificate in mid-connection.
SERVER = """
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_protocols TLSv1.3;
    ssl_certificate {ca}/server.pem;
    ssl_certificate_key {ca}/server.key;
    location / {{
      proxy_pass http://127.0.0.1:{site};
      proxy_set_header Signet-Identities "";
    }}
  }}
"""


class DesktopTest(LoginSite):
    def test_a_page_for_anyone_asks_nobody(self):
        done = Fetching(self.stand, "/", "/nowhere").finish()
        self.assertEqual((done.statuses, done.json["authenticator_requests"]), ([200, 404], 0))
        self.assertIn("Log in with a certificate", done.pages[0])

    def test_the_click_asks_and_the_connection_goes_on_as_that_person(self):
        done = Fetching(self.stand, "/", "/login", "/account", "/account", "/").finish()
        self.assertEqual((done.code, done.statuses), (0, [200, 303, 200, 200, 200]), done.err)
        self.assertIn("logged in as <b>CN=Alice</b>", done.pages[2])
        self.assertEqual(done.pages[2], done.pages[3])
        self.assertNotIn("Alice", done.pages[4])
        self.assertEqual((done.json["authenticator_requests"], done.json["certificates_sent"]), (1, 1))

    def test_without_an_agent_the_page_says_what_to_do(self):
        done = Fetching(self.stand, "/login", "/account", options=["--no-agent"]).finish()
        self.assertEqual(done.statuses, [403, 403])
        self.assertIn("You were not logged in", done.pages[0])

    def test_a_server_without_the_extension_says_so_at_once(self):
        if nginx.PROGRAM is None:
            self.skipTest("nginx is not installed")
        folder = self.stand.dir / "nginx"
        folder.mkdir()
        server = nginx.Nginx(folder, lambda port: SERVER.format(
            port=port, site=self.site, ca=self.stand.dir / "ca"))
        self.addCleanup(server.close)
        gateway, self.stand.origin = self.stand.origin, f"https://localhost:{server.ports[0]}"
        try:
            done = Fetching(self.stand, "/", "/login").finish()
        finally:
            self.stand.origin = gateway
        self.assertEqual((done.code, done.statuses), (22, [200, 501]), done.err)
        self.assertFalse(done.json["negotiated"])
        self.assertIn("This server can't ask for certificates", done.pages[1])
        self.assertIn("it can't ask for certificates (it does not speak the extension), so none was shown", done.err)


if __name__ == "__main__":
    unittest.main()
