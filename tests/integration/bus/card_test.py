"""A smartcard comes and goes, and whoever watches org.signet.Agent1 hears of it."""
import unittest

from tests.support.card_case import CardCase
from tests.support.dbus_stand import Monitor, connect, start_bus
from tests.support.stand import wait_for

NAME, PATH = "org.signet.Agent1", "/org/signet/Agent1"
IDENTITY = PATH + "/identities/card_2eCertificate_2dfor_2dPIV_2dAuthentication"


class CardTest(CardCase):
    def test_CardThatComesAndGoesIsTold(self):
        start_bus(self.stand, "session")
        self.stand.access = '[bus]\nkind = "session"\n'
        self.stand.start_agent()
        bus = connect(self.stand, "session")
        wait_for("the agent on the bus", lambda: bus.name_has_owner(NAME))
        monitor = Monitor(self.stand, NAME)
        self.insert()
        monitor.wait_for("InterfacesAdded", IDENTITY, '"card.Certificate-for-PIV-Authentication"')
        monitor.wait_for("PropertiesChanged", PATH + "/tokens/card", '"State"', '"locked"')
        monitor.stop()
        monitor = Monitor(self.stand, NAME)
        self.card.unplug()
        monitor.wait_for("InterfacesRemoved", IDENTITY)
        monitor.wait_for("PropertiesChanged", PATH + "/tokens/card", '"State"', '"failed"')
        bus.close()


if __name__ == "__main__":
    unittest.main()
