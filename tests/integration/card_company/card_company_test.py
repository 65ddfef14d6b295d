"""A smartcard is not alone: another card, another program, and pcscd that comes and goes.

SIGNET_SHARED_CARD_SECONDS=60 lets another program use the card beside signetd for a full minute.
"""
import os
import threading
import time
import unittest

from tests.support.card_case import AUTHENTICATION, SIGNATURE, CardCase
from tests.support.card_reader import PIN, Card
from tests.support.stand import wait_for

SHARED_SECONDS = float(os.environ.get("SIGNET_SHARED_CARD_SECONDS", "3"))


class CardCompany(CardCase):
    def test_TwoCardsLiveSideBySide(self):
        bob = Card(self.stand, "Bob", self.authority, slot=1)
        self.add_backend("bob", "Bob")
        self.insert(bob)
        his = AUTHENTICATION.replace("card.", "bob.")
        self.start(his)
        wait_for("Bob's card", lambda: his in self.identities())
        self.assertEqual(self.stand.backend_status("bob")["state"], "locked")
        self.assertEqual((self.card.state.verified, bob.state.verified), (1, 0))
        self.assertEqual(self.stand.unlock("bob", PIN).code, 0)
        self.card.unplug()
        wait_for("one card to be missed", lambda: AUTHENTICATION not in self.identities())
        self.assertProves(his)
        self.assertEqual(bob.state.verified, 1)
        self.insert()
        self.seen()
        self.assertProves(his)  # still unlocked

    def test_PcscdMayRestart(self):
        self.start()
        self.assertProves()
        self.reader.stop()
        self.missed()
        self.reader.start()
        self.seen()
        self.assertLocked()
        self.unlock()
        self.assertProves()
        self.assertEqual(self.stand.backend_status("card")["restarts"], 0)

    def test_AnotherProgramMayUseTheCardToo(self):
        self.share_the_card(AUTHENTICATION)

    def test_AnotherProgramMayUseTheCardTooWhileAKeyWantsItsPinEachTime(self):
        self.share_the_card(SIGNATURE)

    def share_the_card(self, name):
        self.start(name)
        data, done, failures = self.stand.dir / "data", threading.Event(), []
        data.write_bytes(bytes(32))

        def use_it_too():
            while not done.is_set():
                try:
                    self.tool("--sign", "--mechanism", "ECDSA", "--id", "01", "--input-file", data,
                              "--output-file", self.stand.dir / "signature")
                except Exception as failure:  # told below, in the test's own thread
                    failures.append(failure)

        other = threading.Thread(target=use_it_too)
        other.start()
        try:
            end = time.monotonic() + SHARED_SECONDS
            while time.monotonic() < end:
                self.assertProves(name)
        finally:
            done.set()
            other.join()
        self.assertEqual(failures, [])
        self.assertEqual(self.card.state.pin_tries, 3)
        self.assertEqual(self.stand.backend_status("card")["restarts"], 0)


if __name__ == "__main__":
    unittest.main()
