#include "ipc/wire/extension.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/hex.h"

namespace signet::wire {
namespace {

using ::signet::testing::FromHex;
using ::signet::testing::ToHex;

constexpr HandshakeType kRequest = HandshakeType::kCertificateRequest;
constexpr HandshakeType kClientRequest = HandshakeType::kClientCertificateRequest;
constexpr HandshakeType kEntry = HandshakeType::kCertificate;

std::set<uint16_t> AllowedIn(HandshakeType message) {
  std::set<uint16_t> allowed;
  for (uint32_t type = 0; type <= 0xffff; ++type) {
    if (PlaceOf(static_cast<uint16_t>(type), message) == ExtensionPlace::kAllowed) {
      allowed.insert(static_cast<uint16_t>(type));
    }
  }
  return allowed;
}

// From IANA's TLS ExtensionType registry, column "TLS 1.3".
TEST(ExtensionTest, AllowsWhatTheRegistryMarks) {
  EXPECT_EQ(AllowedIn(kRequest), (std::set<uint16_t>{5, 13, 18, 27, 34, 47, 48, 50, 52}));
  EXPECT_EQ(AllowedIn(kClientRequest), (std::set<uint16_t>{0, 5, 13, 18, 27, 34, 47, 48, 50, 52}));
  EXPECT_EQ(AllowedIn(kEntry), (std::set<uint16_t>{5, 18, 34, 52, 59}));
}

TEST(ExtensionTest, KnowsMisplacedFromUnknown) {
  for (uint16_t registered : {1, 10, 16, 41, 42, 43, 44, 45, 49, 51, 57, 0xfe0d, 0xff01}) {
    EXPECT_EQ(PlaceOf(registered, kRequest), ExtensionPlace::kMisplaced) << registered;
    EXPECT_EQ(PlaceOf(registered, kEntry), ExtensionPlace::kMisplaced) << registered;
  }
  for (uint16_t unknown : {40, 46, 62, 1000, 0x0a0a, 0xfafa, 0xffff}) {
    EXPECT_EQ(PlaceOf(unknown, kRequest), ExtensionPlace::kUnknown) << unknown;
    EXPECT_EQ(PlaceOf(unknown, kEntry), ExtensionPlace::kUnknown) << unknown;
  }
}

TEST(ExtensionTest, ParsesABlockInOrderWithUnknownOnes) {
  const Bytes block = FromHex("1a1a 0000  000d 0004 00020403");
  const auto extensions = ParseExtensions(block, kRequest);
  ASSERT_TRUE(extensions.ok());
  ASSERT_EQ(extensions->size(), 2u);
  EXPECT_EQ((*extensions)[0].type, 0x1a1a);
  EXPECT_TRUE((*extensions)[0].data.empty());
  EXPECT_EQ((*extensions)[1].type, 13);
  EXPECT_EQ(ToHex((*extensions)[1].data), "00020403");
}

TEST(ExtensionTest, ParsesAnEmptyBlock) {
  const auto extensions = ParseExtensions({}, kEntry);
  ASSERT_TRUE(extensions.ok());
  EXPECT_TRUE(extensions->empty());
}

TEST(ExtensionTest, RefusesMalformedBlocks) {
  struct Case {
    const char* block;
    HandshakeType message;
    Error error;
  };
  for (const Case& c : {
           Case{"00", kRequest, Error::kTruncated},
           Case{"000d00", kRequest, Error::kTruncated},
           Case{"000d000100 0f", kRequest, Error::kTruncated},
           Case{"000d0003 0002", kRequest, Error::kTruncated},
           Case{"0005 0000 0005 0000", kRequest, Error::kDuplicateExtension},
           Case{"1a1a 0000 0005 0000 1a1a 0000", kEntry, Error::kDuplicateExtension},
           Case{"0000 0000", kRequest, Error::kMisplacedExtension},
           Case{"003b 0000", kRequest, Error::kMisplacedExtension},
           Case{"000d 0000", kEntry, Error::kMisplacedExtension},
           Case{"0000 0000", kEntry, Error::kMisplacedExtension},
       }) {
    const auto extensions = ParseExtensions(FromHex(c.block), c.message);
    ASSERT_FALSE(extensions.ok()) << c.block;
    EXPECT_EQ(extensions.error(), c.error) << c.block << ": " << Describe(extensions.error());
  }
}

}  // namespace
}  // namespace signet::wire
