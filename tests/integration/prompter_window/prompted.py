"""signet-prompter with the test as its agent, and a person's eyes and hands before it."""
import array
import itertools
import os
import pathlib
import select
import socket
import struct
import subprocess
import time

from ipc import prompt_pb2

from tests.support import screen_reader
from tests.support.stand import BIN, PATIENCE, _die_with_parent, wait_for

PROGRAM = BIN / "signet-prompter"
SCREENSHOTS = pathlib.Path(os.environ.get("SIGNET_SCREENSHOTS", BIN.parent / "screenshots"))


def show(*choices, **changes):
    """A question as a person may meet it; one certificate on a smartcard without PIN by default."""
    program = prompt_pb2.Program(path="/usr/bin/curl", pid=4711, uid=1000, parents=[
        prompt_pb2.Process(pid=1200, name="bash"), prompt_pb2.Process(pid=1100, name="sshd")])
    fields = {"origin": "https://intranet.example.com:8443", "program": program, "deadline_ms": 60_000,
              "consent": True, "remember": "8 hours", "choices": choices or [choice()]}
    return prompt_pb2.Show(**(fields | changes))


def choice(tries=prompt_pb2.PIN_TRIES_ALL, left=0, entry=prompt_pb2.PIN_ENTRY_NONE, **changes):
    fields = {"identity": "alice", "kind": "user", "subject": "CN=Alice Example, O=Example Ltd",
              "issuer": "CN=Example Issuing CA 2", "not_after": "2027-03-01T12:00:00Z",
              "key_place": 'smartcard "alice"', "hardware": True,
              "pin": prompt_pb2.Pin(entry=entry, tries=tries, tries_left=left)}
    return prompt_pb2.Choice(**(fields | changes))


def with_pin(tries=prompt_pb2.PIN_TRIES_ALL, left=3, **changes):
    return choice(tries, left, prompt_pb2.PIN_ENTRY_HERE, **changes)


def refuse(message, tries, left):
    return prompt_pb2.Refuse(message=message, pin=prompt_pb2.Pin(entry=prompt_pb2.PIN_ENTRY_HERE, tries=tries,
                                                                 tries_left=left))


class Prompted:
    """with Prompted(desktop, show(...)) as prompted: ...   The window is there."""

    def __init__(self, desktop, question, environment=None, typing=False):
        """`typing`: the person types digits and Enter until the window has been there for a while."""
        self.desktop, self.question, self.typing = desktop, question, typing
        self.environment = environment or desktop.environment
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(PATIENCE)

        def hand_over():
            _die_with_parent()
            os.dup2(theirs.fileno(), 3)

        self.process = subprocess.Popen([str(PROGRAM)], env=self.environment, preexec_fn=hand_over,
                                        close_fds=False, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True)
        theirs.close()

    def __enter__(self):
        self.send(self.question)
        if self.typing:
            self.longest_pause = self.type_until_it_is_there()
        [self.window] = wait_for("the window", lambda: self.desktop.windows("Signet"))
        self.desktop.do("mousemove", 300, 12)
        self.root = screen_reader.find_program(self.process.pid)
        return self

    def __exit__(self, *error):
        self.socket.close()
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        wait_for("the window to go", lambda: not self.desktop.windows("Signet"))

    def type_until_it_is_there(self):
        """The longest pause between two keys, in seconds, from before the window was there."""
        keys, pauses, last = itertools.cycle("12345678\n"), [], time.monotonic()
        with_window, end = 0, last + 60
        while with_window < 10 and self.process.poll() is None and last < end:
            key = next(keys)
            self.desktop.do("key", "Return" if key == "\n" else key)
            now = time.monotonic()
            pauses.append(now - last)
            last = now
            with_window += bool(self.desktop.windows("Signet"))
        return max(pauses)

    # -- the agent's part ----------------------------------------------------------------------

    def send(self, message):
        kind = type(message).__name__.lower()
        body = prompt_pb2.ToPrompter(**{kind: message}).SerializeToString()
        self.socket.sendall(struct.pack(">I", len(body)) + body)

    def receive(self):
        """The next message, as (kind, message, PIN or None)."""
        data, ancillary, _, _ = self.socket.recvmsg(4, socket.CMSG_LEN(4))
        assert len(data) == 4, f"the prompter closed the socket: exit {self.process.wait()}"
        descriptors = array.array("i")
        for _, _, rights in ancillary:
            descriptors.frombytes(rights)
        message = prompt_pb2.FromPrompter.FromString(self.socket.recv(*struct.unpack(">I", data)))
        kind = message.WhichOneof("message")
        pin = None
        for descriptor in descriptors:
            with os.fdopen(descriptor, "rb") as pipe:
                pin = pipe.read().decode()
        return kind, getattr(message, kind), pin

    def said_nothing(self):
        return not select.select([self.socket], [], [], 0)[0]

    def end(self):
        """The agent closes the socket; the exit code."""
        self.socket.close()
        return self.process.wait(PATIENCE)

    # -- the person's part ---------------------------------------------------------------------

    def find(self, role, name=""):
        return screen_reader.find(self.root, role, name)

    def texts(self):
        return screen_reader.texts(self.root)

    def reads(self, text):
        wait_for(f"“{text}” in the window", lambda: any(text in each for each in self.texts()))

    def can(self, role, name=""):
        """Waits until that widget takes what the person does to it."""
        def look():
            widget = self.find(role, name)
            return widget if screen_reader.has_state(widget, "sensitive") else None
        return wait_for(f"{role} “{name}” to be ready", look)

    def can_not(self, role, name=""):
        return not screen_reader.has_state(self.find(role, name), "sensitive")

    def focused(self, role, name=""):
        wait_for(f"the keyboard at {role} “{name}”",
                 lambda: screen_reader.has_state(self.find(role, name), "focused"))

    def typed(self, role, name=""):
        return screen_reader.typed(self.find(role, name))

    def click(self, role, name=""):
        """Once it stands still: what is shown anew gets its place a frame later."""
        places = [None, None]

        def settled():
            places.append(screen_reader.centre(self.can(role, name)))
            return len(set(places[-3:])) == 1
        wait_for(f"{role} “{name}” to stand still", settled)
        self.desktop.click(*places[-1])

    def enter(self, text):
        """Types into the PIN field, once the keyboard is there."""
        self.can("password text")
        self.focused("password text")
        self.desktop.type(text)

    def picture(self, name):
        self.desktop.screenshot(SCREENSHOTS / f"{name}.png")
