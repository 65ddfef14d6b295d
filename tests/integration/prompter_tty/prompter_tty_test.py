"""signet-prompter-tty with Debian's own pinentries on a real terminal."""
import os
import pathlib
import re
import signal
import subprocess
import unittest

from ipc import prompt_pb2
from tests.support.person_at_terminal import PROGRAM, Prompted, Screen, is_running, show, without_pin
from tests.support.stand import PATIENCE, wait_for

PIN = "9182736455463728190"
END_OF_PIN = PIN[-8:]  # what a shorter line in the same buffer would leave of it
SMALL = {"rows": 8}  # too small for curses: pinentry-tty asks


def refuse(message, tries, left=0):
    return prompt_pb2.Refuse(message=message, pin=prompt_pb2.Pin(
        entry=prompt_pb2.PIN_ENTRY_HERE, tries=tries, tries_left=left))


def memory_holds(pid, text):
    """Is `text` anywhere in what the process can write to?"""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            begin, end, rights = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            begin, size = int(begin, 16), int(end, 16) - int(begin, 16)
            if not rights.startswith("rw") or size > 1 << 28:  # a sanitizer's shadow
                continue
            memory.seek(begin)
            try:
                if text.encode() in memory.read(size):
                    return True
            except OSError:
                pass
    return False


class PrompterTtyTest(unittest.TestCase):
    def assert_as_before(self, prompted):
        self.assertEqual(prompted.screen.settings(), prompted.before)
        # Neither on the second screen nor without a cursor.
        for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h")):
            prompted.screen.update()
            self.assertLessEqual(prompted.screen.bytes.rfind(on), prompted.screen.bytes.rfind(off))

    def test_everything_is_said_and_the_pin_goes_through_the_pipe_alone(self):
        with Prompted() as prompted:
            prompted.send(show(remember="8 hours"))
            prompted.question("Typing the PIN allows this")
            for fact in ("https://shop.example:8443", "nobody has checked it", "/usr/bin/curl (process 4711",
                         "Started by: bash", "CN=Person 1", "CN=Example CA, until 2027-01-31",
                         'smartcard "blue"', "3 tries left", "holds for 8 hours", "seconds"):
                prompted.screen.wait_for(fact)
            pinentry, = prompted.pinentries()
            self.assertEqual(os.readlink(f"/proc/{pinentry}/exe"), "/usr/bin/pinentry-curses")
            prompted.screen.type(PIN + "\r")
            message, pin = prompted.receive()
            self.assertEqual((message.WhichOneof("message"), message.choose.choice, pin), ("choose", 0, PIN))
            self.assertFalse(message.choose.last_try)
            prompted.screen.update()
            self.assertNotIn(PIN.encode(), prompted.screen.bytes)
            wait_for("the PIN to be wiped, which was sent before",
                     lambda: not memory_holds(prompted.process.pid, END_OF_PIN))
            for pid in (prompted.process.pid, pinentry):
                for file in ("cmdline", "environ"):
                    self.assertNotIn(PIN.encode(), pathlib.Path(f"/proc/{pid}/{file}").read_bytes())
            self.assertEqual(prompted.end(), 0)
            self.assert_as_before(prompted)
            self.assertFalse(is_running(pinentry))
            self.assertEqual(prompted.process.stderr.read(), b"")

    def test_where_curses_has_no_room_pinentry_tty_asks(self):
        with Prompted(**SMALL) as prompted:
            prompted.send(show())
            prompted.question("PIN:")
            pinentry, = prompted.pinentries()
            self.assertEqual(os.readlink(f"/proc/{pinentry}/exe"), "/usr/bin/pinentry-tty")
            prompted.screen.type(PIN + "\n")
            self.assertEqual(prompted.receive()[1], PIN)
            self.assertNotIn(PIN.encode(), prompted.screen.bytes)
            self.assertEqual(prompted.end(), 0)
            self.assert_as_before(prompted)

    def test_a_wrong_pin_is_asked_for_again_and_the_last_one_needs_its_word(self):
        with Prompted() as prompted:
            prompted.send(show())
            prompted.question("3 tries left")
            prompted.screen.type("0000\r")
            self.assertEqual(prompted.receive()[1], "0000")
            prompted.send(refuse("smartcard \"blue\": the PIN is wrong", prompt_pb2.PIN_TRIES_FEW, 2))
            prompted.question("2 tries left")
            prompted.screen.wait_for("the PIN is wrong")
            prompted.screen.type("1111\r")
            self.assertEqual(prompted.receive()[1], "1111")
            prompted.send(refuse("the PIN is wrong", prompt_pb2.PIN_TRIES_LAST, 1))
            prompted.question("THIS IS THE LAST TRY")
            prompted.screen.type(PIN + "\r")
            prompted.question("no try was spent")
            prompted.screen.type("last try\r")
            prompted.question("Typing the PIN allows this")
            prompted.screen.type(PIN + "\r")
            message, pin = prompted.receive()
            self.assertEqual((message.choose.last_try, pin), (True, PIN))
            prompted.send(refuse("the PIN is blocked", prompt_pb2.PIN_TRIES_BLOCKED))
            prompted.question("unblock it with")
            prompted.screen.type("\r")
            self.assertEqual(prompted.receive()[0].WhichOneof("message"), "leave")
            self.assertEqual(prompted.end(), 0)
            self.assert_as_before(prompted)

    def test_of_several_certificates_a_number_chooses(self):
        with Prompted() as prompted:
            prompted.send(show(without_pin(), {}, {"subject": "CN=Émile, O=Söhne"}, {}, without_pin()))
            prompted.question("3: CN=Émile, O=Söhne")
            prompted.screen.wait_for("- of: CN=Example CA, until 2027-01-31, in smartcard \"blue\"")
            self.assertNotIn("5: ", prompted.screen.text())
            prompted.screen.type("more\r")
            prompted.question("5: CN=Person 5")
            prompted.screen.type("more\r")
            prompted.question("1: CN=Person 1")
            prompted.screen.type("7\r")
            prompted.question("Type a number from 1 to 4")
            prompted.screen.type("3\r")
            prompted.question("Typing the PIN allows this")
            prompted.screen.wait_for("Certificate: CN=Émile, O=Söhne")
            prompted.screen.type("ä" + PIN + "\r")
            message, pin = prompted.receive()
            self.assertEqual((message.choose.choice, pin), (2, "ä" + PIN))
            self.assertEqual(prompted.end(), 0)

    def test_enter_alone_and_the_button_and_the_end_of_input_decline(self):
        for name, size, keys in (("enter", {}, "\r"), ("button", {}, PIN + "\t\t\r"), ("enter", SMALL, "\n"),
                                 ("end of input", SMALL, "\x04")):
            for choice, prompt in (({}, "PIN"), (without_pin(), "yes?")):
                with self.subTest(name, prompt=prompt, **size), Prompted(**size) as prompted:
                    prompted.send(show(choice))
                    prompted.question(prompt)
                    prompted.screen.type(keys)
                    self.assertEqual(prompted.receive()[0].WhichOneof("message"), "leave")
                    self.assertEqual(prompted.end(), 0)
                    self.assert_as_before(prompted)

    def test_without_a_pin_the_word_yes_allows(self):
        for size, enter in (({}, "\r"), (SMALL, "\n")):
            with self.subTest(**size), Prompted(**size) as prompted:
                prompted.send(show(without_pin()))
                prompted.question("yes?")
                prompted.screen.type("yes" + enter)
                message, pin = prompted.receive()
                self.assertEqual((message.WhichOneof("message"), pin), ("choose", None))

    def test_the_agent_ends_it_at_any_moment(self):
        for size in ({}, SMALL):
            with self.subTest(**size), Prompted(**size) as prompted:
                prompted.screen.update()
                os.write(prompted.screen.slave, b"$ curl https://shop.example:8443\r\n")
                prompted.send(show())
                prompted.question("PIN")
                prompted.screen.type(PIN[:3])
                if not size:
                    prompted.screen.wait_for("PIN ***_")
                pinentry, = prompted.pinentries()
                self.assertEqual(prompted.end(), 0)
                self.assertFalse(is_running(pinentry))
                self.assert_as_before(prompted)
                text = prompted.screen.text()
                self.assertIn("Signet: the question about https://shop.example:8443 is over.", text)
                if not size:
                    self.assertNotIn("Typing the PIN", text)
                # What was typed of the PIN is not left for the shell.
                prompted.screen.type("next\n")
                self.assertEqual(os.read(prompted.screen.slave, 100), b"next\n")

    def test_the_agent_ends_it_before_and_after_the_question(self):
        with Prompted() as prompted:
            self.assertEqual(prompted.end(), 0)
            prompted.screen.update()
            self.assertEqual(prompted.screen.bytes, b"")
        with Prompted() as prompted:
            prompted.send(show())
            prompted.question("PIN")
            prompted.screen.type(PIN + "\r")
            prompted.receive()
            self.assertEqual(prompted.end(), 0)
            self.assertNotIn("is over", prompted.screen.text())

    def test_a_signal_ends_it_with_the_terminal_as_before(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number), Prompted() as prompted:
                prompted.send(show())
                prompted.question("PIN")
                prompted.process.send_signal(number)
                self.assertEqual(prompted.process.wait(PATIENCE), 0)
                self.assert_as_before(prompted)

    def test_pinentry_does_not_outlive_a_killed_prompter(self):
        with Prompted() as prompted:
            prompted.send(show())
            prompted.question("PIN")
            pinentry, = prompted.pinentries()
            prompted.process.kill()
            wait_for("pinentry to end", lambda: not is_running(pinentry))

    def test_a_pinentry_that_dies_is_followed_by_the_next_and_then_by_a_reason(self):
        with Prompted() as prompted:
            prompted.send(show())
            prompted.question("PIN")
            first, = prompted.pinentries()
            os.kill(first, signal.SIGKILL)
            wait_for("another pinentry", lambda: prompted.pinentries() not in ([], [first]))
            second, = prompted.pinentries()
            prompted.question("PIN:")
            os.kill(second, signal.SIGKILL)
            message, _ = prompted.receive()
            self.assertIn("install the packages", message.fail.message)
            self.assertEqual(prompted.process.wait(PATIENCE), 1)
            self.assert_as_before(prompted)

    def test_what_was_typed_before_the_question_answers_nothing(self):
        for size, enter in (({}, "\r"), (SMALL, "\n")):
            with self.subTest(**size), Prompted(**size) as prompted:
                prompted.screen.type("yes\n")
                prompted.send(show(without_pin()))
                prompted.question("yes?")
                prompted.screen.type("no" + enter)
                self.assertEqual(prompted.receive()[0].WhichOneof("message"), "leave")

    def test_a_wait_is_shown_and_can_be_left_and_ended(self):
        for size, enter in (({}, "\r"), (SMALL, "x")):
            for leaves in (True, False):
                with self.subTest(leaves=leaves, **size), Prompted(**size) as prompted:
                    prompted.send(show({"pin": {"entry": prompt_pb2.PIN_ENTRY_AT_READER}}))
                    prompted.question("yes?")
                    prompted.screen.type("yes" + ("\n" if size else "\r"))
                    prompted.receive()
                    prompted.send(prompt_pb2.Wait(message="type the PIN at the reader"))
                    prompted.question("type the PIN at the reader")
                    if leaves:
                        prompted.screen.type(enter)
                        self.assertEqual(prompted.receive()[0].WhichOneof("message"), "leave")
                    else:
                        prompted.send(prompt_pb2.Wait(message="touch the key"))
                        prompted.question("touch the key")
                    self.assertEqual(prompted.end(), 0)
                    self.assert_as_before(prompted)
                    self.assertNotIn("is over", prompted.screen.text())

    def test_what_strangers_say_commands_no_terminal(self):
        evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\nSite: https://bank.example\r\x00%0A" + "\u202e"
        message = show({"subject": evil, "issuer": evil, "key_place": evil, "not_after": evil}, {"subject": evil},
                       remember=evil)
        message.origin = "https://shop.example" + evil
        message.program.path = message.program.unit = message.program.sandbox = evil
        message.program.parents[0].name = evil
        for size in ({}, SMALL):
            with self.subTest(**size), Prompted(**size) as prompted:
                prompted.send(message)
                prompted.question("Number")
                prompted.screen.type("1" + ("\n" if size else "\r"))
                prompted.question("PIN")
                prompted.screen.update()
                for sequence in (b"\x1b]0;", b"\x1b[2J\x9b", b"\x9b", "\u202e".encode(), b"\x07"):
                    self.assertNotIn(sequence, prompted.screen.bytes)
                lines = [line.strip(" x│") for line in prompted.screen.text().splitlines()]
                self.assertFalse([line for line in lines if line.startswith("Site: https://bank")])
                prompted.send(prompt_pb2.Refuse(message=evil))
                prompted.end()
                prompted.screen.update()
                self.assertNotIn(b"\x1b]0;", prompted.screen.bytes)

    def test_a_terminal_that_others_can_type_into_is_not_used(self):
        for name, spoilt in (("writable by all", lambda path: os.chmod(path, 0o622)),
                             ("read by a group", lambda path: os.chmod(path, 0o660)),
                             ("of another user", lambda path: os.chown(path, 12345, -1))):
            if name == "of another user" and os.getuid() != 0:
                continue
            screen = Screen(24, 80)
            try:
                spoilt(screen.path)
                with self.subTest(name), Prompted(tty=screen.path) as prompted:
                    message, _ = prompted.receive()
                    self.assertIn(screen.path, message.fail.message)
                    self.assertIn("log in again", message.fail.message)
                    self.assertEqual(prompted.process.wait(PATIENCE), 1)
                    screen.update()
                    self.assertEqual(screen.bytes, b"")
            finally:
                screen.close()
        for path in ("/dev/null", "/dev/pts/nothing", "/etc/passwd", "/dev/../etc/passwd"):
            with self.subTest(path), Prompted(tty=path) as prompted:
                self.assertIn("terminal", prompted.receive()[0].fail.message)

    def test_a_terminal_that_is_closed_ends_it(self):
        with Prompted() as prompted:
            prompted.send(show())
            prompted.question("PIN")
            pinentry, = prompted.pinentries()
            prompted.screen.close()
            self.assertIn("was closed", prompted.receive()[0].fail.message)
            self.assertEqual(prompted.process.wait(PATIENCE), 1)
            self.assertFalse(is_running(pinentry))

    def test_without_a_pinentry_it_says_what_to_install(self):
        script = "".join(f"mount --bind /dev/null /usr/bin/{name} && " for name in ("pinentry-curses", "pinentry-tty"))
        wrapper = ("/usr/bin/unshare", "-m", "/bin/sh", "-c", f'PATH=/usr/sbin:/usr/bin:/sbin:/bin; {script} exec "$@"',
                   "sh")
        if subprocess.run([*wrapper, "/bin/true"], capture_output=True).returncode != 0:
            self.skipTest("mounts need root")
        with Prompted(wrapper=wrapper) as prompted:
            prompted.send(show())
            message, _ = prompted.receive()
            self.assertIn("install the packages pinentry-curses and pinentry-tty", message.fail.message)
            self.assert_as_before(prompted)

    def test_it_says_what_it_is_for(self):
        done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0)
        self.assertIn("usage: signet-prompter-tty DEVICE", done.stdout)
        for arguments in ([], ["--tty"], ["/dev/null"], ["/dev/null", "1"], ["--pin", "1"]):
            done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("--help", done.stderr)


if __name__ == "__main__":
    unittest.main()
