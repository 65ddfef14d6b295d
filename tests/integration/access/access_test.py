"""Who may use and who may administer, by the kernel's uid."""
import os
import subprocess
import unittest

from tests.support.stand import BIN, Outcome, Stand

NOBODY = 65534


@unittest.skipUnless(os.getuid() == 0, "only root can act as another user")
class Access(unittest.TestCase):
    def as_nobody(self, stand, program, *arguments):
        return Outcome(subprocess.run(
            ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", str(BIN / program),
             *map(str, arguments)], capture_output=True, text=True, env=stand.environment, timeout=60))

    def stand_with(self, access):
        stand = self.enterContext(Stand())
        stand.access = access
        stand.add_software()
        stand.start_agent()
        stand.enrol("laptop", "file", "device")
        stand.start_gateway(require=("/device=device",))
        stand.allow("laptop")
        return stand

    def fetch_as_nobody(self, stand):
        return self.as_nobody(stand, "signet-fetch", "--cacert", stand.dir / "ca" / "server.pem",
                              "--json", stand.origin + "/device")

    def test_DefaultAdmitsOnlyTheOwner(self):
        stand = self.stand_with("")
        self.assertEqual(self.fetch_as_nobody(stand).json["declined"][0]["reason"], "no-agent")
        self.assertNotEqual(self.as_nobody(stand, "signet", "status").code, 0)
        self.assertEqual(stand.fetch("/device").code, 0)

    def test_UserMayUseButNotAdminister(self):
        stand = self.stand_with(f"[access]\nuse = [0, {NOBODY}]\nadmin = [0]\n")
        self.assertEqual(self.fetch_as_nobody(stand).code, 0)
        outcome = self.as_nobody(stand, "signet", "policy", "allow", "https://x.example",
                                 "--identity", "laptop")
        self.assertEqual(outcome.code, 4, outcome)
        self.assertIn("[access] admin", outcome.err)

    def test_UnnamedUserMayNeither(self):
        stand = self.stand_with("[access]\nuse = [0, 1]\nadmin = [0]\n")
        declined = self.fetch_as_nobody(stand).json["declined"]
        self.assertIn("[access] use", declined[0]["detail"])
        self.assertEqual(self.as_nobody(stand, "signet", "identity", "list").code, 4)


if __name__ == "__main__":
    unittest.main()
