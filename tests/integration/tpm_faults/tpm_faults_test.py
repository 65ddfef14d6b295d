"""A TPM in trouble costs what needs it and nothing else, says what to do, and is used again after."""
import os
import signal
import subprocess
import threading
import unittest

from tests.support.stand import PIN, Stand, wait_for

PARENT = "0x81000001"
LOCKOUT_INTERVAL = 777  # seconds
OBJECT_SLOTS = 3        # of swtpm
RESTARTS = 4


class TpmFaults(unittest.TestCase):
    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.stand.start_tpm()
        self.stand.make_token()

    def start(self):
        self.stand.start_agent()
        self.assertEqual(self.stand.unlock(pin=PIN).code, 0)
        self.stand.enrol("laptop", "tpm", "device")
        self.stand.enrol("alice", "card", "user")
        self.stand.start_gateway(require=("/login=device,user", "/device=device"))
        self.stand.allow("laptop", "alice")

    def tool(self, *command):
        """A program of tpm2-tools, beside the backend: there is no resource manager between them."""
        tcti = f"swtpm:path={self.stand.dir / 'tpm.sock'}"
        return subprocess.run([*command, "-T", tcti], cwd=self.stand.dir, capture_output=True, text=True)

    def must(self, *command):
        done = self.tool(*command)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def loaded_objects(self):
        return len(self.must("tpm2_getcap", "handles-transient").splitlines())

    def restart_backend(self):
        """By kill -9, so that its key stays in the TPM."""
        before = self.stand.backend_status("tpm")["pid"]
        os.kill(before, signal.SIGKILL)
        wait_for("a new backend process",
                 lambda: self.stand.backend_status("tpm")["pid"] not in (0, before))
        wait_for("the TPM", lambda: self.stand.backend_status("tpm")["state"] == "ready")

    def names(self, outcome):
        return [identity["name"] for identity in outcome.json["identities"]]

    def assertProves(self, *names, path="/login"):
        outcome = self.stand.fetch(path)
        self.assertEqual(self.names(outcome), list(names), outcome)

    def decline(self, outcome):
        """The one reason why the device is not proved; the user is."""
        self.assertEqual((outcome.code, self.names(outcome)), (22, ["alice"]), outcome)
        [declined] = outcome.json["declined"]
        return declined

    def test_LockoutSaysHowLongAndWhatToDo(self):
        # A parent without `noda`, as a company's own tools may have made it.
        self.must("tpm2_createprimary", "-C", "o", "-G", "ecc256:null:aes128cfb", "-c", "parent.ctx", "-a",
                  "restricted|decrypt|userwithauth|fixedtpm|fixedparent|sensitivedataorigin")
        self.must("tpm2_evictcontrol", "-C", "o", "-c", "parent.ctx", PARENT)
        self.must("tpm2_flushcontext", "-t")
        self.stand.backends[0] += f"parent = {PARENT}\n"
        self.start()
        self.assertProves("laptop", "alice")
        self.must("tpm2_dictionarylockout", "-s", "-n", "1", "-t", str(LOCKOUT_INTERVAL), "-l", "888")
        self.assertNotEqual(
            self.tool("tpm2_create", "-C", PARENT, "-P", "wrong", "-u", "x.pub", "-r", "x.priv").returncode, 0)
        self.assertProves("laptop", "alice")  # the key is loaded, and itself out of the TPM's protection

        self.restart_backend()
        declined = self.decline(self.stand.fetch("/login"))
        self.assertEqual(declined["reason"], "token-failed")
        for words in ("lockout", f"{LOCKOUT_INTERVAL} s", "tpm2_dictionarylockout --clear-lockout"):
            self.assertIn(words, declined["detail"])
        self.assertIn("tpm2_dictionarylockout --clear-lockout", self.stand.must("status").out)

        self.must("tpm2_dictionarylockout", "--clear-lockout")
        self.assertProves("laptop", "alice")

    def test_HungTpmCostsItsOwnRequestsOnly(self):
        self.start()
        self.assertProves("laptop", "alice")
        tpm = self.stand.processes["swtpm-tpm"]
        tpm.send_signal(signal.SIGSTOP)
        for _ in range(2):  # the backend that hangs is killed; the one after it hangs at its start
            declined = self.decline(self.stand.fetch("/login", options=("--deadline", "5")))
            self.assertIn(declined["reason"], ("deadline", "token-failed"))
        states = {b["name"]: b["state"] for b in self.stand.must("status", "--json").json["backends"]}
        self.assertEqual(states["card"], "ready")
        tpm.send_signal(signal.SIGCONT)
        self.assertProves("laptop", "alice")

    def test_RestartsDuringSignaturesCostOnlyThose(self):
        self.start()
        outcomes = []

        def ask(stop):
            while not stop.is_set():
                outcomes.append(self.stand.fetch("/login"))

        stop = threading.Event()
        asking = threading.Thread(target=ask, args=(stop,))
        asking.start()
        try:
            for _ in range(RESTARTS):
                before = len(outcomes)
                wait_for("two more answers", lambda b=before: len(outcomes) > b + 1)
                self.stand.stop("swtpm-tpm", signal.SIGKILL)
                self.stand.start_tpm()
        finally:
            stop.set()
            asking.join()
        for outcome in outcomes:
            if self.names(outcome) != ["laptop", "alice"]:
                self.assertEqual(self.decline(outcome)["reason"], "token-failed", outcome)
        self.assertProves("laptop", "alice")
        self.assertEqual(self.stand.backend_status("tpm")["restarts"], 0)

    def test_FullObjectSlotsAreLeftToTheirOwners(self):
        self.start()
        self.restart_backend()
        for _ in range(OBJECT_SLOTS):
            self.tool("tpm2_createprimary", "-C", "n", "-c", "other.ctx")
        self.assertEqual(self.loaded_objects(), OBJECT_SLOTS)
        declined = self.decline(self.stand.fetch("/login"))
        self.assertEqual(declined["reason"], "token-failed")
        self.assertIn("tpm2_flushcontext -t", declined["detail"])
        self.assertIn("tpm2_flushcontext -t", self.stand.must("status").out)
        self.assertEqual(self.loaded_objects(), OBJECT_SLOTS - 1)  # ours, of the process killed, went
        self.must("tpm2_flushcontext", "-t")
        self.assertProves("laptop", "alice")

    def test_FullSessionSlotsAreInNobodysWay(self):
        self.start()
        self.restart_backend()
        sessions = 0
        while self.tool("tpm2_startauthsession", "-S", f"{sessions}.session").returncode == 0:
            sessions += 1
        self.assertGreaterEqual(sessions, 3)
        self.assertProves("laptop", "alice")
        self.stand.must("identity", "create", "spare", "--backend", "tpm", "--kind", "device")


if __name__ == "__main__":
    unittest.main()
