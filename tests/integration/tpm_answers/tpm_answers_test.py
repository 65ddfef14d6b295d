"""A TPM that puts commands off, refuses them or loses the connection: what passes by itself costs
nothing, what does not costs its request, and no process of ours is restarted for either.
"""
import subprocess
import unittest

from tests.support import stand as stands
from tests.support.stand import Stand, write_faults

LIBRARIES = stands.BIN.parent / "tests"
COMMANDS = {"CreatePrimary": "0x131", "Load": "0x157", "Sign": "0x15d", "FlushContext": "0x165"}
PUT_OFF = {"RETRY": "0x922", "YIELDED": "0x908", "TESTING": "0x90a", "NV_RATE": "0x920"}
SUBMISSIONS = 5       # of a command by tpm2-tss, at once
IO_ERROR = "0xa000a"  # of the TCTI
OBJECT_SLOTS = 3      # of swtpm


class TpmAnswers(unittest.TestCase):
    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.script = self.stand.dir / "tpm.faults"
        self.stand.environment["TSS2_FAULTS"] = str(self.script)
        self.stand.start_tpm(through=f"{LIBRARIES}/faulty_tcti.so:")
        self.stand.add_software()
        self.start()

    def start(self):
        self.stand.start_agent()
        self.stand.enrol("laptop", "tpm", "device")
        self.stand.enrol("alice", "file", "user")
        self.stand.start_gateway(require=("/login=device,user", "/device=device"))
        self.stand.allow("laptop", "alice")
        self.assertProves("/login")

    def tearDown(self):
        self.assertEqual(self.stand.backend_status("tpm")["restarts"], 0)

    def faults(self, *lines):
        write_faults(self.script, *lines)

    def assertProves(self, path="/device"):
        outcome = self.stand.fetch(path)
        names = [identity["name"] for identity in outcome.json["identities"]]
        self.assertEqual(names, ["laptop", "alice"] if path == "/login" else ["laptop"], outcome)

    def decline(self):
        """The one reason why the device is not proved; the user is."""
        outcome = self.stand.fetch("/login")
        names = [identity["name"] for identity in outcome.json["identities"]]
        self.assertEqual((outcome.code, names), (22, ["alice"]), outcome)
        [declined] = outcome.json["declined"]
        self.assertEqual(declined["reason"], "token-failed", declined)
        return declined["detail"]

    def assertStruck(self):
        self.assertEqual(self.script.read_text(), "", "a fault was not met")

    def loaded_objects(self):
        tcti = f"swtpm:path={self.stand.dir / 'tpm.sock'}"
        done = subprocess.run(["tpm2_getcap", "handles-transient", "-T", tcti], capture_output=True,
                              text=True, check=True)
        return len(done.stdout.splitlines())

    def test_CommandsThatTheTpmPutsOffAreSentAgain(self):
        for name, code in PUT_OFF.items():
            with self.subTest(name):
                self.faults(f"{COMMANDS['Sign']} 0 {SUBMISSIONS + 1} fail {code}")
                self.assertProves()
                self.assertStruck()

    def test_TpmThatPutsOffForeverIsSaidToBeBusy(self):
        for name in ("TESTING", "NV_RATE"):
            with self.subTest(name):
                self.faults(f"{COMMANDS['Sign']} 0 -1 fail {PUT_OFF[name]}")
                detail = self.decline()
                self.assertIn("TPM2_Sign", detail)
                self.assertIn("busy", detail)
                self.assertIn("try again", detail)
                self.faults()
                self.assertProves("/login")

    def test_ConnectionThatBreaksInMidResponseIsMadeAnew(self):
        for name, code in COMMANDS.items():
            with self.subTest(name):
                # The key's handle is not valid: it is loaded anew, and there it breaks.
                self.faults(f"{COMMANDS['Sign']} 0 1 fail 0x18b", f"{code} 0 1 break")
                self.assertProves()
                self.assertStruck()

    def test_BreaksLeaveRoomInTheTpm(self):
        for _ in range(2 * OBJECT_SLOTS):
            self.faults(f"{COMMANDS['Sign']} 0 1 break")
            self.assertProves()
            self.assertStruck()
        self.assertLessEqual(self.loaded_objects(), OBJECT_SLOTS)

    def test_TpmThatIsOutOfReachIsSaidAndUsedAgain(self):
        self.faults(f"{COMMANDS['Sign']} 0 1 break", f"connect 0 -1 fail {IO_ERROR}")
        for _ in range(2):
            detail = self.decline()
            self.assertIn("connect to ", detail)
            self.assertIn("is the TPM there", detail)
        self.faults()
        self.assertProves("/login")

    def test_ConnectionThatAlwaysBreaksIsSaid(self):
        self.faults(f"{COMMANDS['Sign']} 0 -1 break")
        self.assertIn("TPM2_Sign", self.decline())
        self.faults()
        self.assertProves("/login")


if __name__ == "__main__":
    unittest.main()
