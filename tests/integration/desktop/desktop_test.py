"""A page for anyone, and a link "log in with a certificate": the site and the gateway's file are those of
packaging/desktop.
"""
import os
import shutil
import socket
import unittest

from tests.integration.desktop.login_site import Fetching, LoginSite

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")

# A server of today: HTTP/2, the site behind it, and no way to ask for a certificate in mid-connection.
NGINX_CONFIGURATION = """
{user}
daemon off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
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
        if NGINX is None:
            self.skipTest("nginx is not installed")
        folder = self.stand.dir / "nginx"
        folder.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            (folder / "nginx.conf").write_text(NGINX_CONFIGURATION.format(
                user="user root;" if os.geteuid() == 0 else "", folder=folder, port=port, site=self.site,
                ca=self.stand.dir / "ca"))
            # nginx takes over the socket, as if from an older one: no port is guessed.
            os.set_inheritable(listener.fileno(), True)
            self.stand.environment["NGINX"] = f"{listener.fileno()};"
            self.stand.start("nginx", NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log",
                             pass_fds=[listener.fileno()])
            del self.stand.environment["NGINX"]
        gateway, self.stand.origin = self.stand.origin, f"https://localhost:{port}"
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
