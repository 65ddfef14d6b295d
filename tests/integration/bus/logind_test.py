"""Tokens are locked with the screen, before the machine sleeps and with the last session: a real
dbus-daemon and a mock of logind tell the agent, a real token asks for its PIN again."""
import unittest

import dbus

from tests.support.dbus_stand import LOGIND, MANAGER, Logind, connect, name_of, start_bus, stop_bus
from tests.support.stand import PIN, Stand, wait_for

HELD = [("sleep", "signetd", "Tokens are locked before the machine sleeps", "delay")]


class LogindTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = stand = cls.enterClassContext(Stand())
        start_bus(stand, "system")
        cls.logind = Logind(stand)
        cls.logind.add_session("one")
        stand.make_token()
        stand.access = '[bus]\nkind = "session"\n'
        stand.start_agent()
        stand.must("token", "unlock", "card", "--pin-stdin", stdin=PIN)
        stand.enrol("alice", "card", "user")
        stand.start_gateway(require=("/=user",))
        stand.allow("alice")

    def setUp(self):
        self.hears_logind()
        self.stand.must("token", "unlock", "card", "--pin-stdin", stdin=PIN)

    def hears_logind(self):
        """The agent takes its delay lock when it has heard of logind, after it has begun to listen."""
        wait_for("the agent's delay lock", lambda: self.logind.inhibitors() == HELD)

    def state(self):
        return self.stand.backend_status("card")["state"]

    def locked(self):
        wait_for("the token to be locked", lambda: self.state() == "locked")

    def stays_unlocked(self):
        self.logind.settle(self.stand.processes["signetd"])
        self.assertEqual(self.given(), ["alice"])  # after whatever the token was told

    def given(self):
        return [identity["name"] for identity in self.stand.fetch("/").json["identities"]]

    def test_ScreenLockLocksTheToken(self):
        self.assertEqual(self.given(), ["alice"])
        self.logind.lock_screen("one")
        self.locked()
        self.assertEqual(self.given(), [])
        self.stand.wait_for_record(event="lock", detail="the screen is locked")

    def test_SessionThatSaysItIsLockedLocksTheToken(self):
        self.logind.set_locked_hint("one", True)
        self.locked()
        self.stand.must("token", "unlock", "card", "--pin-stdin", stdin=PIN)
        self.logind.set_locked_hint("one", False)
        self.stays_unlocked()

    def test_OthersSessionsAreNotOurs(self):
        self.logind.add_session("theirs", uid=4711)
        self.logind.lock_screen("theirs")
        self.logind.set_locked_hint("theirs", True)
        self.logind.remove_session("theirs")
        self.stays_unlocked()

    def test_SleepWaitsForTheTokens(self):
        self.logind.prepare_for_sleep(True)
        wait_for("the machine to sleep", lambda: self.logind.inhibitors() == [])
        self.assertEqual(self.state(), "locked")
        self.logind.prepare_for_sleep(False)
        self.hears_logind()

    def test_LastSessionsEndLocksTheToken(self):
        self.logind.add_session("two")
        self.logind.add_session("manager", kind="manager")
        self.logind.remove_session("two")
        self.stays_unlocked()
        self.logind.remove_session("one")
        self.locked()
        self.logind.remove_session("manager")
        self.logind.add_session("one")

    def test_StrangersSignalsMeanNothing(self):
        stranger = connect(self.stand, "system")
        for path, interface, member, arguments in (
                (MANAGER, LOGIND + ".Manager", "PrepareForSleep", [True]),
                (MANAGER + "/session/one", LOGIND + ".Session", "Lock", [])):
            signal = dbus.lowlevel.SignalMessage(path, interface, member)
            # To it alone: that needs no match rule.
            signal.set_destination(name_of(stranger, self.stand.processes["signetd"]))
            signal.append(*arguments)
            stranger.send_message(signal)
        stranger.flush()
        self.stays_unlocked()
        self.assertEqual(self.logind.inhibitors(), HELD)

    def test_BusThatComesBackIsListenedTo(self):
        stop_bus(self.stand, "system")
        self.stand.stop("logind")
        wait_for("the agent to notice", lambda: "no system bus" in self.stand.log("signetd"))
        self.assertEqual(self.state(), "ready")
        self.assertEqual(self.given(), ["alice"])
        start_bus(self.stand, "system")
        type(self).logind = Logind(self.stand)
        self.logind.add_session("one")
        self.hears_logind()
        self.assertIn("the system bus is there again", self.stand.log("signetd"))
        # If it looked before there was a session again, it has locked: after that, only the screen does.
        self.logind.settle(self.stand.processes["signetd"])
        self.stand.must("token", "unlock", "card", "--pin-stdin", stdin=PIN)
        self.logind.lock_screen("one")
        self.locked()


class SystemsAgent(unittest.TestCase):
    def test_LocksBeforeSleepOnceItIsToldTo(self):
        with Stand() as stand:
            start_bus(stand, "system")
            logind = Logind(stand)
            logind.add_session("one")
            stand.make_token()
            stand.access = '[bus]\nkind = "system"\n[lock]\non = ["sleep"]\n'
            stand.start_agent()
            wait_for("the agent's delay lock", lambda: logind.inhibitors() == HELD)
            stand.must("token", "unlock", "card", "--pin-stdin", stdin=PIN)
            logind.lock_screen("one")
            logind.remove_session("one")
            logind.settle(stand.processes["signetd"])
            self.assertEqual(stand.records(event="lock"), [])
            logind.prepare_for_sleep(True)
            wait_for("the machine to sleep", lambda: logind.inhibitors() == [])
            self.assertEqual(stand.backend_status("card")["state"], "locked")
            stand.wait_for_record(event="lock", detail="the machine is about to sleep")


if __name__ == "__main__":
    unittest.main()
