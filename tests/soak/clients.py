"""What the clients of the soak do, and whether the answers are right."""
import collections
import json
import os
import random
import signal
import subprocess
import threading
import time

from tests.support import agent_socket
from tests.support.stand import BIN, PATIENCE

# Which identities each path of the gateway wants, in this order.
PATHS = {"/device": ["laptop"], "/user": ["alice"], "/file": ["trial"], "/login": ["laptop", "alice"]}
NOT_NOW = {"token-failed", "token-locked", "deadline", "no-agent", "limit"}


class Tally:
    """Counts, and the first wrong answers in full."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.wrong = []

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def complain(self, what):
        with self.lock:
            self.counts["wrong"] += 1
            if len(self.wrong) < 20:
                self.wrong.append(what)


class Client:
    """One of many; `disturbances` says whether an answer had a reason to be a refusal."""

    def __init__(self, stand, subjects, tally, disturbances, stop, seed):
        self.stand, self.subjects, self.tally = stand, subjects, tally
        self.disturbances, self.stop, self.random = disturbances, stop, random.Random(seed)

    def run(self):
        actions = [self.prove] * 12 + [self.leave] + [self.list] * 2 + [self.ask_status, self.talk_nonsense]
        while not self.stop.is_set():
            action = self.random.choice(actions)
            begun = time.monotonic()
            try:
                action(begun)
            except Exception as error:  # pylint: disable=broad-except
                self.tally.complain(f"{action.__name__}: {error!r}")

    def excused(self, begun):
        return self.disturbances.overlap(begun, time.monotonic())

    def refused(self, begun, what):
        """A refusal: right after a disturbance, wrong without one."""
        if self.excused(begun):
            self.tally.count("refused meanwhile")
        else:
            self.tally.complain(f"refused without a reason: {what}")

    def prove(self, begun):
        """The gateway verifies every authenticator against its own request and the chain."""
        path = self.random.choice(list(PATHS))
        outcome = self.stand.fetch(path, timeout=10 * PATIENCE)
        report = json.loads(outcome.out)
        response = report["responses"][0] if report["responses"] else {}
        if response.get("status") == 200:
            subjects = [identity["subject"] for identity in json.loads(response["body"])["identities"]]
            if subjects == [self.subjects[name] for name in PATHS[path]]:
                self.tally.count("proved")
            else:
                self.tally.complain(f"{path} proved {subjects}")
            return
        body = json.loads(response["body"]) if response.get("body") else {}
        reasons = {declined["reason"] for declined in report["declined"]}
        if body.get("error") == "declined" and reasons and reasons <= NOT_NOW:
            self.refused(begun, outcome)
        else:
            self.tally.complain(f"{path}: {outcome}")

    def leave(self, _):
        """A client that is killed at any moment."""
        process = subprocess.Popen(
            [BIN / "signet-fetch", "--cacert", self.stand.dir / "ca/server.pem", self.stand.origin + "/login"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.stand.environment)
        time.sleep(self.random.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.tally.count("left")

    def list(self, begun):
        try:
            with agent_socket.connect(self.stand) as connection:
                connection.settimeout(PATIENCE)
                for _ in range(5):
                    answer = agent_socket.list_identities(connection)
                    if not all(name.encode() in answer for name in self.subjects):
                        if answer:
                            self.tally.complain(f"listed {answer!r}")
                        else:
                            self.refused(begun, "list")
                        return
            self.tally.count("listed")
        except OSError as error:
            self.refused(begun, f"list: {error}")

    def ask_status(self, begun):
        outcome = self.stand.signet("status", "--json")
        if outcome.code == 0:
            names = {backend["name"] for backend in outcome.json["backends"]}
            if names == {"tpm", "card", "file"}:
                self.tally.count("asked")
            else:
                self.tally.complain(f"status: {outcome}")
        elif outcome.code in (1, 3):
            self.refused(begun, outcome)
        else:
            self.tally.complain(f"status: {outcome}")

    def talk_nonsense(self, _):
        nonsense = agent_socket.frame(os.urandom(self.random.randrange(1, 200)))
        try:
            with agent_socket.connect(self.stand) as connection:
                connection.settimeout(PATIENCE)
                connection.sendall(nonsense[:self.random.randrange(1, len(nonsense) + 1)])
                if self.random.random() < 0.5:
                    connection.shutdown(1)
                    while connection.recv(65536):
                        pass
        except ConnectionError:
            pass  # the agent closes it, or is away
        except FileNotFoundError:
            pass
        self.tally.count("talked nonsense")
