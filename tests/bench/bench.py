"""Runs the rows of Signet's performance goals, each with its floor or peer beside it.

Ratios within one run carry over to other machines, microseconds do not. Every process is pinned: the
client to one core; the agent (or ssh-agent, relay, TPM) and what it hands the work to (backend, PKCS#11
helper, signer) to another. A round in which the canary (a P-256 signature in a process of its own) is
more than 10 % off its median is dropped.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys

from tests.bench.measure import Rounds, Workload, spread
from tests.bench.report import Report
from tests.integration.openssl.fixture import CONFIGURATION
from tests.support import stand as stands
from tests.support.stand import PIN, Stand, softhsm_module, wait_for

BENCH = stands.BIN.parent / "tests" / "signet-bench"
PROVIDER_LOAD = stands.BIN.parent / "tests" / "provider-load"
IDLE_CLIENTS = 512


class Bench:
    def __init__(self, options):
        self.options, self.report = options, Report()
        self.client_core, self.agent_core, self.backend_core = ({core} for core in options.cores)
        self.exit = contextlib.ExitStack()
        os.sched_setaffinity(0, self.agent_core)  # and so all that is started
        self.canary = self.workload("sign")

    def workload(self, *arguments, **options):
        return self.program(BENCH, *arguments, **options)

    def program(self, program, *arguments, cores=None, environment=None):
        made = Workload(program, cores or self.client_core, *arguments, environment=environment)
        self.exit.callback(made.close)
        return made

    def rounds(self, counts):
        """`counts`: name -> (workload, how often in each round)."""
        return Rounds(self.options.rounds, self.canary,
                      {name: (lambda w=workload, n=count: w.run(n))
                       for name, (workload, count) in counts.items()})

    def compare(self, measure, rounds, above, below, first=None, following=None, figure="p50"):
        sides = [f"{spread(rounds.series(name, figure))['median']:.0f}" for name in (above, below)]
        unit = "/s" if figure == "per_second" else "µs"
        self.report.add(measure, spread(rounds.ratio(above, below, figure)), "", first, following,
                        f"{sides[0]} ÷ {sides[1]} {unit}", rounds.dropped)

    def pin_children(self, process, cores=None):
        tasks = pathlib.Path(f"/proc/{process.pid}/task").glob("*/children")
        for child in " ".join(task.read_text() for task in tasks).split():
            os.sched_setaffinity(int(child), cores or self.backend_core)

    # -- stands ------------------------------------------------------------------------------

    def stand(self):
        return self.exit.enter_context(Stand())

    def main_stand(self):
        stand = self.stand()
        stand.start_tpm()
        stand.make_token()
        stand.add_software()
        for name in ("soft", "alice", "laptop"):
            stand.rules.append(rule(name))
        stand.start_agent()
        assert stand.unlock().code == 0
        stand.enrol("soft", "file", "user")
        stand.enrol("alice", "card", "user")
        stand.enrol("laptop", "tpm", "user")
        self.pin_children(stand.processes["signetd"])
        return stand

    def authenticate(self, stand, name, *more, kind="authenticate"):
        return self.workload(kind, stand.dir / "run" / "agent.sock", origin(name), *more)

    # -- the rows ----------------------------------------------------------------------------

    def software(self, stand):
        stand.start("ssh-agent", "ssh-agent", "-D", "-a", stand.dir / "ssh.sock")
        wait_for("ssh-agent", (stand.dir / "ssh.sock").exists)
        run("ssh-keygen", "-q", "-t", "ecdsa", "-b", "256", "-N", "", "-f", stand.dir / "ssh-key")
        run("ssh-add", "-q", stand.dir / "ssh-key",
            env=dict(os.environ, SSH_AUTH_SOCK=str(stand.dir / "ssh.sock")))
        stand.start("relay", BENCH, "serve-relay", stand.dir / "relay.sock")
        wait_for("the relay", (stand.dir / "relay.sock").exists)
        self.pin_children(stand.processes["relay"])
        rounds = self.rounds({
            "authenticate": (self.authenticate(stand, "soft"), 300),
            "ssh-agent": (self.workload("ssh-agent", stand.dir / "ssh.sock"), 300),
            "relay": (self.workload("relay", stand.dir / "relay.sock"), 300),
            "local": (self.authenticate(stand, "soft", kind="local-door"), 300),
            "grpc": (self.workload("grpc-door", stand.dir / "run" / "grpc.sock", origin("soft")), 300),
            "reconnecting": (self.authenticate(stand, "soft", kind="reconnecting"), 300),
            "cpu": (self.authenticate(stand, "soft", kind="client-cpu"), 300),
            "sign": (self.canary, 300)})
        self.compare("authenticate, software P-256 ÷ ssh-agent", rounds, "authenticate", "ssh-agent",
                     ("<=", 0.9), ("<=", 0.75))
        self.compare("the same ÷ bare two-hop relay", rounds, "authenticate", "relay",
                     ("<=", 1.35), ("<=", 1.1))
        self.compare("the same, connecting anew each time ÷ one connection", rounds, "reconnecting",
                     "authenticate")
        self.compare("gRPC door ÷ local socket", rounds, "grpc", "local", ("<=", 2), ("<=", 1.5))
        self.compare("time in libsignet for each authenticator ÷ one P-256 signature", rounds, "cpu",
                     "sign", ("<=", 1.2), ("<=", 0.8))

    def provider(self, stand):
        """What OpenSSL's provider adds to a handshake, above what the agent takes for a signature."""
        folder = stand.dir
        stand.must("policy", "allow", "--purpose", "tls-client", "--identity", "soft")
        stand.must("identity", "reference", "soft", "--out", folder / "soft.key")
        (folder / "openssl.cnf").write_text(
            CONFIGURATION.format(module=stands.BIN.parent / "lib" / "ossl-modules" / "signet.so"))
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=soft", "-keyout", folder / "own.key", "-out", folder / "own.pem")
        own = (folder / "own.key", folder / "own.pem")
        held = (folder / "soft.key", folder / "ca" / "soft-chain.pem")
        environment = dict(stand.environment, OPENSSL_CONF=str(folder / "openssl.cnf"))

        def handshakes(client):
            return self.program(PROVIDER_LOAD, "handshakes", *client, *own, environment=environment)
        rounds = self.rounds({"held": (handshakes(held), 100), "own": (handshakes(own), 100),
                              "agent": (self.authenticate(stand, "soft", kind="reconnecting"), 100)})
        ratios = [(above - agent) / below for above, agent, below in
                  zip(*(rounds.series(name) for name in ("held", "agent", "own")))]
        self.report.add("TLS handshake with the agent's key, less the agent's time ÷ with a key in a file",
                        spread(ratios), "", ("<=", 1.3), dropped=rounds.dropped)

    def token(self, stand):
        environment = dict(os.environ, SOFTHSM2_CONF=str(peer_token(stand.dir / "peer")))
        with replaced(stand, "environment", environment):
            stand.start("ssh-agent-token", "ssh-agent", "-D", "-a", stand.dir / "ssh-token.sock")
        wait_for("ssh-agent", (stand.dir / "ssh-token.sock").exists)
        add_token_to_ssh_agent(stand.dir / "ssh-token.sock")
        self.pin_children(stand.processes["ssh-agent-token"])
        rounds = self.rounds({
            "authenticate": (self.authenticate(stand, "alice"), 300),
            "ssh-agent": (self.workload("ssh-agent", stand.dir / "ssh-token.sock"), 300)})
        self.compare("authenticate, SoftHSM ÷ ssh-agent with its PKCS#11 helper", rounds,
                     "authenticate", "ssh-agent", ("<=", 0.7), ("<=", 0.6))

    def tpm(self, stand):
        other = self.stand()  # a swtpm serves one connection only
        other.start_tpm("raw")
        rounds = self.rounds({
            "authenticate": (self.authenticate(stand, "laptop"), 100),
            "esys": (self.workload("esys", f"swtpm:path={other.dir}/raw.sock"), 100)})
        self.compare("authenticate, swtpm ÷ raw ESYS signature", rounds, "authenticate", "esys",
                     ("<=", 1.5), ("<=", 1.15))

    def slow_tpm(self):
        stand = self.stand()
        stand.environment["TSS2_SLOW_TPM"] = "1"
        stand.start_tpm(through=f"{BENCH.parent}/recording_tcti.so:")
        stand.rules.append(rule("laptop"))
        stand.start_agent()
        stand.enrol("laptop", "tpm", "user")
        other = self.stand()
        other.start_tpm("raw")
        rounds = self.rounds({
            "crowd": (self.authenticate(stand, "laptop", 8), 40),
            "one": (self.authenticate(stand, "laptop"), 10),
            "esys": (self.workload(
                "esys", f"{BENCH.parent}/recording_tcti.so:swtpm:path={other.dir}/raw.sock",
                environment=stand.environment), 10)})
        self.compare("authenticate, TPM of 27 ms ÷ raw ESYS signature", rounds, "one", "esys")
        self.report.add("8 clients on one TPM of 27 ms: p99 ÷ p50",
                        spread(rounds.within("crowd", "p99", "p50")), "", ("<=", 1.2), ("<=", 1.05),
                        f"p50 {spread(rounds.series('crowd'))['median'] / 1000:.0f} ms",
                        rounds.dropped)

    def throughput(self, stand):
        """From here on backends share the clients' core: both cores have about as much to do."""
        self.pin_children(stand.processes["signetd"], self.client_core)
        rounds = self.rounds({str(clients): (self.authenticate(stand, "alice", clients), 1500)
                              for clients in (1, 8, 64)})
        for clients in ("8", "64"):
            self.compare(f"throughput, SoftHSM: {clients} clients ÷ 1", rounds, clients, "1",
                         (">=", 1.5), (">=", 2), figure="per_second")
        self.compare("throughput, SoftHSM: 64 clients ÷ 8", rounds, "64", "8", (">=", 0.95),
                     figure="per_second")

    def many(self):
        rounds = self.rounds({str(count): (self.authenticate(self.crowded(count, rules), "last"), 200)
                              for count, rules in ((5, 10), (500, 1000))})
        self.compare("authenticate with 500 identities and 1000 rules ÷ with 5 and 10", rounds, "500",
                     "5", ("<=", 1.3), ("<=", 1.15))

    def crowded(self, identities, rules):
        """All identities fit the request; the last one is what a rule allows."""
        stand = self.stand()
        stand.add_software()
        stand.rules = [rule(f"host-{i}", f"id-{i % identities:03}") for i in range(rules - 1)]
        stand.rules.append(rule("last", f"id-{identities - 1:03}"))
        stand.start_agent()
        stand.enrol("id-000", "file", "user")
        stand.stop("signetd")
        folder = stand.dir / "state" / "identities"
        for i in range(1, identities):
            shutil.copytree(folder / "id-000", folder / f"id-{i:03}")
        stand.start_agent()
        self.pin_children(stand.processes["signetd"])
        return stand

    def hung(self, stand):
        pid = stand.backend_status("card")["pid"]
        well, stuck = self.authenticate(stand, "soft"), self.authenticate(stand, "alice", 4)
        stuck.run(4)

        def while_hung():
            os.kill(pid, signal.SIGSTOP)
            try:
                stuck.start(8)
                return well.run(1000)
            finally:
                os.kill(pid, signal.SIGCONT)
                stuck.finish()
        rounds = Rounds(self.options.rounds, self.canary,
                        {"undisturbed": lambda: well.run(1000), "hung": while_hung})
        self.compare("one token hung: p99 of the other ÷ undisturbed", rounds, "hung", "undisturbed",
                     ("<=", 1.3), ("<=", 1.15), figure="p99")

    def over_http(self, stand):
        rounds = self.rounds({
            http: (self.workload("asked-over", http, stand.dir / "run" / "agent.sock",
                                 origin("soft")), 100) for http in ("nothing", "http2", "http3")})
        self.compare("AUTHENTICATOR_REQUESTS in to CERTIFICATE out, HTTP/2 ÷ no HTTP", rounds, "http2",
                     "nothing")
        self.compare("the same, HTTP/3 ÷ HTTP/2", rounds, "http3", "http2")

    def never_asked(self):
        """Time of the processor for a connection; the noise is that of two times the same."""
        for http, label in (("http2", "HTTP/2"), ("http3", "HTTP/3")):
            rounds = self.rounds({
                name: (self.workload("connect-over", http, how), 100)
                for name, how in (("with", "with"), ("without", "without"), ("again", "without"))})
            self.compare(f"connection that is never asked, {label}: with ÷ without libsignet", rounds,
                         "with", "without", ("<=", 1.1), ("<=", 1.03))
            self.compare("the same, without ÷ without: the noise", rounds, "again", "without")
            heap = run(BENCH, "heap-over", http, parse=True)
            for end in ("client", "server"):
                self.report.add_count(f"the same, heap of the {end}", heap[end] / 1024, "KB",
                                      ("<=", 2), ("<=", 1))

    def memory(self, stand):
        """Of an agent that has served each of its backends once."""
        agent = stand.processes["signetd"].pid
        for name in ("soft", "alice", "laptop"):
            self.authenticate(stand, name).run(1)
        backends = {name: private_kb(stand.backend_status(name)["pid"])
                    for name in ("tpm", "card", "file")}
        before = private_kb(agent)
        sockets = []
        for _ in range(IDLE_CLIENTS):
            sockets.append(socket.socket(socket.AF_UNIX))
            sockets[-1].connect(str(stand.dir / "run" / "agent.sock"))
        wait_for("the agent to take them", lambda: descriptors(agent) >= IDLE_CLIENTS)
        after = private_kb(agent)
        for each in sockets:
            each.close()
        self.report.add_count("agent, private memory", before / 1024, "MB", ("<=", 8), ("<=", 5))
        self.report.add_count("each idle client of agent.sock", (after - before) / IDLE_CLIENTS, "KB",
                              ("<=", 8), ("<=", 4), f"{IDLE_CLIENTS} clients")
        self.report.add_count("signet-backend, private memory, the largest",
                              max(backends.values()) / 1024, "MB", ("<=", 6), ("<=", 4),
                              ", ".join(f"{k} {v / 1024:.1f}" for k, v in backends.items()))

    def cold_start(self):
        stand = self.stand()
        stand.add_software()
        stand.rules.append(rule("soft"))
        stand.start_agent()
        stand.enrol("soft", "file", "user")
        stand.stop("signetd")
        start = self.workload(
            "cold-start", stand.dir / "run" / "agent.sock", origin("soft"), stands.BIN / "signetd",
            "--config", stand.config, "--runtime-dir", stand.dir / "run", "--state-dir",
            stand.dir / "state", cores=self.client_core | self.agent_core,
            environment=dict(stand.environment))
        rounds = self.rounds({"start": (start, 3)})
        self.report.add("cold start to the first answer, software key",
                        spread([us / 1000 for us in rounds.series("start")]), "ms", ("<=", 60),
                        ("<=", 30), dropped=rounds.dropped)

    def library(self, stand):
        stripped = stand.dir / "libsignet.so"
        run("strip", "-o", stripped, stands.BIN.parent / "lib" / "libsignet.so")
        counts = run(BENCH.with_name("signet-bench-allocations"), stand.dir / "run" / "agent.sock",
                     origin("soft"), parse=True)
        self.report.add_count("libsignet.so, stripped", stripped.stat().st_size / 1000, "KB",
                              ("<=", 300), ("<=", 200))
        self.report.add_count("libsignet, heap of an idle session",
                              counts["idle_session_bytes"] / 1024, "KB", ("<=", 2), ("<=", 1))
        self.report.add_count("libsignet, allocations for each authenticator", counts["allocations"],
                              "", ("<=", 30), ("<=", 10))


# -- small things --------------------------------------------------------------------------------


def origin(name):
    return f"https://{name}.test"


def rule(host, identity=None):
    return (f'[[rule]]\norigin = "{origin(host)}"\nidentity = "{identity or host}"\n'
            'decision = "allow"\n')


def run(*command, parse=False, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stderr}")
    return json.loads(done.stdout) if parse else done.stdout


@contextlib.contextmanager
def replaced(thing, attribute, value):
    before = getattr(thing, attribute)
    setattr(thing, attribute, value)
    try:
        yield
    finally:
        setattr(thing, attribute, before)


def private_kb(pid):
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def peer_token(folder):
    """A SoftHSM token of ssh-agent's own, with a P-256 key; returns its configuration file."""
    (folder / "tokens").mkdir(parents=True)
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    environment = dict(os.environ, SOFTHSM2_CONF=str(config))
    run("softhsm2-util", "--init-token", "--free", "--label", "peer", "--so-pin", "12345678", "--pin",
        PIN, env=environment)
    stands.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                   folder / "key.pem")
    run("softhsm2-util", "--import", folder / "key.pem", "--token", "peer", "--label", "key", "--id",
        "01", "--pin", PIN, env=environment)
    return config


def add_token_to_ssh_agent(path):
    """SSH_AGENTC_ADD_SMARTCARD_KEY, as ssh-add -s sends it, without its prompt."""
    def text(value):
        return struct.pack(">I", len(value)) + value.encode()
    body = bytes([20]) + text(os.path.realpath(softhsm_module())) + text(PIN)
    with socket.socket(socket.AF_UNIX) as agent:
        agent.connect(str(path))
        agent.sendall(struct.pack(">I", len(body)) + body)
        answer = agent.recv(16)
    if answer[4:] != b"\x06":
        raise RuntimeError("ssh-agent does not take the token")


ROWS = ("software", "provider", "token", "tpm", "over_http", "hung", "memory", "library", "throughput",
        "slow_tpm", "never_asked", "many", "cold_start")
WITHOUT_MAIN_STAND = ("slow_tpm", "never_asked", "many", "cold_start")


def options():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="default 15: a minute and a half")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS, metavar="ROW",
                        help="some of: " + ", ".join(ROWS))
    cores = sorted(os.sched_getaffinity(0))
    parser.add_argument("--cores", nargs=3, type=int, default=(cores[0], cores[-1], cores[-1]),
                        metavar=("CLIENT", "AGENT", "BACKENDS"),
                        help="default: first last last, of those there are")
    parser.add_argument("--json", metavar="FILE", help="write the rows there too")
    return parser.parse_args()


def main():
    chosen = options()
    bench = Bench(chosen)
    with bench.exit:
        main_stand = None
        for name in ROWS:
            if name not in chosen.only:
                continue
            print(name, flush=True)
            if name in WITHOUT_MAIN_STAND:
                getattr(bench, name)()
            else:
                main_stand = main_stand or bench.main_stand()
                getattr(bench, name)(main_stand)
    print("\n" + bench.report.table())
    if chosen.json:
        bench.report.write_json(chosen.json, date=datetime.date.today().isoformat(),
                                rounds=chosen.rounds, cores=list(chosen.cores))


if __name__ == "__main__":
    sys.exit(main())
