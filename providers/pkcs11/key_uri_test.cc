#include "providers/pkcs11/key_uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string.h>

#include <string>
#include <string_view>

namespace signet::providers::pkcs11 {
namespace {

using absl::StatusCode;

wire::Bytes ToBytes(std::string_view text) { return wire::Bytes(text.begin(), text.end()); }

absl::StatusOr<KeyUri> Parse(std::string_view text) {
  return KeyUri::Parse("card: load key", "Alice's card", ToBytes(text));
}

CK_TOKEN_INFO Token(std::string_view label, std::string_view serial) {
  CK_TOKEN_INFO info;
  memset(&info, ' ', sizeof(info));
  memcpy(info.label, label.data(), label.size());
  memcpy(info.serialNumber, serial.data(), serial.size());
  return info;
}

TEST(KeyUri, ReadsWhatItWrites) {
  const CK_TOKEN_INFO token = Token("Alice's card", "0815");
  const wire::Bytes id{0x00, 0x25, 0xff, '/'};
  const wire::Bytes reference = KeyUri::Format(token, id);
  EXPECT_EQ(std::string(reference.begin(), reference.end()),
            "pkcs11:serial=0815;token=Alice%27s%20card;id=%00%25%FF%2F;type=private");

  auto uri = KeyUri::Parse("card: load key", "Alice's card", reference);
  ASSERT_TRUE(uri.ok()) << uri.status();
  EXPECT_TRUE(uri->Matches(token));
  EXPECT_FALSE(uri->Matches(Token("Alice's card", "4711")));
  const Template attributes = uri->SearchFor(CKO_PRIVATE_KEY);
  const std::vector<CK_ATTRIBUTE> search = attributes.view();
  ASSERT_EQ(search.size(), 2u);
  EXPECT_EQ(search[0].type, CKA_CLASS);
  EXPECT_EQ(search[1].type, CKA_ID);
  EXPECT_EQ(wire::Bytes(static_cast<uint8_t*>(search[1].pValue),
                        static_cast<uint8_t*>(search[1].pValue) + search[1].ulValueLen),
            id);
}

TEST(KeyUri, TakesAnyTokenWhenTheUriNamesNone) {
  auto uri = Parse("pkcs11:id=%01");
  ASSERT_TRUE(uri.ok()) << uri.status();
  EXPECT_TRUE(uri->Matches(Token("Alice's card", "1")));
}

TEST(KeyUri, RefusesWhatNamesNoPrivateKey) {
  for (const std::string_view text : {
           "",
           "pkcs11",
           "pkcs11:",
           "pkcs11:token=Alice%27s%20card",               // a token, no key
           "pkcs11:id=%01;type=cert",                     // no key
           "pkcs11:id=%01;type=public",                   // no private key
           "pkcs11:id=%0",                                // a broken escape
           "pkcs11:id=%zz",                               //
           "pkcs11:id=%01;color=red",                     // an attribute that nobody knows
           "pkcs11:token=Bob;id=%01",                     // another token
           "pkcs11:token=Alice%27s%20card%20too;id=%01",  //
           "PKCS12:id=%01",
           "id=%01",
       }) {
    EXPECT_EQ(Parse(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(Parse(std::string_view("pkcs11:id=%01\0;type=private", 27)).ok());
  EXPECT_FALSE(Parse("pkcs11:id=" + std::string(100'000, 'a')).ok());
}

}  // namespace
}  // namespace signet::providers::pkcs11
