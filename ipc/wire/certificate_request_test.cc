#include "ipc/wire/certificate_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "ipc/wire/writer.h"
#include "tests/support/hex.h"

namespace signet::wire {
namespace {

using ::signet::testing::FromHex;
using ::signet::testing::ToHex;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kSchemes[] = "000d 0006 0004 0804 0403";
constexpr RequestForms kType17{.type_17 = true, .bare = false};
constexpr RequestForms kBare{.type_17 = false, .bare = true};

// The structure without its header.
Bytes Body(const std::string& extensions, const std::string& context = "c0ffee") {
  Writer writer;
  writer.Vector8(FromHex(context));
  writer.Vector16(FromHex(extensions));
  return writer.Take();
}

Bytes Message(const std::string& extensions, const std::string& context = "c0ffee",
              HandshakeType type = HandshakeType::kCertificateRequest) {
  return *BuildHandshakeMessage(type, Body(extensions, context));
}

Bytes EverythingIn() {
  return Message(std::string(kSchemes) +
                 "0032 0004 0002 0401"                 // signature_algorithms_cert
                 "002f 000a 0008 0002 3000 0002 3100"  // certificate_authorities
                 "0030 000f 000d 03550403 0000 02550f 00020303"
                 "0005 0001 01"      // status_request
                 "1a1a 0002 abcd");  // unknown
}

TEST(CertificateRequestTest, ParsesEveryField) {
  const Bytes message = EverythingIn();
  const auto request = ParseCertificateRequest(message);
  ASSERT_TRUE(request.ok()) << Describe(request.error());
  EXPECT_EQ(request->type, HandshakeType::kCertificateRequest);
  EXPECT_EQ(request->raw, message);
  EXPECT_EQ(ToHex(request->context), "c0ffee");
  EXPECT_THAT(request->signature_algorithms, ElementsAre(SignatureScheme::kRsaPssRsaeSha256,
                                                         SignatureScheme::kEcdsaSecp256r1Sha256));
  ASSERT_TRUE(request->signature_algorithms_cert);
  EXPECT_THAT(*request->signature_algorithms_cert, ElementsAre(SignatureScheme::kRsaPkcs1Sha256));
  EXPECT_THAT(request->certificate_authorities, ElementsAre(FromHex("3000"), FromHex("3100")));
  ASSERT_EQ(request->oid_filters.size(), 2u);
  EXPECT_EQ(ToHex(request->oid_filters[0].oid), "550403");
  EXPECT_EQ(ToHex(request->oid_filters[0].values), "");
  EXPECT_EQ(ToHex(request->oid_filters[1].oid), "550f");
  EXPECT_EQ(ToHex(request->oid_filters[1].values), "0303");
  EXPECT_THAT(request->extension_types, ElementsAre(13, 50, 47, 48, 5, 0x1a1a));
}

TEST(CertificateRequestTest, AcceptsContextsOfEveryLength) {
  for (const size_t size : {0, 1, 255}) {
    const std::string context(2 * size, 'a');
    const auto request = ParseCertificateRequest(Message(kSchemes, context));
    ASSERT_TRUE(request.ok()) << size;
    EXPECT_EQ(request->context.size(), size);
  }
}

TEST(CertificateRequestTest, PassesUnknownSchemesThrough) {
  const auto request = ParseCertificateRequest(Message("000d 0006 0004 fefe 0807"));
  ASSERT_TRUE(request.ok());
  EXPECT_THAT(request->signature_algorithms,
              ElementsAre(static_cast<SignatureScheme>(0xfefe), SignatureScheme::kEd25519));
}

TEST(CertificateRequestTest, AcceptsAnEmptyListOfFilters) {
  const auto request = ParseCertificateRequest(Message(std::string(kSchemes) + "0030 0002 0000"));
  ASSERT_TRUE(request.ok());
  EXPECT_THAT(request->oid_filters, IsEmpty());
}

TEST(CertificateRequestTest, RefusesMalformedExtensions) {
  struct Case {
    const char* extensions;
    Error error;
  };
  const std::string schemes = kSchemes;
  for (const Case& c : {
           Case{"", Error::kMissingExtension},
           Case{"0005 0001 01", Error::kMissingExtension},
           // signature_algorithms
           Case{"000d 0000", Error::kTruncated},
           Case{"000d 0001 00", Error::kTruncated},
           Case{"000d 0002 0000", Error::kEmpty},
           Case{"000d 0003 0001 04", Error::kTruncated},
           Case{"000d 0005 0003 040308", Error::kTruncated},
           Case{"000d 0005 0002 0403 00", Error::kTrailingBytes},
           Case{"000d 0003 0002 04", Error::kTruncated},
           Case{"000d 0004 0002 0403 000d 0004 0002 0403", Error::kDuplicateExtension},
           // signature_algorithms_cert
           Case{"000d 0004 0002 0403 0032 0002 0000", Error::kEmpty},
           Case{"000d 0004 0002 0403 0032 0003 0001 04", Error::kTruncated},
           // certificate_authorities
           Case{"000d 0004 0002 0403 002f 0000", Error::kTruncated},
           Case{"000d 0004 0002 0403 002f 0002 0000", Error::kEmpty},
           Case{"000d 0004 0002 0403 002f 0004 0002 0000", Error::kEmpty},
           Case{"000d 0004 0002 0403 002f 0005 0003 0002 30", Error::kTruncated},
           Case{"000d 0004 0002 0403 002f 0003 0001 00", Error::kTruncated},
           Case{"000d 0004 0002 0403 002f 0007 0004 0002 3000 00", Error::kTrailingBytes},
           // oid_filters
           Case{"000d 0004 0002 0403 0030 0005 0003 00 0000", Error::kEmpty},
           Case{"000d 0004 0002 0403 0030 0004 0002 01 55", Error::kTruncated},
           Case{"000d 0004 0002 0403 0030 0003 0001 00", Error::kTruncated},
           Case{"000d 0004 0002 0403 0030 000a 0008 01550000 01550000", Error::kMalformed},
           Case{"000d 0004 0002 0403 0030 0003 0000 00", Error::kTrailingBytes},
           // the block
           Case{"000d 0004 0002 0403 00", Error::kTruncated},
           Case{"000d 0004 0002 0403 1a1a 0001", Error::kTruncated},
           Case{"000d 0004 0002 0403 1a1a 0000 1a1a 0000", Error::kDuplicateExtension},
           // registered, but not for a CertificateRequest
           Case{"000d 0004 0002 0403 0000 0000", Error::kMisplacedExtension},
           Case{"000d 0004 0002 0403 002b 0002 0304", Error::kMisplacedExtension},
           Case{"000d 0004 0002 0403 0010 0000", Error::kMisplacedExtension},
       }) {
    const auto request = ParseCertificateRequest(Message(c.extensions));
    ASSERT_FALSE(request.ok()) << c.extensions;
    EXPECT_EQ(request.error(), c.error) << c.extensions << ": " << Describe(request.error());
  }
}

TEST(CertificateRequestTest, RefusesEveryTruncation) {
  const Bytes message = EverythingIn();
  for (size_t size = 0; size < message.size(); ++size) {
    EXPECT_FALSE(ParseCertificateRequest(BytesView(message).first(size)).ok()) << size;
  }
}

// A length that agrees with the bytes, but a body cut short.
TEST(CertificateRequestTest, RefusesEveryTruncatedBody) {
  const Bytes body(Body(kSchemes));
  for (size_t size = 0; size < body.size(); ++size) {
    const Bytes message =
        *BuildHandshakeMessage(HandshakeType::kCertificateRequest, BytesView(body).first(size));
    EXPECT_FALSE(ParseCertificateRequest(message).ok()) << size;
  }
}

TEST(CertificateRequestTest, RefusesTrailingBytes) {
  Bytes after_message = EverythingIn();
  after_message.push_back(0);
  EXPECT_EQ(ParseCertificateRequest(after_message).error(), Error::kTrailingBytes);
  Bytes body = Body(kSchemes);
  body.push_back(0);
  const Bytes in_body = *BuildHandshakeMessage(HandshakeType::kCertificateRequest, body);
  EXPECT_EQ(ParseCertificateRequest(in_body).error(), Error::kTrailingBytes);
}

TEST(CertificateRequestTest, RefusesOtherMessages) {
  for (const uint8_t type : {0, 1, 11, 15, 17, 20, 25, 255}) {
    const auto request =
        ParseCertificateRequest(Message(kSchemes, "", static_cast<HandshakeType>(type)));
    ASSERT_FALSE(request.ok()) << int{type};
    EXPECT_EQ(request.error(), Error::kWrongMessage) << int{type};
  }
}

TEST(CertificateRequestTest, TakesType17OnlyWhenLetIn) {
  const Bytes message = Message(kSchemes, "01", HandshakeType::kClientCertificateRequest);
  EXPECT_EQ(ParseCertificateRequest(message).error(), Error::kWrongMessage);
  const auto request = ParseCertificateRequest(message, kType17);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->type, HandshakeType::kClientCertificateRequest);
  EXPECT_EQ(request->raw, message);
}

TEST(CertificateRequestTest, AllowsServerNameInType17Only) {
  const std::string extensions = std::string(kSchemes) + "0000 0000";
  EXPECT_TRUE(ParseCertificateRequest(
                  Message(extensions, "", HandshakeType::kClientCertificateRequest), kType17)
                  .ok());
  EXPECT_EQ(ParseCertificateRequest(Message(extensions), kType17).error(),
            Error::kMisplacedExtension);
}

TEST(CertificateRequestTest, TakesTheBareStructureOnlyWhenLetIn) {
  const Bytes body = Body(kSchemes);
  EXPECT_FALSE(ParseCertificateRequest(body).ok());
  const auto request = ParseCertificateRequest(body, kBare);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->type, HandshakeType::kCertificateRequest);
  EXPECT_EQ(request->raw, body);
  EXPECT_EQ(ToHex(request->context), "c0ffee");
}

TEST(CertificateRequestTest, KeepsTheHeaderApartWhereBareIsLetIn) {
  const Bytes message = EverythingIn();
  const auto request = ParseCertificateRequest(message, kBare);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(ToHex(request->context), "c0ffee");
}

TEST(CertificateRequestTest, BuildsWhatItParses) {
  CertificateRequest request = *ParseCertificateRequest(EverythingIn());
  const auto built = BuildCertificateRequest(request);
  ASSERT_TRUE(built.ok());
  const auto parsed = ParseCertificateRequest(*built);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->context, request.context);
  EXPECT_EQ(parsed->signature_algorithms, request.signature_algorithms);
  EXPECT_EQ(parsed->signature_algorithms_cert, request.signature_algorithms_cert);
  EXPECT_EQ(parsed->certificate_authorities, request.certificate_authorities);
  EXPECT_EQ(parsed->oid_filters.size(), 2u);
  EXPECT_THAT(parsed->extension_types, ElementsAre(13, 50, 47, 48));
}

TEST(CertificateRequestTest, BuildsTheSmallestRequest) {
  CertificateRequest request;
  request.context = FromHex("01");
  request.signature_algorithms = {SignatureScheme::kEd25519};
  EXPECT_EQ(ToHex(*BuildCertificateRequest(request)), "0d00000c01010008000d000400020807");
}

TEST(CertificateRequestTest, BuildsNothingThatItWouldRefuse) {
  CertificateRequest valid;
  valid.signature_algorithms = {SignatureScheme::kEd25519};
  ASSERT_TRUE(BuildCertificateRequest(valid).ok());

  EXPECT_EQ(BuildCertificateRequest({}).error(), Error::kEmpty);
  CertificateRequest long_context = valid;
  long_context.context = Bytes(256);
  EXPECT_EQ(BuildCertificateRequest(long_context).error(), Error::kTooLong);
  CertificateRequest empty_name = valid;
  empty_name.certificate_authorities = {Bytes()};
  EXPECT_EQ(BuildCertificateRequest(empty_name).error(), Error::kEmpty);
  CertificateRequest long_name = valid;
  long_name.certificate_authorities = {Bytes(1 << 16)};
  EXPECT_EQ(BuildCertificateRequest(long_name).error(), Error::kTooLong);
  CertificateRequest many_names = valid;
  many_names.certificate_authorities = {Bytes(1 << 15), Bytes(1 << 15)};
  EXPECT_EQ(BuildCertificateRequest(many_names).error(), Error::kTooLong);
  CertificateRequest twice = valid;
  twice.oid_filters = {{FromHex("55"), {}}, {FromHex("55"), FromHex("01")}};
  EXPECT_EQ(BuildCertificateRequest(twice).error(), Error::kMalformed);
  CertificateRequest any_usage = valid;
  any_usage.oid_filters = {{FromHex("0603551d25"), FromHex("30060604551d2500")}};
  EXPECT_EQ(BuildCertificateRequest(any_usage).error(), Error::kMalformed);
  CertificateRequest empty_list = valid;
  empty_list.signature_algorithms_cert.emplace();
  EXPECT_EQ(BuildCertificateRequest(empty_list).error(), Error::kEmpty);
  CertificateRequest finished = valid;
  finished.type = HandshakeType::kFinished;
  EXPECT_EQ(BuildCertificateRequest(finished).error(), Error::kWrongMessage);
}

}  // namespace
}  // namespace signet::wire
