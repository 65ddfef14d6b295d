"""Clients that are Signet's own programs, and whether what they get is right."""
import collections
import json
import random
import signal
import subprocess
import sys
import threading
import time

from tests.support.stand import BIN, PATIENCE

# Which identities each path of the gateway wants, in this order.
PATHS = {"/device": ["laptop"], "/user": ["alice"], "/file": ["trial"], "/login": ["laptop", "alice"]}
NOT_NOW = {"token-failed", "token-locked", "deadline", "no-agent"}


class Tally:
    """Counts, and the first wrong answers in full."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.wrong = []

    def count(self, what, times=1):
        with self.lock:
            self.counts[what] += times

    def complain(self, what):
        with self.lock:
            self.counts["wrong"] += 1
            if len(self.wrong) < 20:
                self.wrong.append(what)
                print(f"soak: wrong: {what}", file=sys.stderr, flush=True)


class Client:
    """One of many, in a thread of its own."""

    def __init__(self, stand, subjects, tally, disturbances, stop, seed):
        self.stand, self.subjects, self.tally = stand, subjects, tally
        self.disturbances, self.stop, self.random = disturbances, stop, random.Random(seed)

    def run(self):
        actions = [self.prove] * 12 + [self.leave] + [self.ask_status]
        while not self.stop.is_set():
            action = self.random.choice(actions)
            begun = time.monotonic()
            try:
                action(begun)
            except Exception as error:  # pylint: disable=broad-except
                self.tally.complain(f"{action.__name__}: {error!r}")

    def prove(self, begun):
        """The gateway verifies every authenticator against its own request and the chain."""
        path = self.random.choice(list(PATHS))
        outcome = self.stand.fetch(path, timeout=10 * PATIENCE)
        report = json.loads(outcome.out)
        response = report["responses"][0] if report["responses"] else {}
        if response.get("status") == 200:
            subjects = [identity["subject"] for identity in json.loads(response["body"])["identities"]]
            if subjects == [self.subjects[name] for name in PATHS[path]]:
                self.tally.count("proved to the gateway")
            else:
                self.tally.complain(f"{path} proved {subjects}")
            return
        body = json.loads(response["body"]) if response.get("body") else {}
        reasons = {declined["reason"] for declined in report["declined"]}
        if body.get("error") == "declined" and reasons and reasons <= NOT_NOW:
            self.disturbances.judge(begun, time.monotonic(), outcome)
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

    def ask_status(self, begun):
        outcome = self.stand.signet("status", "--json")
        if outcome.code == 0:
            names = {backend["name"] for backend in outcome.json["backends"]}
            if names == {"tpm", "card", "file"}:
                self.tally.count("asked")
            else:
                self.tally.complain(f"status: {outcome}")
        elif outcome.code in (1, 3):
            self.disturbances.judge(begun, time.monotonic(), outcome)
        else:
            self.tally.complain(f"status: {outcome}")
