"""Where a PIN is, and where it is not: in nobody's memory but, as long as that is needed, one locked
page of the backend's, in no core, no log and no record. With signetd and its backends as they are.
"""
import ctypes
import errno
import os
import pathlib
import re
import signal
import subprocess
import unittest

from tests.support.card_case import SIGNATURE, CardCase
from tests.support.card_reader import PIN as CARD_PIN
from tests.support.stand import BIN, PIN, Stand, wait_for

# Sanitizers have a memory of their own, terabytes of it, and keep what was freed.
WHY_NOT = ("only root sees the memory of others" if os.geteuid() != 0 else
           "sanitizers keep what was freed" if os.environ.get("SIGNET_SANITIZE") else "")
NOBODY = 65534
PTRACE_ATTACH = 16
PAGE = 4096


class Mapping:
    def __init__(self, line):
        span, self.permissions, _, _, _, *path = line.split(maxsplit=5)
        self.begin, self.end = (int(number, 16) for number in span.split("-"))
        self.path, self.flags = "".join(path).strip(), []

    def is_locked_page(self):
        """As Pin makes it: one page, locked, in no core and in no child."""
        return self.end - self.begin == PAGE and {"lo", "dd", "dc"} <= set(self.flags)


def mappings(pid):
    found = []
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            found.append(Mapping(line))
        elif line.startswith("VmFlags:"):
            found[-1].flags = line.split()[1:]
    return found


def holders(pid, secret):
    """The mappings of the process that hold the bytes, one for each time; only root sees them."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for mapping in mappings(pid):
            if "r" not in mapping.permissions or mapping.path in ("[vvar]", "[vsyscall]"):
                continue
            try:
                memory.seek(mapping.begin)
                bytes_there = memory.read(mapping.end - mapping.begin)
            except OSError:
                continue
            found += [mapping] * bytes_there.count(secret)
    return found


def as_nobody(work):
    """What `work` says in a process of that user, which has no capability."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        os.write(writer, repr(work()).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


def trials(pid):
    """What another process of the same user gets of this one, by name."""
    libc = ctypes.CDLL(None, use_errno=True)

    def tried(what):
        try:
            what()
            return "ok"
        except OSError as error:
            return errno.errorcode[error.errno]

    def attach():
        if libc.ptrace(PTRACE_ATTACH, pid, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
        os.waitpid(pid, 0)
        libc.ptrace(17, pid, None, None)  # PTRACE_DETACH

    results = {name: tried(lambda: open(f"/proc/{pid}/{name}", "rb").close())
               for name in ("mem", "environ", "maps", "smaps")}
    return dict(results, ptrace=tried(attach))


@unittest.skipIf(WHY_NOT, WHY_NOT)
class PinSecrecy(unittest.TestCase):
    def setUp(self):
        self.stand = self.enterContext(Stand())

    def backend(self, name="card"):
        return self.stand.backend_status(name)["pid"]

    def assertNowhere(self, secret, *pids):
        for pid in pids:
            found = [(held.path, hex(held.begin), held.flags) for held in holders(pid, secret.encode())]
            self.assertEqual(found, [], pathlib.Path(f"/proc/{pid}/comm").read_text())

    def assertInNoFile(self, secret):
        for path in self.stand.dir.rglob("*"):
            if path.is_file():
                self.assertNotIn(secret.encode(), path.read_bytes(), path)

    def test_OfATokenThePinIsNowhereOnceItIsUnlocked(self):
        self.stand.make_token()
        self.stand.start_agent()
        wait_for("the token", lambda: self.stand.backend_status("card")["state"] == "locked")
        self.assertEqual(self.stand.unlock().code, 0)
        self.stand.must("identity", "create", "alice", "--backend", "card", "--kind", "user")
        self.assertEqual(self.stand.unlock(pin="not-" + PIN).code, 0)  # none is needed
        self.assertNowhere(PIN, self.stand.processes["signetd"].pid, self.backend())
        self.stand.must("token", "lock", "card")
        self.assertNowhere(PIN, self.stand.processes["signetd"].pid, self.backend())
        refused = self.stand.unlock(pin="wrong-" + PIN)
        self.assertNotIn(PIN, refused.out + refused.err)
        self.assertNowhere(PIN, self.stand.processes["signetd"].pid, self.backend())
        self.stand.stop("signetd")
        self.assertInNoFile(PIN)

    def test_OfATpmThePinIsInOneLockedPageUntilItIsLocked(self):
        secret = "Vogel-Quittung-4711"
        self.stand.start_tpm()
        self.stand.backends[-1] += "auth = true\n"
        self.stand.start_agent()
        wait_for("the TPM", lambda: self.stand.backend_status("tpm")["state"] == "locked")
        self.assertEqual(self.stand.unlock("tpm", secret).code, 0)
        self.stand.must("identity", "create", "laptop", "--backend", "tpm", "--kind", "device")
        self.stand.must("identity", "csr", "laptop", "--subject", "/CN=laptop")  # signs
        held = holders(self.backend("tpm"), secret.encode())
        self.assertEqual([page.is_locked_page() for page in held].count(True), 1)
        self.assertLessEqual(len(held), 2)  # tpm2-tss has one in its session
        self.assertNowhere(secret, self.stand.processes["signetd"].pid)
        self.stand.must("token", "lock", "--all")
        self.assertNowhere(secret, self.stand.processes["signetd"].pid, self.backend("tpm"))
        self.stand.stop("signetd")
        self.assertInNoFile(secret)

    def test_ItIsNowhereOnceItsTimeIsOver(self):
        secret = "Vogel-Quittung-4712"
        self.stand.start_tpm()
        self.stand.backends[-1] += 'auth = true\npin_idle = "1s"\n'
        self.stand.start_agent()
        wait_for("the TPM", lambda: self.stand.backend_status("tpm")["state"] == "locked")
        self.assertEqual(self.stand.unlock("tpm", secret).code, 0)
        wait_for("the end of its time", lambda: self.stand.backend_status("tpm")["state"] == "locked")
        backend = self.backend("tpm")  # whose clock tells it the same, but it must be woken
        wait_for("the PIN to be gone", lambda: not holders(backend, secret.encode()))
        self.assertEqual(self.stand.backend_status("tpm")["unlocked_until"], "")

    def test_NobodyOfTheSameUserLooksIntoThem(self):
        self.stand.make_token()
        self.stand.write_config()
        for path in [self.stand.dir, *self.stand.dir.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        self.stand.start("signetd", "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                         "--clear-groups", BIN / "signetd", "--config", self.stand.config,
                         "--policy-dir", self.stand.dir / "policy.d", "--runtime-dir",
                         self.stand.dir / "run", "--state-dir", self.stand.dir / "state")
        agent = self.stand.processes["signetd"]
        status = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                  str(BIN / "signet"), "status", "--json"]
        wait_for("the agent", lambda: b'"locked"' in subprocess.run(
            status, env=self.stand.environment, capture_output=True).stdout)
        children = pathlib.Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split()
        control = subprocess.Popen(["sleep", "600"], user=NOBODY, group=NOBODY, extra_groups=[])
        self.addCleanup(control.wait)
        self.addCleanup(control.kill)
        ordinary = as_nobody(lambda: trials(control.pid))
        if "'ptrace': 'ok'" not in ordinary or "'mem': 'ok'" not in ordinary:
            self.skipTest(f"this system lets nobody look at anything: {ordinary}")
        self.assertEqual(len(children), 1)
        for pid in (agent.pid, int(children[0])):
            self.assertEqual(as_nobody(lambda: set(trials(pid).values()) - {"EACCES", "EPERM"}),
                             "set()")

    def test_ACrashLeavesNoCore(self):
        self.stand.make_token()
        self.stand.start_agent()
        wait_for("the token", lambda: self.stand.backend_status("card")["state"] == "locked")
        self.assertEqual(self.stand.unlock().code, 0)
        agent, backend = self.stand.processes["signetd"], self.backend()
        os.kill(backend, signal.SIGABRT)
        wait_for("another one", lambda: self.backend() not in (0, backend))
        self.assertIn("signal 6", self.stand.backend_status("card")["last_error"])
        self.assertNotIn("core", self.stand.backend_status("card")["last_error"])
        os.kill(agent.pid, signal.SIGABRT)
        status = os.waitpid(agent.pid, 0)[1]
        self.assertEqual(os.WTERMSIG(status), signal.SIGABRT)
        self.assertFalse(os.WCOREDUMP(status))
        agent.returncode = -signal.SIGABRT


@unittest.skipIf(WHY_NOT, WHY_NOT)
class CardPinSecrecy(CardCase):
    def test_ForAKeyThatWantsItEachTimeItIsKeptInOneLockedPage(self):
        self.start(SIGNATURE)
        self.assertProves(SIGNATURE)
        backend = self.stand.backend_status("card")["pid"]
        held = holders(backend, CARD_PIN.encode())
        self.assertEqual([page.is_locked_page() for page in held].count(True), 1)
        self.assertLessEqual(len(held), 2, [(page.path, page.flags) for page in held])  # OpenSC's
        self.assertEqual(holders(self.stand.processes["signetd"].pid, CARD_PIN.encode()), [])
        self.stand.must("token", "lock", "card")
        self.assertEqual([(held.path, held.flags) for held in holders(backend, CARD_PIN.encode())], [])


if __name__ == "__main__":
    unittest.main()
