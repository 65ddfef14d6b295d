"""A smartcard's life: it comes, is unlocked, signs, is pulled, and comes back. Real signetd, OpenSC
and pcscd; the card is tests/support/piv_card, which counts what reaches it.
"""
import time
import unittest

from tests.support import card_reader
from tests.support.card_reader import PIN, Card, CardReader, opensc_module
from tests.support.stand import Stand, wait_for

AUTHENTICATION, CARD_AUTHENTICATION, KEY_MANAGEMENT = (
    f"card.Certificate-for-{purpose}"
    for purpose in ("PIV-Authentication", "Card-Authentication", "Key-Management"))
SEEN_WITHIN = 5  # seconds; a third of one without sanitizers on an idle machine


@unittest.skipIf(card_reader.why_not(), card_reader.why_not())
class CardLife(unittest.TestCase):
    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.reader = CardReader(self.stand)
        self.authority = self.stand.authority("user")
        self.card = Card(self.stand, "Alice", self.authority)
        self.stand.backends.append(
            f'[[backend]]\nname = "card"\ntype = "pkcs11"\nmodule = "{opensc_module()}"\n'
            'token = "Alice"\n')

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

    def insert(self):
        self.card.plug()
        wait_for("the reader to take the card", lambda: self.card.state.inserted)

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

    # -- the PIN -----------------------------------------------------------------------------

    def test_KeysOfACardProveOnceItIsUnlocked(self):
        self.insert()
        self.stand.start_agent()
        self.seen()
        self.assertIn("signet token unlock card", self.identities()[AUTHENTICATION]["reason"])
        self.serve(AUTHENTICATION)
        self.assertLocked()
        self.assertEqual((self.card.state.verified, self.card.state.signed), (0, 0))
        self.unlock()
        for number, name in enumerate((AUTHENTICATION, CARD_AUTHENTICATION, KEY_MANAGEMENT), 1):
            self.assertTrue(self.identities()[name]["usable"], name)
            self.stand.allow(name)
            self.assertProves(name)
            self.assertEqual(self.card.state.signed, number)
            self.stand.must("policy", "deny", self.stand.origin, "--identity", name)
        self.assertEqual(self.card.state.verified, 1)
        self.stand.allow(AUTHENTICATION)
        self.stand.must("token", "lock", "card")
        self.assertLocked()

    def test_AWrongPinSpendsOneTryAndABlockedOneNone(self):
        self.start()
        self.stand.must("token", "lock", "card")
        spent = self.card.state.verified
        for left, words in ((2, "one try is spent"), (1, "only one try is left"), (0, "blocked")):
            refused = self.stand.unlock(pin="000000")
            self.assertNotEqual(refused.code, 0)
            self.assertIn(words, refused.err)
            self.assertEqual(self.card.state.pin_tries, left)
            self.assertLocked()
        refused = self.stand.unlock()
        self.assertIn("PUK", refused.err)
        self.assertEqual(self.card.state.verified, spent + 3)

    # -- coming and going --------------------------------------------------------------------

    def test_IdentitiesComeAndGoWithTheCard(self):
        self.stand.start_agent()
        self.assertEqual(self.identities(), {})
        for _ in range(3):
            begin = time.monotonic()
            self.insert()
            self.seen()
            self.assertLess(time.monotonic() - begin, SEEN_WITHIN)
            self.assertEqual(self.stand.backend_status("card")["state"], "locked")
            begin = time.monotonic()
            self.card.unplug()
            self.missed()
            self.assertLess(time.monotonic() - begin, SEEN_WITHIN)
            status = self.stand.backend_status("card")
            self.assertEqual((status["state"], status["restarts"]), ("failed", 0))
            self.assertIn("insert it", status["next_step"])
        self.assertEqual(self.card.state.verified, 0)

    def test_ACardThatComesBackIsLocked(self):
        self.start()
        self.assertProves()
        self.card.unplug()
        self.missed()
        self.insert()
        self.seen()
        self.assertLocked()
        self.assertEqual(self.card.state.verified, 1)
        self.unlock()
        self.assertProves()


if __name__ == "__main__":
    unittest.main()
