"""A smartcard gets its PIN once, or for each signature where its key wants that, and never a wrong
one twice. The card itself counts (tests/support/piv_card).
"""
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from tests.support import stand as stands
from tests.support.card_case import (AUTHENTICATION, CARD_AUTHENTICATION, KEY_MANAGEMENT, SIGNATURE,
                                     CardCase)
from tests.support.card_reader import PIN, Card, opensc_module
from tests.support.prompter import Prompter
from tests.support.stand import wait_for

OTHER_PIN = "918273"
TRIES_HOLD = 10  # seconds that the PIN's tries are taken for known


class CardPin(CardCase):
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
            self.assertEqual(self.stand.backend_status("card")["pin_tries"],
                             {2: "unknown", 1: "few", 0: "last"}[left])
            if left == 0:
                kept = self.stand.unlock(pin="000000")
                self.assertIn("--last-try", kept.err)
                self.assertEqual(self.card.state.pin_tries, 1)
            refused = self.stand.unlock("card", "000000", *(["--last-try"] if left == 0 else []))
            self.assertNotEqual(refused.code, 0)
            self.assertIn(words, refused.err)
            self.assertEqual(self.card.state.pin_tries, left)
            self.assertLocked()
        self.assertEqual(self.stand.backend_status("card")["pin_tries"], "blocked")
        refused = self.stand.unlock()
        self.assertIn("PUK", refused.err)
        self.assertEqual(self.card.state.verified, spent + 3)

    def test_TriesThatOthersSpendAreCountedBeforeThePinIsSent(self):
        self.start()
        self.stand.must("token", "lock", "card")
        for _ in range(2):  # while the agent last heard that all are left
            self.tool("--list-objects", pin=OTHER_PIN, works=False)
        self.assertEqual(self.card.state.pin_tries, 1)
        kept = self.stand.unlock(pin=OTHER_PIN)
        self.assertIn("only one PIN try is left", kept.err)
        self.assertEqual(self.card.state.pin_tries, 1)
        self.assertEqual(self.stand.backend_status("card")["pin_tries"], "last")
        self.assertEqual(self.stand.unlock("card", PIN, "--last-try").code, 0)
        self.assertEqual(self.card.state.pin_tries, 3)

    def test_AKeyThatWantsThePinEachTimeGetsIt(self):
        known = time.monotonic()
        self.start(SIGNATURE)
        self.assertEqual(self.card.state.verified, 1)
        for number in range(1, 4):
            verified, begun = self.card.state.verified, time.monotonic()
            self.assertProves(SIGNATURE)
            once_more = time.monotonic() - known >= TRIES_HOLD  # to know the tries again
            self.assertIn(self.card.state.verified - verified, (1, 2) if once_more else (1,))
            self.assertEqual(self.card.state.signed, number)
            known = begun
        self.stand.must("token", "lock", "card")
        self.assertLocked()
        self.unlock()
        self.assertProves(SIGNATURE)
        verified = self.card.state.verified
        self.card.unplug()
        self.missed()
        self.insert()
        self.seen()
        self.assertLocked()
        self.assertEqual(self.card.state.verified, verified)

    def test_AKeptPinThatWasChangedIsTriedOnce(self):
        self.start(SIGNATURE)
        self.tool("--change-pin", "--new-pin", OTHER_PIN)
        declined = self.decline()
        self.assertIn("one try is spent", declined["detail"])
        self.assertEqual(self.card.state.pin_tries, 2)
        for _ in range(3):
            self.assertLocked()
        self.assertEqual(self.card.state.pin_tries, 2)
        self.unlock(OTHER_PIN)
        self.assertProves(SIGNATURE)

    def test_AnotherCardOfTheSameNameGetsNoPin(self):
        self.start(SIGNATURE)
        self.assertProves(SIGNATURE)
        twin = Card(self.stand, "Alice", self.authority, name="twin")
        verified = self.card.state.verified
        self.card.unplug()
        wait_for("pcscd to miss the card", lambda: not self.reader.sees_card())
        self.insert(twin)
        self.decline()
        wait_for("the other card's keys", lambda: self.shown(SIGNATURE) == self.issued(twin))
        self.assertLocked()
        self.assertEqual((self.card.state.verified, twin.state.verified), (verified, 0))
        self.unlock()  # a person's word, for what is there
        self.assertEqual(twin.state.verified, 1)
        self.assertProves(SIGNATURE)

    def test_ACardThatNobodySawComeGetsNoMoreOfThePin(self):
        self.start(SIGNATURE)
        self.assertProves(SIGNATURE)
        twin = Card(self.stand, "Alice", self.authority, name="twin")
        self.card.become(twin)  # by chance, of the same PIN
        declined = self.decline()
        self.assertEqual(declined["reason"], "token-failed", declined)
        self.assertIn("the token made a wrong signature", declined["detail"])
        self.assertIn("signet token unlock card", declined["detail"])
        verified = self.card.state.verified
        self.decline()  # whether its keys are known by now or not
        wait_for("the other card's keys", lambda: self.shown(SIGNATURE) == self.issued(twin))
        self.assertLocked()
        self.assertEqual(self.card.state.verified, verified)
        self.assertEqual(self.stand.backend_status("card")["restarts"], 1)
        wait_for("the record", lambda: "made a wrong signature" in
                 self.stand.must("audit", "list", "--json").out)
        self.unlock()
        self.assertProves(SIGNATURE)

    def test_APulledCardTakesThePromptForItsPinAlong(self):
        prompter = Prompter(self.stand)
        prompter.does()
        self.start()
        self.stand.must("token", "lock", "card")
        with ThreadPoolExecutor() as pool:
            declined = pool.submit(self.decline)
            wait_for("the prompt", prompter.shown)
            self.card.unplug()
            self.assertEqual(declined.result()["reason"], "token-failed", declined.result())
        wait_for("the prompt to close", lambda: prompter.log()[-1:] == ["closed"])

    def shown(self, name):
        outcome = self.stand.signet("identity", "show", name, "--json")
        return outcome.json["identity"].get("serial") if outcome.code == 0 else None

    def issued(self, card):
        return stands.openssl("x509", "-in", card.folder / "9C.pem", "-noout",
                              "-serial").strip().removeprefix("serial=")

    def test_APinPadAsksForThePinItself(self):
        self.stand.environment.update(PKCS11_PIN_PAD=opensc_module(), PKCS11_PIN_PAD_ENTERS="000000")
        self.stand.backends.clear()
        self.add_backend("card", "Alice", stands.BIN.parent / "tests" / "pin_pad_module.so")
        self.insert()
        self.stand.start_agent()
        self.seen()
        refused = self.stand.signet("token", "unlock", "card")
        self.assertIn("card: enter the PIN at the reader", refused.err)
        self.assertIn("one try is spent", refused.err)
        self.assertEqual(self.card.state.pin_tries, 2)
        self.stand.stop("signetd")
        self.stand.environment["PKCS11_PIN_PAD_ENTERS"] = PIN
        self.stand.start_agent()
        self.seen()
        self.stand.must("token", "unlock", "card")
        self.assertTrue(self.stand.backend_status("card")["pin_pad"])
        self.serve(SIGNATURE)
        for _ in range(2):
            self.assertProves(SIGNATURE)
        self.assertEqual(self.card.state.verified, 4)


if __name__ == "__main__":
    unittest.main()
