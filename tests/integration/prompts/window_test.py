"""From the server's question to a person's hands and back: the agent's own prompter on a screen."""
import subprocess
import unittest

from tests.support.desktop import Desktop
from tests.support.stand import BIN, PATIENCE, PIN, Stand, wait_for


class Window(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.desktop = cls.enterClassContext(Desktop())
        cls.stand = cls.enterClassContext(Stand())
        cls.stand.make_token()
        cls.stand.prompts = f'[prompts]\ndisplay = "{cls.desktop.environment["DISPLAY"]}"\n'
        cls.stand.start_agent()
        assert cls.stand.unlock().code == 0
        cls.stand.enrol("alice", "card", "user")

    def setUp(self):
        self.stand.start_gateway(require=("/user=user",))

    def fetch_while(self, *hands):
        """signet-fetch, and meanwhile a person who does that again and again, not too fast for the
        prompter: what comes at once it takes for an accident."""
        fetch = subprocess.Popen(
            [BIN / "signet-fetch", "--cacert", self.stand.dir / "ca" / "server.pem", "--deadline",
             str(PATIENCE), self.stand.origin + "/user"], env=self.stand.environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        try:
            wait_for("the window", lambda: self.desktop.windows("Signet"))
            self.desktop.do("mousemove", 300, 12)
            for _ in range(PATIENCE):
                for hand in hands:
                    hand()
                    try:
                        out, err = fetch.communicate(timeout=1)
                        return fetch.returncode, out, err
                    except subprocess.TimeoutExpired:
                        pass
            raise TimeoutError("nothing came of it")
        finally:
            fetch.kill()
            fetch.communicate()

    def test_APersonApproves(self):
        self.stand.must("policy", "ask", self.stand.origin, "--identity", "alice")
        code, out, err = self.fetch_while(lambda: self.desktop.key("alt+a"))
        self.assertEqual(code, 0, err)
        self.assertIn("alice", out)
        wait_for("the window to go", lambda: not self.desktop.windows("Signet"))

    def test_APersonGivesThePin(self):
        self.stand.allow("alice")
        self.stand.must("token", "lock", "card")

        def type_pin():
            self.desktop.key("ctrl+a")
            self.desktop.type(PIN)

        code, out, err = self.fetch_while(type_pin, lambda: self.desktop.key("Return"))
        self.assertEqual(code, 0, err)
        self.assertIn("alice", out)
        self.assertEqual(self.stand.backend_status("card")["state"], "ready")

    def test_APersonDeclines(self):
        self.stand.must("policy", "ask", self.stand.origin, "--identity", "alice")
        code, _, _ = self.fetch_while(lambda: self.desktop.key("Escape"))
        self.assertEqual(code, 22)


if __name__ == "__main__":
    unittest.main()
