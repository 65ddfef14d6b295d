"""A smartcard's life: it comes, signs, is pulled at any moment, and comes back.
"""
import unittest

from tests.support.card_case import AUTHENTICATION, SIGNATURE, CardCase
from tests.support.stand import wait_for


class CardLife(CardCase):
    def test_IdentitiesComeAndGoWithTheCard(self):
        self.stand.start_agent()
        self.assertEqual(self.identities(), {})
        for _ in range(3):
            self.insert()
            self.seen()
            self.assertEqual(self.stand.backend_status("card")["state"], "locked")
            self.card.unplug()
            self.missed()
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

    def test_ACardPulledInASignatureCostsThatRequest(self):
        self.pull_in_a_signature(AUTHENTICATION)

    def test_ACardPulledInASignatureWithItsOwnPinCostsThatRequest(self):
        self.pull_in_a_signature(SIGNATURE)

    def pull_in_a_signature(self, name):
        self.start(name)
        self.assertProves(name)
        self.card.drop_in_next_signature()
        declined = self.decline()
        self.assertIn(declined["reason"], ("token-failed", "deadline"), declined)
        self.missed()
        self.insert()
        self.seen()
        self.assertLocked()
        self.unlock()
        self.assertProves(name)

    def test_ACardThatHangsIsGivenUp(self):
        self.start()
        before = self.stand.backend_status("card")["pid"]
        self.card.slow_down(7000)
        declined = self.decline("--deadline", "4")
        self.assertEqual(declined["reason"], "deadline", declined)
        wait_for("the process that hangs to be replaced",
                 lambda: self.stand.backend_status("card")["pid"] not in (0, before))
        self.card.slow_down(0)  # once it has signed
        wait_for("the card", lambda: self.stand.backend_status("card")["state"] == "locked")
        self.seen()
        self.unlock()
        self.assertProves()


if __name__ == "__main__":
    unittest.main()
