"""The scene that started it, for a person at a terminal: one picker of what fits, and again after a no; and
packaging/demo.sh --desktop, which shows it.
"""
import os
import re
import subprocess
import unittest

from tests.integration.desktop.login_site import DESKTOP, Fetching, LoginSite
from tests.support.person_at_terminal import Screen
from tests.support.stand import BIN, PATIENCE, wait_for


class LoginTerminalTest(LoginSite):
    decision = "ask"

    @classmethod
    def setUpClass(cls):
        cls.screen = Screen(30, 100)
        cls.addClassCleanup(cls.screen.close)
        cls.prompts = f'[prompts]\ntty = "{cls.screen.path}"\n'
        super().setUpClass()
        cls.stand.enrol("bob", "file", "user", subject="/CN=Bob")
        cls.stand.enrol("laptop", "file", "device", subject="/CN=Laptop")

    def asked(self):
        """How many questions there were: each is on the second screen."""
        self.screen.update()
        return self.screen.bytes.count(b"\x1b[?1049h")

    def picker(self, before):
        """What the picker shows, once it is the first question after so many."""
        wait_for("a question", lambda: self.asked() > before)
        self.screen.wait_for("Your certificates:")
        self.screen.wait_for("<Decline>")  # the last thing that is drawn
        wait_for("pinentry to read", lambda: self.screen.mode() != "line")
        return self.screen.text()

    def fetch(self, *paths):
        return Fetching(self.stand, *paths, options=("--deadline", str(PATIENCE)))

    def test_one_picker_of_what_fits_and_the_connection_goes_on_as_that_person(self):
        before = self.asked()
        fetching = self.fetch("/", "/login", "/account", "/account", "/")
        shown = self.picker(before)
        self.assertIn(f"Site: {self.stand.origin}", shown)
        self.assertIn("-fetch (process", shown)  # a long path loses its middle
        for name, fits in (("Alice", True), ("Bob", True), ("Eve", False), ("Laptop", False)):
            self.assertEqual(f"CN={name}" in shown, fits, shown)
        self.screen.type(re.search(r"(\d): CN=Bob", shown)[1] + "\r")
        done = fetching.finish()
        self.assertEqual((done.code, done.statuses), (0, [200, 303, 200, 200, 200]), done.err)
        self.assertIn("logged in as <b>CN=Bob</b>", done.pages[2])
        self.assertEqual(done.pages[2], done.pages[3])
        self.assertNotIn("Bob", done.pages[4])
        self.assertEqual((done.json["authenticator_requests"], done.json["certificates_sent"]), (1, 1))
        self.assertEqual(self.asked(), before + 1)

    def test_after_a_no_the_next_click_asks_again(self):
        before = self.asked()
        fetching = self.fetch("/login", "/", "/login", "/account")
        self.picker(before)
        self.screen.type("\r")
        self.picker(before + 1)
        self.screen.type("1\r")
        done = fetching.finish()
        self.assertEqual((done.code, done.statuses), (22, [403, 200, 303, 200]), done.err)
        self.assertIn("Insert your card", done.pages[0])
        self.assertIn("logged in as", done.pages[3])
        self.assertEqual(done.json["empty_sent"], 1)


class DemoTest(unittest.TestCase):
    COMMAND = [DESKTOP.parent / "demo.sh", "--desktop", "--bin", BIN]

    def setUp(self):
        self.environment = {name: value for name, value in os.environ.items() if not name.endswith("DISPLAY")}

    def test_it_asks_on_the_terminal_it_was_started_on(self):
        screen = Screen(60, 140)
        self.addCleanup(screen.close)
        demo = subprocess.Popen(self.COMMAND, env=self.environment, stdin=screen.slave, stdout=screen.slave,
                                stderr=screen.slave, start_new_session=True)
        try:
            screen.wait_for("Your certificates:")
            wait_for("pinentry to read", lambda: screen.mode() != "line")
            number = wait_for("Alice", lambda: re.search(r"(\d): CN=Alice,", screen.text()))[1]
            screen.type(number + "\r")
            screen.wait_for("Typing the PIN allows this")
            wait_for("pinentry to read", lambda: screen.mode() != "line")
            screen.type("1234\r")
            wait_for("the end", lambda: screen.text() and demo.poll() is not None)
        finally:
            demo.terminate()
            demo.wait(PATIENCE)
        self.assertEqual(demo.returncode, 0, screen.text())
        self.assertIn("You are logged in as CN=Alice,O=Example", screen.text())

    def test_where_nobody_can_be_asked_it_says_what_to_do(self):
        done = subprocess.run(self.COMMAND, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Run it in a terminal of your desktop", done.stderr)


if __name__ == "__main__":
    unittest.main()
