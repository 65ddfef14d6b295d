"""The site of packaging/desktop behind the gateway, and the people who visit it: Alice, of an authority
that the site trusts, and Eve of another.
"""
import json
import pathlib
import re
import shutil
import subprocess
import unittest

from tests.support.stand import BIN, PATIENCE, Stand, openssl, rule, wait_for

DESKTOP = pathlib.Path(__file__).parents[3] / "packaging/desktop"


class Fetching:
    """signet-fetch on one connection, in the background: a person has something to do meanwhile."""

    def __init__(self, stand, *paths, options=()):
        self._process = subprocess.Popen(
            [BIN / "signet-fetch", "--cacert", stand.dir / "ca/server.pem", "--json", *options,
             *[stand.origin + path for path in paths]],
            env=stand.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)

    def finish(self):
        self.out, self.err = self._process.communicate(timeout=PATIENCE)
        self.code = self._process.returncode
        self.json = json.loads(self.out)
        self.statuses = [response["status"] for response in self.json["responses"]]
        self.pages = [response["body"] for response in self.json["responses"]]
        return self


class LoginSite(unittest.TestCase):
    decision = "allow"  # of the rule for all of them
    prompts = None  # the agent's [prompts], when it is not to be the stand's

    @classmethod
    def setUpClass(cls):
        cls.stand = stand = cls.enterClassContext(Stand())
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                stand.dir / "ca/server.key", "-out", stand.dir / "ca/server.pem")
        shutil.copy(stand.authority("user").pem, stand.dir / "ca/user-ca.pem")
        stand.start("site", DESKTOP / "site.py")
        cls.site = wait_for("the site", lambda: cls.listening("site"))
        configuration = (DESKTOP / "gateway.toml").read_text()
        for ours, theirs in (("127.0.0.1:8443", "127.0.0.1:0"), (":8080", f":{cls.site}")):
            assert ours in configuration
            configuration = configuration.replace(ours, theirs)
        (stand.dir / "ca/gateway.toml").write_text(configuration)
        stand.start("gateway", BIN / "signet-gateway", "--config", stand.dir / "ca/gateway.toml")
        stand.origin = f"https://localhost:{wait_for('the gateway', lambda: cls.listening('gateway'))}"

        stand.add_software()
        stand.rules.append(rule(stand.origin, "*", cls.decision))
        stand.prompts = cls.prompts or stand.prompts
        stand.start_agent()
        stand.enrol("alice", "file", "user", subject="/CN=Alice")
        stand.enrol("eve", "file", "user", authority="other", subject="/CN=Eve")

    @classmethod
    def listening(cls, name):
        found = re.search(r'"listening": ?"?(?:[^"]*:)?(\d+)', (cls.stand.dir / f"{name}.out").read_text())
        return found and int(found[1])
