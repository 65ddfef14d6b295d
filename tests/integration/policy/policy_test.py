"""Rules, of the configuration and added, and which identity is given when several fit."""
import unittest

from tests.support.stand import BIN, Stand, rule, wait_for


class Policy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = cls.enterClassContext(Stand())
        cls.stand.add_software()
        cls.stand.rules = [
            rule("https://*:*", "*", "allow"),
            rule("https://*:443", "laptop", "deny"),  # another port
            rule("https://local*:*", "alice", "deny"),
            rule("https://localhost:*", "bob", "ask"),
            rule("https://localhost:*", "carol", "deny"),
            rule("https://localhost:*", "carol", "allow", BIN / "signet-fetch"),
            rule("https://localhost:*", "dave", "deny", "/bin/true"),
        ]
        cls.stand.start_agent()
        cls.stand.enrol("laptop", "file", "device")
        for name in ("alice", "bob", "carol", "dave"):
            cls.stand.enrol(name, "file", "user", authority=name)
        cls.stand.start_gateway(require=("/device=device", "/alice=alice", "/bob=bob", "/carol=carol",
                                         "/dave=dave", "/four=device,dave,carol,alice"))

    def names(self, outcome):
        return [identity["name"] for identity in outcome.json["identities"]]

    def test_StarCoversHostAndPort(self):
        self.assertEqual(self.names(self.stand.fetch("/device")), ["laptop"])

    def test_DenyAfterAllowWins(self):
        declined = self.stand.fetch("/alice").json["declined"]
        self.assertEqual([d["reason"] for d in declined], ["denied"])
        self.assertIn("the rule for https://local*:* in ", declined[0]["detail"])
        self.assertIn("signet.toml", declined[0]["detail"])
        self.assertIn(f"signet policy allow {self.stand.origin} --identity alice", declined[0]["detail"])

    def test_RuleForThisProgramWinsOverTheDenyBefore(self):
        self.assertEqual(self.names(self.stand.fetch("/carol")), ["carol"])

    def test_RuleForAnotherProgramIsNoRule(self):
        self.assertEqual(self.names(self.stand.fetch("/dave")), ["dave"])

    def test_AskDeclinesAndSaysThatNobodyCanBeAsked(self):
        outcome = self.stand.fetch("/bob")
        self.assertEqual(outcome.code, 22, outcome)
        declined = outcome.json["declined"]
        self.assertEqual([d["reason"] for d in declined], ["consent"])
        self.assertIn("nobody can be asked", declined[0]["detail"])
        self.assertIn("signet policy allow", declined[0]["detail"])

    def test_ExplainSaysWhatARequestMeets(self):
        file = self.stand.config
        for identity, path in (("alice", "/alice"), ("bob", "/bob"), ("carol", "/carol")):
            explained = self.stand.must("policy", "explain", self.stand.origin, "--identity", identity,
                                        "--program", BIN / "signet-fetch", "--json").json
            self.assertEqual(explained["origin"], self.stand.origin)
            [explanation] = explained["explanations"]
            outcome = self.stand.fetch(path)
            given = [i["name"] for i in outcome.json["identities"]]
            self.assertEqual(given == [identity], explanation["decision"] == "allow", explanation)
            rule = explanation["rule"]
            line = file.read_text().splitlines()[rule["line"] - 1]
            self.assertEqual((rule["source"], line), (str(file), "[[rule]]"))
            self.assertIn(f"{file}:{rule['line']}", explanation["reason"])
        # Another program, and one that is unknown, do not meet the rule for signet-fetch.
        for program in ((), ("--program", BIN / "signet")):
            [explanation] = self.stand.must("policy", "explain", self.stand.origin, "--identity", "carol",
                                            *program, "--json").json["explanations"]
            self.assertEqual(explanation["decision"], "deny", explanation)
        text = self.stand.must("policy", "explain", "https://elsewhere.example", "--identity", "alice").out
        self.assertRegex(text, f"^allow: the rule for https://[*]:[*] in {file}:[0-9]+ allows identity "
                               '"alice" at https://elsewhere.example:443\n$')
        self.assertEqual(self.stand.signet("policy", "explain", "nonsense").code, 1)
        self.assertEqual(self.stand.signet("policy", "explain", "https://a.example", "--program",
                                           "/no/such/program").code, 1)

    def test_AddedRulesComeAfterTheFiles(self):
        listed = self.stand.must("policy", "list", "--json").json["rules"]
        self.assertEqual([r["decision"] for r in listed[:7]],
                         ["allow", "deny", "deny", "ask", "deny", "allow", "deny"])
        self.assertEqual(set(listed[0]), {"decision", "origin", "identity", "program", "source", "line"})
        self.assertEqual(listed[5]["program"], str(BIN / "signet-fetch"))
        with Stand() as other:
            other.add_software()
            other.rules = [rule("https://localhost:*", "erin", "ask")]
            other.start_agent()
            other.enrol("erin", "file", "user")
            other.start_gateway(require=("/user=user",))
            self.assertEqual(other.fetch("/user").code, 22)
            other.allow("erin")
            self.assertEqual(self.names(other.fetch("/user")), ["erin"])
            source = other.must("policy", "list", "--json").json["rules"][-1]["source"]
            self.assertEqual(source, str(other.dir / "state" / "policy.toml"))
            other.stop("signetd")
            other.start_agent()
            self.assertEqual(self.names(other.fetch("/user")), ["erin"])

    def test_StarNamesNoFurtherIdentityOfAKind(self):
        # laptop and dave by `*`; carol is named; dave would be the second user, had he come later.
        outcome = self.stand.fetch("/carol", "/device", "/dave")
        self.assertEqual(self.names(outcome), ["carol", "laptop"])
        declined = outcome.json["declined"]
        self.assertEqual([d["reason"] for d in declined], ["limit"])
        self.assertIn("--identity dave", declined[0]["detail"])
        self.assertEqual(self.names(self.stand.fetch("/device", "/dave", "/carol")),
                         ["laptop", "dave", "carol"])


class SeveralFit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = cls.enterClassContext(Stand())
        cls.stand.add_software()
        cls.stand.rules = [rule("https://localhost:*", "*", "allow")]
        cls.stand.start_agent()
        for name, days in (("short", "1"), ("long", "3"), ("middle", "2")):
            cls.stand.enrol(name, "file", "user", days=days)

    def given(self):
        outcome = self.stand.fetch("/user")
        self.assertLessEqual(outcome.json["certificates_sent"], 1)
        return [identity["name"] for identity in outcome.json["identities"]]

    def test_LongestValidUnlessARuleNamesAnother(self):
        self.stand.start_gateway(require=("/user=user",))
        self.assertEqual(self.given(), ["long"])
        self.stand.allow("short")
        self.assertEqual(self.given(), ["short"])
        self.stand.must("policy", "deny", self.stand.origin, "--identity", "short")
        self.assertEqual(self.given(), ["long"])
        self.stand.must("policy", "deny", self.stand.origin, "--identity", "long")
        self.assertEqual(self.given(), ["middle"])
        self.stand.must("policy", "deny", self.stand.origin, "--identity", "*")
        self.assertEqual(self.given(), [])


class ManyRequests(unittest.TestCase):
    def test_MoreFilesThanTheLimitAreAskedInTurns(self):
        with Stand() as stand:
            stand.add_software()
            stand.start_agent()
            names = [f"user-{i}" for i in range(5)]
            for name in names:
                stand.enrol(name, "file", "user", authority=name)
            stand.start_gateway(require=("/all=" + ",".join(names),))
            stand.allow(*names)
            outcome = stand.fetch("/all")
            self.assertEqual(outcome.code, 0, outcome)
            said = outcome.json
            self.assertEqual([i["name"] for i in said["identities"]], names)
            self.assertEqual((said["authenticator_requests"], said["certificates_sent"]), (5, 5))


class Layers(unittest.TestCase):
    """Rules of the vendor and the administrator around those of the configuration."""

    @classmethod
    def setUpClass(cls):
        cls.stand = cls.enterClassContext(Stand())
        cls.stand.add_software()
        cls.stand.rules = [rule("https://localhost:*", "*", "allow")]
        folder = cls.stand.dir / "policy.d"
        folder.mkdir()
        folder.joinpath("50-site.toml").write_text(
            rule("https://localhost:*", "bob", "deny") + "final = true\n"
            + rule("https://localhost:*", "carol", "deny")
            + rule("https://localhost:*", "*", "deny") + 'issuer = "Evil"\nfinal = true\n'
            + "[limits]\nper_key = 3\n")
        cls.stand.start_agent()
        for name in ("alice", "bob", "carol", "dave", "erin"):
            cls.stand.enrol(name, "file", "user", authority=name)
        cls.stand.start_gateway(require=("/alice=alice", "/bob=bob", "/carol=carol", "/dave=dave",
                                         "/erin=erin"))

    def names(self, path):
        return [identity["name"] for identity in self.stand.fetch(path).json["identities"]]

    def test_AFinalRuleIsNotLoosenedByLaterOnes(self):
        self.assertEqual(self.names("/carol"), ["carol"])
        self.assertEqual(self.names("/bob"), [])
        self.stand.allow("bob")
        declined = self.stand.fetch("/bob").json["declined"]
        self.assertEqual([d["reason"] for d in declined], ["denied"])
        self.assertIn("policy.d/50-site.toml:1 denies", declined[0]["detail"])
        self.assertIn("final", declined[0]["detail"])

    def test_ExplainSaysOfEachRuleWhyItDoesNotDecide(self):
        [explained] = self.stand.must("policy", "explain", self.stand.origin, "--identity", "alice",
                                      "--verbose", "--json").json["explanations"]
        self.assertEqual([(c["decides"], c["why"]) for c in explained["considered"]][:4],
                         [(False, "identity is not bob"), (False, "identity is not carol"),
                          (False, "issuer is not Evil"), (True, "decides")])
        text = self.stand.must("policy", "explain", self.stand.origin, "--identity", "alice",
                               "--verbose").out
        self.assertIn(f"\n* {self.stand.config}:", text)
        self.assertNotEqual(self.stand.signet("policy", "explain", self.stand.origin, "--session",
                                              "moon").code, 0)

    def test_AKeyThatIsUsedTooOftenIsDeclined(self):
        # Other tests leave this identity alone.
        for _ in range(3):
            self.assertEqual(self.names("/dave"), ["dave"])
        # A third of a minute later it may be used once more: that may have been while we asked.
        declined = wait_for("the limit", lambda: self.stand.fetch("/dave").json["declined"])
        self.assertEqual([d["reason"] for d in declined], ["limit"])
        self.assertIn("per_key", declined[0]["detail"])
        self.assertEqual(self.names("/erin"), ["erin"], "another key has its own limit")

    def test_NothingIsRememberedWithoutPrompts(self):
        self.assertEqual(self.stand.must("policy", "remembered", "list", "--json").json,
                         {"answers": []})
        self.assertEqual(self.stand.signet("policy", "remembered", "forget", "1").code, 5)

    def test_CheckFindsWhatTheAgentWouldRefuse(self):
        with Stand() as other:
            other.write_config("[limits]\nper_caller = 5\n")
            self.assertEqual(other.must("policy", "check", other.config).out,
                             "understood: 1 file, 0 rules\n")
            other.write_config("[limits]\nper_caler = 5\n")
            outcome = other.signet("policy", "check", other.config)
            self.assertEqual((outcome.code, outcome.out), (1, ""))
            self.assertTrue(outcome.err.startswith(f'{other.config}:2:1: unknown key "per_caler"'), outcome)


if __name__ == "__main__":
    unittest.main()
