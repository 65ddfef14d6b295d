"""The scene that started it: a link "log in with a certificate", one window on the screen, and the same
connection goes on as that person. The agent starts its own prompter; a person has only the keyboard.
"""
import os
import pathlib
import unittest

from tests.integration.desktop.login_site import Fetching, LoginSite
from tests.support.desktop import Desktop
from tests.support.stand import BIN, PATIENCE, wait_for

SCREENSHOTS = pathlib.Path(os.environ.get("SIGNET_SCREENSHOTS", BIN.parent / "screenshots"))


class LoginWindowTest(LoginSite):
    decision = "ask"

    @classmethod
    def setUpClass(cls):
        cls.desktop = cls.enterClassContext(Desktop())
        cls.prompts = f'[prompts]\ndisplay = "{cls.desktop.environment["DISPLAY"]}"\n'
        super().setUpClass()
        cls.stand.enrol("alice-work", "file", "user", subject="/CN=Alice at work")

    def visit(self, *paths, keys, picture=None):
        """Follows the link, and presses the keys in turn until it is done: what comes too soon after the
        window, it drops."""
        fetching = Fetching(self.stand, *paths, options=("--deadline", str(PATIENCE)))
        wait_for("the window", lambda: self.desktop.windows("Signet"))
        self.desktop.do("mousemove", 300, 12)
        pressed = 0

        def gone():
            nonlocal pressed
            if self.desktop.windows("Signet"):
                self.desktop.key(keys[pressed % len(keys)])
                pressed += 1
                self.desktop.do("sleep", 0.8)  # longer than the window's guard
                if picture and pressed == 2 * len(keys) - 1:
                    self.desktop.screenshot(SCREENSHOTS / f"{picture}.png")
            return not self.desktop.windows("Signet")

        wait_for("the window to go", gone)
        return fetching.finish()

    def test_one_window_and_the_connection_goes_on_as_that_person(self):
        subjects = set()
        for key in ("space", "Down"):  # the first that fits, and the second
            done = self.visit("/", "/login", "/account", "/account", keys=(key, "alt+a"),
                              picture=f"login_{key.lower()}")
            self.assertEqual((done.code, done.statuses), (0, [200, 303, 200, 200]), done.err)
            self.assertEqual(done.pages[2], done.pages[3])
            self.assertEqual((done.json["authenticator_requests"], done.json["certificates_sent"]), (1, 1))
            subjects.add(done.json["identities"][0]["name"])
        self.assertEqual(subjects, {"alice", "alice-work"})

    def test_a_person_who_declines_reads_what_to_do(self):
        done = self.visit("/", "/login", keys=("Escape",))
        self.assertEqual(done.statuses, [200, 403])
        self.assertIn("You were not logged in", done.pages[1])
        self.assertIn("Try again", done.pages[1])


if __name__ == "__main__":
    unittest.main()
