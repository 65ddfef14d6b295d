"""Many signatures through OpenSSL's provider: none fails, and neither the program nor the agent grows.

usage: python3 -m tests.soak.signatures [N]     (default: 100000)
"""
import json
import subprocess
import sys
import unittest

from tests.integration.openssl.fixture import SANITIZED, WithProvider
from tests.support.stand import BIN

LOAD = BIN.parent / "tests" / "provider-load"
WARM = 100  # signatures until all is loaded that stays
PROGRAM_GROWTH = 16 << 10  # bytes, however many signatures
AGENT_GROWTH = 8 << 10  # KiB, as in soak.py: records wait in memory for a disk that is busy


class Signatures(WithProvider):
    keys = (("new", "file", "ed25519"),)
    count = 100_000

    def heap_after(self, program, count):
        program.stdin.write(f"{count}\n")
        program.stdin.flush()
        line = program.stdout.readline()
        self.assertTrue(line, "provider-load has failed; its output is above")
        return json.loads(line)["heap"]

    def agents_memory(self):
        status = open(f"/proc/{self.stand.processes['signetd'].pid}/status").read()
        return int(status.split("VmRSS:")[1].split()[0])

    def runTest(self):
        with subprocess.Popen([LOAD, "signatures", self.dir / "new.key"], env=self.environment, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
            warm, agent_warm = self.heap_after(program, WARM), self.agents_memory()
            end, agent_end = self.heap_after(program, self.count), self.agents_memory()
            program.stdin.close()
            self.assertEqual(program.wait(), 0)  # with a sanitizer: nothing leaked
        print(f"{self.count} signatures: the program's heap grew by {end - warm} bytes, the agent by "
              f"{agent_end - agent_warm} KiB")
        if not SANITIZED:  # which keeps what was freed
            self.assertLess(end - warm, PROGRAM_GROWTH)
            self.assertLess(agent_end - agent_warm, AGENT_GROWTH)
        server = [self.dir / "server.key", self.dir / "server.pem"]
        client = [self.dir / "new.key", self.dir / "new.pem"]
        subprocess.run([LOAD, "handshakes", *client, *server], env=self.environment, input="5\n", text=True,
                       check=True, stdout=subprocess.DEVNULL)


def main():
    if len(sys.argv) > 1:
        Signatures.count = int(sys.argv[1])
    done = unittest.TextTestRunner().run(unittest.TestSuite([Signatures()]))
    sys.exit(not done.wasSuccessful())


if __name__ == "__main__":
    main()
