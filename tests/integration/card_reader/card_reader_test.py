"""The virtual card is a PIV card to those who know one: OpenSC's own tools use it through pcscd."""
import subprocess
import unittest

from tests.support import card_reader
from tests.support.card_reader import PIN, PUK, Card, CardReader, opensc_module
from tests.support.stand import Stand, openssl, wait_for

OTHER_PIN = "918273"
SIGNING = {"9A": ("01", "ECDSA"), "9C": ("02", "ECDSA"), "9D": ("03", "SHA256-RSA-PKCS"),
           "9E": ("04", "ECDSA")}


@unittest.skipIf(card_reader.why_not(), card_reader.why_not())
class VirtualCard(unittest.TestCase):
    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.reader = CardReader(self.stand)
        self.authority = self.stand.authority("user")
        self.card = Card(self.stand, "Alice", self.authority)

    def insert(self, card=None):
        card = card or self.card
        card.plug()
        wait_for("the card", lambda: card.holder in self.tool("--list-slots").stdout)

    def missed(self):
        wait_for("pcscd to miss the card", lambda: not self.reader.sees_card())

    def run_tool(self, *command):
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def tool(self, *arguments):
        return self.run_tool("pkcs11-tool", "--module", opensc_module(), *map(str, arguments))

    def login(self, pin):
        return self.tool("--login", "--pin", pin, "--list-objects").returncode == 0

    def sign(self, slot):
        """True when the signature holds for the certificate's key."""
        key, mechanism = SIGNING[slot]
        data, signature, public = (self.stand.dir / name for name in ("data", "signature", "public"))
        data.write_bytes(bytes(range(32)))
        done = self.tool("--login", "--pin", PIN, "--sign", "--mechanism", mechanism, "--id", key,
                         "--signature-format", "openssl", "--input-file", data, "--output-file",
                         signature)
        if done.returncode != 0:
            return False
        public.write_text(openssl("x509", "-in", self.card.folder / f"{slot}.pem", "-noout", "-pubkey"))
        how = ["dgst", "-sha256", "-verify", public, "-signature", signature, data] \
            if "RSA" in mechanism else \
            ["pkeyutl", "-verify", "-pubin", "-inkey", public, "-sigfile", signature, "-in", data]
        openssl(*how)
        return True

    def test_EveryKeySigns(self):
        self.insert()
        for slot in SIGNING:
            with self.subTest(slot):
                before = self.card.state
                self.assertTrue(self.sign(slot))
                after = self.card.state
                self.assertEqual(after.signed, before.signed + 1)
                # OpenSC gives the PIN once, and once more for the key that wants it each time.
                self.assertEqual(after.verified, before.verified + (2 if slot == "9C" else 1))

    def test_TriesAreCountedAndTheCountSurvivesPower(self):
        self.insert()
        self.assertFalse(self.login("000000"))
        self.assertEqual(self.card.state.pin_tries, 2)
        self.card.unplug()
        self.missed()
        self.stand.stop(self.card.name)
        self.card.start()
        self.insert()
        self.assertEqual(self.card.state.pin_tries, 2)
        self.assertTrue(self.login(PIN))
        self.assertEqual(self.card.state.pin_tries, 3)

    def test_PinIsChangedBlockedAndUnblocked(self):
        self.insert()
        done = self.tool("--login", "--pin", PIN, "--change-pin", "--new-pin", OTHER_PIN)
        self.assertEqual(done.returncode, 0, done)
        self.assertFalse(self.login(PIN))
        self.assertTrue(self.login(OTHER_PIN))
        for tries in (2, 1, 0):
            self.login("000000")
            self.assertEqual(self.card.state.pin_tries, tries)
        self.assertFalse(self.login(OTHER_PIN))
        done = self.run_tool("pkcs15-tool", "--unblock-pin", "--auth-id", "01", "--puk", PUK,
                             "--new-pin", PIN)
        self.assertEqual(done.returncode, 0, done)
        self.assertTrue(self.login(PIN))
        self.assertEqual(self.card.state.puk_tries, 3)

    def test_CardThatIsPulledInASignatureIsOut(self):
        self.insert()
        self.card.drop_in_next_signature()
        try:
            self.assertFalse(self.sign("9A"))
        except subprocess.TimeoutExpired:
            pass  # OpenSC may wait for ever
        self.assertFalse(self.card.state.inserted)
        self.missed()
        self.insert()
        self.assertTrue(self.sign("9A"))

    def test_ReaderTakesTwoCards(self):
        bob = Card(self.stand, "Bob", self.authority, slot=1)
        self.insert(bob)
        self.assertIn("(empty)", self.tool("--list-slots").stdout)
        self.insert()
        slots = self.tool("--list-slots").stdout
        self.assertIn("Alice", slots)
        self.assertIn("Bob", slots)

    def test_CardIsThereAgainAfterPcscdWasRestarted(self):
        self.insert()
        self.reader.restart()
        wait_for("the card", lambda: "Alice" in self.tool("--list-slots").stdout)


if __name__ == "__main__":
    unittest.main()
