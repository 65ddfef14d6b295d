"""A backend that dies or hangs costs its own request and nothing else."""
import os
import signal
import unittest

from tests.support.stand import Stand, wait_for


class BackendFaults(unittest.TestCase):
    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.stand.start_tpm()
        self.stand.make_token()
        self.stand.start_agent()
        self.assertEqual(self.stand.unlock().code, 0)
        self.stand.enrol("laptop", "tpm", "device")
        self.stand.enrol("alice", "card", "user")
        self.stand.start_gateway(require=("/login=device,user", "/device=device", "/user=user"))
        self.stand.allow("laptop", "alice")

    def names(self, outcome):
        return [identity["name"] for identity in outcome.json["identities"]]

    def card_without_time(self):
        status = self.stand.backend_status("card")
        status.pop("unlocked_until")  # later with each use
        return status

    def test_NextRequestWorksAfterKill(self):
        before = self.stand.backend_status("tpm")
        card = self.card_without_time()
        os.kill(before["pid"], signal.SIGKILL)
        wait_for("a new backend process",
                 lambda: self.stand.backend_status("tpm")["pid"] not in (0, before["pid"]))
        self.assertEqual(self.names(self.stand.fetch("/login")), ["laptop", "alice"])
        self.assertEqual(self.card_without_time(), card)

    def test_HungBackendIsReplacedAndTheOtherAnswers(self):
        before = self.stand.backend_status("tpm")
        os.kill(before["pid"], signal.SIGSTOP)
        outcome = self.stand.fetch("/login", options=("--deadline", "5"))
        said = outcome.json
        self.assertEqual(outcome.code, 22, outcome)
        self.assertEqual((said["empty_sent"], said["certificates_sent"]), (1, 1))
        self.assertEqual(self.names(outcome), ["alice"])
        wait_for("the hung process to be replaced",
                 lambda: self.stand.backend_status("tpm")["pid"] not in (0, before["pid"]))
        self.assertEqual(self.names(self.stand.fetch("/login")), ["laptop", "alice"])

    def test_TokenIsLockedAgainAfterKill(self):
        before = self.stand.backend_status("card")
        os.kill(before["pid"], signal.SIGKILL)
        wait_for("a new backend process",
                 lambda: self.stand.backend_status("card")["pid"] not in (0, before["pid"]))
        outcome = self.stand.fetch("/login")
        self.assertEqual([d["reason"] for d in outcome.json["declined"]], ["token-locked"], outcome)
        self.assertIn("signet token unlock card", outcome.json["declined"][0]["detail"])
        self.assertEqual(self.names(outcome), ["laptop"])
        self.assertEqual(self.stand.unlock().code, 0)
        self.assertEqual(self.names(self.stand.fetch("/login")), ["laptop", "alice"])

    def test_RestartedTpmIsUsedAgain(self):
        self.assertEqual(self.names(self.stand.fetch("/device")), ["laptop"])
        self.stand.stop("swtpm-tpm", signal.SIGKILL)
        outcome = self.stand.fetch("/device")
        self.assertEqual([d["reason"] for d in outcome.json["declined"]], ["token-failed"], outcome)
        self.stand.start_tpm()
        self.assertEqual(self.names(self.stand.fetch("/device")), ["laptop"])

    def test_IdentitiesSurviveRestartOfTheAgent(self):
        self.assertEqual(self.stand.stop("signetd"), 0)
        self.stand.start_agent()
        self.assertEqual(self.stand.unlock().code, 0)
        self.assertEqual(self.names(self.stand.fetch("/login")), ["laptop", "alice"])


if __name__ == "__main__":
    unittest.main()
