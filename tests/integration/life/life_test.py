"""The agent under many clients, rude ones, and without descriptors, permission or room."""
import concurrent.futures
import itertools
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time
import unittest

from tests.support import agent_socket
from tests.support.stand import BIN, PATIENCE, Stand, rule, wait_for

LIBRARIES = BIN.parent / "tests"
SIGN = "0x15d\n"  # TPM2_CC_Sign

# Those of a process that can't be traced.
SEES_DESCRIPTORS = os.geteuid() == 0
takes_root = unittest.skipUnless(SEES_DESCRIPTORS, "only root sees the agent's descriptors")

IDLE, BUSY = 512, 64
DESCRIPTORS = 16384  # a sixteenth of what the agent may open is what one user may connect


class Agent(unittest.TestCase):
    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.stand.add_software()
        self.stand.rules = [rule("https://localhost:*", "*", "allow")]

    @property
    def agent(self):
        return self.stand.processes["signetd"].pid

    def connect(self):
        connection = agent_socket.connect(self.stand)
        self.addCleanup(connection.close)
        connection.settimeout(PATIENCE)
        return connection

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.agent}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        fields = pathlib.Path(f"/proc/{self.agent}/statm").read_text().split()
        return int(fields[1]) * resource.getpagesize()

    def wait_for_rest(self):
        """Once it has done what there was to do, it needs next to nothing."""
        def rests():
            spent = self.cpu_seconds()
            time.sleep(1)
            return self.cpu_seconds() - spent < 0.5
        wait_for("the agent to rest; it spins", rests)

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.agent}/fd"))


class ManyClients(Agent):
    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < DESCRIPTORS:
            self.skipTest(f"needs {DESCRIPTORS} descriptors, ulimit -Hn is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def test_ManyIdleAndManyBusyClientsAreAllServed(self):
        self.stand.start_agent()
        self.stand.enrol("alice", "file", "user")
        self.stand.start_gateway(require=("/user=user",))
        idle = [self.connect() for _ in range(IDLE)]
        for connection in idle:  # an answer says that it was accepted
            agent_socket.list_identities(connection)
        before = self.open_descriptors() if SEES_DESCRIPTORS else 0

        def prove(_):
            answer = self.stand.fetch("/user", options=("--deadline", "120"), timeout=4 * PATIENCE).json
            return [identity["name"] for identity in answer["identities"]]
        with concurrent.futures.ThreadPoolExecutor(BUSY) as clients:
            proved = list(clients.map(prove, range(BUSY)))
        self.assertEqual(proved, [["alice"]] * BUSY)
        # The idle ones were not forgotten meanwhile, nor is anything left of the busy ones.
        for connection in idle:
            self.assertIn(b"alice", agent_socket.list_identities(connection))
        if SEES_DESCRIPTORS:
            wait_for("the busy clients' descriptors", lambda: self.open_descriptors() <= before)


class RudeClients(Agent):
    def test_AClientThatNeverReadsCostsNobodyAnything(self):
        self.stand.start_agent()
        self.stand.enrol("alice", "file", "user")
        polite = self.connect()
        agent_socket.list_identities(polite)
        before = self.resident()
        rude = self.connect()
        rude.setblocking(False)
        flood = agent_socket.frame(agent_socket.LIST_IDENTITIES) * 1000
        sent = 0
        # The agent stops reading once enough answers wait.
        end = time.monotonic() + PATIENCE
        stuck_since = time.monotonic()
        while time.monotonic() < end and time.monotonic() < stuck_since + 1:
            try:
                sent += rude.send(flood)
                stuck_since = time.monotonic()
            except BlockingIOError:
                self.assertIn(b"alice", agent_socket.list_identities(polite))
                time.sleep(0.01)  # what this asks for costs memory too
            except ConnectionError:
                break  # its patience has ended first
        self.assertLess(time.monotonic(), end, f"the agent still reads after {sent} bytes")
        self.assertLess(self.resident() - before, 64 << 20)
        self.wait_for_rest()
        # It gets its answers once it reads, in whole messages, as long as the agent had the patience.
        rude.setblocking(True)
        rude.settimeout(PATIENCE)
        answers = 0
        while answers < 100 and (answer := agent_socket.receive(rude)):
            self.assertIn(b"alice", answer)
            answers += 1
        self.assertGreater(answers, 0)

    @takes_root
    def test_ClientsThatLeaveInMidMessageLeaveNothing(self):
        self.stand.start_agent()
        polite = self.connect()
        agent_socket.list_identities(polite)
        before = self.open_descriptors()
        for size in (1, 3, 4, 5, 7):
            rude = agent_socket.connect(self.stand)
            rude.sendall(agent_socket.frame(agent_socket.LIST_IDENTITIES)[:size])
            rude.close()
        wait_for("their descriptors", lambda: self.open_descriptors() <= before)
        agent_socket.list_identities(polite)


@takes_root
class WithoutDescriptors(Agent):
    """As if the whole system had none left for the agent."""

    def setUp(self):
        super().setUp()
        self.stand.start_agent()
        self.stand.enrol("alice", "file", "user")
        self.limit = resource.prlimit(self.agent, resource.RLIMIT_NOFILE)
        # The first time that it sees an object of a kind, UBSan opens a pipe to look at it, and without
        # one takes it for broken: so not for the first time when none is left.
        for message in (agent_socket.LIST_IDENTITIES, b"\xff"):
            with agent_socket.connect(self.stand) as connection:
                connection.sendall(agent_socket.frame(message))
                agent_socket.receive(connection)
        wait_for("the agent to stand still", self.stands_still)

    def stands_still(self):
        """What was closed a moment ago would be free after it was counted."""
        counts = set()
        for _ in range(10):
            counts.add(self.open_descriptors())
            time.sleep(0.02)
        return len(counts) == 1

    def leave(self, spare):
        """So many numbers, and no more, are free below the limit."""
        limit = None
        while limit != (needed := self.free_number(spare)):  # one may just have been in passing use
            limit = needed
            resource.prlimit(self.agent, resource.RLIMIT_NOFILE, (limit, self.limit[1]))

    def free_number(self, index):
        used = {int(name) for name in os.listdir(f"/proc/{self.agent}/fd")}
        free = (number for number in itertools.count() if number not in used)
        return next(itertools.islice(free, index, None))

    def give_back(self):
        resource.prlimit(self.agent, resource.RLIMIT_NOFILE, self.limit)

    def test_ItWaitsForThemWithoutSpinningAndGoesOn(self):
        served = self.connect()
        agent_socket.list_identities(served)
        self.leave(0)
        waiting = [self.connect() for _ in range(8)]
        for connection in waiting:
            connection.sendall(agent_socket.frame(agent_socket.LIST_IDENTITIES))
        administrator = self.stand.start("status", BIN / "signet", "status")
        self.wait_for_rest()
        self.assertIn(b"alice", agent_socket.list_identities(served))
        self.assertEqual(self.stand.processes["signetd"].poll(), None)
        self.give_back()
        for connection in waiting:
            self.assertIn(b"alice", agent_socket.receive(connection))
        self.assertEqual(administrator.wait(PATIENCE), 0)

    def test_WithTooFewToLookAtAClientItSaysSo(self):
        for spare in (1, 2):  # the connection; and its process, but none of that one's files
            with self.subTest(spare=spare):
                self.leave(spare)
                self.assertIn(b"connect again", agent_socket.receive(self.connect()))
                self.give_back()
                self.assertIn(b"alice", agent_socket.list_identities(self.connect()))
                wait_for("the agent to stand still", self.stands_still)


class Stopping(Agent):
    def doors_are_closed(self):
        """Asked without a process: what is in flight is waited for, but not long."""
        for door in ("agent.sock", "grpc.sock"):
            with socket.socket(socket.AF_UNIX) as visitor:
                if visitor.connect_ex(str(self.stand.dir / "run" / door)) == 0:
                    return False
        return True

    def test_WhatIsInFlightIsAnsweredAndNothingNewIsTaken(self):
        commands = self.stand.dir / "commands"
        self.stand.environment["TSS2_RECORDING"] = str(commands)
        self.stand.start_tpm(through=f"{LIBRARIES}/recording_tcti.so:")
        self.stand.start_agent()
        self.stand.enrol("laptop", "tpm", "device")
        self.stand.start_gateway(require=("/device=device",))
        signatures = commands.read_text().count(SIGN)
        tpm, agent = self.stand.processes["swtpm-tpm"], self.stand.processes["signetd"]
        tpm.send_signal(signal.SIGSTOP)
        with concurrent.futures.ThreadPoolExecutor(1) as clients:
            try:
                fetch = clients.submit(self.stand.fetch, "/device")
                wait_for("the signature", lambda: commands.read_text().count(SIGN) > signatures)
                agent.send_signal(signal.SIGTERM)
                wait_for("the agent to close its doors", self.doors_are_closed)
            finally:
                tpm.send_signal(signal.SIGCONT)
            answer = fetch.result().json
        self.assertEqual([i["name"] for i in answer["identities"]], ["laptop"], answer)
        self.assertEqual(agent.wait(PATIENCE), 0)
        self.assertEqual(self.stand.signet("status").code, 3)


@unittest.skipUnless(subprocess.run(["unshare", "--mount", "true"]).returncode == 0,
                     "this machine lets nobody mount")
class StateFolderOfItsOwn(Agent):
    """The state folder is a small file system, which is full, or becomes read-only."""

    def setUp(self):
        super().setUp()
        self.state = self.stand.dir / "state"
        self.state.mkdir()
        self.stand.write_config()
        mount = (f"mount -t tmpfs -o size=256k,mode=700 none {self.state} && exec \"$@\"")
        self.stand.start("signetd", "unshare", "--mount", "sh", "-c", mount, "sh", BIN / "signetd",
                         "--config", self.stand.config, "--runtime-dir", self.stand.dir / "run",
                         "--state-dir", self.state)
        wait_for("the agent", lambda: self.stand.signet("status").code == 0)
        self.stand.enrol("before", "file", "user")

    def in_its_mounts(self, *command):
        return subprocess.run(["nsenter", f"--mount=/proc/{self.agent}/ns/mnt", *map(str, command)],
                              capture_output=True, text=True)

    def names(self):
        listed = self.stand.must("identity", "list", "--json").json["identities"]
        return {identity["name"]: identity["subject"] for identity in listed}

    def check_that_nothing_changes(self, why):
        """What is written to the folder now fails; what was in it before stays as it is."""
        subjects = {"before": "CN=before,O=Test"}
        self.assertEqual(self.names(), subjects)
        chain = self.stand.authority("user").sign(self.stand.dir / "ca/before.csr",
                                                  self.stand.dir / "ca/again.pem")
        for arguments in (("create", "during", "--backend", "file", "--kind", "user"),
                          ("import", "before", chain)):
            with self.subTest(arguments[0]):
                outcome = self.stand.signet("identity", *arguments)
                self.assertEqual(outcome.code, 1, outcome)
                self.assertIn(str(self.state), outcome.err)
                self.assertIn(why, outcome.err)
        self.assertEqual(self.names(), subjects)
        left = self.in_its_mounts("find", self.state, "-mindepth", "1", "-name", ".*").stdout
        self.assertEqual(left, "")

    def check_that_it_works_again(self):
        self.stand.enrol("after", "file", "user")
        self.stand.must("policy", "allow", "https://example.com", "--identity", "*")
        self.assertEqual(set(self.names()), {"before", "after"})

    def test_WhenItIsFullNothingIsLostAndItWorksAgainOnceThereIsRoom(self):
        filler = self.state / "filler"
        self.in_its_mounts("dd", "if=/dev/zero", f"of={filler}", "bs=4k")
        self.check_that_nothing_changes("No space left on device; make room")
        outcome = self.stand.signet("policy", "allow", "https://example.com", "--identity", "*")
        self.assertEqual(outcome.code, 1, outcome)
        self.in_its_mounts("rm", filler)
        self.check_that_it_works_again()

    def test_WhenItIsReadOnlyNothingIsLostAndItWorksAgainOnceItIsNot(self):
        folder = self.state / "identities"
        self.in_its_mounts("mount", "--bind", folder, folder)
        done = self.in_its_mounts("mount", "-o", "remount,bind,ro", folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_that_nothing_changes("Read-only file system; mount")
        self.in_its_mounts("umount", folder)
        self.check_that_it_works_again()


if __name__ == "__main__":
    unittest.main()
