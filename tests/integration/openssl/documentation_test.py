"""What docs/openssl.md tells a person to type works as it stands there, but for names and places."""
import os
import pathlib
import re
import subprocess
import unittest

from tests.integration.openssl.fixture import KEYS, PROVIDER, SANITIZED, WithProvider
from tests.support.python.nginx import Nginx
from tests.support.stand import BIN, PATIENCE

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "openssl.md"


def blocks(language):
    """The fenced blocks of a language, each with the title of its section."""
    section = ""
    for match in re.finditer(r"^## ([^\n]*)$|^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.M | re.S):
        if match.group(1):
            section = match.group(1)
        elif match.group(2) == language:
            yield section, match.group(3)


@unittest.skipIf(SANITIZED, "programs of Debian can't load a sanitized library")
class Documentation(WithProvider):
    keys = KEYS[:1]  # laptop

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = cls.start_server()
        # Where the page's own commands work; they write laptop.key and laptop.pem anew.
        cls.folder = cls.dir / "reader"
        cls.folder.mkdir()
        cls.environment = dict(cls.stand.environment, SSL_CERT_FILE=str(cls.ca), CURL_CA_BUNDLE=str(cls.ca),
                               PATH=f"{BIN}:{os.environ['PATH']}")
        [(_, configuration)] = blocks("ini")
        text, count = re.subn(r"^module = .*", f"module = {PROVIDER}", configuration, flags=re.M)
        assert count == 1
        (cls.folder / "signet.cnf").write_text(text)
        cls.shell("Prepare")

    @classmethod
    def here(cls, text):
        return text.replace("intranet.example.com:443", f"localhost:{cls.port}").replace(
            "intranet.example.com", f"localhost:{cls.port}")

    @classmethod
    def run_here(cls, *command, **options):
        done = subprocess.run(command, cwd=cls.folder, env=cls.environment, capture_output=True, text=True,
                              timeout=PATIENCE, **options)
        assert done.returncode == 0, f"{command}: {done}"
        return done.stdout + done.stderr

    @classmethod
    def shell(cls, wanted):
        [text] = [text for section, text in blocks("sh") if section == wanted]
        return cls.run_here("bash", "-euo", "pipefail", "-c", cls.here(text))

    def test_curl(self):
        self.assertRegex(self.shell("curl"), "CN ?= ?laptop")

    def test_Python(self):
        [(_, program)] = blocks("python")
        (self.folder / "client.py").write_text(self.here(program))
        self.environment["OPENSSL_CONF"] = "signet.cnf"
        self.addCleanup(self.environment.pop, "OPENSSL_CONF")
        self.assertRegex(self.run_here("/usr/bin/python3", "client.py"), "CN ?= ?laptop")

    def test_nginx(self):
        [(_, location)] = blocks("nginx")
        nginx = Nginx(
            self.folder, lambda port: f"server {{ listen 127.0.0.1:{port}; {self.here(location)} }}",
            environment=dict(self.environment, OPENSSL_CONF="signet.cnf"))
        self.addCleanup(nginx.close)
        answer = self.run_here("curl", "-sS", f"http://127.0.0.1:{nginx.ports[0]}/")
        self.assertRegex(answer, "CN ?= ?laptop", nginx.log())

    def test_commands_of_OpenSSL(self):
        said = self.shell("OpenSSL's own commands")
        for expected in ("signet:laptop", "BEGIN PUBLIC KEY", "CONNECTION ESTABLISHED"):
            self.assertIn(expected, said)
        self.assertTrue((self.folder / "laptop.csr").exists())

    def test_where_to_look(self):
        said = self.shell("When it does not work")
        for expected in ("name: Signet", "allow:", "tls-client"):
            self.assertIn(expected, said)


if __name__ == "__main__":
    unittest.main()
