"""What happens to the agent and its backends meanwhile, and when."""
import bisect
import os
import random
import signal
import threading
import time

from tests.support.stand import wait_for

BACKENDS = ("tpm", "card", "file")
MARGIN = 1.0  # seconds after which nothing is excused any more


class Disturbances:
    """One after the other. Each lasts until the driver has seen that all is well again."""

    def __init__(self, stand, seed, tally):
        self.stand, self.random, self.tally = stand, random.Random(seed), tally
        self.begun, self.ended = [], []
        self.lock = threading.Lock()

    def overlap(self, begun, ended):
        with self.lock:
            last = bisect.bisect_right(self.begun, ended) - 1
            if last < 0:
                return False
            return last >= len(self.ended) or self.ended[last] + MARGIN >= begun

    def excused_seconds(self):
        """For how long a refusal was none to complain of; a wrong answer always is."""
        return round(sum(ended + MARGIN - begun for begun, ended in zip(self.begun, self.ended)), 1)

    def judge(self, begun, ended, refusal):
        """A refusal is right during a disturbance and just after it, wrong without one."""
        if self.overlap(begun, ended):
            self.tally.count("refused meanwhile")
        else:
            self.tally.complain(f"refused without a reason: {refusal}")

    def disturb(self, spare_the_agent=False, spare_the_backends=False):
        kinds = [self.stop_backend] * 2 + [self.hang_up]
        if not spare_the_backends:
            kinds += [self.kill_backend] * 4
        if not spare_the_agent:
            kinds += [self.restart_agent, self.kill_agent] * 2
        kind = self.random.choice(kinds)
        excuses = kind not in (self.stop_backend, self.hang_up)  # these cost time, no answer
        if excuses:
            with self.lock:
                self.begun.append(time.monotonic())
        kind()
        self.recover()
        if excuses:
            with self.lock:
                self.ended.append(time.monotonic())
        self.tally.count(kind.__name__)

    def recover(self):
        def well():
            for backend in self.stand.must("status", "--json").json["backends"]:
                if backend["state"] == "locked":
                    self.stand.unlock(backend["name"])
                    return False
                if backend["state"] != "ready":
                    return False
            return True
        wait_for("all backends to be ready", well)

    def backend_pid(self):
        return self.stand.backend_status(self.random.choice(BACKENDS))["pid"]

    def kill_backend(self):
        if pid := self.backend_pid():
            os.kill(pid, signal.SIGKILL)
            wait_for("the backend's end", lambda: not os.path.exists(f"/proc/{pid}"))

    def stop_backend(self):
        if pid := self.backend_pid():
            os.kill(pid, signal.SIGSTOP)
            time.sleep(self.random.uniform(0.1, 1))
            os.kill(pid, signal.SIGCONT)

    def hang_up(self):
        self.stand.processes["signetd"].send_signal(signal.SIGHUP)

    def restart_agent(self):
        code = self.stand.stop("signetd")
        if code != 0:
            self.tally.complain(f"signetd ended with {code} on SIGTERM")
        self.stand.start_agent()

    def kill_agent(self):
        self.stand.stop("signetd", signal.SIGKILL)
        self.stand.start_agent()
