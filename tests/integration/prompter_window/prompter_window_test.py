"""signet-prompter on a screen: what a person sees and does, and what the agent hears of it."""
import os
import subprocess
import time
import unittest

from ipc import prompt_pb2

from tests.integration.prompter_window.prompted import (PROGRAM, Prompted, choice, refuse, show, with_pin)
from tests.support import screen_reader
from tests.support.desktop import HEIGHT, Desktop
from tests.support.stand import PATIENCE, wait_for

desktop = None


def setUpModule():
    global desktop
    desktop = unittest.enterModuleContext(Desktop()) if hasattr(unittest, "enterModuleContext") else Desktop()
    if not hasattr(unittest, "enterModuleContext"):
        desktop.__enter__()
        unittest.addModuleCleanup(desktop.__exit__, None, None, None)


class Choosing(unittest.TestCase):
    def test_a_pin_and_enter_choose(self):
        with Prompted(desktop, show(with_pin())) as prompted:
            prompted.enter("918273")
            prompted.can("push button", "Approve")
            prompted.picture("pin")
            desktop.key("Return")
            kind, message, pin = prompted.receive()
            self.assertEqual((kind, message.choice, message.last_try, pin), ("choose", 0, False, "918273"))
            prompted.reads("Working")
            prompted.send(prompt_pb2.Wait(message="Touch the smartcard “alice”."))
            prompted.reads("Touch the smartcard")
            prompted.picture("working")
            self.assertEqual(prompted.end(), 0)

    def test_a_click_approves_what_needs_no_pin(self):
        with Prompted(desktop, show(origin_trusted=True)) as prompted:
            prompted.can("push button", "Approve")
            prompted.picture("consent_trusted")
            prompted.click("push button", "Approve")
            self.assertEqual(prompted.receive()[::2], ("choose", None))

    def test_the_keyboard_alone_approves_on_purpose(self):
        with Prompted(desktop, show()) as prompted:
            prompted.can("push button", "Approve")
            desktop.key("alt+a")
            self.assertEqual(prompted.receive()[0], "choose")

    def test_enter_and_space_approve_nothing_by_accident(self):
        for question in (show(), show(with_pin()), show(choice(), choice(subject="CN=Other"))):
            with self.subTest(question), Prompted(desktop, question) as prompted:
                # Once more than the guard could take.
                wait_for("the keyboard's place", lambda: screen_reader.find_focused(prompted.root))
                desktop.key("Return", "KP_Enter", "space", "Return")
                desktop.key("Escape")
                self.assertEqual(prompted.receive()[0], "leave")

    def test_who_types_on_as_the_window_appears_says_nothing(self):
        for _ in range(5):
            with Prompted(desktop, show(with_pin()), typing=True) as prompted:
                if prompted.longest_pause > 0.3:
                    continue  # who pauses on a machine this busy may well mean the window
                prompted.can("password text")
                self.assertIn("Enter the PIN.", prompted.texts())
                self.assertTrue(prompted.said_nothing())
                return
        self.skipTest("this machine types too slowly")

    def test_several_wait_for_a_person_to_choose(self):
        other = with_pin(subject="CN=Alice Example (work), O=Example Ltd", key_place='smartcard "work"', left=2,
                         tries=prompt_pb2.PIN_TRIES_FEW)
        blocked = with_pin(tries=prompt_pb2.PIN_TRIES_BLOCKED, subject="CN=Alice at home",
                           key_place='token "home"')
        with Prompted(desktop, show(choice(), other, blocked)) as prompted:
            prompted.can("radio button", "CN=Alice Example,")
            self.assertTrue(prompted.can_not("push button", "Approve"))
            self.assertTrue(prompted.can_not("radio button", "CN=Alice at home"))
            self.assertIsNone(prompted.find("password text"))
            prompted.reads("The PIN is blocked")
            prompted.reads("Choose a certificate.")
            prompted.picture("several")
            prompted.click("radio button", "(work)")
            prompted.can("password text")
            desktop.key("alt+p")
            prompted.enter("1234")
            prompted.can("push button", "Approve")
            prompted.picture("several_chosen")
            desktop.key("Return")
            kind, message, pin = prompted.receive()
            self.assertEqual((kind, message.choice, pin), ("choose", 1, "1234"))

    def test_a_token_that_waits_for_a_touch_is_announced(self):
        with Prompted(desktop, show(with_pin(touch=True))) as prompted:
            prompted.can("password text")
            prompted.reads("waits for your touch")
            prompted.picture("touch")

    def test_the_keyboard_moves_among_several(self):
        with Prompted(desktop, show(choice(), choice(subject="CN=Second"))) as prompted:
            prompted.can("radio button", "CN=Second")
            prompted.focused("radio button", "CN=Alice")
            desktop.key("Down")
            wait_for("the second", lambda: screen_reader.has_state(prompted.find("radio button", "CN=Second"),
                                                                   "checked"))
            prompted.can("push button", "Approve")
            desktop.key("alt+a")
            self.assertEqual(prompted.receive()[1].choice, 1)

    def test_a_pin_typed_for_one_token_is_not_given_to_another(self):
        with Prompted(desktop, show(with_pin(), with_pin(subject="CN=Second"))) as prompted:
            prompted.click("radio button", "CN=Alice")
            prompted.can("password text")
            desktop.key("alt+p")
            prompted.enter("1111")
            prompted.can("push button", "Approve")
            prompted.click("radio button", "CN=Second")
            wait_for("approval to go", lambda: prompted.can_not("push button", "Approve"))


class Leaving(unittest.TestCase):
    def test_every_way_out_works(self):
        ways = {"Escape": lambda prompted: desktop.key("Escape"),
                "Cancel": lambda prompted: prompted.click("push button", "Cancel"),
                "Alt+C": lambda prompted: (prompted.can("push button", "Approve"), desktop.key("alt+c")),
                "close": lambda prompted: desktop.close(prompted.window)}
        for name, leave in ways.items():
            with self.subTest(name), Prompted(desktop, show()) as prompted:
                leave(prompted)
                self.assertEqual(prompted.receive()[0], "leave")
                self.assertEqual(prompted.process.wait(PATIENCE), 0)

    def test_it_works_while_the_agent_works(self):
        with Prompted(desktop, show()) as prompted:
            prompted.click("push button", "Approve")
            self.assertEqual(prompted.receive()[0], "choose")
            prompted.send(prompt_pb2.Wait(message="Enter the PIN at the reader."))
            prompted.reads("at the reader")
            prompted.click("push button", "Cancel")
            self.assertEqual(prompted.receive()[0], "leave")

    def test_it_ends_with_the_agent(self):
        with Prompted(desktop, show()) as prompted:
            self.assertEqual(prompted.end(), 0)

    def test_no_yes_is_taken_when_time_has_run_out(self):
        # Long enough for a slow machine to show it before: it goes away 5 s after.
        with Prompted(desktop, show(deadline_ms=6000)) as prompted:
            prompted.reads("Time is up")
            self.assertTrue(prompted.can_not("push button", "Approve"))
            prompted.picture("expired")
            self.assertEqual(prompted.process.wait(PATIENCE), 0)  # though the agent does not close
            self.assertEqual(prompted.socket.recv(1), b"")

    def test_it_ends_when_the_agent_babbles(self):
        with Prompted(desktop, show()) as prompted:
            prompted.send(prompt_pb2.Wait(message="for nothing"))
            kind, message, _ = prompted.receive()
            self.assertEqual(kind, "fail")
            self.assertIn("one version", message.message)
            self.assertEqual(prompted.process.wait(PATIENCE), 1)


class PinTries(unittest.TestCase):
    def test_a_wrong_pin_is_asked_for_anew(self):
        with Prompted(desktop, show(with_pin())) as prompted:
            prompted.reads("3 tries left")
            prompted.enter("0000")
            desktop.key("Return")
            self.assertEqual(prompted.receive()[2], "0000")
            prompted.send(refuse("The PIN is wrong.", prompt_pb2.PIN_TRIES_FEW, 2))
            prompted.reads("The PIN is wrong.")
            prompted.reads("2 tries left")
            prompted.can("password text")
            prompted.focused("password text")
            self.assertTrue(prompted.can_not("push button", "Approve"))
            prompted.picture("refused")
            prompted.enter("918273")
            desktop.key("Return")
            self.assertEqual(prompted.receive()[2], "918273")

    def test_the_last_try_is_spent_only_when_that_was_typed(self):
        with Prompted(desktop, show(with_pin(prompt_pb2.PIN_TRIES_LAST, 1))) as prompted:
            prompted.enter("918273")
            prompted.reads("Type “last try”.")
            self.assertTrue(prompted.can_not("push button", "Approve"))
            desktop.key("Return", "alt+t")
            prompted.focused("text")
            prompted.picture("last_try")
            desktop.type("last try")
            prompted.can("push button", "Approve")
            self.assertTrue(prompted.said_nothing())
            prompted.click("push button", "Approve")
            kind, message, pin = prompted.receive()
            self.assertEqual((kind, message.last_try, pin), ("choose", True, "918273"))
            prompted.send(refuse("The PIN was wrong; it is blocked now.", prompt_pb2.PIN_TRIES_BLOCKED, 0))
            prompted.reads("it is blocked now")
            prompted.reads("Nothing can be used now.")
            self.assertIsNone(prompted.find("password text"))
            prompted.picture("blocked")

    def test_a_reader_with_keys_asks_by_itself(self):
        at_reader = choice(entry=prompt_pb2.PIN_ENTRY_AT_READER, left=3)
        with Prompted(desktop, show(at_reader)) as prompted:
            prompted.reads("The reader will ask for the PIN")
            prompted.can("push button", "Approve")
            prompted.picture("pin_pad")
            prompted.click("push button", "Approve")
            self.assertEqual(prompted.receive()[::2], ("choose", None))

    def test_without_consent_only_the_pin_is_asked_for(self):
        with Prompted(desktop, show(with_pin(), consent=False)) as prompted:
            prompted.reads("Unlock your key for")
            prompted.enter("1")
            prompted.can("push button", "Unlock")
            prompted.picture("unlock")

    def test_nobody_reads_the_pin_off_the_window(self):
        with Prompted(desktop, show(with_pin())) as prompted:
            prompted.enter("918273")
            prompted.can("push button", "Approve")
            self.assertNotIn("918273", screen_reader.contents(prompted.find("password text")))
            self.assertNotIn("918273", " ".join(prompted.texts()))
            with open(f"/proc/{prompted.process.pid}/limits", encoding="ascii") as limits:
                self.assertRegex(limits.read(), r"Max core file size +0 +0 ")

    @unittest.skipIf(os.environ.get("SIGNET_SANITIZE"), "AddressSanitizer keeps what was freed")
    def test_one_copy_of_the_pin_is_in_memory_and_none_when_it_is_sent(self):
        pin = b"Zq7xWv93kLp"
        with Prompted(desktop, show(with_pin())) as prompted:
            prompted.enter(pin.decode())
            wait_for("all of the PIN", lambda: prompted.typed("password text") == len(pin))
            try:
                self.assertEqual(copies_in_memory(prompted.process.pid, pin), 1)
            except PermissionError:
                return  # nor may the person's other programs look
            desktop.key("Return")
            self.assertEqual(prompted.receive()[2], pin.decode())
            prompted.reads("Working")
            self.assertEqual(copies_in_memory(prompted.process.pid, pin), 0)


def copies_in_memory(pid, secret):
    found = 0
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            begin, end = (int(word, 16) for word in line.split()[0].split("-"))
            if line.split()[1][:2] == "rw" and end - begin < 1 << 28:  # not what sanitizers reserve
                try:
                    memory.seek(begin)
                    found += memory.read(end - begin).count(secret)
                except OSError:  # not mapped any more
                    pass
    return found


class Strangers(unittest.TestCase):
    def test_nothing_that_they_write_is_more_than_text(self):
        evil = choice(subject='<span size="99999">CN=Root</span>\n\n\u202etsurt', issuer="CN=\x1b[31m\u200bx & y",
                      key_place='smartcard "_a__b<b>"', entry=prompt_pb2.PIN_ENTRY_HERE, not_after="\u2066soon")
        question = show(evil, origin="https://pay\u0440al.example\u202e", remember="<i>ever</i>")
        question.program.path = "/tmp/\u202e<big>curl</big>\nTrusted by Signet"
        question.program.parents[0].name = "\u05d0\u05d1)"
        with Prompted(desktop, question) as prompted:
            prompted.can("password text")
            prompted.picture("hostile")
            texts = prompted.texts()
            self.assertIn(r"https://pay\u{440}al.example\u{202e}", texts)
            self.assertIn(r'<span size="99999">CN=Root</span>\x0a\x0a\u{202e}tsurt', texts)
            self.assertIn(r"CN=\x1b[31m\u{200b}x & y", texts)
            self.assertIn('PIN for \u2068smartcard "_a__b<b>"\u2069', texts)
            self.assertIn(r"/tmp/\u{202e}<big>curl</big>\x0aTrusted by Signet", texts)

    def test_nothing_that_they_write_pushes_the_rest_away(self):
        long = "CN=" + "very long indeed " * 400
        choices = [with_pin(subject=f"{number} {long}", issuer=long, key_place=long) for number in range(5)]
        question = show(*choices, origin="https://" + "a.very-long-label-of-dns." * 10 + "example:65535",
                        remember=long)
        question.program.path = "/opt/" + "x" * 4000
        question.program.unit = question.program.sandbox = long
        with Prompted(desktop, question) as prompted:
            prompted.can("radio button", "0 ")
            prompted.picture("huge")
            self.assertIn(question.origin, prompted.texts())
            for widget in (prompted.find("label", "https://"), prompted.find("push button", "Approve"),
                           prompted.find("push button", "Cancel")):
                x, y = screen_reader.centre(widget)
                self.assertTrue(0 < x < 640 and 0 < y < HEIGHT, (widget.get_name(), x, y))


class Starting(unittest.TestCase):
    def test_without_a_display_the_agent_hears_of_it_at_once(self):
        begun = time.monotonic()
        prompted = Prompted(desktop, show(), environment={"PATH": "/usr/bin:/bin", "GDK_BACKEND": "x11"})
        kind, message, _ = prompted.receive()
        self.assertEqual(kind, "fail")
        self.assertIn("no display", message.message)
        self.assertEqual(prompted.process.wait(PATIENCE), 1)
        self.assertLess(time.monotonic() - begun, 20)  # a second, of a machine that has nothing else to do
        self.assertIn("no display", prompted.process.stderr.read())
        prompted.process.stderr.close()
        prompted.socket.close()

    def test_by_hand_it_says_what_it_is(self):
        for arguments, code, said in (((), 2, "signetd starts this program"), (("--help",), 0, "usage:"),
                                      (("--version",), 0, "signet-prompter "), (("--x",), 2, "see --help")):
            with self.subTest(arguments):
                done = subprocess.run([PROGRAM, *arguments], env=desktop.environment, capture_output=True,
                                      text=True, timeout=PATIENCE, check=False)
                self.assertEqual(done.returncode, code)
                self.assertIn(said, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
