"""What the agent, its backends, the TPM and the token hold."""
import collections
import os
import pathlib
import subprocess

from tests.soak.disturbances import BACKENDS
from tests.support.stand import wait_for

MANY = 100000


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def token_sessions(stand):
    """Those opened and not closed since the recording was emptied; a killed backend closes none."""
    calls = collections.Counter((stand.dir / "token.calls").read_text().split())
    return calls["C_OpenSession"] - calls["C_CloseSession"]


class Holdings:
    """At this moment, of what is there now."""

    def __init__(self, stand):
        agent = stand.processes["signetd"].pid
        self.children = len(pathlib.Path(f"/proc/{agent}/task/{agent}/children").read_text().split())
        self.descriptors, self.resident = {"signetd": descriptors(agent)}, {"signetd": resident(agent)}
        for name in BACKENDS:
            pid = stand.backend_status(name)["pid"]
            self.descriptors[name] = descriptors(pid) if pid else MANY
            self.resident[name] = resident(pid) if pid else 0
        self.sessions = token_sessions(stand)

    def exceed(self, before, sessions):
        """`sessions`: whether the same backend holds the token as before."""
        return (self.children != before.children or (sessions and self.sessions > before.sessions) or
                any(self.descriptors[name] > before.descriptors[name] for name in before.descriptors))

    def report(self):
        return {"children": self.children, "descriptors": self.descriptors, "resident_bytes": self.resident}


def at_rest(stand):
    """The least of a while: connections that were just closed are still on their way out."""
    return min((Holdings(stand) for _ in range(20)), key=lambda held: held.descriptors["signetd"])


def settle(stand, before, tally, sessions=False):
    """What is held once all clients have gone; wrong unless that is what was held before."""
    now = Holdings(stand)
    try:
        def settled():
            nonlocal now
            now = Holdings(stand)
            return not now.exceed(before, sessions)
        wait_for("what the clients left behind", settled)
    except TimeoutError:
        tally.complain(f"left over: {now.report()}, {now.sessions} token sessions; "
                       f"before: {before.report()}, {before.sessions}")
    return now


def _tpm2(tpm_socket, command, *arguments):
    return subprocess.run([f"tpm2_{command}", "-T", f"swtpm:path={tpm_socket}", *arguments], check=True,
                          capture_output=True, text=True).stdout


def tpm_handles(tpm_socket):
    """Transient objects and sessions in the TPM. It serves one connection: the agent must have gone."""
    kinds = ("handles-transient", "handles-loaded-session", "handles-saved-session")
    words = " ".join(_tpm2(tpm_socket, "getcap", kind) for kind in kinds).split()
    return [word for word in words if word.startswith("0x")]


def flush_tpm(tpm_socket):
    _tpm2(tpm_socket, "flushcontext", "-t")
