#include "ipc/wire/authenticator.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/hex.h"

namespace signet::wire {
namespace {

using ::signet::testing::FromHex;
using ::signet::testing::ToHex;

constexpr char kCertificate[] = "0b00000c 01c0 000007 000002 3000 0000";

std::string Finished(size_t size) {
  return ToHex(*BuildHandshakeMessage(HandshakeType::kFinished, Bytes(size, 0xf1)));
}

// A chain of two: the second entry with an extension that was never asked for.
constexpr char kBody[] = "02c0c1 000015 000002 3000 0000  000003 310000 0006 1a1a 0002 abcd";

TEST(AuthenticatorTest, ParsesACertificateMessage) {
  const Bytes body = FromHex(kBody);
  const auto message = ParseCertificate(body);
  ASSERT_TRUE(message.ok()) << Describe(message.error());
  EXPECT_EQ(ToHex(message->context), "c0c1");
  ASSERT_EQ(message->entries.size(), 2u);
  EXPECT_EQ(ToHex(message->entries[0].certificate), "3000");
  EXPECT_TRUE(message->entries[0].extensions.empty());
  EXPECT_EQ(ToHex(message->entries[1].certificate), "310000");
  EXPECT_EQ(ToHex(message->entries[1].extensions), "1a1a0002abcd");
}

TEST(AuthenticatorTest, ParsesACertificateMessageWithoutEntries) {
  const Bytes body = FromHex("00 000000");
  const auto message = ParseCertificate(body);
  ASSERT_TRUE(message.ok());
  EXPECT_TRUE(message->entries.empty());
}

TEST(AuthenticatorTest, RefusesEveryTruncatedOrLengthenedCertificate) {
  const Bytes body = FromHex(kBody);
  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(ParseCertificate(BytesView(body).first(size)).ok()) << size;
  }
  Bytes longer = body;
  longer.push_back(0);
  EXPECT_EQ(ParseCertificate(longer).error(), Error::kTrailingBytes);
}

TEST(AuthenticatorTest, RefusesMalformedCertificateEntries) {
  struct Case {
    const char* body;
    Error error;
  };
  for (const Case& c : {
           Case{"00 000005 000000 0000", Error::kEmpty},
           Case{"00 000006 000001 30 0001", Error::kTruncated},
           Case{"00 000004 000001 30", Error::kTruncated},
           Case{"00 000007 000001 30 0000 00", Error::kTruncated},
           Case{"00 000009 000001 30 0003 000500", Error::kTruncated},
           Case{"00 00000e 000001 30 0008 0005 0000 0005 0000", Error::kDuplicateExtension},
           Case{"00 00000a 000001 30 0004 000d 0000", Error::kMisplacedExtension},
           Case{"00 00000a 000001 30 0004 0000 0000", Error::kMisplacedExtension},
       }) {
    const Bytes body = FromHex(c.body);
    const auto message = ParseCertificate(body);
    ASSERT_FALSE(message.ok()) << c.body;
    EXPECT_EQ(message.error(), c.error) << c.body << ": " << Describe(message.error());
  }
}

TEST(AuthenticatorTest, LimitsTheChain) {
  const std::vector<Bytes> longest(kMaxChainLength, FromHex("30"));
  const auto built = BuildCertificate({}, longest);
  ASSERT_TRUE(built.ok());
  EXPECT_TRUE(ParseCertificate(BytesView(*built).subspan(4)).ok());
  std::vector<Bytes> longer = longest;
  longer.push_back(FromHex("30"));
  EXPECT_EQ(BuildCertificate({}, longer).error(), Error::kTooLong);

  std::string list;
  for (size_t i = 0; i <= kMaxChainLength; ++i) list += "000001 30 0000";
  const Bytes body = FromHex("00 000042" + list);
  EXPECT_EQ(ParseCertificate(body).error(), Error::kTooLong);
}

TEST(AuthenticatorTest, BuildsACertificateMessageThatParses) {
  const std::vector<Bytes> chain = {FromHex("3000"), FromHex("310000")};
  const auto built = BuildCertificate(FromHex("c0"), chain);
  ASSERT_TRUE(built.ok());
  EXPECT_EQ(*built, FromHex("0b000014 01c0 00000f 000002 3000 0000 000003 310000 0000"));
}

TEST(AuthenticatorTest, RefusesToBuildWhatDoesNotFit) {
  EXPECT_EQ(BuildCertificate({}, {Bytes()}).error(), Error::kEmpty);
  EXPECT_EQ(BuildCertificate(Bytes(256), {}).error(), Error::kTooLong);
  EXPECT_EQ(BuildCertificate({}, {Bytes(1 << 24)}).error(), Error::kTooLong);
}

TEST(AuthenticatorTest, AllowsOnlyRequestedEntryExtensions) {
  const Bytes body = FromHex(kBody);
  const CertificateMessage message = *ParseCertificate(body);
  EXPECT_TRUE(HasOnlyRequestedExtensions(message, {13, 0x1a1a}));
  EXPECT_FALSE(HasOnlyRequestedExtensions(message, {13}));
  EXPECT_FALSE(HasOnlyRequestedExtensions(message, {}));
}

TEST(AuthenticatorTest, BuildsAndParsesCertificateVerify) {
  const auto built =
      BuildCertificateVerify(SignatureScheme::kEcdsaSecp256r1Sha256, FromHex("abcd"));
  ASSERT_TRUE(built.ok());
  EXPECT_EQ(ToHex(*built), "0f00000604030002abcd");
  const BytesView body = BytesView(*built).subspan(4);
  const auto parsed = ParseCertificateVerify(body);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->scheme, SignatureScheme::kEcdsaSecp256r1Sha256);
  EXPECT_EQ(ToHex(parsed->signature), "abcd");
  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(ParseCertificateVerify(body.first(size)).ok()) << size;
  }
  EXPECT_EQ(ParseCertificateVerify(FromHex("0403 0001 ab 00")).error(), Error::kTrailingBytes);
}

TEST(AuthenticatorTest, RefusesToBuildAnUnfitCertificateVerify) {
  EXPECT_EQ(BuildCertificateVerify(SignatureScheme::kRsaPkcs1Sha256, FromHex("ab")).error(),
            Error::kMalformed);
  EXPECT_EQ(BuildCertificateVerify(static_cast<SignatureScheme>(0x0203), FromHex("ab")).error(),
            Error::kMalformed);
  EXPECT_EQ(BuildCertificateVerify(SignatureScheme::kEd25519, {}).error(), Error::kEmpty);
  EXPECT_EQ(BuildCertificateVerify(SignatureScheme::kEd25519, Bytes(1 << 16)).error(),
            Error::kTooLong);
}

TEST(AuthenticatorTest, BuildsFinishedOfTheTwoHashesOnly) {
  EXPECT_EQ(ToHex(*BuildFinished(Bytes(32))).substr(0, 8), "14000020");
  EXPECT_EQ(ToHex(*BuildFinished(Bytes(48))).substr(0, 8), "14000030");
  for (const size_t size : {0, 31, 33, 47, 64}) {
    EXPECT_EQ(BuildFinished(Bytes(size)).error(), Error::kMalformed) << size;
  }
}

TEST(AuthenticatorTest, NamesTheExporterLabelsOfRfc9261) {
  EXPECT_EQ(HandshakeContextLabel(Sender::kClient),
            "EXPORTER-client authenticator handshake context");
  EXPECT_EQ(HandshakeContextLabel(Sender::kServer),
            "EXPORTER-server authenticator handshake context");
  EXPECT_EQ(FinishedKeyLabel(Sender::kClient), "EXPORTER-client authenticator finished key");
  EXPECT_EQ(FinishedKeyLabel(Sender::kServer), "EXPORTER-server authenticator finished key");
}

TEST(AuthenticatorTest, SplitsTheThreeMessages) {
  const Bytes authenticator =
      FromHex(kCertificate + std::string("0f000005 0403 0001 ab") + Finished(32));
  const auto messages = SplitAuthenticator(authenticator, PrfHash::kSha256);
  ASSERT_TRUE(messages.ok()) << Describe(messages.error());
  EXPECT_FALSE(messages->empty());
  EXPECT_EQ(ToHex(messages->certificate.whole), ToHex(FromHex(kCertificate)));
  EXPECT_EQ(ToHex(messages->certificate_verify.body), "04030001ab");
  EXPECT_EQ(messages->finished.body.size(), 32u);
  for (size_t size = 0; size < authenticator.size(); ++size) {
    EXPECT_FALSE(SplitAuthenticator(BytesView(authenticator).first(size), PrfHash::kSha256).ok())
        << size;
  }
}

TEST(AuthenticatorTest, SplitsAnEmptyAuthenticator) {
  const Bytes authenticator = FromHex(Finished(48));
  const auto messages = SplitAuthenticator(authenticator, PrfHash::kSha384);
  ASSERT_TRUE(messages.ok());
  EXPECT_TRUE(messages->empty());
  EXPECT_EQ(messages->finished.body.size(), 48u);
}

TEST(AuthenticatorTest, RefusesOtherSequences) {
  const std::string certificate = kCertificate;
  const std::string compressed = "19" + certificate.substr(2);  // CompressedCertificate
  const std::string verify = "0f000005 0403 0001 ab";
  const std::string finished = Finished(32);
  struct Case {
    std::string authenticator;
    Error error;
  };
  for (const Case& c : {
           Case{"", Error::kTruncated},
           Case{finished + "00", Error::kTrailingBytes},
           Case{finished + finished, Error::kTrailingBytes},
           Case{Finished(48), Error::kMalformed},
           Case{Finished(0), Error::kMalformed},
           Case{certificate + verify + Finished(48), Error::kMalformed},
           Case{certificate + verify, Error::kTruncated},
           Case{certificate, Error::kTruncated},
           // TLS 1.3's own way of having no certificate
           Case{"0b000004 00 000000" + finished, Error::kWrongMessage},
           Case{certificate + finished, Error::kWrongMessage},
           Case{verify + finished, Error::kWrongMessage},
           Case{verify + certificate + finished, Error::kWrongMessage},
           Case{compressed + verify + finished, Error::kWrongMessage},
           Case{certificate + certificate + verify + finished, Error::kWrongMessage},
           Case{certificate + verify + finished + "14", Error::kTrailingBytes},
       }) {
    const auto messages = SplitAuthenticator(FromHex(c.authenticator), PrfHash::kSha256);
    ASSERT_FALSE(messages.ok()) << c.authenticator;
    EXPECT_EQ(messages.error(), c.error) << c.authenticator << ": " << Describe(messages.error());
  }
}

TEST(AuthenticatorTest, SignedContentIsPaddingContextAndHash) {
  const Bytes content = SignedContent(FromHex("aabb"));
  const std::string text(content.begin(), content.end());
  EXPECT_EQ(text, std::string(64, ' ') + "Exported Authenticator" + std::string("\0\xaa\xbb", 3));
}

}  // namespace
}  // namespace signet::wire
