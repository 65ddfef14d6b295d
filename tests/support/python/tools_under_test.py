"""Runs the real signet-fetch and signet-gateway; $SIGNET_BIN names the folder they are in."""
import json
import os
import pathlib
import queue
import subprocess
import threading

BIN = pathlib.Path(os.environ["SIGNET_BIN"])
TIMEOUT = 60


def only_cipher_suite(name, folder):
    """An environment in which OpenSSL offers and takes only this suite of TLS 1.3."""
    path = pathlib.Path(folder) / f"{name}.cnf"
    path.write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n"
                    f"[c]\nCiphersuites = {name}\n", encoding="ascii")
    return {"OPENSSL_CONF": str(path)}


class FetchResult:
    def __init__(self, process):
        self.exit = process.returncode
        self.stdout = process.stdout
        self.stderr = process.stderr
        if "Sanitizer" in self.stderr or "runtime error" in self.stderr:
            raise AssertionError(self.stderr)

    @property
    def json(self):
        return json.loads(self.stdout)

    def bodies(self):
        return [json.loads(each["body"]) for each in self.json["responses"]]

    def statuses(self):
        return [each["status"] for each in self.json["responses"]]


def fetch(*arguments, environment=None):
    process = subprocess.run([BIN / "signet-fetch", *map(str, arguments)], capture_output=True,
                             text=True, timeout=TIMEOUT, check=False,
                             env={**os.environ, **(environment or {})})
    return FetchResult(process)


def run_gateway(*arguments):
    """Of one that does not start."""
    return subprocess.run([BIN / "signet-gateway", *map(str, arguments)], capture_output=True,
                          text=True, timeout=TIMEOUT, check=False)


def assert_refused(test, arguments, *expected):
    """signet-gateway does not start with these, and says why."""
    run = run_gateway(*arguments)
    test.assertEqual(run.returncode, 2, run.stderr)
    for text in expected:
        test.assertIn(text, run.stderr)


class Gateway:
    """A running signet-gateway on a port of its own choice."""

    def __init__(self, certificate, key, *arguments, environment=None):
        self._process = subprocess.Popen(
            [BIN / "signet-gateway", "--listen", "127.0.0.1:0", "--cert", certificate, "--key", key,
             *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})})
        self._lines = queue.Queue()
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"signet-gateway did not start: {self.stop()}")
        self.address = json.loads(line)["listening"]
        self.port = int(self.address.rsplit(":", 1)[1])

    @property
    def pid(self):
        return self._process.pid

    def next_record(self):
        """The next line of the log; waits for it."""
        return json.loads(self._lines.get(timeout=TIMEOUT))

    def signal(self, number):
        self._process.send_signal(number)

    def stop(self):
        """Ends it as a service manager would; its exit code and what of its log nobody has read."""
        self._process.terminate()
        return self.wait()

    def wait(self):
        try:
            self._process.wait(timeout=TIMEOUT)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            self._process.stdout.close()
            self._process.stderr.close()
        lines = []
        while not self._lines.empty():
            lines.append(self._lines.get())
        return self._process.returncode, "".join(lines)

    def _read_log(self):
        for line in self._process.stderr:
            self._lines.put(line)
