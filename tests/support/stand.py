"""A test stand: a private folder with a TPM, a token, certificate authorities, signetd and the
gateway, all real processes, all stopped and removed at the end.

SIGNET_BIN_DIR names the folder of the programs under test.
"""
import ctypes
import fcntl
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

BIN = pathlib.Path(os.environ.get("SIGNET_BIN_DIR", "build/release/bin")).resolve()
PIN = "9182736455"  # longer than what a time or a hash may hold by chance
PATIENCE = 60  # seconds; only a broken program waits that long (sanitizers are slow)


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise TimeoutError(f"waited {PATIENCE} s for {what}")


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def write_faults(script, *lines):
    """What faulty_module.so and faulty_tcti.so do from now on: see tests/support/fault_script.h."""
    with open(script, "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write("".join(f"{line}\n" for line in lines))


def softhsm_module():
    found = glob.glob("/usr/lib/softhsm/libsofthsm2.so") + glob.glob("/usr/lib/*/softhsm/libsofthsm2.so")
    return found[0]


class Outcome:
    """What a program that has ended left behind."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out}\nstderr: {self.err}"


class Authority:
    """A throw-away certificate authority, by the openssl command line."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.pem, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "3", "-subj", f"/CN=Test {name} CA", "-addext",
                "keyUsage=critical,keyCertSign,cRLSign", "-keyout", self.key, "-out", self.pem)

    def sign(self, csr, out, extensions="extendedKeyUsage=clientAuth", days="1"):
        config = self.folder / f"{out.name}.ext"
        config.write_text("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                          f"{extensions}\n")
        openssl("x509", "-req", "-in", csr, "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial",
                "-days", days, "-extfile", config, "-out", out)
        return out

    def sign_until(self, end, csr, out):
        """As sign, to the second: openssl x509 counts in days."""
        settings = self.folder / f"{self.name}.conf"
        database, serial = self.folder / f"{self.name}.db", self.folder / f"{self.name}.serial"
        database.write_text("")
        serial.write_text("01")
        settings.write_text(
            f"[ca]\ndefault_ca=this\n[this]\ndatabase={database}\nserial={serial}\n"
            f"new_certs_dir={self.folder}\ndefault_md=sha256\npolicy=any\nx509_extensions=leaf\n"
            "[any]\ncommonName=supplied\n"
            "[leaf]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n")
        openssl("ca", "-batch", "-notext", "-config", settings, "-cert", self.pem, "-keyfile", self.key,
                "-in", csr, "-out", out, "-enddate", end.strftime("%y%m%d%H%M%SZ"))
        return out


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments}: {done.stderr}")
    return done.stdout


def rule(origin, identity, decision, program=None):
    text = f'[[rule]]\norigin = "{origin}"\nidentity = "{identity}"\ndecision = "{decision}"\n'
    return text + (f'program = "{program}"\n' if program else "")


class Stand:
    """with Stand() as stand: ...   Nothing runs until a start_* is called."""

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="signet-test."))
        self.dir.chmod(0o755)
        self.processes = {}
        self.environment = dict(os.environ, SIGNET_RUNTIME_DIR=str(self.dir / "run"),
                                SOFTHSM2_CONF=str(self.dir / "softhsm2.conf"))
        self.environment.pop("SIGNET_AGENT_SOCKET", None)
        for kind in ("SESSION", "SYSTEM"):  # a test's own, or none: not this machine's
            self.environment[f"DBUS_{kind}_BUS_ADDRESS"] = f"unix:path={self.dir}/{kind.lower()}-bus"
        self.config = self.dir / "signet.toml"
        self.backends, self.rules, self.access = [], [], ""
        self.agent_programs = BIN
        self.prompts = "[prompts]\nenabled = false\n"  # not on the desktop of who runs the tests
        (self.dir / "ca").mkdir()
        self.authorities = {}
        return self

    def __exit__(self, *error):
        failed = error[0] is not None
        for name in list(self.processes):
            self.stop(name)
        if failed:
            for log in sorted(self.dir.glob("*.log")):
                text = log.read_text(errors="replace")
                print(f"---- {log.name}\n{text[-4000:]}")
        shutil.rmtree(self.dir, ignore_errors=True)

    # -- processes ---------------------------------------------------------------------------

    def start(self, name, *command, **options):
        with open(self.dir / f"{name}.log", "ab") as log, open(self.dir / f"{name}.out", "ab") as out:
            self.processes[name] = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                env=self.environment, preexec_fn=_die_with_parent, **options)
        return self.processes[name]

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name)
        if process.poll() is None:
            # A stopped process takes no SIGTERM. It must not be woken later: SIGCONT would cancel the
            # SIGSTOP by which LeakSanitizer, at its exit, looks at it, and both would wait for ever.
            process.send_signal(signal.SIGCONT)
            process.send_signal(how)
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def log(self, name):
        return (self.dir / f"{name}.log").read_text(errors="replace")

    def run(self, program, *arguments, stdin="", **options):
        options.setdefault("timeout", PATIENCE)
        return Outcome(subprocess.run([str(BIN / program), *map(str, arguments)], input=stdin,
                                      capture_output=True, text=True, env=self.environment,
                                      **options))

    # -- the parts ---------------------------------------------------------------------------

    def start_tpm(self, name="tpm", through=""):
        """The agent reaches it `through` a TCTI of tests/support, if one is given."""
        folder, socket = self.dir / f"{name}-state", self.dir / f"{name}.sock"
        folder.mkdir(exist_ok=True)
        socket.unlink(missing_ok=True)
        self.start(f"swtpm-{name}", "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}",
                   "--server", f"type=unixio,path={socket}", "--ctrl",
                   f"type=unixio,path={socket}.ctrl", "--flags", "not-need-init,startup-clear")
        tcti = f"swtpm:path={socket}"
        # A kill -9 of a TPM counts as a failed try; Debian's simulator starts with three.
        settings = ["tpm2_dictionarylockout", "-T", tcti, "-s", "-n", "32", "-t", "10", "-l", "10"]
        wait_for("the TPM", lambda: subprocess.run(settings, capture_output=True).returncode == 0)
        self.backends.append(f'[[backend]]\nname = "{name}"\ntype = "tpm2"\ntcti = "{through}{tcti}"\n')

    def make_token(self, name="card", module=None):
        """The agent loads `module`, by default SoftHSM itself."""
        folder = self.dir / "tokens"
        folder.mkdir(exist_ok=True)
        (self.dir / "softhsm2.conf").write_text(
            f"directories.tokendir = {folder}\nlog.level = ERROR\n")
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", name, "--so-pin",
                        "12345678", "--pin", PIN], env=self.environment, check=True,
                       capture_output=True)
        self.backends.append(f'[[backend]]\nname = "{name}"\ntype = "pkcs11"\n'
                             f'module = "{module or softhsm_module()}"\ntoken = "{name}"\n')

    def add_software(self, name="file"):
        self.backends.append(f'[[backend]]\nname = "{name}"\ntype = "software"\n')

    def write_config(self, text=None):
        self.config.write_text(text if text is not None else
                               "\n".join([self.access, self.prompts, *self.backends, *self.rules]))

    def start_agent(self):
        self.write_config()
        self.start("signetd", self.agent_programs / "signetd", "--config", self.config, "--policy-dir",
                   self.dir / "policy.d", "--runtime-dir", self.dir / "run", "--state-dir",
                   self.dir / "state")
        wait_for("the agent", self._agent_answers)

    def _agent_answers(self):
        if self.processes["signetd"].poll() is not None:
            raise RuntimeError(f"signetd ended:\n{self.log('signetd')}")
        return self.signet("status").code == 0

    def signet(self, *arguments, **options):
        return self.run("signet", *arguments, **options)

    def must(self, *arguments, **options):
        outcome = self.signet(*arguments, **options)
        assert outcome.code == 0, f"signet {arguments}: {outcome}"
        return outcome

    def unlock(self, backend="card", pin=PIN, *options):
        return self.signet("token", "unlock", backend, "--pin-stdin", *options, stdin=pin)

    def backend_status(self, name):
        for backend in self.must("status", "--json").json["backends"]:
            if backend["name"] == name:
                return backend
        raise KeyError(name)

    def records(self, state=None, **wanted):
        """Those of the audit trail that say so. The agent writes one soon after its answer, not before."""
        listed = self.signet("audit", "list", "--state-dir", state or self.dir / "state", "--json")
        records = listed.json["records"] if listed.code == 0 else []  # else none is written yet
        return [r for r in records if all(r.get(field) == value for field, value in wanted.items())]

    def wait_for_record(self, state=None, **wanted):
        """The last one; whatever happened before it is in the trail too."""
        return wait_for(f"a record of {wanted}", lambda: self.records(state, **wanted))[-1]

    def authority(self, name):
        if name not in self.authorities:
            self.authorities[name] = Authority(self.dir / "ca", name)
        return self.authorities[name]

    def enrol(self, name, backend, kind, authority=None, subject=None, **signing):
        self.must("identity", "create", name, "--backend", backend, "--kind", kind,
                  "--algorithm", "p256")
        csr = self.dir / "ca" / f"{name}.csr"
        self.must("identity", "csr", name, "--subject", subject or f"/O=Test/CN={name}", "--out", csr)
        chain = self.authority(authority or kind).sign(csr, self.dir / "ca" / f"{name}-chain.pem",
                                                       **signing)
        self.must("identity", "import", name, chain)

    def start_gateway(self, *options, require=("/login=device,user",)):
        ca = self.dir / "ca"
        if not (ca / "server.pem").exists():
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", ca / "server.key", "-out",
                    ca / "server.pem")
        rules = []
        for rule in require:
            path, names = rule.split("=")
            rules += ["--require", f"{path}=" + ",".join(str(self.authority(n).pem)
                                                         for n in names.split(","))]
        if "gateway" in self.processes:
            self.stop("gateway")
        (self.dir / "gateway.out").unlink(missing_ok=True)
        self.start("gateway", BIN / "signet-gateway", "--listen", "127.0.0.1:0", "--cert",
                   ca / "server.pem", "--key", ca / "server.key", *rules, *options)

        def listening():
            if self.processes["gateway"].poll() is not None:
                raise RuntimeError(f"signet-gateway ended:\n{self.log('gateway')}")
            return re.search(r'"listening": ?"([^"]+)"', (self.dir / "gateway.out").read_text())
        port = wait_for("the gateway", listening).group(1).rsplit(":", 1)[1]
        self.origin = f"https://localhost:{port}"

    def allow(self, *identities):
        for identity in identities:
            self.must("policy", "allow", self.origin, "--identity", identity)

    def fetch(self, *paths, options=(), **more):
        return self.run("signet-fetch", "--cacert", self.dir / "ca" / "server.pem", "--json",
                        *options, *[self.origin + path for path in paths], **more)
