"""What a signature costs, counted where it counts: at the TPM and at the token.

A TPM takes a tenth of a second for what its simulator does in a third of a millisecond, so how many
commands go to it says more than any time.
"""
import unittest

from tests.support import stand as stands
from tests.support.stand import Stand, softhsm_module, wait_for

LIBRARIES = stands.BIN.parent / "tests"
TPM_COMMANDS = {"0x131": "CreatePrimary", "0x15d": "Sign", "0x157": "Load", "0x165": "FlushContext",
                "0x17a": "GetCapability"}
SIGNATURES = 5
# While nobody asks for anything the backend looks whether the token is still there.
LOOKING = {"C_GetSlotList", "C_GetSessionInfo"}


class Economy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = cls.enterClassContext(Stand())
        cls.tpm, cls.token = cls.stand.dir / "tpm.calls", cls.stand.dir / "token.calls"
        cls.stand.environment.update(
            TSS2_RECORDING=str(cls.tpm), PKCS11_RECORDING=str(cls.token),
            PKCS11_RECORDED=softhsm_module())
        cls.stand.start_tpm(through=f"{LIBRARIES}/recording_tcti.so:")
        cls.stand.make_token(module=f"{LIBRARIES}/recording_module.so")
        cls.stand.start_agent()
        assert cls.stand.unlock().code == 0
        cls.stand.enrol("laptop", "tpm", "device")
        cls.stand.enrol("alice", "card", "user")
        cls.stand.start_gateway(require=("/device=device", "/user=user"))
        cls.stand.allow("laptop", "alice")

    def prove(self, path, times=1):
        for _ in range(times):
            outcome = self.stand.fetch(path)
            self.assertEqual(outcome.json["certificates_sent"], 1, outcome)

    def calls(self, log, action):
        before = len(log.read_text().split())
        action()
        return [TPM_COMMANDS.get(call, call) for call in log.read_text().split()[before:]
                if call not in LOOKING]

    def test_LoadedTpmKeySignsWithOneCommand(self):
        self.prove("/device")
        self.assertEqual(self.calls(self.tpm, lambda: self.prove("/device", SIGNATURES)),
                         ["Sign"] * SIGNATURES)

    def test_FirstSignatureAfterAStartTakesFourCommands(self):
        self.stand.stop("signetd")
        self.stand.start_agent()
        wait_for("the TPM", lambda: self.stand.backend_status("tpm")["state"] == "ready")
        self.assertEqual(self.calls(self.tpm, lambda: self.prove("/device")),
                         ["CreatePrimary", "Load", "FlushContext", "Sign"])
        self.assertEqual(self.stand.unlock().code, 0)

    def test_TokenSignsWithTwoCalls(self):
        self.prove("/user")
        self.assertEqual(self.calls(self.token, lambda: self.prove("/user", SIGNATURES)),
                         ["C_SignInit", "C_Sign"] * SIGNATURES)


if __name__ == "__main__":
    unittest.main()
