"""From the server's question to a person at a terminal and back: the agent's own prompter and Debian's
pinentry."""
import subprocess
import unittest

from tests.support.person_at_terminal import Screen
from tests.support.stand import BIN, PATIENCE, PIN, Stand, wait_for


class Terminal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.screen = Screen(24, 80)
        cls.addClassCleanup(cls.screen.close)
        cls.stand = cls.enterClassContext(Stand())
        cls.stand.make_token()
        cls.stand.prompts = f'[prompts]\ntty = "{cls.screen.path}"\n'
        cls.stand.start_agent()
        assert cls.stand.unlock().code == 0
        cls.stand.enrol("alice", "card", "user")

    def setUp(self):
        self.stand.start_gateway(require=("/user=user",))
        self.before = self.screen.settings()

    def fetch_while(self, *steps):
        """signet-fetch, and meanwhile a person who types an answer once a text is to be read."""
        fetch = subprocess.Popen(
            [BIN / "signet-fetch", "--cacert", self.stand.dir / "ca" / "server.pem", "--deadline",
             str(PATIENCE), self.stand.origin + "/user"], env=self.stand.environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        try:
            for text, answer in steps:
                self.screen.wait_for(text)
                wait_for("pinentry to read", lambda: self.screen.mode() != "line")
                self.screen.type(answer + "\r")
            out, err = fetch.communicate(timeout=PATIENCE)
        finally:
            fetch.kill()
            fetch.communicate()
        wait_for("the terminal as before", lambda: self.screen.settings() == self.before)
        return fetch.returncode, out, err

    def test_APersonGivesThePinAndMayMistype(self):
        self.stand.allow("alice")
        self.stand.must("token", "lock", "card")
        code, out, err = self.fetch_while((self.stand.origin, "000000"), ("wrong PIN", PIN))
        self.assertEqual(code, 0, err)
        self.assertIn("alice", out)
        self.assertNotIn(PIN.encode(), self.screen.bytes)

    def test_APersonSaysYesOrNothing(self):
        self.stand.must("policy", "ask", self.stand.origin, "--identity", "alice")
        code, out, err = self.fetch_while((self.stand.origin, "yes"))
        self.assertEqual(code, 0, err)
        self.assertIn("alice", out)
        self.setUp()  # another origin, which the screen does not show yet
        self.stand.must("policy", "ask", self.stand.origin, "--identity", "alice")
        code, _, _ = self.fetch_while((self.stand.origin, ""))
        self.assertEqual(code, 22)


if __name__ == "__main__":
    unittest.main()
