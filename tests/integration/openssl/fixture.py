"""An agent with a key of every kind, a configuration of OpenSSL that loads signet.so, and a server that
verifies clients."""
import os
import re
import subprocess
import unittest

from tests.support.stand import BIN, PATIENCE, Outcome, Stand, openssl, wait_for

PROVIDER = BIN.parent / "lib" / "ossl-modules" / "signet.so"
# A sanitizer must be in a program from its beginning, and those of Debian have none.
SANITIZED = bool(os.environ.get("SIGNET_SANITIZE"))
CONFIGURATION = """openssl_conf = init
[init]
providers = all
[all]
default = openssls_own
signet = signets
[openssls_own]
activate = 1
[signets]
module = {module}
activate = 1
"""
KEYS = (("laptop", "tpm", "p256"), ("old", "file", "rsa2048"), ("new", "file", "ed25519"),
        ("big", "file", "p384"), ("huge", "file", "p521"))


class WithProvider(unittest.TestCase):
    keys = KEYS

    @classmethod
    def setUpClass(cls):
        cls.stand = stand = cls.enterClassContext(Stand())
        stand.start_tpm()
        stand.add_software()
        stand.start_agent()
        cls.dir = stand.dir
        for name, backend, algorithm in cls.keys:
            stand.must("identity", "create", name, "--backend", backend, "--kind", "device",
                       "--algorithm", algorithm)
            csr = cls.dir / "ca" / f"{name}.csr"
            stand.must("identity", "csr", name, "--subject", f"/CN={name}", "--out", csr)
            stand.must("identity", "import", name,
                       stand.authority("device").sign(csr, cls.dir / f"{name}.pem"))
            stand.must("identity", "reference", name, "--out", cls.dir / f"{name}.key")
            stand.must("policy", "allow", "--purpose", "tls-client", "--identity", name)
        (cls.dir / "openssl.cnf").write_text(CONFIGURATION.format(module=PROVIDER))
        cls.environment = dict(stand.environment, OPENSSL_CONF=str(cls.dir / "openssl.cnf"))
        cls.ca = cls.dir / "server.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-keyout", cls.dir / "server.key", "-out", cls.ca)

    @classmethod
    def start_server(cls, name="server", *options):
        """Its port; a client without a certificate of the authority gets nothing of it."""
        cls.stand.start(name, "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", cls.ca, "-key",
                        cls.dir / "server.key", "-CAfile", cls.stand.authority("device").pem,
                        "-Verify", "2", "-verify_return_error", "-www", *options)
        listening = lambda: re.search(r"ACCEPT \S+:(\d+)", (cls.dir / f"{name}.out").read_text())
        return wait_for("s_server", listening).group(1)

    def run_program(self, *command, stdin="", environment=None, timeout=PATIENCE, cwd=None):
        return Outcome(subprocess.run([str(word) for word in command], input=stdin, text=True,
                                      capture_output=True, env=environment or self.environment,
                                      timeout=timeout, errors="replace", cwd=cwd))
