"""A token in trouble costs what needs it and nothing else, spends no PIN try, says what to do, and is
used again after. The module is real, behind one that spoils some of its calls and one that notes all.
"""
import os
import signal
import subprocess
import unittest

from tests.support import stand as stands
from tests.support.stand import PIN, Stand, softhsm_module, wait_for, write_faults

LIBRARIES = stands.BIN.parent / "tests"
SO_PIN = "12345678"
NEW_PIN = "5647382910"
CKR_DEVICE_REMOVED = "0x32"


class TokenFaults(unittest.TestCase):
    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.calls, self.script = self.stand.dir / "token.calls", self.stand.dir / "token.faults"
        self.stand.environment.update(
            PKCS11_FAULTY=f"{LIBRARIES}/recording_module.so", PKCS11_FAULTS=str(self.script),
            PKCS11_RECORDED=softhsm_module(), PKCS11_RECORDING=str(self.calls))
        self.stand.add_software()
        self.stand.make_token(module=f"{LIBRARIES}/faulty_module.so")

    def start(self):
        self.stand.start_agent()
        self.unlock()
        self.stand.enrol("laptop", "file", "device")
        self.stand.enrol("alice", "card", "user")
        self.stand.start_gateway(require=("/login=device,user",))
        self.stand.allow("laptop", "alice")
        self.assertProvesBoth()

    def faults(self, *lines):
        write_faults(self.script, *lines)

    def unlock(self, pin=PIN):
        outcome = self.stand.unlock(pin=pin)
        self.assertEqual(outcome.code, 0, outcome)

    def names(self, outcome):
        return [identity["name"] for identity in outcome.json["identities"]]

    def assertProvesBoth(self):
        outcome = self.stand.fetch("/login")
        self.assertEqual(self.names(outcome), ["laptop", "alice"], outcome)

    def decline(self, *options):
        """The one reason why the user is not proved; the device is."""
        outcome = self.stand.fetch("/login", options=options)
        self.assertEqual((outcome.code, self.names(outcome)), (22, ["laptop"]), outcome)
        for pin in (PIN, NEW_PIN, SO_PIN):
            self.assertNotIn(pin, outcome.out + outcome.err + self.stand.log("signetd"))
        [declined] = outcome.json["declined"]
        return declined

    def assertLocked(self, declined):
        self.assertEqual(declined["reason"], "token-locked", declined)
        self.assertIn("signet token unlock card", declined["detail"])

    def logins(self):
        return self.calls.read_text().split().count("C_Login")

    def status(self):
        return self.stand.backend_status("card")

    def restart_backend(self):
        before = self.status()["pid"]
        os.kill(before, signal.SIGKILL)
        wait_for("a new backend process", lambda: self.status()["pid"] not in (0, before))

    def softhsm(self, *arguments):
        subprocess.run(["softhsm2-util", *arguments], env=self.stand.environment, check=True,
                       capture_output=True)

    # -- the token ---------------------------------------------------------------------------

    def test_TokenThatIsRemovedIsUsedAgainWhenItIsBack(self):
        self.start()
        logins = self.logins()
        tokens, drawer = self.stand.dir / "tokens", self.stand.dir / "drawer"
        tokens.rename(drawer)
        tokens.mkdir()
        self.faults(f"C_SignInit 0 1 fail {CKR_DEVICE_REMOVED}")
        for _ in range(2):
            declined = self.decline()
            self.assertEqual(declined["reason"], "token-failed", declined)
            self.assertIn('no token has the label "card"', declined["detail"])
            self.assertIn("insert it", declined["detail"])
        wait_for("the status to say so", lambda: self.status()["state"] == "failed")
        self.assertIn("insert it", self.stand.must("status").out)
        refused = self.stand.unlock()
        self.assertNotEqual(refused.code, 0)
        self.assertIn("insert it", refused.err)

        tokens.rmdir()
        drawer.rename(tokens)
        self.assertLocked(self.decline())
        self.assertEqual(self.logins(), logins)
        self.unlock()
        self.assertProvesBoth()
        self.assertEqual(self.status()["restarts"], 0)

    def test_OldPinIsTriedOnceAfterItWasChanged(self):
        self.start()
        subprocess.run(["pkcs11-tool", "--module", softhsm_module(), "--token-label", "card", "--login",
                        "--pin", PIN, "--change-pin", "--new-pin", NEW_PIN],
                       env=self.stand.environment, check=True, capture_output=True)
        self.assertProvesBoth()  # still logged in
        self.restart_backend()
        logins = self.logins()
        self.assertLocked(self.decline())
        self.assertEqual(self.logins(), logins)

        refused = self.stand.unlock()
        self.assertNotEqual(refused.code, 0)
        self.assertIn("wrong PIN, one try is spent", refused.err)
        self.assertEqual(self.logins(), logins + 1)
        for _ in range(3):
            self.assertLocked(self.decline())
        self.assertEqual(self.logins(), logins + 1)

        self.unlock(NEW_PIN)
        self.assertProvesBoth()
        self.assertEqual(self.logins(), logins + 2)

    def test_KeysOfATokenThatWasInitialisedAnewAreGone(self):
        self.start()
        self.softhsm("--delete-token", "--token", "card")
        self.softhsm("--init-token", "--free", "--label", "card", "--so-pin", SO_PIN, "--pin", NEW_PIN)
        self.faults(f"C_SignInit 0 1 fail {CKR_DEVICE_REMOVED}")
        logins = self.logins()
        self.assertLocked(self.decline())
        self.assertEqual(self.logins(), logins)
        self.unlock(NEW_PIN)
        for _ in range(2):  # with the key open from before, and after a start
            declined = self.decline()
            self.assertEqual(declined["reason"], "token-failed", declined)
            self.assertIn("insert", declined["detail"])
            self.restart_backend()
            self.unlock(NEW_PIN)
        self.assertIn("serial number differs", declined["detail"])

        self.stand.must("identity", "remove", "alice", "--yes", "--forget")
        self.stand.enrol("bob", "card", "user")
        self.stand.allow("bob")
        outcome = self.stand.fetch("/login")
        self.assertEqual(self.names(outcome), ["laptop", "bob"], outcome)

    # -- the module --------------------------------------------------------------------------

    def test_ModuleThatCrashesCostsItsRequest(self):
        self.start()
        for call in ("C_Sign", "C_SignInit"):
            restarts = self.status()["restarts"]
            self.faults(f"{call} 0 1 crash")
            declined = self.decline()
            self.assertEqual(declined["reason"], "token-failed", declined)
            self.assertIn("signet-backend was ended by signal 6", declined["detail"])
            self.assertIn("unlock it again: signet token unlock card", declined["detail"])
            self.assertLocked(self.decline())
            self.assertEqual(self.status()["restarts"], restarts + 1)
            self.unlock()
            self.assertProvesBoth()

    def test_ModuleThatCrashesAtEachStartIsUsedOnceItNoLongerDoes(self):
        self.start()
        self.faults("C_Initialize 0 -1 crash")
        os.kill(self.status()["pid"], signal.SIGKILL)
        wait_for("the second crash", lambda: self.status()["restarts"] >= 2)
        declined = self.decline()
        self.assertEqual(declined["reason"], "token-failed", declined)
        self.faults()
        wait_for("a start that succeeds", lambda: self.status()["state"] == "locked")
        self.unlock()
        self.assertProvesBoth()

    def test_ModuleThatHangsAtItsStartKeepsNobodyElse(self):
        self.faults("C_Initialize 0 -1 hang")
        self.stand.start_agent()
        self.stand.enrol("laptop", "file", "device")
        self.stand.start_gateway(require=("/device=device",))
        self.stand.allow("laptop")
        outcome = self.stand.fetch("/device")
        self.assertEqual(self.names(outcome), ["laptop"], outcome)
        self.assertEqual(self.status()["state"], "starting")
        self.faults()
        self.unlock()

    def test_ModuleThatHangsWhenItLooksAnewIsKilledAndUsedAfter(self):
        self.start()
        before = self.status()["pid"]
        self.faults(f"C_Sign 0 1 fail {CKR_DEVICE_REMOVED}", "C_Initialize 0 -1 hang")
        declined = self.decline("--deadline", "5")
        self.assertIn(declined["reason"], ("deadline", "token-failed"), declined)
        wait_for("the process that hangs to be replaced",
                 lambda: self.status()["pid"] not in (0, before))
        declined = self.decline("--deadline", "5")  # the next one hangs too
        self.assertIn(declined["reason"], ("deadline", "token-failed"), declined)
        self.faults()
        self.unlock()
        self.assertProvesBoth()

    def test_AgentStopsInOrderWhileAModuleHangs(self):
        self.faults("C_Initialize 0 -1 hang")
        self.stand.start_agent()
        self.assertEqual(self.stand.stop("signetd"), 0)


if __name__ == "__main__":
    unittest.main()
