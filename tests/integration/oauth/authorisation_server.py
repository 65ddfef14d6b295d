"""The authorisation server of authorisation_server.mjs: installed from npm once per build folder."""
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import urllib.request

from tests.support.stand import openssl, wait_for

HERE = pathlib.Path(__file__).parent
# Where the packages go; the test's own folder would be emptied each time.
INSTALLED = pathlib.Path(os.environ["SIGNET_OAUTH_SERVER_DIR"])
NPM_PATIENCE = 300  # seconds; without a cache it downloads 9 MB


def install():
    """The folder of the packages that package-lock.json names. Raises when they can't be had."""
    lock = (HERE / "package-lock.json").read_bytes()
    digest = hashlib.sha256(lock).hexdigest()
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with open(INSTALLED / "lock", "w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        done = INSTALLED / "installed"
        if not done.exists() or done.read_text() != digest:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, INSTALLED)
            ran = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                                 cwd=INSTALLED, capture_output=True, text=True, timeout=NPM_PATIENCE)
            if ran.returncode != 0:
                raise RuntimeError(f"npm ci can't install oidc-provider:\n{ran.stdout}{ran.stderr}")
            done.write_text(digest)
    return INSTALLED / "node_modules"


class AuthorisationServer:
    """Runs in a stand, for clients whose certificates come from `authority`."""

    def __init__(self, stand, authority):
        self.certificate = stand.dir / "login.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-keyout", stand.dir / "login.key", "-out", self.certificate)
        modules = install()
        process = stand.start("login", "node", HERE / "authorisation_server.mjs", modules,
                              self.certificate, stand.dir / "login.key", authority.pem)

        def listening():
            if process.poll() is not None:
                raise RuntimeError(f"the authorisation server ended:\n{stand.log('login')}")
            return (stand.dir / "login.out").read_text().partition("\n")[1]
        wait_for("the authorisation server", listening)
        addresses = json.loads((stand.dir / "login.out").read_text())
        self.issuer, self.unaliased = addresses["issuer"], addresses["unaliased"]
        self.imposter, self.api, self.aliases = (
            addresses["imposter"], addresses["api"], addresses["aliases"])
        self.tls = ssl.create_default_context(cafile=self.certificate)

    def _post(self, url, body=b"", content_type="application/json"):
        request = urllib.request.Request(url, body, {"Content-Type": content_type})
        with urllib.request.urlopen(request, context=self.tls, timeout=60) as response:
            return response.read()

    def register(self, metadata, issuer=None, **more):
        """A client with the metadata that `signet oauth metadata` printed; its id (RFC 7591)."""
        client = {"grant_types": ["client_credentials", "refresh_token",
                                  "urn:ietf:params:oauth:grant-type:device_code"],
                  "redirect_uris": [], "response_types": [], **metadata, **more}
        return json.loads(self._post(f"{issuer or self.issuer}/reg", json.dumps(client).encode()))[
            "client_id"]

    def approve(self, code):
        """The person in the browser agrees."""
        assert self._post(f"{self.issuer}/approve?code={code}") == b"agreed"
