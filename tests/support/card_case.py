"""What tests of signetd with a smartcard share: a reader, Alice's card, and signetd that uses it through
OpenSC.
"""
import subprocess
import unittest

from tests.support import card_reader
from tests.support.card_reader import PIN, Card, CardReader, opensc_module
from tests.support.stand import Stand, wait_for

AUTHENTICATION, SIGNATURE, CARD_AUTHENTICATION, KEY_MANAGEMENT = (
    f"card.Certificate-for-{purpose}" for purpose in
    ("PIV-Authentication", "Digital-Signature", "Card-Authentication", "Key-Management"))


@unittest.skipIf(card_reader.why_not(), card_reader.why_not())
class CardCase(unittest.TestCase):
    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.reader = CardReader(self.stand)
        self.authority = self.stand.authority("user")
        self.card = Card(self.stand, "Alice", self.authority)
        self.add_backend("card", "Alice")

    def add_backend(self, name, token, module=None):
        self.stand.backends.append(
            f'[[backend]]\nname = "{name}"\ntype = "pkcs11"\nmodule = "{module or opensc_module()}"\n'
            f'token = "{token}"\n')

    def start(self, *identities):
        """With the card in the reader and unlocked; these identities may be used."""
        self.insert()
        self.stand.start_agent()
        self.seen()
        self.unlock()
        self.serve(*identities or [AUTHENTICATION])

    def serve(self, *identities):
        self.stand.start_gateway(require=("/user=user",))
        self.stand.allow(*identities)

    def insert(self, card=None):
        card = card or self.card
        card.plug()
        wait_for("the reader to take the card", lambda: card.state.inserted)

    def identities(self):
        listed = self.stand.must("identity", "list", "--json").json["identities"]
        return {identity["name"]: identity for identity in listed}

    def seen(self):
        wait_for("the card to be seen", lambda: AUTHENTICATION in self.identities())

    def missed(self):
        wait_for("the card to be missed", lambda: not self.identities())

    def unlock(self, pin=PIN):
        outcome = self.stand.unlock(pin=pin)
        self.assertEqual(outcome.code, 0, outcome)

    def assertProves(self, name=AUTHENTICATION):
        outcome = self.stand.fetch("/user")
        self.assertEqual([identity["name"] for identity in outcome.json["identities"]], [name], outcome)

    def decline(self, *options):
        outcome = self.stand.fetch("/user", options=options)
        self.assertEqual(outcome.json["identities"], [], outcome)
        self.assertNotIn(PIN, outcome.out + outcome.err + self.stand.log("signetd"))
        [declined] = outcome.json["declined"]
        return declined

    def assertLocked(self):
        declined = self.decline()
        self.assertEqual(declined["reason"], "token-locked", declined)
        self.assertIn("signet token unlock card", declined["detail"])

    def tool(self, *arguments, pin=PIN, works=True):
        """What another program does to the card."""
        done = subprocess.run(["pkcs11-tool", "--module", opensc_module(), "--login", "--pin", pin,
                               *map(str, arguments)], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode == 0, works, done)
