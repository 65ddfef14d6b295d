"""The commands of docs/oauth.md, as a person types them."""
import os
import pathlib
import re
import subprocess

from tests.support.stand import BIN, wait_for

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "oauth.md"


class Page:
    """Runs the blocks of the page in a folder, for an identity, at other addresses."""

    def __init__(self, folder, identity, server, environment):
        self.folder, self.identity, self.server = folder, identity, server
        self.environment = dict(environment, PATH=f"{BIN}:{os.environ['PATH']}",
                                CURL_CA_BUNDLE=str(server.certificate),
                                SSL_CERT_FILE=str(server.certificate))
        self.environment.pop("OPENSSL_CONF", None)
        self.client = None

    def blocks(self, language, *words):
        """Those of a language in which all the words are."""
        found = [text for text in re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.M | re.S)
                 if all(word in text for word in words)]
        assert found, f"docs/oauth.md has no {language} block with {words}"
        return [self._here(text) for text in found]

    def _here(self, text):
        text = re.sub(r"\blaptop\b(?!\.example|-0042)", self.identity, text)
        text = text.replace("https://login.example.com", self.server.issuer)
        text = text.replace("https://api.example.com/", self.server.api)
        text = text.replace("/etc/ssl/certs/ca-certificates.crt", str(self.server.certificate))
        # The authorities that the whole system trusts do not know a test's server.
        return text.replace("--client-id laptop-0042",
                            f"--cacert {self.server.certificate} --client-id {self.client}")

    def run(self, *words):
        """The output of the one shell block with these words. A device grant is agreed to."""
        [block] = self.blocks("sh", *words)
        return self.execute("bash", "-euc", block)

    def execute(self, *command):
        said, out = self.folder / "said", self.folder / "out"
        with open(said, "w") as errors, open(out, "w") as output:
            process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=output,
                                       stderr=errors, stdin=subprocess.DEVNULL)
        agreed = set()

        def ended():
            for code in re.findall(r"^    (\S+)$", said.read_text(), re.M):
                if code not in agreed:
                    agreed.add(code)
                    self.server.approve(code)
            return process.poll() is not None
        try:
            wait_for(command, ended)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, f"{command}: {out.read_text()}{said.read_text()}"
        return out.read_text()
