"""A person at a terminal whom signet-prompter-tty asks: a real pty, a terminal emulator that shows what
is on its screen, and the agent's end of the socket.

SIGNET_BIN_DIR names the folder of the programs under test.
"""
import fcntl
import os
import pty
import re
import select
import socket
import struct
import subprocess
import termios

import pyte

from ipc import prompt_pb2
from tests.support.stand import BIN, PATIENCE, wait_for

SECOND_SCREEN = re.compile(rb"(\x1b\[\?1049[hl])")
PROGRAM = BIN / "signet-prompter-tty"


def show(*choices, **fields):
    """A Show of these choices, each a dictionary of its fields (`pin` one of its own)."""
    message = prompt_pb2.Show(
        origin="https://shop.example:8443", deadline_ms=60000, consent=True,
        program=prompt_pb2.Program(path="/usr/bin/curl", pid=4711, uid=1000,
                                   parents=[prompt_pb2.Process(pid=1, name="bash")]))
    for name, value in fields.items():
        setattr(message, name, value)
    for number, choice in enumerate(choices or [{}], 1):
        pin = prompt_pb2.Pin(entry=prompt_pb2.PIN_ENTRY_HERE, tries=prompt_pb2.PIN_TRIES_ALL, tries_left=3)
        for name, value in choice.pop("pin", {}).items():
            setattr(pin, name, value)
        message.choices.add(**{"identity": f"id{number}", "kind": "user", "subject": f"CN=Person {number}",
                               "issuer": "CN=Example CA", "not_after": "2027-01-31T12:00:00Z",
                               "key_place": 'smartcard "blue"', "hardware": True, "pin": pin, **choice})
    return message


def without_pin():
    return {"pin": {"entry": prompt_pb2.PIN_ENTRY_NONE}}


class Screen:
    """What a person sees, and every byte that made it so."""

    def __init__(self, rows, columns):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.path = os.ttyname(self.slave)
        self.size = columns, rows
        self.bytes = b""

    def close(self):
        for descriptor in (self.master, self.slave):
            if descriptor is not None:
                os.close(descriptor)
        self.master = self.slave = None

    def settings(self):
        return termios.tcgetattr(self.slave)

    def type(self, text):
        os.write(self.master, text.encode())

    def update(self):
        while select.select([self.master], [], [], 0)[0]:
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                return
            self.bytes += piece

    def text(self):
        """What is on the screen now; an xterm has a second one for programs like curses."""
        self.update()
        screens = [pyte.Screen(*self.size), pyte.Screen(*self.size)]
        now = 0
        for piece in SECOND_SCREEN.split(self.bytes):
            if SECOND_SCREEN.fullmatch(piece):
                now = int(piece.endswith(b"h"))
            else:
                pyte.ByteStream(screens[now]).feed(piece)
        return "\n".join(line.rstrip() for line in screens[now].display)

    def wait_for(self, text):
        try:
            wait_for(repr(text), lambda: text in self.text())
        except TimeoutError as error:
            raise TimeoutError(f"{error}; the screen:\n{self.text()}") from None

    def mode(self):
        """How the terminal reads: "line" for a shell's, "keys" for curses, "hidden" for pinentry-tty."""
        flags = self.settings()[3]
        return "keys" if not flags & termios.ICANON else "line" if flags & termios.ECHO else "hidden"


class Prompted:
    """signet-prompter-tty on a screen, told what to ask by the test."""

    def __init__(self, rows=24, columns=80, tty=None, wrapper=()):
        self.screen = Screen(rows, columns)
        self.before = self.screen.settings()
        self.agent, theirs = socket.socketpair()
        self.agent.settimeout(PATIENCE)
        with theirs:
            number = theirs.fileno()
            self.process = subprocess.Popen(
                [*wrapper, PROGRAM, tty or self.screen.path], pass_fds=[3],
                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=lambda: os.dup2(number, 3),
                env={"TERM": "dumb", "LINES": "2", "PATH": "/nonexistent"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.agent.close()
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self.screen.close()

    def send(self, message):
        wrapped = prompt_pb2.ToPrompter()
        field = {"Show": "show", "Refuse": "refuse", "Wait": "wait"}[type(message).__name__]
        getattr(wrapped, field).CopyFrom(message)
        data = wrapped.SerializeToString()
        self.agent.sendall(struct.pack(">I", len(data)) + data)

    def receive(self):
        """The next message and what is in the pipe beside it (None: no pipe)."""
        data, descriptors, _, _ = socket.recv_fds(self.agent, 4, 1)
        if len(data) < 4:  # the length is written as a whole
            raise EOFError("no message")
        size, body = struct.unpack(">I", data)[0], b""
        while len(body) < size:
            piece, more, _, _ = socket.recv_fds(self.agent, size - len(body), 1)
            if not piece:
                raise EOFError("in mid-message")
            body, descriptors = body + piece, [*descriptors, *more]
        pin = None
        for descriptor in descriptors:
            with open(descriptor, "rb") as pipe:
                pin = pipe.read().decode()
        return prompt_pb2.FromPrompter.FromString(body), pin

    def question(self, text):
        """Waits until this is on the screen and typing reaches pinentry."""
        self.screen.wait_for(text)
        wait_for("pinentry to read", lambda: self.screen.mode() != "line")

    def pinentries(self):
        """Process numbers of its children."""
        try:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
                return [int(number) for number in file.read().split()]
        except OSError:
            return []

    def end(self):
        """Closes the agent's end; the exit code."""
        self.agent.close()
        return self.process.wait(PATIENCE)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False
