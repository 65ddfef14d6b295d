"""TPM keys with a PIN: chosen once, asked for after each start, never seen again."""
import os
import pty
import subprocess
import unittest

from tests.support.stand import BIN, PATIENCE, Stand, wait_for

CHOSEN = "tulip 4711"


class TpmPin(unittest.TestCase):
    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.stand.start_tpm()
        self.stand.backends[-1] += "auth = true\n"
        self.stand.start_agent()
        wait_for("the TPM", lambda: self.state() == "locked")

    def state(self):
        return self.stand.backend_status("tpm")["state"]

    def on_a_terminal(self, *answers):
        """Runs `token unlock tpm` on a terminal of its own; its exit code and what it showed."""
        master, slave = pty.openpty()
        with subprocess.Popen([BIN / "signet", "token", "unlock", "tpm"], stdin=slave, stdout=slave, stderr=slave,
                              env=self.stand.environment, start_new_session=True) as process:
            os.close(slave)
            shown = b""
            for answer in answers:
                while not shown.endswith(b": "):
                    shown += os.read(master, 1024)
                os.write(master, answer.encode() + b"\n")
                shown += b"|"
            code = process.wait(PATIENCE)
            try:
                while more := os.read(master, 1024):
                    shown += more
            except OSError:
                pass  # the terminal has no other end any more
        os.close(master)
        return code, shown.decode()

    def test_AKeyWithAPinSignsOnceItIsUnlocked(self):
        refused = self.stand.signet("identity", "create", "laptop", "--backend", "tpm", "--kind", "device")
        self.assertEqual(refused.code, 7, refused)
        self.assertIn("signet token unlock tpm", refused.err)
        self.assertEqual(self.stand.unlock("tpm", CHOSEN).code, 0)
        self.stand.enrol("laptop", "tpm", "device")
        self.stand.start_gateway(require=("/device=device",))
        self.stand.allow("laptop")
        self.assertEqual([i["name"] for i in self.stand.fetch("/device").json["identities"]], ["laptop"])

        self.stand.stop("signetd")
        self.stand.start_agent()
        wait_for("the TPM", lambda: self.state() == "locked")
        declined = self.stand.fetch("/device").json["declined"]
        self.assertEqual([each["reason"] for each in declined], ["token-locked"])
        wrong = self.stand.unlock("tpm", "tulip 0815")
        self.assertEqual(wrong.code, 6, wrong)
        self.assertIn("tries are left", wrong.err)
        self.assertEqual(self.state(), "locked")
        self.assertEqual(self.stand.unlock("tpm", CHOSEN).code, 0)
        self.assertEqual([i["name"] for i in self.stand.fetch("/device").json["identities"]], ["laptop"])

        for log in list(self.stand.dir.glob("*.log")) + list((self.stand.dir / "state").rglob("*")):
            if log.is_file():
                self.assertNotIn(b"tulip", log.read_bytes(), log)

    def test_OnATerminalAFirstPinIsAskedForTwice(self):
        code, shown = self.on_a_terminal(CHOSEN, "tulip 4712")
        self.assertEqual(code, 2, shown)
        self.assertIn("differ", shown)
        self.assertEqual(self.state(), "locked")
        code, shown = self.on_a_terminal(CHOSEN, CHOSEN)
        self.assertEqual(code, 0, shown)
        self.assertIn("New PIN for tpm", shown)
        self.assertNotIn("tulip", shown)
        self.stand.enrol("laptop", "tpm", "device")
        self.stand.must("token", "lock", "tpm")
        code, shown = self.on_a_terminal(CHOSEN)
        self.assertEqual(code, 0, shown)


if __name__ == "__main__":
    unittest.main()
