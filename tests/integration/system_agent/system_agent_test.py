"""An agent under a uid of its own, which serves other users: who may do what, and who is who.

Threats of DESIGN.md section 7: another user, and tricks to be taken for another program.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import unittest

from tests.support import agent_socket
from tests.support.stand import BIN, Outcome, Stand, rule, wait_for

AGENT, USER, ADMINISTRATOR, STRANGER = 4700, 4701, 4702, 4703
ACCESS = f"[access]\nuse = [{USER}, {AGENT}]\nadmin = [{ADMINISTRATOR}]\n"
LAST_PID = pathlib.Path("/proc/sys/kernel/ns_last_pid")
LIST_IDENTITIES = agent_socket.frame(agent_socket.LIST_IDENTITIES)


def as_uid(uid, *command):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *map(str, command)]


def become(uid):
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


@unittest.skipUnless(os.getuid() == 0, "only root can act as several users")
class SystemAgent(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = stand = cls.enterClassContext(Stand())
        cls.client = stand.dir / "client"  # a program of which a rule can tell one from another
        shutil.copy(BIN / "signet-fetch", cls.client)
        for folder in ("run", "state"):
            (stand.dir / folder).mkdir()
            os.chown(stand.dir / folder, AGENT, AGENT)
        stand.add_software()
        stand.access = ACCESS
        stand.rules = [rule("https://localhost:*", "laptop", "allow"),
                       rule("https://localhost:*", "alice", "allow", program=cls.client)]
        stand.write_config()
        stand.start("signetd", *as_uid(
            AGENT, BIN / "signetd", "--config", stand.config, "--runtime-dir", stand.dir / "run",
            "--state-dir", stand.dir / "state"))
        wait_for("the agent", lambda: cls.admin("status").code == 0)
        for name, kind in (("laptop", "device"), ("alice", "user")):
            cls.enrol(name, kind)
        stand.start_gateway(require=("/device=device", "/user=user"))

    @classmethod
    def run_as(cls, uid, *command, prefix=()):
        return Outcome(subprocess.run([*prefix, *as_uid(uid, *command)], capture_output=True,
                                      text=True, env=cls.stand.environment, timeout=60))

    @classmethod
    def admin(cls, *arguments):
        return cls.run_as(ADMINISTRATOR, BIN / "signet", *arguments)

    @classmethod
    def enrol(cls, name, kind):
        folder = cls.stand.dir / "ca"
        created = cls.admin("identity", "create", name, "--backend", "file", "--kind", kind,
                            "--algorithm", "p256")
        assert created.code == 0, created
        request = cls.admin("identity", "csr", name, "--subject", f"/CN={name}")
        assert request.code == 0, request
        (folder / f"{name}.csr").write_text(request.out)
        chain = cls.stand.authority(kind).sign(folder / f"{name}.csr", folder / f"{name}.pem")
        imported = cls.admin("identity", "import", name, chain)
        assert imported.code == 0, imported

    def fetch(self, uid, path, client=None, prefix=()):
        """The names given, or the one reason why not."""
        outcome = self.run_as(uid, client or self.client, "--cacert",
                              self.stand.dir / "ca" / "server.pem", "--json",
                              self.stand.origin + path, prefix=prefix)
        given = [i["name"] for i in outcome.json["identities"]]
        return given or [d["reason"] for d in outcome.json["declined"]]

    def list_identities(self, uid):
        """What agent.sock answers to somebody who asks for the list."""
        program = (f"import os, socket; s = socket.socket(socket.AF_UNIX); os.setuid({uid}); "
                   f"s.connect('{self.stand.dir}/run/agent.sock'); s.sendall({LIST_IDENTITIES!r}); "
                   "s.settimeout(50); print(s.recv(4096))")
        return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              timeout=60).stdout

    # -- who may ------------------------------------------------------------------------------

    def test_EachUidMayWhatAccessSays(self):
        table = (  # uid, may use, may administer
            (USER, True, False), (AGENT, True, False), (ADMINISTRATOR, False, True),
            (STRANGER, False, False), (0, False, False))
        for uid, use, administer in table:
            with self.subTest(uid=uid):
                listed = self.list_identities(uid)
                self.assertEqual("laptop" in listed, use, listed)
                self.assertEqual("[access] use" in listed and f"uid {uid}" in listed, not use, listed)
                self.assertEqual(self.fetch(uid, "/device"), ["laptop"] if use else ["denied"])
                status = self.run_as(uid, BIN / "signet", "status")
                self.assertEqual(status.code, 0 if administer else 4, status)
                added = self.run_as(uid, BIN / "signet", "policy", "deny", "https://x.example",
                                    "--identity", "laptop")
                self.assertEqual(added.code, 0 if administer else 4, added)
                if not administer:
                    self.assertIn("[access] admin", added.err)
                    self.assertIn(f"uid {uid}", added.err)

    def test_FilesAreTheAgentsAlone(self):
        files = [f for f in (self.stand.dir / "state").rglob("*") if f.is_file()]
        self.assertIn("key.pem", [f.name for f in files])
        for file in files:
            self.assertEqual((file.stat().st_uid, file.stat().st_mode & 0o077), (AGENT, 0), file)

    # -- who is who ---------------------------------------------------------------------------

    def test_UnreadableExecutableMatchesOnlyRulesWithoutProgram(self):
        # The agent can't read other users' /proc/PID/exe, but its own user's.
        self.assertEqual(self.fetch(USER, "/device"), ["laptop"])
        self.assertEqual(self.fetch(USER, "/user"), ["denied"])
        self.assertEqual(self.fetch(AGENT, "/user"), ["alice"])

    @unittest.skipUnless(subprocess.run(["unshare", "--mount", "true"]).returncode == 0,
                         "this machine lets nobody mount")
    def test_BindMountedImpostorIsAnotherProgram(self):
        impostor = self.stand.dir / "impostor"
        shutil.copy(BIN / "signet-fetch", impostor)
        mount = ("unshare", "--mount", "sh", "-c",
                 f"mount --bind {impostor} {self.client} && exec \"$@\"", "sh")
        self.assertEqual(self.fetch(AGENT, "/user"), ["alice"])
        self.assertEqual(self.fetch(AGENT, "/user", prefix=mount), ["denied"])
        self.assertEqual(self.fetch(AGENT, "/device", prefix=mount), ["laptop"])

    def test_CopyOfTheProgramIsAnotherProgram(self):
        copy = self.stand.dir / "copy"
        shutil.copy(BIN / "signet-fetch", copy)
        self.assertEqual(self.fetch(AGENT, "/user", client=copy), ["denied"])

    def connected(self):
        """A connection whose opener the agent has looked at, which it does when it accepts."""
        connection = agent_socket.connect(self.stand)
        self.assertIn("laptop", self.answer_to(connection))
        return connection

    def answer_to(self, connection):
        connection.settimeout(50)
        connection.sendall(LIST_IDENTITIES)
        return connection.recv(4096).decode(errors="replace")

    def in_child(self, work, uid=USER):
        """Runs `work` in a child of that uid; what it wrote, when all that hold its pipe have ended."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                become(uid)
                work(writer)
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        return said

    def test_ConnectionOfALivingProcessAnswers(self):
        said = self.in_child(lambda out: os.write(out, self.answer_to(self.connected()).encode()))
        self.assertIn("laptop", said)

    def test_ExecAfterConnectIsRefused(self):
        # The agent sees what runs in processes of its own user.
        frame = "".join(f"\\x{byte:02x}" for byte in LIST_IDENTITIES)
        shell = ["bash", "-c", f"printf '{frame}' >&0; timeout 50 dd bs=4096 count=1 status=none"]
        program = (f"import os, socket; s = socket.socket(socket.AF_UNIX); "
                   f"s.connect('{self.stand.dir}/run/agent.sock'); s.sendall({LIST_IDENTITIES!r}); "
                   "assert b'laptop' in s.recv(4096); os.dup2(s.fileno(), 0); "
                   f"os.execv('/bin/bash', {shell})")
        said = self.run_as(AGENT, "/usr/bin/python3", "-c", program).out
        self.assertNotIn("laptop", said)
        self.assertIn("runs another program", said)

    def test_InheritedConnectionIsRefusedOnceItsOpenerHasEnded(self):
        def work(out):
            connection = self.connected()
            opener = os.getpid()
            if os.fork() != 0:
                os._exit(0)
            while os.getppid() == opener:
                pass
            os.write(out, self.answer_to(connection).encode())
        said = self.in_child(work)
        self.assertNotIn("laptop", said)
        self.assertIn("has ended", said)

    @unittest.skipUnless(os.access(LAST_PID, os.W_OK), "this machine lets nobody choose a pid")
    def test_ReusedPidIsRefused(self):
        def answer_once_somebody_else_has_the_pid():
            here, there = socket.socketpair()
            opener = os.fork()
            if opener == 0:
                try:
                    become(USER)
                    connection = self.connected()
                    socket.send_fds(there, [b"x"], [connection.fileno()])
                finally:
                    os._exit(0)
            _, [descriptor], _, _ = socket.recv_fds(here, 1, 1)
            os.waitpid(opener, 0)
            LAST_PID.write_text(str(opener - 1))
            successor = subprocess.Popen(as_uid(USER, "sleep", "600"))
            try:
                with here, there, socket.socket(fileno=descriptor) as connection:
                    return successor.pid == opener and self.answer_to(connection)
            finally:
                successor.kill()
                successor.wait()
        # Any other program that starts may get that pid first, and keep it.
        said = wait_for("the pid to come round", answer_once_somebody_else_has_the_pid)
        self.assertNotIn("laptop", said)
        self.assertIn("has ended", said)


if __name__ == "__main__":
    unittest.main()
