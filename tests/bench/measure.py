"""Measures by ratios: workloads interleaved in rounds, on given cores, with a canary in each."""
import json
import os
import statistics
import subprocess


class Workload:
    """One signet-bench process; times are in microseconds."""

    def __init__(self, program, cores, *arguments, environment=None):
        self._name = arguments[0]
        self._process = subprocess.Popen(
            [str(program), *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=environment, preexec_fn=lambda: os.sched_setaffinity(0, cores))

    def start(self, count):
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()

    def finish(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"signet-bench {self._name} ended with {self._process.wait()}")
        said = json.loads(line)
        return {"p50": said["p50"] / 1e3, "p99": said["p99"] / 1e3,
                "per_second": said["count"] / said["total"] * 1e9}

    def run(self, count):
        self.start(count)
        return self.finish()

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


class Rounds:
    """What each workload of a group measured, round by round; index 0 is the same round in all."""

    def __init__(self, rounds, canary, steps, tolerance=0.10):
        """`steps`: name -> a function that runs the workload once and returns its figures."""
        for step in steps.values():  # what is made or loaded at first use
            step()
        told = []
        for _ in range(rounds):
            pulse = canary.run(300)["p50"]
            told.append((pulse, {name: step() for name, step in steps.items()}))
        usual = statistics.median(pulse for pulse, _ in told)
        self.kept = [figures for pulse, figures in told if abs(pulse / usual - 1) <= tolerance]
        self.dropped = len(told) - len(self.kept)

    def series(self, name, figure="p50"):
        return [figures[name][figure] for figures in self.kept]

    def ratio(self, above, below, figure="p50"):
        return [a / b for a, b in zip(self.series(above, figure), self.series(below, figure))]

    def within(self, name, above, below):
        return [a / b for a, b in zip(self.series(name, above), self.series(name, below))]


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}
