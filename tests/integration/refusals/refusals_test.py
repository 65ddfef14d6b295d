"""What people and servers get wrong: a clear error that says what to do next, or an empty
authenticator in its place in the order; nothing hangs."""
import datetime
import os
import signal
import socket
import struct
import threading
import unittest

from tests.support.stand import PIN, Stand, openssl, wait_for


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = cls.enterClassContext(Stand())
        cls.stand.make_token()
        cls.stand.add_software()
        cls.stand.start_agent()
        assert cls.stand.unlock().code == 0
        cls.stand.enrol("laptop", "file", "device")
        cls.stand.enrol("alice", "card", "user")
        cls.stand.start_gateway(require=("/login=device,user", "/old=expired", "/nobody=nobody"))

    def declined(self, *paths, options=()):
        outcome = self.stand.fetch(*paths, options=options)
        self.assertEqual(outcome.code, 22, outcome)
        return outcome.json["declined"]

    def test_NoRuleNamesTheCommandThatAllows(self):
        self.stand.start_gateway()  # a new port: an origin that no rule knows
        declined = self.declined("/login")
        self.assertEqual([d["reason"] for d in declined], ["denied", "denied"])
        self.assertIn(f"signet policy allow {self.stand.origin} --identity laptop",
                      declined[0]["detail"])

    def test_LaterRuleWins(self):
        self.stand.start_gateway()
        self.stand.allow("laptop", "alice")
        self.stand.must("policy", "deny", self.stand.origin, "--identity", "alice")
        outcome = self.stand.fetch("/login")
        self.assertEqual([i["name"] for i in outcome.json["identities"]], ["laptop"])
        self.assertEqual([d["reason"] for d in outcome.json["declined"]], ["denied"])
        self.stand.allow("alice")
        self.assertEqual(self.stand.fetch("/login").code, 0)

    def test_RuleForAnotherProgramDoesNotCover(self):
        self.stand.start_gateway()
        for name in ("laptop", "alice"):
            self.stand.must("policy", "allow", self.stand.origin, "--identity", name, "--program",
                            "/bin/true")
        self.assertEqual([d["reason"] for d in self.declined("/login")], ["denied", "denied"])

    def test_NoMatchingIdentity(self):
        self.stand.authority("nobody")
        self.stand.start_gateway(require=("/nobody=nobody",))
        self.assertEqual([d["reason"] for d in self.declined("/nobody")], ["no-identity"])

    def test_ExpiredCertificateIsSaidToBeExpired(self):
        # days=-1 makes a certificate that is over before it began, so import must refuse it.
        self.stand.must("identity", "create", "old", "--backend", "file", "--kind", "user",
                        "--algorithm", "p256")
        csr = self.stand.dir / "ca" / "old.csr"
        self.stand.must("identity", "csr", "old", "--subject", "/CN=old", "--out", csr)
        chain = self.stand.authority("expired").sign(csr, self.stand.dir / "ca" / "old.pem", days="-1")
        outcome = self.stand.signet("identity", "import", "old", chain)
        self.assertNotEqual(outcome.code, 0)
        self.assertIn("expired", outcome.err)
        self.stand.must("identity", "remove", "old", "--yes")

    def test_CertificateThatExpiresLaterIsNoLongerGiven(self):
        stand = self.stand
        stand.must("identity", "create", "brief", "--backend", "file", "--kind", "user")
        csr = stand.dir / "ca" / "brief.csr"
        stand.must("identity", "csr", "brief", "--subject", "/CN=brief", "--out", csr)
        stand.start_gateway(require=("/brief=briefly",))
        stand.allow("brief")
        for seconds in (5, 15, 45):  # it must not end before it is used
            end = datetime.datetime.utcnow() + datetime.timedelta(seconds=seconds)
            imported = stand.signet("identity", "import", "brief", stand.authority("briefly").sign_until(
                end, csr, stand.dir / "ca" / "brief.pem"))
            used = imported.code == 0 and stand.fetch("/brief").json["certificates_sent"] == 1
            if used:
                break
        self.assertTrue(used, imported)
        wait_for("the end of the certificate", lambda: not stand.must(
            "identity", "show", "brief", "--json").json["identity"]["usable"])
        declined = self.declined("/brief")
        self.assertEqual([d["reason"] for d in declined], ["no-identity"])
        self.assertIn('"brief": its certificate expired on ', declined[0]["detail"])
        self.assertIn("renew it: signet identity csr brief", declined[0]["detail"])
        stand.must("identity", "remove", "brief", "--yes")

    def test_ForeignChainIsRefused(self):
        outcome = self.stand.signet("identity", "import", "laptop", self.stand.authority("user").pem)
        self.assertNotEqual(outcome.code, 0)
        self.assertRegex(outcome.err, "key")

    def test_WrongPinIsSaidAndSpendsOneTry(self):
        self.stand.must("token", "lock", "card")
        outcome = self.stand.unlock(pin="000000")
        self.assertEqual(outcome.code, 6, outcome)
        self.assertNotIn("000000", outcome.err + outcome.out)
        self.assertEqual(self.stand.unlock().code, 0)

    def test_LockedTokenSaysOnceHowToUnlockIt(self):
        self.stand.start_gateway(require=("/user=user",))
        self.stand.allow("alice")
        self.stand.must("token", "lock", "card")
        declined = self.declined("/user")
        self.assertEqual([d["reason"] for d in declined], ["token-locked"])
        self.assertEqual(declined[0]["detail"].count("signet token unlock card --pin-stdin"), 1)
        self.assertEqual(self.stand.unlock().code, 0)
        self.assertEqual(self.stand.fetch("/user").code, 0)

    def test_PinIsInNoCommandLine(self):
        self.assertEqual(self.stand.unlock().code, 0)
        for process in self.stand.processes.values():
            with open(f"/proc/{process.pid}/cmdline") as line:
                self.assertNotIn(PIN, line.read())

    def test_NoAgentMeansEmptyAuthenticators(self):
        self.stand.start_gateway()
        for options in (("--no-agent",), ("--agent", str(self.stand.dir / "nowhere.sock"))):
            declined = self.declined("/login", options=options)
            self.assertEqual([d["reason"] for d in declined], ["no-agent", "no-agent"])

    def test_AgentKilledInMidRequestDeclines(self):
        with Stand() as other:
            other.add_software()
            other.start_agent()
            other.enrol("laptop", "file", "device")
            other.start_gateway(require=("/device=device",))
            other.allow("laptop")
            # The backend is stopped, so the request is certainly under way when the agent dies.
            os.kill(other.backend_status("file")["pid"], signal.SIGSTOP)
            agent = other.processes["signetd"]

            def connected():
                with open("/proc/net/unix") as sockets:  # one of these listens
                    return sum(line.endswith(f" {other.dir}/run/agent.sock\n") for line in sockets) > 1

            def kill_when_asked():
                wait_for("the request", connected)
                agent.kill()
            wait_for("the commands before it to be gone", lambda: not connected())
            killer = threading.Thread(target=kill_when_asked)
            killer.start()
            outcome = other.fetch("/device")
            killer.join()
            self.assertEqual([d["reason"] for d in outcome.json["declined"]], ["no-agent"], outcome)

    def test_BytesThatMakeNoSenseHurtNobody(self):
        self.stand.start_gateway(require=("/device=device",))
        self.stand.allow("laptop")
        for name in ("agent.sock", "grpc.sock"):
            for data in (b"", b"\0\0", struct.pack(">I", 100) + b"cut off", struct.pack(">I", 1 << 30),
                         struct.pack(">I", 300 * 1024) + bytes(300 * 1024), struct.pack(">I", 8) + b"\xff" * 8,
                         b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b"\n" * 65536):
                with self.subTest(name, data=data[:8]), socket.socket(socket.AF_UNIX) as peer:
                    peer.settimeout(60)
                    peer.connect(str(self.stand.dir / "run" / name))
                    try:
                        peer.sendall(data)
                        peer.shutdown(socket.SHUT_WR)
                        while peer.recv(65536):  # whatever it says, it hangs up
                            pass
                    except (BrokenPipeError, ConnectionResetError):
                        pass
        self.assertEqual(self.stand.fetch("/device").code, 0)
        self.assertEqual(self.stand.signet("status").code, 0)

    def test_ErrorsSayWhatToDoNext(self):
        for arguments, word in (
                (("identity", "show", "ghost"), "there are: alice, laptop"),
                (("identity", "create", "x", "--backend", "ghost", "--kind", "user", "--algorithm", "p256"), "ghost"),
                (("identity", "create", "laptop", "--backend", "file", "--kind", "user", "--algorithm", "p256"), "name is in use"),
                (("identity", "import", "laptop", "/nonexistent.pem"), "nonexistent"),
                (("token", "unlock", "ghost", "--pin-stdin"), "ghost"),
                (("policy", "allow", "ftp://x", "--identity", "laptop"), "https")):
            outcome = self.stand.signet(*arguments, stdin="1")
            self.assertNotEqual(outcome.code, 0, arguments)
            self.assertIn(word, outcome.err, arguments)


class Configuration(unittest.TestCase):
    def test_BadConfigurationsAreRefusedByFileAndLine(self):
        good = '[[backend]]\nname = "file"\ntype = "software"\n'
        for text, word in (
                ("[[backend]]\nname = ", "signet.toml:2"),
                (good + "[colour]\n", "colour"),
                (good + good, "file"),
                ('[[backend]]\nname = "x"\ntype = "telepathy"\n', "telepathy"),
                ('[[backend]]\nname = "x"\ntype = "software"\nmodule = "/m.so"\n', "module"),
                ('[[backend]]\nname = "x"\ntype = "pkcs11"\nmodule = "/m.so"\n', "token"),
                (good + '[[rule]]\norigin = "http://x"\nidentity = "*"\ndecision = "allow"\n', "https"),
                (good + '[[rule]]\norigin = "https://x"\nidentity = "*"\ndecision = "maybe"\n', "maybe"),
                (good + '[access]\nuse = ["no-such-user"]\n', "no-such-user")):
            with self.subTest(word), Stand() as stand:
                stand.write_config(text)
                outcome = stand.run("signetd", "--config", stand.config, "--runtime-dir",
                                    stand.dir / "run", "--state-dir", stand.dir / "state")
                self.assertEqual(outcome.code, 78, outcome)
                self.assertIn(word, outcome.err)
                self.assertIn("signet.toml", outcome.err)

    def test_MissingConfigurationIsNamed(self):
        with Stand() as stand:
            outcome = stand.run("signetd", "--config", stand.dir / "none.toml", "--runtime-dir",
                                stand.dir / "run", "--state-dir", stand.dir / "state")
            self.assertEqual(outcome.code, 78, outcome)
            self.assertIn("none.toml", outcome.err)


if __name__ == "__main__":
    unittest.main()
