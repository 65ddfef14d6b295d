"""org.signet.Agent1, as a desktop sees it, on a real bus of each kind."""
import os
import pathlib
import pwd
import subprocess
import unittest
import xml.etree.ElementTree

import dbus

from tests.support.dbus_stand import Monitor, connect, start_bus, stop_bus
from tests.support.stand import PIN, Stand, wait_for

NAME, PATH = "org.signet.Agent1", "/org/signet/Agent1"
TOKEN, IDENTITY = NAME + ".Token", NAME + ".Identity"
PACKAGING = pathlib.Path(__file__).parents[3] / "packaging/dbus"
STRANGER = pwd.getpwnam("nobody").pw_uid  # dbus-daemon lets in only who has an account


def shape(interface):
    """All that an interface has, whatever its order."""
    return {(member.tag, member.get("name"), member.get("type"), member.get("access"),
             tuple((a.get("name"), a.get("value")) for a in member.iter("annotation")),
             tuple((a.get("type"), a.get("direction")) for a in member.iter("arg")))
            for member in interface}


def interfaces(document):
    root = xml.etree.ElementTree.fromstring(document)
    return {one.get("name"): shape(one) for one in root.iter("interface")
            if one.get("name").startswith(NAME)}


def wait_for_name(bus):
    wait_for("the agent on the bus", lambda: bus.name_has_owner(NAME))


def managed(bus):
    """What there is, by path and interface."""
    objects = bus.call_blocking(NAME, PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                                "", [])
    return {path.removeprefix(PATH + "/"): {name: dict(properties) for name, properties in all_.items()
                                            if name.startswith(NAME)}
            for path, all_ in objects.items() if path != PATH}


def get(bus, path, interface, name):
    return bus.call_blocking(NAME, path, dbus.PROPERTIES_IFACE, "Get", "ss", [interface, name])


class UsersAgent(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = stand = cls.enterClassContext(Stand())
        start_bus(stand, "session")
        stand.make_token()
        stand.add_software()
        stand.access = '[bus]\nkind = "session"\n'
        stand.start_agent()
        cls.bus = connect(stand, "session")
        wait_for_name(cls.bus)

    def setUp(self):
        wait_for("the token", lambda: self.state() in ("locked", "ready"))
        monitor = Monitor(self.stand, NAME)
        self.addCleanup(monitor.stop)
        self.signal = monitor.wait_for

    def state(self):
        return get(self.bus, PATH + "/tokens/card", TOKEN, "State")

    def test_TokensStateIsToldWhenItChanges(self):
        self.stand.must("token", "unlock", "card", "--pin-stdin", stdin=PIN)
        self.signal("PropertiesChanged", PATH + "/tokens/card", '"State"', '"ready"')
        self.assertEqual(self.state(), "ready")
        self.stand.must("token", "lock", "card")
        self.signal("PropertiesChanged", PATH + "/tokens/card", '"State"', '"locked"')
        self.assertEqual(self.state(), "locked")

    def test_IdentityComesChangesAndGoes(self):
        # A dash is nothing for a path.
        self.stand.must("identity", "create", "al-ice", "--backend", "file", "--kind", "user",
                        "--algorithm", "p256")
        self.signal("InterfacesAdded", "/identities/al_2dice", '"al-ice"')
        alice = managed(self.bus)["identities/al_2dice"][IDENTITY]
        self.assertEqual((alice["Name"], alice["Kind"], alice["Token"], alice["Subject"]),
                         ("al-ice", "user", "file", ""))
        csr = self.stand.dir / "ca" / "alice.csr"
        self.stand.must("identity", "csr", "al-ice", "--subject", "/CN=Alice", "--out", csr)
        chain = self.stand.authority("user").sign(csr, self.stand.dir / "ca" / "alice.pem")
        self.stand.must("identity", "import", "al-ice", chain)
        self.signal("PropertiesChanged", "/identities/al_2dice", '"Subject"', '"CN=Alice"')
        self.stand.must("identity", "remove", "al-ice", "--yes")
        self.signal("InterfacesRemoved", "/identities/al_2dice", IDENTITY)
        self.assertNotIn("identities/al_2dice", managed(self.bus))

    def test_LockLocksAllTokens(self):
        self.stand.must("token", "unlock", "card", "--pin-stdin", stdin=PIN)
        self.bus.call_blocking(NAME, PATH, NAME, "Lock", "", [])
        self.assertEqual(self.stand.backend_status("card")["state"], "locked")
        self.stand.wait_for_record(event="lock", detail=f"uid {os.getuid()} asked by D-Bus")

    def test_IntrospectionIsWhatIsInstalled(self):
        self.stand.must("identity", "create", "shown", "--backend", "file", "--kind", "device",
                        "--algorithm", "p256")
        wait_for("the identity", lambda: "identities/shown" in managed(self.bus))
        seen = {}
        for path in (PATH, PATH + "/tokens/card", PATH + "/identities/shown"):
            seen |= interfaces(self.bus.call_blocking(NAME, path, dbus.INTROSPECTABLE_IFACE,
                                                      "Introspect", "", []))
        self.assertEqual(seen, interfaces((PACKAGING / "org.signet.Agent1.xml").read_text()))
        self.stand.must("identity", "remove", "shown", "--yes")

    def test_NothingCanBeWritten(self):
        with self.assertRaises(dbus.DBusException):
            self.bus.call_blocking(NAME, PATH + "/tokens/card", dbus.PROPERTIES_IFACE, "Set", "ssv",
                                   [TOKEN, "State", "ready"])

    def test_UnknownObjectIsNone(self):
        with self.assertRaises(dbus.DBusException):
            get(self.bus, PATH + "/identities/nobody", IDENTITY, "Name")

    def test_NobodyIsAskedAnything(self):
        self.assertEqual(get(self.bus, PATH, NAME, "PendingPrompts"), [])


class BusAway(unittest.TestCase):
    def test_AgentStartsWithoutABusAndAppearsOnceItIsThere(self):
        with Stand() as stand:
            stand.add_software()
            stand.access = '[bus]\nkind = "session"\n[lock]\non = []\n'
            stand.start_agent()
            wait_for("one line", lambda: "no session bus" in stand.log("signetd"))
            for _ in range(2):
                start_bus(stand, "session")
                bus = connect(stand, "session")
                wait_for_name(bus)
                self.assertIn("tokens/file", managed(bus))
                bus.close()
                stop_bus(stand, "session")
            self.assertEqual(stand.signet("status").code, 0)

    def test_DisabledBusIsLeftAlone(self):
        with Stand() as stand:
            start_bus(stand, "session")
            stand.add_software()
            stand.access = '[bus]\nenabled = false\nkind = "session"\n'
            stand.start_agent()
            bus = connect(stand, "session")
            self.assertFalse(bus.name_has_owner(NAME))
            self.assertNotIn("bus", stand.log("signetd"))
            bus.close()


@unittest.skipUnless(os.getuid() == 0, "only root can act as several users")
class SystemsAgent(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = stand = cls.enterClassContext(Stand())
        # As on a real machine: nothing is allowed but what the installed policy allows.
        start_bus(stand, "system", policy=(
            '<deny own="*"/><deny send_type="method_call"/><allow send_type="signal"/>'
            '<allow send_requested_reply="true" send_type="method_return"/>'
            '<allow send_requested_reply="true" send_type="error"/>'
            '<allow receive_type="method_call"/><allow receive_type="method_return"/>'
            '<allow receive_type="error"/><allow receive_type="signal"/>'
            '<allow send_destination="org.freedesktop.DBus"/>'),
                  more=f"<include>{PACKAGING / 'org.signet.Agent1.conf'}</include>")
        stand.make_token()
        stand.add_software()
        stand.start_agent()
        cls.bus = connect(stand, "system")
        wait_for_name(cls.bus)

    def call_as(self, uid, name, path, method, *arguments):
        return subprocess.run(
            ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "dbus-send",
             f"--bus={self.stand.environment['DBUS_SYSTEM_BUS_ADDRESS']}", "--print-reply=literal",
             f"--dest={name}", path, method, *arguments],
            capture_output=True, text=True, timeout=60)

    def test_StrangerMayLookButNotLock(self):
        self.stand.must("token", "unlock", "card", "--pin-stdin", stdin=PIN)
        looked = self.call_as(STRANGER, NAME, PATH + "/tokens/card", dbus.PROPERTIES_IFACE + ".Get",
                              "string:" + TOKEN, "string:State")
        self.assertIn("ready", looked.stdout, looked)
        refused = self.call_as(STRANGER, NAME, PATH, NAME + ".Lock")
        self.assertIn("DBus.Error.AccessDenied: [access] admin does not name uid "
                      f"{STRANGER}", refused.stderr)
        self.assertEqual(self.stand.backend_status("card")["state"], "ready")
        allowed = self.call_as(0, NAME, PATH, NAME + ".Lock")
        self.assertEqual(allowed.returncode, 0, allowed)
        self.assertEqual(self.stand.backend_status("card")["state"], "locked")

    def test_PersonsIdentitiesAndLabelsAreNotShown(self):
        for name, kind in (("laptop", "device"), ("alice", "user")):
            self.stand.must("identity", "create", name, "--backend", "file", "--kind", kind,
                            "--algorithm", "p256")
        wait_for("the machine's identity", lambda: "identities/laptop" in managed(self.bus))
        objects = managed(self.bus)
        self.assertNotIn("identities/alice", objects)
        self.assertEqual(objects["tokens/card"][TOKEN]["Label"], "")

    def test_StrangerCannotTakeTheName(self):
        taken = self.call_as(STRANGER, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                             "org.freedesktop.DBus.RequestName", "string:" + NAME, "uint32:0")
        self.assertIn("not allowed to own", taken.stderr)


if __name__ == "__main__":
    unittest.main()
