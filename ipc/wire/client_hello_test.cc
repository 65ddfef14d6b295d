#include "ipc/wire/client_hello.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "ipc/wire/handshake.h"
#include "tests/support/hex.h"

namespace signet::wire {
namespace {

using ::signet::testing::FromHex;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Version, random, session id, two cipher suites, no compression.
const std::string kStart = "0303" + std::string(64, 'a') + "02 0102 0004 13011302 0100";
constexpr char kSchemes[] = "000d 0006 0004 0804 0403";

Bytes Message(const std::string& body, HandshakeType type = HandshakeType::kClientHello) {
  return *BuildHandshakeMessage(type, FromHex(body));
}

TEST(ClientHelloTest, KeepsTheExtensionsAndSchemesInOrder) {
  const auto hello =
      ParseClientHello(Message(kStart + "0016 1a1a 0001 00 002b 0003 020304" + kSchemes));
  ASSERT_TRUE(hello.ok()) << Describe(hello.error());
  EXPECT_THAT(hello->extensions, ElementsAre(0x1a1a, 43, 13));
  EXPECT_THAT(hello->signature_algorithms, ElementsAre(SignatureScheme::kRsaPssRsaeSha256,
                                                       SignatureScheme::kEcdsaSecp256r1Sha256));
}

TEST(ClientHelloTest, OffersNoSchemeWithoutTheExtension) {
  const auto hello = ParseClientHello(Message(kStart + "0007 002b 0003 020304"));
  ASSERT_TRUE(hello.ok()) << Describe(hello.error());
  EXPECT_THAT(hello->signature_algorithms, IsEmpty());
}

TEST(ClientHelloTest, RefusesWhatIsNoClientHello) {
  const struct {
    const char* what;
    Bytes message;
    Error error;
  } cases[] = {
      {"nothing", {}, Error::kTruncated},
      {"a body without header", FromHex(kStart + "0000"), Error::kTruncated},
      {"a ServerHello", Message(kStart + "0000", static_cast<HandshakeType>(2)),
       Error::kWrongMessage},
      {"no body", Message(""), Error::kMalformed},
      {"a session id of 33 bytes",
       Message("0303" + std::string(64, 'a') + "21" + std::string(66, '0') + "0002 1301 0100 0000"),
       Error::kMalformed},
      {"no cipher suite", Message("0303" + std::string(64, 'a') + "00 0000 0100 0000"),
       Error::kMalformed},
      {"half a cipher suite", Message("0303" + std::string(64, 'a') + "00 0003 130113 0100 0000"),
       Error::kMalformed},
      {"no compression method", Message("0303" + std::string(64, 'a') + "00 0002 1301 00 0000"),
       Error::kMalformed},
      {"no extensions (TLS 1.2)", Message(kStart), Error::kTruncated},
      {"an extension cut short", Message(kStart + "0005 002b 0003 02"), Error::kTruncated},
      {"an extension twice", Message(kStart + "0008 1a1a 0000 1a1a 0000"),
       Error::kDuplicateExtension},
      {"an empty list of schemes", Message(kStart + "0006 000d 0002 0000"), Error::kEmpty},
      {"half a scheme", Message(kStart + "0009 000d 0005 0003 0804 04"), Error::kTruncated},
      {"bytes after the schemes", Message(kStart + "0009 000d 0005 0002 0804 04"),
       Error::kTrailingBytes},
      {"bytes after the extensions", Message(kStart + "0000 00"), Error::kTrailingBytes},
  };
  for (const auto& each : cases) {
    const auto hello = ParseClientHello(each.message);
    ASSERT_FALSE(hello.ok()) << each.what;
    EXPECT_EQ(hello.error(), each.error) << each.what << ": " << Describe(hello.error());
  }
}

TEST(ClientHelloTest, RefusesBytesAfterTheMessage) {
  Bytes message = Message(kStart + "0000");
  EXPECT_TRUE(ParseClientHello(message).ok());
  message.push_back(0);
  EXPECT_EQ(ParseClientHello(message).error(), Error::kTrailingBytes);
}

}  // namespace
}  // namespace signet::wire
