"""tests/soak/run.sh: the driver."""
import argparse
import contextlib
import json
import os
import pathlib
import random
import sys
import threading
import time

from tests.soak.clients import Client, Tally
from tests.soak.disturbances import Disturbances
from tests.soak.holdings import at_rest, flush_tpm, resident, settle, tpm_handles
from tests.soak.load import Load
from tests.support import stand as stands
from tests.support.stand import Stand, softhsm_module

PAUSE = 1.5  # seconds between disturbances
GROWTH = 8 << 20  # bytes by which a process may have grown since it was warm
QUIET = 0.1  # the last part of the time, in which nothing is killed
NAMES = ("laptop", "alice", "trial")


def arguments():
    parser = argparse.ArgumentParser(prog="tests/soak/run.sh", description="Many clients, many kills.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seed", type=int, default=random.randrange(100000), help="of what is random")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the result there, too")
    parser.add_argument("--ignore-memory", action="store_true", help="for sanitizers, which keep freed memory")
    return parser.parse_args()


def set_up(stand):
    """Three identities on a TPM, a token and in a file; what a certificate says of each."""
    stand.environment.update(PKCS11_RECORDED=softhsm_module(), PKCS11_RECORDING=str(stand.dir / "token.calls"))
    stand.start_tpm()
    stand.make_token(module=stands.BIN.parent / "tests/recording_module.so")
    stand.add_software()
    stand.start_agent()
    assert stand.unlock().code == 0
    for name, backend, kind in zip(NAMES, ("tpm", "card", "file"), ("device", "user", "user")):
        stand.enrol(name, backend, kind, authority=name)
    stand.start_gateway(require=("/device=laptop", "/user=alice", "/file=trial", "/login=laptop,alice"))
    stand.allow(*NAMES)
    listed = stand.must("identity", "list", "--json").json["identities"]
    return {identity["name"]: identity["subject"] for identity in listed}


class Soak:
    """One run: the stormy part, then the quiet one."""

    def __init__(self, stand, options, tally):
        self.stand, self.options, self.tally = stand, options, tally
        self.subjects = set_up(stand)
        self.disturbances = Disturbances(stand, options.seed, tally)
        self.seed = options.seed

    def next_seed(self):
        self.seed += 1000
        return self.seed

    @contextlib.contextmanager
    def clients(self):
        """All at work: most through the sockets, the others are programs."""
        count, stop, seed = self.options.clients, threading.Event(), self.next_seed()
        sizes = (count * 9 // 16, count * 3 // 16)
        programs = [Client(self.stand, self.subjects, self.tally, self.disturbances, stop, seed + i)
                    for i in range(count - sum(sizes))]
        threads = [threading.Thread(target=program.run) for program in programs]
        with Load(self.stand, NAMES, self.tally, self.disturbances, sizes, self.next_seed()):
            for thread in threads:
                thread.start()
            try:
                yield
            finally:
                stop.set()
                for thread in threads:
                    thread.join()

    def until(self, end):
        """Pauses, until then or until something is wrong."""
        while (now := time.monotonic()) < end and not self.tally.counts["wrong"]:
            yield now
            time.sleep(PAUSE)

    def grown(self, warm, now):
        if self.options.ignore_memory:
            return
        for name, size in now.items():
            if size > warm.get(name, size) + GROWTH:
                self.tally.complain(f"{name} grew from {warm[name]} to {size} bytes")

    def storm(self, seconds):
        fresh, warm = at_rest(self.stand), {}
        begun = time.monotonic()
        with self.clients():
            for now in self.until(begun + seconds):
                # The agent that is there half-way stays, so that its leaks add up.
                if not warm and now > begun + 0.6 * seconds:
                    warm = {"signetd": resident(self.stand.processes["signetd"].pid)}
                self.disturbances.disturb(spare_the_agent=now > begun + 0.5 * seconds)
        held = settle(self.stand, fresh, self.tally)
        self.grown(warm, {"signetd": held.resident["signetd"]})
        return {"excused_seconds": self.disturbances.excused_seconds(), "warm_bytes": warm, **held.report()}

    def stop_agent(self):
        if self.stand.stop("signetd") != 0:
            self.tally.complain("signetd did not end well")
        return tpm_handles(self.stand.dir / "tpm.sock")

    def quiet(self, seconds):
        """A new agent and new backends that nobody kills: nothing of theirs is left, to the handle."""
        os.truncate(self.stand.dir / "token.calls", 0)
        self.stand.start_agent()
        self.disturbances.recover()
        with self.clients():
            time.sleep(seconds / 3)
        warm = at_rest(self.stand)
        with self.clients():
            for _ in self.until(time.monotonic() + seconds * 2 / 3):
                self.disturbances.disturb(spare_the_agent=True, spare_the_backends=True)
        held = settle(self.stand, warm, self.tally, sessions=True)
        self.grown(warm.resident, held.resident)
        return {"warm_bytes": warm.resident, "token_sessions": held.sessions, **held.report()}

    def run(self):
        seconds = self.options.minutes * 60
        storm = self.storm(seconds * (1 - QUIET))
        if self.tally.wrong:
            return {"storm": storm}
        # What was killed could not flush; its successor does when the TPM has no room (DESIGN.md).
        left_by_the_killed = self.stop_agent()
        if len(left_by_the_killed) > 3 or any(int(handle, 16) >> 24 != 0x80 for handle in left_by_the_killed):
            self.tally.complain(f"TPM sessions are left: {left_by_the_killed}")
        flush_tpm(self.stand.dir / "tpm.sock")
        quiet = self.quiet(seconds * QUIET)
        if handles := self.stop_agent():
            self.tally.complain(f"TPM handles are left: {handles}")
        if left := [str(path) for path in (self.stand.dir / "state").rglob(".*")]:
            self.tally.complain(f"temporary files: {left}")
        return {"storm": storm, "tpm_left_by_the_killed": left_by_the_killed, "quiet": quiet, "tpm_left": handles}


def tell_progress(tally, done):
    begun = time.monotonic()
    while not done.wait(10):
        print(f"{time.monotonic() - begun:5.0f} s  {dict(tally.counts)}", file=sys.stderr, flush=True)


def main():
    options = arguments()
    print(f"soak: {options.minutes} minutes, {options.clients} clients, --seed {options.seed}", file=sys.stderr)
    tally, done = Tally(), threading.Event()
    progress = threading.Thread(target=tell_progress, args=(tally, done), daemon=True)
    with Stand() as stand:
        soak = Soak(stand, options, tally)
        progress.start()
        held = soak.run()
        done.set()
        if tally.wrong:
            for log in sorted(stand.dir.glob("signetd*.log")):
                print(log.read_text(errors="replace")[-4000:], file=sys.stderr)
    result = {"seed": options.seed, "minutes": options.minutes, "clients": options.clients,
              "counts": dict(tally.counts), "held": held, "wrong": tally.wrong}
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    if not tally.counts["verified"] or not tally.counts["proved to the gateway"]:
        sys.exit("soak: nothing was proved at all")
    sys.exit(1 if tally.wrong else 0)


if __name__ == "__main__":
    main()
