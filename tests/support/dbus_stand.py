"""Real D-Bus buses, and a logind on the system's that does what a test says (python3-dbusmock)."""
import os
import signal
import socket
import subprocess

import dbus

from tests.support.stand import wait_for

LOGIND = "org.freedesktop.login1"
MANAGER = "/org/freedesktop/login1"
MOCK = "org.freedesktop.DBus.Mock"

CONFIG = """<busconfig><type>{kind}</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/>{policy}</policy>{more}</busconfig>
"""
ANYTHING = ('<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>'
            '<allow own="*"/>')


def start_bus(stand, kind, policy=ANYTHING, more=""):
    """At the address that the stand's agent looks at; again, after stop_bus, too."""
    path, config = stand.dir / f"{kind}-bus", stand.dir / f"{kind}-bus.conf"
    path.unlink(missing_ok=True)
    config.write_text(CONFIG.format(kind=kind, socket=path, policy=policy, more=more))
    bus = stand.start(f"{kind}-bus", "dbus-daemon", "--nofork", "--nopidfile", "--nosyslog",
                      f"--config-file={config}")

    def listens():
        if bus.poll() is not None:
            raise RuntimeError(stand.log(f"{kind}-bus"))
        with socket.socket(socket.AF_UNIX) as anybody:
            return anybody.connect_ex(str(path)) == 0
    wait_for(f"the {kind} bus", listens)


def stop_bus(stand, kind):
    stand.stop(f"{kind}-bus", signal.SIGKILL)


def connect(stand, kind):
    return dbus.bus.BusConnection(stand.environment[f"DBUS_{kind.upper()}_BUS_ADDRESS"])


def pid_of(bus, name):
    """None when it has just gone."""
    try:
        return bus.call_blocking("org.freedesktop.DBus", "/", "org.freedesktop.DBus",
                                 "GetConnectionUnixProcessID", "s", [name])
    except dbus.DBusException:
        return None


def name_of(bus, process):
    """The unique name of a process on that bus."""
    for name in bus.list_names():
        if name.startswith(":") and pid_of(bus, name) == process.pid:
            return str(name)
    raise KeyError(process.args)


def ping(bus, name):
    """When it answers, it has handled all that we had sent, or caused others to send."""
    bus.call_blocking(name, "/", "org.freedesktop.DBus.Peer", "Ping", "", [])


class Monitor:
    """What somebody on the session bus signals from now on."""

    def __init__(self, stand, name):
        self.stand, self.log = stand, stand.dir / "monitor.out"
        self.log.unlink(missing_ok=True)
        stand.start("monitor", "dbus-monitor", "--address",
                    stand.environment["DBUS_SESSION_BUS_ADDRESS"], f"type='signal',sender='{name}'")
        # The first that it shows is that it has become one.
        wait_for("the monitor", lambda: "string \":1." in self.log.read_text())

    def wait_for(self, *words):
        """A signal in whose text all of these are."""
        wait_for(f"a signal of {words}",
                 lambda: any(all(word in signal for word in words)
                             for signal in self.log.read_text().split("\nsignal ")))

    def stop(self):
        self.stand.stop("monitor")


class Logind:
    """A mock on the stand's system bus."""

    def __init__(self, stand):
        stand.start("logind", "/usr/bin/python3", "-m", "dbusmock", "--system", "--template", "logind")
        self.bus = connect(stand, "system")
        wait_for("logind", lambda: self.bus.name_has_owner(LOGIND))
        self.manager = self.bus.get_object(LOGIND, MANAGER)

    def add_session(self, name, uid=os.getuid(), kind="user"):
        path = self.manager.AddSession(name, "seat0", dbus.UInt32(uid), f"user{uid}", True,
                                       dbus_interface=MOCK)
        session = self.session(name)
        if kind != "user":
            session.UpdateProperties(LOGIND + ".Session", {"Class": kind}, dbus_interface=MOCK)
        self.emit("SessionNew", "so", [name, dbus.ObjectPath(path)])

    def remove_session(self, name):
        path = dbus.ObjectPath(f"{MANAGER}/session/{name}")
        self.manager.RemoveObject(path, dbus_interface=MOCK)
        self.emit("SessionRemoved", "so", [name, path])

    def session(self, name):
        return self.bus.get_object(LOGIND, f"{MANAGER}/session/{name}")

    def lock_screen(self, name):
        self.session(name).Lock(dbus_interface=LOGIND + ".Session")

    def set_locked_hint(self, name, locked):
        self.session(name).SetLockedHint(locked, dbus_interface=LOGIND + ".Session")

    def prepare_for_sleep(self, begins):
        self.emit("PrepareForSleep", "b", [begins])

    def settle(self, process):
        """The process has acted upon all signals, with questions to logind on which others depend."""
        for name in [name_of(self.bus, process), LOGIND] * 3:
            ping(self.bus, name)
        ping(self.bus, name_of(self.bus, process))

    def emit(self, member, types, arguments):
        self.manager.EmitSignal(LOGIND + ".Manager", member, types, arguments, dbus_interface=MOCK)

    def inhibitors(self):
        return [tuple(map(str, inhibitor[:4]))
                for inhibitor in self.manager.ListInhibitors(dbus_interface=LOGIND + ".Manager")]
