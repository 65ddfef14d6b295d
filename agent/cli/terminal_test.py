"""What signet shows a person, of a real agent and on a real terminal, and what to nobody else.

SIGNET_BIN_DIR names the folder of the programs under test.
"""
import codecs
import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import time
import unittest

from tests.support.stand import BIN, PATIENCE, PIN, Stand, wait_for

COLOUR = re.compile(r"\033\[3\dm")


def typed(text):
    return lambda terminal: os.write(terminal, text.encode())


def on_terminal(stand, *arguments, streams=("out", "err"), answers=(), **environment):
    """Runs signet with a terminal behind these streams; its exit code and all that it showed there. Each
    of `answers` is a text and what is done once it is there."""
    master, slave = pty.openpty()
    try:
        process = subprocess.Popen(
            [BIN / "signet", *arguments], stdin=slave if "in" in streams else subprocess.DEVNULL,
            stdout=slave if "out" in streams else subprocess.DEVNULL,
            stderr=slave if "err" in streams else subprocess.DEVNULL,
            env=dict(stand.environment, **environment))
        os.close(slave)
        slave = None
        decoder = codecs.getincrementaldecoder("utf-8")()  # a read may end within a character
        shown, waiting, end = "", list(answers), time.monotonic() + PATIENCE
        while True:
            if waiting and waiting[0][0] in shown:
                waiting.pop(0)[1](master)
            if not select.select([master], [], [], max(0, end - time.monotonic()))[0]:
                process.kill()
                raise TimeoutError(f"signet {arguments}: {shown!r}")
            try:
                piece = os.read(master, 4096)
            except OSError:  # nobody holds the other end any more
                piece = b""
            if not piece:
                break
            shown += decoder.decode(piece)
        return process.wait(PATIENCE), shown.replace("\r\n", "\n")
    finally:
        os.close(master)
        if slave is not None:
            os.close(slave)


class TerminalTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = Stand().__enter__()
        cls.addClassCleanup(cls.stand.__exit__, None, None, None)
        cls.stand.environment.update(TERM="xterm")
        cls.stand.environment.pop("NO_COLOR", None)
        cls.stand.make_token()
        cls.stand.add_software()
        cls.stand.start_agent()
        wait_for("the token", lambda: cls.stand.backend_status("card")["state"] == "locked")
        wait_for("the key files", lambda: cls.stand.backend_status("file")["state"] == "ready")

    def shows(self, *arguments, **more):
        code, shown = on_terminal(self.stand, *arguments, **more)
        self.assertEqual(code, 0, shown)
        return shown

    def test_a_terminal_has_colours(self):
        self.assertRegex(self.shows("status"), r"\033\[33mlocked\033\[0m")
        self.assertRegex(self.shows("token", "list"), r"\033\[32mready\033\[0m")

    def test_a_file_has_none(self):
        self.assertNotIn("\033", self.stand.must("status").out)
        self.assertNotIn("\033", self.stand.must("status", "--json").out)
        self.assertNotIn("\033", self.shows("status", streams=("err",)))

    def test_json_has_none_on_a_terminal_either(self):
        self.assertNotIn("\033", self.shows("status", "--json"))

    def test_no_color_and_dumb_terminals_are_respected(self):
        self.assertNotRegex(self.shows("status", NO_COLOR="1"), COLOUR)
        self.assertNotRegex(self.shows("status", TERM="dumb"), COLOUR)
        self.assertRegex(self.shows("status", NO_COLOR=""), COLOUR)  # as no-color.org says

    def test_progress_is_shown_on_the_terminal_of_standard_error_alone(self):
        create = ("identity", "create", "--backend", "file", "--kind", "user")
        backend = self.stand.backend_status("file")["pid"]
        os.kill(backend, signal.SIGSTOP)  # until the line is there
        shown = self.shows(*create, "a", streams=("err",), answers=[
            ("making the p256 key in file ... 0 s", lambda _: os.kill(backend, signal.SIGCONT))])
        self.assertTrue(shown.endswith("\r\033[K"), shown)  # and is gone
        self.assertNotIn("making", self.shows(*create, "b", streams=("out",)))
        quiet = self.stand.must(*create, "c")
        self.assertNotIn("making", quiet.out + quiet.err)

    def test_a_pin_is_asked_for_and_not_shown(self):
        shown = self.shows("token", "unlock", "card", streams=("in", "out", "err"),
                           answers=[("PIN for card: ", typed(PIN + "\n"))])
        self.assertEqual(shown, "PIN for card: \ncard: unlocked\n")
        again = self.shows("token", "unlock", "card", streams=("in", "out", "err"),
                           answers=[("PIN for card: ", typed(PIN + "\n"))])
        self.assertTrue(again.endswith("card: was unlocked already; no PIN was needed\n"), again)
        self.assertEqual(self.stand.must("token", "lock", "card").out, "card: locked\n")
        self.assertEqual(self.stand.must("token", "lock", "file").out,
                         "file: it has no PIN to lock with; it stays ready\n")


class StatusTest(unittest.TestCase):
    """What a person reads of backends in each state, of a real agent."""

    def setUp(self):
        self.stand = Stand().__enter__()
        self.addCleanup(self.stand.__exit__, None, None, None)
        self.stand.make_token()
        self.stand.add_software()
        self.stand.backends.append('[[backend]]\nname = "gone"\ntype = "pkcs11"\n'
                                   'module = "/nowhere/module.so"\ntoken = "x"\n')
        self.stand.start_agent()

    def status_when(self, pattern):
        def matching():
            shown = self.stand.must("status").out
            return shown if re.search(pattern, shown, re.M) else None
        return wait_for(pattern, matching)

    def test_each_state_comes_with_its_process_error_and_next_step(self):
        self.status_when(r"^file +software +ready +pid \d+ +0 +NOT HARDWARE +-")
        self.status_when(r"^card +pkcs11 +locked +pid \d+ +0 +hardware +- +card$")
        self.assertIn("card: unlock it: signet token unlock card\n",
                      self.status_when(r"^gone +pkcs11 +failed +pid \d+ +0 "))
        self.status_when(r"^gone: .*/nowhere/module.so.*No such file.*; install it or correct `module`")

    def test_a_backend_that_keeps_ending_is_shown_between_its_runs(self):
        def killed():
            backend = self.stand.backend_status("card")
            if backend["pid"] != 0:
                with contextlib.suppress(ProcessLookupError):  # it has ended already
                    os.kill(backend["pid"], signal.SIGKILL)
            return re.search(r"^card +pkcs11 +failed +restarts soon +\d+ ", self.stand.must("status").out, re.M)
        wait_for("a pause before a restart", killed)
        # And once nobody ends it any more:
        shown = self.status_when(r"^card +pkcs11 +locked +pid \d+ +[1-9]\d* ")
        self.assertRegex(shown, r"(?m)^card: signet-backend was ended by signal 9 .*; unlock it: "
                                r"signet token unlock card$")


if __name__ == "__main__":
    unittest.main()
