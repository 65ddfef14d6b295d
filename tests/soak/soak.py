"""tests/soak/run.sh: the driver."""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

from tests.soak.clients import Client, Tally
from tests.soak.disturbances import BACKENDS, Disturbances
from tests.support.stand import Stand, wait_for

PAUSE = 1.5  # seconds between disturbances
GROWTH = 8 << 20  # bytes that the agent may have grown by since it was warm
MANY = 100000


def arguments():
    parser = argparse.ArgumentParser(prog="tests/soak/run.sh", description="Many clients, many kills.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seed", type=int, default=random.randrange(MANY), help="of what is random")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the result there, too")
    parser.add_argument("--ignore-memory", action="store_true", help="for sanitizers, which keep freed memory")
    return parser.parse_args()


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def set_up(stand):
    """Three identities on a TPM, a token and in a file; what a certificate says of each."""
    stand.start_tpm()
    stand.make_token()
    stand.add_software()
    stand.start_agent()
    assert stand.unlock().code == 0
    for name, backend, kind in (("laptop", "tpm", "device"), ("alice", "card", "user"), ("trial", "file", "user")):
        stand.enrol(name, backend, kind, authority=name)
    stand.start_gateway(require=("/device=laptop", "/user=alice", "/file=trial", "/login=laptop,alice"))
    stand.allow("laptop", "alice", "trial")
    listed = stand.must("identity", "list", "--json").json["identities"]
    return {identity["name"]: identity["subject"] for identity in listed}


class Holdings:
    """What the agent and its backends hold when nobody asks anything of them."""

    def __init__(self, stand):
        self.agent = stand.processes["signetd"].pid
        children = pathlib.Path(f"/proc/{self.agent}/task/{self.agent}/children").read_text().split()
        self.children = len(children)
        self.descriptors = {"signetd": descriptors(self.agent)}
        for name in BACKENDS:
            pid = stand.backend_status(name)["pid"]
            self.descriptors[name] = descriptors(pid) if pid else MANY
        self.resident = resident(self.agent)

    def exceed(self, before):
        return (self.children != before.children or
                any(self.descriptors[name] > before.descriptors[name] for name in before.descriptors))

    def __repr__(self):
        return f"{self.children} children, descriptors {self.descriptors}, {self.resident >> 10} KiB"


def settle(stand, before, tally):
    """Once all have gone the agent holds what it held before they came."""
    now = Holdings(stand)
    try:
        def settled():
            nonlocal now
            now = Holdings(stand)
            return not now.exceed(before)
        wait_for("what the clients left behind", settled)
    except TimeoutError:
        tally.complain(f"left over: {now}; before: {before}")
    return now


def tpm_handles(tpm_socket):
    """Transient objects and sessions in the TPM, which the agent has left by now."""
    held = []
    for kind in ("handles-transient", "handles-loaded-session", "handles-saved-session"):
        done = subprocess.run(["tpm2_getcap", "-T", f"swtpm:path={tpm_socket}", kind], check=True,
                              capture_output=True, text=True)
        held += done.stdout.split()
    return [word for word in held if word.startswith("0x")]


def soak(stand, options, tally):
    subjects = set_up(stand)
    stop = threading.Event()
    disturbances = Disturbances(stand, options.seed, tally)
    fresh = Holdings(stand)
    threads = [threading.Thread(target=Client(stand, subjects, tally, disturbances, stop, options.seed + 1 + i).run)
               for i in range(options.clients)]
    begun = time.monotonic()
    end = begun + options.minutes * 60
    warm, spoken = None, 0
    for thread in threads:
        thread.start()
    try:
        while (now := time.monotonic()) < end and not tally.counts["wrong"]:
            # The agent that is there half-way stays, so that its leaks add up.
            spare = now > (begun + end) / 2
            if warm is None and now > begun + 0.6 * (end - begun):
                warm = resident(stand.processes["signetd"].pid)
            disturbances.disturb(spare)
            if time.monotonic() > spoken + 10:
                spoken = time.monotonic()
                print(f"{spoken - begun:5.0f} s  {dict(tally.counts)}", file=sys.stderr, flush=True)
            time.sleep(PAUSE)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    result = settle(stand, fresh, tally)
    if warm and not options.ignore_memory and result.resident > warm + GROWTH:
        tally.complain(f"signetd grew from {warm} to {result.resident} bytes")
    if stand.stop("signetd") != 0:
        tally.complain("signetd did not end well")
    left = [str(path) for path in (stand.dir / "state").rglob(".*")]
    if left:
        tally.complain(f"temporary files: {left}")
    return {"warm_bytes": warm, "end_bytes": result.resident, "descriptors": result.descriptors,
            "tpm_handles": tpm_handles(stand.dir / "tpm.sock")}


def main():
    options = arguments()
    print(f"soak: {options.minutes} minutes, {options.clients} clients, --seed {options.seed}", file=sys.stderr)
    tally = Tally()
    with Stand() as stand:
        held = soak(stand, options, tally)
        if tally.wrong:
            for log in sorted(stand.dir.glob("signetd*.log")):
                print(log.read_text(errors="replace")[-4000:], file=sys.stderr)
    result = {"seed": options.seed, "minutes": options.minutes, "clients": options.clients,
              "counts": dict(tally.counts), "held_at_the_end": held, "wrong": tally.wrong}
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    if not tally.counts["proved"]:
        sys.exit("soak: nothing was proved at all")
    sys.exit(1 if tally.wrong else 0)


if __name__ == "__main__":
    main()
