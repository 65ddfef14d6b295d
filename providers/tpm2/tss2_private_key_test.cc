#include "providers/tpm2/tss2_private_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <string>
#include <string_view>

#include "absl/strings/escaping.h"

namespace signet::providers {
namespace {

using absl::StatusCode;
using wire::Bytes;

// openssl genpkey -provider tpm2 -algorithm EC -pkeyopt group:P-256 (tpm2-openssl 1.1.1, swtpm).
constexpr std::string_view kTpm2OpenSslFile =
    "-----BEGIN TSS2 PRIVATE KEY-----\n"
    "MIHwBgZngQUKAQOgAwEBAQIEQAAAAQRYAFYAIwALAAYAcgAAABAAEAADABAAIKnZ\n"
    "0Ofl7VHYYEsMUoLtmcmLkuSWh7oB5ceFZs7+JwG9ACCg8cql0sLOS6nRuUA75Egr\n"
    "SJG4tN2elL3WBS0p+FHj9QSBgAB+ACAwpOIS6Zw8EmI/l/Xlh4WxKptresMOlF+/\n"
    "d8ATSelWDQAQuc1wkBpJVUWFKzDgaQHhQbCYvbmBZxPjz4cCXjexRxFoUBuppXMP\n"
    "B20ay3Kxc/hmbiXzWxJ4LL4G/R394WwW7IuYUZWoEvBppTRcPKrSglklywC2AFGx\n"
    "zL+Y\n"
    "-----END TSS2 PRIVATE KEY-----\n";

// The same, taken apart: hexadecimal DER.
constexpr std::string_view kOid = "06066781050a0103";
constexpr std::string_view kEmptyAuth = "a0030101ff";
constexpr std::string_view kOwner = "020440000001";
constexpr std::string_view kPublic =
    "0458"
    "0056"
    "0023000b0006007200000010001000030010"
    "0020a9d9d0e7e5ed51d8604b0c5282ed99c98b92e49687ba01e5c78566cefe2701bd"
    "0020a0f1caa5d2c2ce4ba9d1b9403be4482b4891b8b4dd9e94bdd6052d29f851e3f5";
constexpr std::string_view kPrivate =
    "0404"
    "0002beef";

Bytes FromText(std::string_view text) { return Bytes(text.begin(), text.end()); }

Bytes PemOf(std::string_view der) {
  std::string base64 = absl::Base64Escape(std::string(der));
  std::string lines;
  for (size_t i = 0; i < base64.size(); i += 64) lines += base64.substr(i, 64) + "\n";
  return FromText("-----BEGIN TSS2 PRIVATE KEY-----\n" + lines +
                  "-----END TSS2 PRIVATE KEY-----\n");
}

// A SEQUENCE of these parts, each hexadecimal DER.
template <typename... Parts>
std::string Sequence(Parts... parts) {
  std::string hex;
  (hex.append(parts), ...);
  std::string content = absl::HexStringToBytes(hex);
  EXPECT_LT(content.size(), 128u);  // so that the length takes one byte
  return std::string("\x30") + static_cast<char>(content.size()) + content;
}

template <typename... Parts>
Bytes File(Parts... parts) {
  return PemOf(Sequence(parts...));
}

TEST(Tss2PrivateKey, ReadsWhatTpm2OpenSslWrote) {
  absl::StatusOr<Tss2PrivateKey> key = ParseTss2PrivateKey(FromText(kTpm2OpenSslFile));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->parent, TPM2_RH_OWNER);
  EXPECT_EQ(key->public_area.publicArea.type, TPM2_ALG_ECC);
  EXPECT_EQ(key->public_area.publicArea.unique.ecc.x.size, 32);
  EXPECT_EQ(key->private_area.size, 126);
}

TEST(Tss2PrivateKey, WritesWhatTpm2OpenSslWouldHave) {
  absl::StatusOr<Tss2PrivateKey> key = ParseTss2PrivateKey(FromText(kTpm2OpenSslFile));
  ASSERT_TRUE(key.ok()) << key.status();
  absl::StatusOr<Bytes> again = EncodeTss2PrivateKey(*key);
  ASSERT_TRUE(again.ok()) << again.status();
  absl::StatusOr<Tss2PrivateKey> reread = ParseTss2PrivateKey(*again);
  ASSERT_TRUE(reread.ok()) << reread.status();
  // It writes TRUE as 01, we as DER has it, ff: the only difference.
  std::string expected(kTpm2OpenSslFile);
  std::string der, our_der;
  auto decode = [](std::string_view pem) {
    std::string result, body(pem.substr(pem.find('\n') + 1));
    EXPECT_TRUE(absl::Base64Unescape(body.substr(0, body.find("-----")), &result));
    return result;
  };
  der = decode(expected);
  our_der = decode(std::string(again->begin(), again->end()));
  der[15] = '\xff';
  EXPECT_EQ(absl::BytesToHexString(our_der), absl::BytesToHexString(der));
}

TEST(Tss2PrivateKey, KeepsAPersistentParent) {
  absl::StatusOr<Tss2PrivateKey> key = ParseTss2PrivateKey(FromText(kTpm2OpenSslFile));
  ASSERT_TRUE(key.ok()) << key.status();
  key->parent = 0x81000001;
  absl::StatusOr<Bytes> file = EncodeTss2PrivateKey(*key);
  ASSERT_TRUE(file.ok()) << file.status();
  absl::StatusOr<Tss2PrivateKey> again = ParseTss2PrivateKey(*file);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->parent, 0x81000001u);
}

TEST(Tss2PrivateKey, AcceptsWhatTheFormatAllows) {
  const struct {
    const char* what;
    Bytes file;
  } cases[] = {
      {"all that is required", File(kOid, kEmptyAuth, kOwner, kPublic, kPrivate)},
      {"parent 0 for the owner's", File(kOid, kEmptyAuth, "020100", kPublic, kPrivate)},
      {"a description", File(kOid, kEmptyAuth, "a4040c026f6b", kOwner, kPublic, kPrivate)},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    absl::StatusOr<Tss2PrivateKey> key = ParseTss2PrivateKey(test.file);
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(key->parent, TPM2_RH_OWNER);
  }
}

TEST(Tss2PrivateKey, RefusesMalformedFiles) {
  const std::string good(kTpm2OpenSslFile);
  const std::string der = Sequence(kOid, kEmptyAuth, kOwner, kPublic, kPrivate);
  std::string other_label = good;
  for (size_t at; (at = other_label.find("TSS2")) != std::string::npos;) {
    other_label.replace(at, 4, "TSS3");
  }
  std::string encrypted = good;
  encrypted.insert(encrypted.find('\n') + 1, "Proc-Type: 4,ENCRYPTED\nDEK-Info: X,00\n\n");
  std::string no_base64 = good;
  no_base64[60] = '!';
  const struct {
    const char* what;
    Bytes file;
  } cases[] = {
      {"nothing", {}},
      {"words", FromText("hello")},
      {"only the first line", FromText(good.substr(0, 33))},
      {"no last line", FromText(good.substr(0, good.find("-----END")))},
      {"another label", FromText(other_label)},
      {"PEM headers", FromText(encrypted)},
      {"no Base64", FromText(no_base64)},
      {"text before it", FromText("key:\n" + good)},
      {"text after it", FromText(good + "more\n")},
      {"two of them", FromText(good + good)},
      {"too long", FromText(good + std::string(8192, '\n'))},
      {"a zero byte after it", FromText(good + std::string(1, '\0'))},
      {"DER without PEM", FromText(der)},
      {"no DER", PemOf("\x01")},
      {"empty DER", PemOf("")},
      {"DER cut short", PemOf(der.substr(0, der.size() - 1))},
      {"bytes after the DER", PemOf(der + '\0')},
      {"an empty sequence", PemOf(std::string("\x30\x00", 2))},
      {"no type", File(kEmptyAuth, kOwner, kPublic, kPrivate)},
      {"no parent", File(kOid, kEmptyAuth, kPublic, kPrivate)},
      {"no public area", File(kOid, kEmptyAuth, kOwner, kPrivate)},
      {"no private area", File(kOid, kEmptyAuth, kOwner, kPublic)},
      {"wrong order", File(kOid, kEmptyAuth, kPublic, kOwner, kPrivate)},
      {"unknown optional field", File(kOid, kEmptyAuth, "a9030101ff", kOwner, kPublic, kPrivate)},
      {"one field more", File(kOid, kEmptyAuth, kOwner, kPublic, kPrivate, "0500")},
      {"a negative parent", File(kOid, kEmptyAuth, "0204c0000001", kPublic, kPrivate)},
      {"a parent of 33 bits", File(kOid, kEmptyAuth, "02050181000001", kPublic, kPrivate)},
      {"empty public area", File(kOid, kEmptyAuth, kOwner, "0400", kPrivate)},
      {"public area of size 0", File(kOid, kEmptyAuth, kOwner, "04020000", kPrivate)},
      {"public area longer than said",
       File(kOid, kEmptyAuth, kOwner, "0459", kPublic.substr(4), "00", kPrivate)},
      {"public area shorter than said",
       File(kOid, kEmptyAuth, kOwner, "0457", kPublic.substr(4, kPublic.size() - 6), kPrivate)},
      {"public area of unknown type",
       File(kOid, kEmptyAuth, kOwner, "0458", "0056", "7777", kPublic.substr(12), kPrivate)},
      {"coordinate longer than any",
       File(kOid, kEmptyAuth, kOwner, "0416", "0014", "0023000b0006007200000010001000030010",
            "ffff", kPrivate)},
      {"empty private area", File(kOid, kEmptyAuth, kOwner, kPublic, "0400")},
      {"private area longer than said", File(kOid, kEmptyAuth, kOwner, kPublic, "04050002beef00")},
      {"private area shorter than said", File(kOid, kEmptyAuth, kOwner, kPublic, "04030002be")},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    absl::StatusOr<Tss2PrivateKey> key = ParseTss2PrivateKey(test.file);
    EXPECT_EQ(key.status().code(), StatusCode::kInvalidArgument) << key.status();
  }
}

TEST(Tss2PrivateKey, RefusesWhatItDoesNotSupport) {
  constexpr std::string_view kNone = "";
  const struct {
    const char* what;
    Bytes file;
  } cases[] = {
      {"an importable key", File("06066781050a0104", kEmptyAuth, kOwner, kPublic, kPrivate)},
      {"no word of an empty password", File(kOid, kNone, kOwner, kPublic, kPrivate)},
      {"a password", File(kOid, "a003010100", kOwner, kPublic, kPrivate)},
      {"a policy", File(kOid, kEmptyAuth, "a1023000", kOwner, kPublic, kPrivate)},
      {"a secret", File(kOid, kEmptyAuth, "a2030401aa", kOwner, kPublic, kPrivate)},
      {"signed policies", File(kOid, kEmptyAuth, "a3023000", kOwner, kPublic, kPrivate)},
      {"an RSA parent", File(kOid, kEmptyAuth, "a5030101ff", kOwner, kPublic, kPrivate)},
      {"the endorsement hierarchy", File(kOid, kEmptyAuth, "02044000000b", kPublic, kPrivate)},
      {"a transient parent", File(kOid, kEmptyAuth, "02050080000001", kPublic, kPrivate)},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    absl::StatusOr<Tss2PrivateKey> key = ParseTss2PrivateKey(test.file);
    EXPECT_EQ(key.status().code(), StatusCode::kUnimplemented) << key.status();
  }
}

// What it accepts after a change, it writes again as the same key.
TEST(Tss2PrivateKey, SurvivesAnyChangedByte) {
  const std::string der = Sequence(kOid, kEmptyAuth, kOwner, kPublic, kPrivate);
  ASSERT_TRUE(ParseTss2PrivateKey(PemOf(der)).ok());
  for (size_t i = 0; i < der.size(); ++i) {
    for (int flip : {0x01, 0x80, 0xff}) {
      std::string changed = der;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      absl::StatusOr<Tss2PrivateKey> key = ParseTss2PrivateKey(PemOf(changed));
      if (!key.ok()) continue;
      EXPECT_TRUE(EncodeTss2PrivateKey(*key).ok()) << i;
    }
  }
}

TEST(Tss2PrivateKey, WithAPinItNamesItsParent) {
  absl::StatusOr<Tss2PrivateKey> key =
      ParseTss2PrivateKey(File(kOid, kEmptyAuth, kOwner, kPublic, kPrivate));
  ASSERT_TRUE(key.ok()) << key.status();
  key->auth = true;
  key->parent_name = {.size = 3, .name = {0, 11, 255}};
  const absl::StatusOr<Bytes> file = EncodeTss2PrivateKey(*key);
  ASSERT_TRUE(file.ok()) << file.status();
  const std::string text(file->begin(), file->end());
  EXPECT_TRUE(text.ends_with("-----END TSS2 PRIVATE KEY-----\nSignet-Parent: 000bff\n")) << text;
  const absl::StatusOr<Tss2PrivateKey> again = ParseTss2PrivateKey(*file);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->auth);
  EXPECT_EQ(again->parent_name.size, 3);
  EXPECT_EQ(again->parent_name.name[2], 255);

  for (const char* line : {"Signet-Parent: \n", "Signet-Parent: 0\n", "Signet-Parent: 000bff",
                           "Signet-Parent: 000bfg\n", "Signet-Parent: 000bff\n\n", "else\n"}) {
    const std::string other = text.substr(0, text.find("Signet-Parent")) + line;
    const Bytes bytes(other.begin(), other.end());
    EXPECT_EQ(ParseTss2PrivateKey(bytes).status().code(), StatusCode::kInvalidArgument) << line;
  }
}

}  // namespace
}  // namespace signet::providers
