"""As what the agent sees the programs that call it, on a machine with systemd and on one without.

systemd is played by files: a process's cgroup and logind's record of a session, in the agent's own
mount namespace. libsystemd, which reads them, is real.
"""
import hashlib
import json
import os
import shlex
import subprocess
import unittest

from tests.support.stand import BIN, Stand, wait_for

SYSTEMD = """
mount --make-rprivate / && mount -t tmpfs none /run && mkdir -p /run/systemd/system /run/systemd/sessions
mount -t cgroup2 none /sys/fs/cgroup 2>&1 || :
printf '1:name=systemd:/init.scope\\n0::/init.scope\\n' > /run/init
mount --bind /run/init /proc/1/cgroup
printf 'UID=%s\\nCLASS=user\\nTYPE=tty\\nREMOTE=1\\nACTIVE=1\\n' "$(id -u)" > /run/systemd/sessions/7
exec "$@"
"""
PLACE = """
printf '1:name=systemd:%s\\n0::%s\\n' "$1" "$1" > /run/cgroup-of-$2 && mount --bind /run/cgroup-of-$2 /proc/$2/cgroup
"""


class Callers(unittest.TestCase):
    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.stand.add_software()

    def caller(self, *shells):
        """What `signet caller` says inside these shells, each in the one before."""
        line = f"{shlex.quote(str(BIN / 'signet'))} caller --sha256 --json"
        for shell in reversed(shells):
            line = f"{shell} -c {shlex.quote(line + '; :')}"
        return self.stand.run("/bin/sh", "-c", line + "; :")

    def test_ShowsShellsAndTheProgramsHash(self):
        self.stand.start_agent()
        shown = self.caller("bash").json
        self.assertEqual(shown["parents"][:2], ["bash", "sh"])
        self.assertEqual(os.path.realpath(shown["program"]), str(BIN / "signet"))
        self.assertEqual(shown["uid"], os.getuid())
        self.assertEqual(shown["sha256"], hashlib.sha256((BIN / "signet").read_bytes()).hexdigest())
        self.assertIn("signet caller --sha256 --json", shown["command_line"])
        self.assertEqual(shown["sandbox"], "")

    def in_its_mounts(self, agent, *command):
        return subprocess.run(["nsenter", f"--mount=/proc/{agent.pid}/ns/mnt", *map(str, command)],
                              check=True)

    @unittest.skipUnless(subprocess.run(["unshare", "--mount", "true"]).returncode == 0,
                         "this machine lets nobody mount")
    def test_ShowsUnitAndLoginSession(self):
        self.stand.write_config()
        self.stand.start("signetd", "unshare", "--mount", "sh", "-c", SYSTEMD, "sh", BIN / "signetd",
                         "--config", self.stand.config, "--runtime-dir", self.stand.dir / "run",
                         "--state-dir", self.stand.dir / "state")
        wait_for("the agent", lambda: self.stand.signet("status").code == 0)
        agent = self.stand.processes["signetd"]
        uid = os.getuid()
        for cgroup, expected in (
                ("/system.slice/backup.service", ("backup.service", "", "", "none")),
                (f"/user.slice/user-{uid}.slice/session-7.scope", ("session-7.scope", "", "7", "ssh")),
                (f"/user.slice/user-{uid}.slice/user@{uid}.service/app.slice/backup.service",
                 (f"user@{uid}.service", "backup.service", "", "none"))):
            with self.subTest(cgroup):
                # It becomes the program once it has its place.
                shell = subprocess.Popen(["sh", "-c", f"read go; exec {BIN / 'signet'} caller --json"],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         env=self.stand.environment)
                self.in_its_mounts(agent, "sh", "-c", PLACE, "sh", cgroup, shell.pid)
                shown = json.loads(shell.communicate("go\n", timeout=60)[0])
                self.assertEqual((shown["unit"], shown["user_unit"], shown["login_session"],
                                  shown["session_type"]), expected)


if __name__ == "__main__":
    unittest.main()
