"""A desktop without a person: Xvfb, a session bus with accessibility, and hands that click and type.

with Desktop() as desktop: programs started with desktop.environment appear on it. One per process: the
accessibility library looks at its environment once. Without a window manager, windows stand at the
upper left corner and have the keyboard as long as the pointer is in them.
"""
import ctypes
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import zlib

from tests.support.stand import _die_with_parent

WIDTH, HEIGHT = 800, 1000


class Desktop:
    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="signet-desktop."))
        self.processes = []
        # Nothing of whoever runs the tests: their theme, their input method, their fonts' size.
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.dir), "LANG": "C.UTF-8",
                            "XDG_RUNTIME_DIR": str(self.dir), "GDK_BACKEND": "x11", "GSK_RENDERER": "cairo",
                            "GSETTINGS_BACKEND": "memory"}
        number = self._start("Xvfb", "-displayfd", "{fd}", "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-fbdir",
                             self.dir, "-nolisten", "tcp", "-noreset")
        self.environment["DISPLAY"] = f":{number}"
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = self._start(
            "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address={fd}",
            f"--address=unix:path={self.dir}/bus")
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = self.environment["DBUS_SESSION_BUS_ADDRESS"]
        os.environ["DISPLAY"] = self.environment["DISPLAY"]
        return self

    def __exit__(self, *error):
        for process in reversed(self.processes):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _start(self, *command):
        """A server that says on a descriptor where it listens, in a process group of its own."""
        reading, writing = os.pipe()
        words = [str(word).replace("{fd}", str(writing)) for word in command]
        with open(self.dir / f"{command[0]}.log", "wb") as log:
            self.processes.append(subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                pass_fds=[writing], start_new_session=True, preexec_fn=_die_with_parent))
        os.close(writing)
        with os.fdopen(reading) as said:
            line = said.readline().strip()
        if not line:
            raise RuntimeError(f"{command[0]} did not start: {(self.dir / f'{command[0]}.log').read_text()}")
        return line

    def do(self, *command):
        """One command of xdotool(1)."""
        return subprocess.run(["xdotool", *map(str, command)], env=self.environment, check=True,
                              capture_output=True, text=True).stdout

    def key(self, *keys):
        self.do("key", "--clearmodifiers", *keys)

    def type(self, text):
        self.do("type", "--delay", "5", text)

    def click(self, x, y):
        self.do("mousemove", int(x), int(y), "click", 1)

    def windows(self, title):
        found = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", f"^{title}$"],
                               env=self.environment, capture_output=True, text=True, check=False)
        return found.stdout.split()

    def close(self, window):
        """What the cross in a title bar does: asks the program to close the window."""
        x = ctypes.CDLL("libX11.so.6")
        x.XOpenDisplay.restype = ctypes.c_void_p
        x.XInternAtom.restype = ctypes.c_ulong
        display = ctypes.c_void_p(x.XOpenDisplay(self.environment["DISPLAY"].encode()))
        protocols = x.XInternAtom(display, b"WM_PROTOCOLS", 0)
        delete = x.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
        # XClientMessageEvent of 64 bits, in the room of an XEvent.
        event = struct.pack("@iLiPLLi5l", 33, 0, 1, 0, int(window), protocols, 32, delete, 0, 0, 0, 0)
        x.XSendEvent(display, ctypes.c_ulong(int(window)), 0, 0, event.ljust(192, b"\0"))
        x.XCloseDisplay(display)

    # -- what is to be seen ------------------------------------------------------------------

    def screenshot(self, path, width=WIDTH, height=HEIGHT):
        """The upper left part of the screen, as PNG."""
        frame = (self.dir / "Xvfb_screen0").read_bytes()  # XWDFile.h
        header = struct.unpack(">25I", frame[:100])
        pixels, stride = header[0] + 12 * header[19], header[12]
        rows = bytearray()
        for y in range(height):
            row = frame[pixels + y * stride:pixels + y * stride + 4 * width]
            line = bytearray(3 * width)
            line[0::3], line[1::3], line[2::3] = row[2::4], row[1::4], row[0::4]
            rows += b"\0" + line
        chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
                  (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b"")]
        png = b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png)
