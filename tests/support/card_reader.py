"""A smartcard reader with two slots and the cards for it: tests/support/piv_card in vsmartcard-vpcd's
virtual reader behind a real pcscd, for whoever comes through OpenSC.

pcscd's socket and the reader's ports have fixed names, so this process and what it starts from then
on move to a mount and a network namespace of their own: tests run side by side, and beside a pcscd
of the machine.
"""
import ctypes
import fcntl
import glob
import os
import secrets
import shutil
import socket
import struct
import subprocess

from tests.support import stand as stands
from tests.support.stand import Authority, openssl, wait_for

FIRST_PORT = 0x8C7B  # vpcd's own choice; each slot has the next
PCSCD = "/usr/sbin/pcscd"
CARD = stands.BIN.parent / "tests" / "piv_card"
PIN, PUK = "37492655", "58231467"
ALGORITHMS = {"9A": "P-256", "9C": "P-384", "9D": "RSA", "9E": "P-256"}

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def opensc_module():
    return (glob.glob("/usr/lib/*/opensc-pkcs11.so") or [None])[0]


def _vpcd():
    return (glob.glob("/usr/lib/pcsc/drivers/serial/libifdvpcd.so") or [None])[0]


def why_not():
    """Why this machine can't have a reader of our own; "" when it can."""
    for what, there in (("pcscd", os.path.exists(PCSCD)), ("vsmartcard-vpcd", _vpcd()),
                        ("opensc-pkcs11", opensc_module()), ("opensc", shutil.which("pkcs11-tool"))):
        if not there:
            return f"the package {what} is not installed"
    tried = subprocess.run(["unshare", "-m", "-n", "mount", "-t", "tmpfs", "none", "/run"],
                           capture_output=True, text=True)
    return f"no namespaces of our own: {tried.stderr.strip()}" if tried.returncode else ""


def _checked(what, result):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def _isolate():
    libc = ctypes.CDLL(None, use_errno=True)
    _checked("unshare", libc.unshare(CLONE_NEWNS | CLONE_NEWNET))
    _checked("private mounts", libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    _checked("own /run", libc.mount(b"none", b"/run", b"tmpfs", 0, None))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


class CardReader:
    """`stand` runs, logs and ends its processes. One at a time in a process."""

    def __init__(self, stand):
        _isolate()
        self.stand = stand
        self.folder = stand.dir / "reader"
        self.folder.mkdir()
        (self.folder / "vpcd").write_text(
            f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{FIRST_PORT:#x}\n'
            f'LIBPATH {_vpcd()}\nCHANNELID {FIRST_PORT:#x}\n')
        self.start()

    def start(self):
        self.stand.start("pcscd", PCSCD, "--foreground", "--config", self.folder)
        wait_for("pcscd", self._answers)

    @staticmethod
    def _answers():
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex("/run/pcscd/pcscd.comm") == 0

    def stop(self):
        self.stand.stop("pcscd")

    def restart(self):
        self.stop()
        self.start()

    @staticmethod
    def sees_card():
        """Whether pcscd does, which looks every 0.4 s: a card that another one replaces in between is
        the same to everybody."""
        listed = subprocess.run(["opensc-tool", "--list-readers"], capture_output=True, text=True,
                                timeout=60, check=True)
        return any(line.split()[1:2] == ["Yes"] for line in listed.stdout.splitlines())


class State:
    def __init__(self, line):
        place, *numbers = line.split()
        self.inserted = place == "in"
        self.pin_tries, self.puk_tries, self.verified, self.signed = map(int, numbers)


class Card:
    """A card, made out for `holder`, which becomes the token's label in OpenSC. Out of the reader at
    first. Whoever has `authority` believes the certificates."""

    def __init__(self, stand, holder, authority, slot=0, algorithms=None, name=None):
        self.stand, self.holder = stand, holder
        self.name = name or f"card-{holder}"
        self.folder = stand.dir / self.name
        self.port = FIRST_PORT + slot
        self._issue(authority, algorithms or ALGORITHMS)
        self.start()

    def start(self):
        control = self.folder / "control"
        control.unlink(missing_ok=True)
        self.stand.start(self.name, CARD, self.folder, self.port)
        wait_for(f"the card {self.name}", control.exists)

    def _issue(self, authority: Authority, algorithms):
        self.folder.mkdir()
        (self.folder / "guid").write_text(secrets.token_hex(16))
        (self.folder / "pins").write_text(f"{PIN} 3\n{PUK} 3\n")
        for slot, algorithm in algorithms.items():
            key, csr, pem = (self.folder / f"{slot}.{kind}" for kind in ("key", "csr", "pem"))
            kind = ["rsa:2048"] if algorithm == "RSA" else \
                ["ec", "-pkeyopt", f"ec_paramgen_curve:{algorithm}"]
            openssl("req", "-new", "-newkey", *kind, "-nodes", "-subj", f"/CN={self.holder}", "-keyout",
                    key, "-out", csr)
            authority.sign(csr, pem)
            openssl("x509", "-in", pem, "-outform", "DER", "-out", self.folder / f"{slot}.der")

    def plug(self):
        self._tell("plug")

    def unplug(self):
        self._tell("unplug")

    def drop_in_next_signature(self):
        self._tell("drop")

    def become(self, other):
        """Exchanged for it so fast that nobody notices; counts as the other one from then on."""
        self._tell(f"become {other.folder}")

    def slow_down(self, milliseconds):
        self._tell(f"slow {milliseconds}")

    @property
    def state(self):
        return self._tell("state")

    def _tell(self, command):
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.folder / "control"))
            control.sendall(command.encode() + b"\n")
            with control.makefile() as answer:
                return State(answer.readline())
