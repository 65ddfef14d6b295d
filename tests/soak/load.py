"""soak-load, the clients in C++: starts it, and judges what it tells."""
import json
import subprocess
import threading

from tests.support import stand as stands
from tests.support.stand import PATIENCE

PROGRAM = stands.BIN.parent / "tests/soak-load"


class Load:
    """with Load(...): ...   The clients are at work until the block ends, and all have gone then."""

    def __init__(self, stand, names, tally, disturbances, sizes, seed):
        leaves = [f"{name}={stand.dir}/ca/{name}-chain.pem" for name in names]
        run = stand.dir / "run"
        self.command = [PROGRAM, run / "agent.sock", run / "grpc.sock", stand.origin, seed, *sizes, *leaves]
        self.tally, self.disturbances, self.stand = tally, disturbances, stand

    def __enter__(self):
        self.process = subprocess.Popen([str(word) for word in self.command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=self.stand.environment)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            if self.process.wait(2 * PATIENCE) != 0:
                self.tally.complain(f"soak-load ended with {self.process.returncode}")
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.tally.complain("soak-load did not end: a client waits for ever")
        self.reader.join()

    def read(self):
        for line in self.process.stdout:
            told = json.loads(line)
            for what, times in told.get("counts", {}).items():
                self.tally.count(what, times)
            if "wrong" in told:
                self.tally.complain(told["wrong"])
            if "refused" in told:
                self.disturbances.judge(told["begun"], told["ended"], told["refused"])
