"""What a person is being asked is to be seen on the session bus, while it waits and no longer."""
import subprocess
import unittest

from tests.support.dbus_stand import Monitor, connect, start_bus
from tests.support.prompter import Prompter
from tests.support.stand import BIN, Stand, wait_for

NAME, PATH = "org.signet.Agent1", "/org/signet/Agent1"


class PendingPromptsTest(unittest.TestCase):
    def test_PromptIsToldWhileItWaits(self):
        with Stand() as stand:
            start_bus(stand, "session")
            stand.add_software()
            stand.access = '[bus]\nkind = "session"\n'
            prompter = Prompter(stand)
            stand.start_agent()
            bus = connect(stand, "session")
            wait_for("the agent on the bus", lambda: bus.name_has_owner(NAME))
            stand.enrol("alice", "file", "user")
            stand.start_gateway(require=("/=user",))
            stand.must("policy", "ask", stand.origin, "--identity", "alice")
            go = stand.dir / "go"
            prompter.does(f"wait {go}", "choose 0")
            monitor = Monitor(stand, NAME)
            with subprocess.Popen([BIN / "signet-fetch", "--cacert", stand.dir / "ca" / "server.pem",
                                   stand.origin + "/"], env=stand.environment,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as fetch:
                monitor.wait_for("PropertiesChanged", '"PendingPrompts"', stand.origin, "signet-fetch")
                wait_for("the prompt", lambda: [prompt for prompt in self.pending(bus)
                                                if prompt["Origin"] == stand.origin and prompt["Shown"]])
                go.touch()
                self.assertEqual(fetch.wait(60), 0)
            wait_for("no prompt", lambda: not self.pending(bus))
            bus.close()

    def pending(self, bus):
        return bus.call_blocking(NAME, PATH, "org.freedesktop.DBus.Properties", "Get", "ss",
                                 [NAME, "PendingPrompts"])


if __name__ == "__main__":
    unittest.main()
