#include "ipc/wire/authenticator_requests.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/hex.h"

namespace signet::wire {
namespace {

using ::signet::testing::FromHex;
using ::signet::testing::ToHex;

// 16 bytes each; contexts 01 and 02.
constexpr char kFirst[] = "0d00000c01010008000d000400020807";
constexpr char kSecond[] = "0d00000c01020008000d000400020807";

TEST(AuthenticatorRequestsTest, ParsesRequestsInOrder) {
  const auto requests =
      ParseAuthenticatorRequests(FromHex(std::string("10") + kFirst + "10" + kSecond));
  ASSERT_TRUE(requests.ok()) << Describe(requests.error());
  ASSERT_EQ(requests->size(), 2u);
  EXPECT_EQ(ToHex((*requests)[0].raw), kFirst);
  EXPECT_EQ(ToHex((*requests)[1].raw), kSecond);
}

TEST(AuthenticatorRequestsTest, AcceptsLongerVarintsThanNeeded) {
  for (const char* length : {"10", "4010", "80000010", "c000000000000010"}) {
    EXPECT_TRUE(ParseAuthenticatorRequests(FromHex(std::string(length) + kFirst)).ok()) << length;
  }
}

TEST(AuthenticatorRequestsTest, RefusesMalformedPayloads) {
  struct Case {
    std::string payload;
    Error error;
  };
  const std::string first = std::string("10") + kFirst;
  for (const Case& c : {
           Case{"", Error::kEmpty},
           Case{"00", Error::kEmpty},
           Case{"4000", Error::kEmpty},
           Case{first + "00", Error::kEmpty},
           Case{"40", Error::kTruncated},
           Case{"01", Error::kTruncated},
           Case{std::string("11") + kFirst, Error::kTruncated},
           Case{std::string("0f") + kFirst, Error::kTruncated},
           Case{std::string("11") + kFirst + "00", Error::kTrailingBytes},
           Case{std::string("ffffffffffffffff") + kFirst, Error::kTruncated},
           Case{first + first, Error::kMalformed},
           Case{first + "10" + kSecond + first, Error::kMalformed},
           // half good is bad
           Case{first + "04 0d000000", Error::kTruncated},
           Case{first + "10 11" + std::string(kSecond).substr(2), Error::kWrongMessage},
       }) {
    const auto requests = ParseAuthenticatorRequests(FromHex(c.payload));
    ASSERT_FALSE(requests.ok()) << c.payload;
    EXPECT_EQ(requests.error(), c.error) << c.payload << ": " << Describe(requests.error());
  }
}

TEST(AuthenticatorRequestsTest, RefusesEveryTruncationThatDoesNotEndBetweenElements) {
  const Bytes payload = FromHex(std::string("10") + kFirst + "10" + kSecond);
  for (size_t size = 0; size < payload.size(); ++size) {
    EXPECT_EQ(ParseAuthenticatorRequests(BytesView(payload).first(size)).ok(), size == 17) << size;
  }
}

TEST(AuthenticatorRequestsTest, TakesCompatibilityFormsOnlyWhenLetIn) {
  const Bytes type_17 = FromHex("10 11" + std::string(kFirst).substr(2));
  EXPECT_FALSE(ParseAuthenticatorRequests(type_17).ok());
  EXPECT_TRUE(ParseAuthenticatorRequests(type_17, {.type_17 = true, .bare = false}).ok());
  const Bytes bare = FromHex("0c" + std::string(kFirst).substr(8));
  EXPECT_FALSE(ParseAuthenticatorRequests(bare).ok());
  EXPECT_TRUE(ParseAuthenticatorRequests(bare, {.type_17 = false, .bare = true}).ok());
}

TEST(AuthenticatorRequestsTest, BuildsWhatItParses) {
  const auto payload = BuildAuthenticatorRequests({FromHex(kFirst), FromHex(kSecond)});
  ASSERT_TRUE(payload.ok());
  EXPECT_EQ(ToHex(*payload), std::string("10") + kFirst + "10" + kSecond);
}

TEST(AuthenticatorRequestsTest, BuildsNoEmptyListAndNoEmptyElement) {
  EXPECT_EQ(BuildAuthenticatorRequests({}).error(), Error::kEmpty);
  EXPECT_EQ(BuildAuthenticatorRequests({FromHex(kFirst), Bytes()}).error(), Error::kEmpty);
}

TEST(AuthenticatorRequestsTest, LimitsTheNumberOfRequests) {
  std::vector<Bytes> requests;
  for (size_t i = 0; i <= kMaxRequestsInFrame; ++i) {
    CertificateRequest request;
    request.context = {static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)};
    request.signature_algorithms = {SignatureScheme::kEd25519};
    requests.push_back(*BuildCertificateRequest(request));
  }
  EXPECT_EQ(BuildAuthenticatorRequests(requests).error(), Error::kTooLong);
  const Bytes last = requests.back();
  requests.pop_back();
  Bytes payload = *BuildAuthenticatorRequests(requests);
  EXPECT_TRUE(ParseAuthenticatorRequests(payload).ok());
  payload.push_back(static_cast<uint8_t>(last.size()));
  payload.insert(payload.end(), last.begin(), last.end());
  EXPECT_EQ(ParseAuthenticatorRequests(payload).error(), Error::kTooLong);
}

}  // namespace
}  // namespace signet::wire
