#include "agent/authentication/connection_ledger.h"

#include <gtest/gtest.h>

#include <string>

namespace signet::agent {
namespace {

using Admission = ConnectionLedger::Admission;

Identity MakeIdentity(const std::string& name, IdentityKind kind = IdentityKind::kUser) {
  Identity identity;
  identity.name = name;
  identity.kind = kind;
  return identity;
}

wire::Bytes Connection(uint32_t number) {
  wire::Bytes context(32);
  for (size_t i = 0; i < 4; ++i) context[i] = static_cast<uint8_t>(number >> (8 * i));
  return context;
}

TEST(ConnectionLedger, GivesNoIdentityTwiceOnOneConnection) {
  ConnectionLedger ledger;
  const Identity alice = MakeIdentity("alice");
  EXPECT_EQ(ledger.Reserve(1, Connection(1), alice, true), Admission::kAdmitted);
  EXPECT_EQ(ledger.Reserve(1, Connection(1), alice, true), Admission::kAlreadyGiven);
  EXPECT_EQ(ledger.Reserve(1, Connection(2), alice, true), Admission::kAdmitted);
  EXPECT_EQ(ledger.Reserve(2, Connection(1), alice, true), Admission::kAdmitted);
}

TEST(ConnectionLedger, OneOfEachKindNeedsNoName) {
  ConnectionLedger ledger;
  EXPECT_EQ(ledger.Reserve(1, Connection(1), MakeIdentity("alice"), false), Admission::kAdmitted);
  EXPECT_EQ(ledger.Reserve(1, Connection(1), MakeIdentity("pc", IdentityKind::kDevice), false),
            Admission::kAdmitted);
  EXPECT_EQ(ledger.Reserve(1, Connection(1), MakeIdentity("bob"), false), Admission::kMustBeNamed);
  EXPECT_EQ(ledger.Reserve(1, Connection(1), MakeIdentity("tv", IdentityKind::kDevice), false),
            Admission::kMustBeNamed);
  EXPECT_EQ(ledger.Reserve(1, Connection(1), MakeIdentity("bob"), true), Admission::kAdmitted);
  EXPECT_EQ(ledger.Reserve(1, Connection(1), MakeIdentity("carol"), true), Admission::kAdmitted);
}

TEST(ConnectionLedger, ANamedOneCountsToo) {
  ConnectionLedger ledger;
  EXPECT_EQ(ledger.Reserve(1, Connection(1), MakeIdentity("alice"), true), Admission::kAdmitted);
  EXPECT_EQ(ledger.Reserve(1, Connection(1), MakeIdentity("bob"), false), Admission::kMustBeNamed);
}

TEST(ConnectionLedger, WhatIsReleasedCanBeHadAgain) {
  ConnectionLedger ledger;
  const Identity alice = MakeIdentity("alice");
  const wire::Bytes connection = Connection(1);
  ASSERT_EQ(ledger.Reserve(1, connection, alice, false), Admission::kAdmitted);
  { const Reservation reservation(ledger, 1, connection, alice); }
  ASSERT_EQ(ledger.Reserve(1, connection, alice, false), Admission::kAdmitted);
  {
    Reservation reservation(ledger, 1, connection, alice);
    reservation.Keep();
  }
  EXPECT_EQ(ledger.Reserve(1, connection, alice, true), Admission::kAlreadyGiven);
  // What was never reserved changes no count.
  ledger.Release(1, connection, MakeIdentity("bob"));
  ledger.Release(1, Connection(2), alice);
  ledger.Release(2, connection, alice);
  EXPECT_EQ(ledger.Reserve(1, connection, MakeIdentity("bob"), false), Admission::kMustBeNamed);
}

TEST(ConnectionLedger, ForgetsTheConnectionUsedLongestAgoAndNobodyElses) {
  ConnectionLedger ledger;
  const Identity alice = MakeIdentity("alice");
  ASSERT_EQ(ledger.Reserve(2, Connection(0), alice, true), Admission::kAdmitted);
  for (uint32_t i = 0; i < ConnectionLedger::kMaxConnectionsPerUid; ++i) {
    ASSERT_EQ(ledger.Reserve(1, Connection(i), alice, true), Admission::kAdmitted);
  }
  // Using connection 0 makes 1 the oldest.
  EXPECT_EQ(ledger.Reserve(1, Connection(0), alice, true), Admission::kAlreadyGiven);
  EXPECT_EQ(ledger.Reserve(1, Connection(1'000'000), alice, true), Admission::kAdmitted);
  EXPECT_EQ(ledger.Reserve(1, Connection(0), alice, true), Admission::kAlreadyGiven);
  EXPECT_EQ(ledger.Reserve(1, Connection(2), alice, true), Admission::kAlreadyGiven);
  EXPECT_EQ(ledger.Reserve(1, Connection(1), alice, true), Admission::kAdmitted);
  EXPECT_EQ(ledger.Reserve(2, Connection(0), alice, true), Admission::kAlreadyGiven);
}

}  // namespace
}  // namespace signet::agent
