// The pure-bytes half of the known answers: everything but hashes, signatures and MACs, which are
// taken from the vectors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ipc/wire/authenticator.h"
#include "ipc/wire/certificate_request.h"
#include "tests/support/hex.h"
#include "tests/vectors/known_answers.h"

namespace signet::wire {
namespace {

using ::signet::testing::KnownAnswer;
using ::signet::testing::ToHex;
using ::testing::ElementsAre;

constexpr size_t kHeaderSize = 4;
constexpr RequestForms kBothDirections{.type_17 = true, .bare = false};

// A server's request is answered by a client.
HandshakeType RequestTypeFor(Sender sender) {
  return sender == Sender::kClient ? HandshakeType::kCertificateRequest
                                   : HandshakeType::kClientCertificateRequest;
}

class WireVectorsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(answers_.size(), 20u); }

  const std::vector<KnownAnswer> answers_ = ::signet::testing::ReadKnownAnswers();
};

TEST_F(WireVectorsTest, ParsesAndRebuildsEachRequest) {
  for (const KnownAnswer& answer : answers_) {
    SCOPED_TRACE(answer.id);
    const auto request = ParseCertificateRequest(answer.request, kBothDirections);
    ASSERT_TRUE(request.ok()) << Describe(request.error());
    EXPECT_EQ(request->type, RequestTypeFor(answer.sender));
    EXPECT_EQ(request->context, answer.context);
    EXPECT_EQ(request->raw, answer.request);
    EXPECT_THAT(request->signature_algorithms, ::testing::Contains(answer.scheme));
    EXPECT_THAT(request->extension_types, ElementsAre(13));
    const auto rebuilt = BuildCertificateRequest(*request);
    ASSERT_TRUE(rebuilt.ok());
    EXPECT_EQ(ToHex(*rebuilt), ToHex(answer.request));
  }
}

TEST_F(WireVectorsTest, BuildsEachMessageByteForByte) {
  for (const KnownAnswer& answer : answers_) {
    SCOPED_TRACE(answer.id);
    EXPECT_EQ(ToHex(*BuildCertificate(answer.context, {answer.certificate})),
              ToHex(answer.certificate_message));
    EXPECT_EQ(ToHex(SignedContent(answer.transcript_hash)), ToHex(answer.to_be_signed));
    EXPECT_EQ(ToHex(*BuildCertificateVerify(answer.scheme, answer.signature)),
              ToHex(answer.certificate_verify_message));
    const BytesView verify_data = BytesView(answer.finished_message).subspan(kHeaderSize);
    EXPECT_EQ(ToHex(*BuildFinished(verify_data)), ToHex(answer.finished_message));
    EXPECT_EQ(Name(answer.scheme), answer.scheme_name);
    EXPECT_TRUE(IsTls13Signature(answer.scheme));
    EXPECT_EQ(answer.handshake_context.size(), HashSize(answer.hash));
  }
}

TEST_F(WireVectorsTest, SplitsAndParsesEachAuthenticator) {
  for (const KnownAnswer& answer : answers_) {
    SCOPED_TRACE(answer.id);
    const auto messages = SplitAuthenticator(answer.authenticator, answer.hash);
    ASSERT_TRUE(messages.ok()) << Describe(messages.error());
    EXPECT_FALSE(messages->empty());
    EXPECT_EQ(ToHex(messages->certificate.whole), ToHex(answer.certificate_message));
    EXPECT_EQ(ToHex(messages->certificate_verify.whole), ToHex(answer.certificate_verify_message));
    EXPECT_EQ(ToHex(messages->finished.whole), ToHex(answer.finished_message));

    const auto certificate = ParseCertificate(messages->certificate.body);
    ASSERT_TRUE(certificate.ok());
    EXPECT_EQ(ToHex(certificate->context), ToHex(answer.context));
    ASSERT_EQ(certificate->entries.size(), 1u);
    EXPECT_EQ(ToHex(certificate->entries[0].certificate), ToHex(answer.certificate));
    EXPECT_TRUE(certificate->entries[0].extensions.empty());

    const auto verify = ParseCertificateVerify(messages->certificate_verify.body);
    ASSERT_TRUE(verify.ok());
    EXPECT_EQ(verify->scheme, answer.scheme);
    EXPECT_EQ(ToHex(verify->signature), ToHex(answer.signature));
  }
}

TEST_F(WireVectorsTest, SplitsEachEmptyAuthenticatorAndNoTruncation) {
  for (const KnownAnswer& answer : answers_) {
    SCOPED_TRACE(answer.id);
    const auto empty = SplitAuthenticator(answer.empty_authenticator, answer.hash);
    ASSERT_TRUE(empty.ok());
    EXPECT_TRUE(empty->empty());
    EXPECT_EQ(empty->finished.whole.size(), answer.empty_authenticator.size());
    for (size_t size = 0; size < answer.authenticator.size(); ++size) {
      EXPECT_FALSE(
          SplitAuthenticator(BytesView(answer.authenticator).first(size), answer.hash).ok());
    }
    const auto other = answer.hash == PrfHash::kSha256 ? PrfHash::kSha384 : PrfHash::kSha256;
    EXPECT_FALSE(SplitAuthenticator(answer.authenticator, other).ok());
  }
}

}  // namespace
}  // namespace signet::wire
