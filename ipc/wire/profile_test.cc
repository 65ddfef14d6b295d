#include "ipc/wire/profile.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace signet::wire {
namespace {

constexpr const char* kNames[] = {"authenticator-requests", "certificate",
                                  "client-cert-auth",       "server-certificate",
                                  "server-cert-auth",       "server-certificate-invalid",
                                  "request-forms"};

TEST(ProfileTest, DefaultsToDraft00WithoutConflict) {
  Profile profile;
  EXPECT_EQ(profile.h2.authenticator_requests, 0xf4u);
  EXPECT_EQ(profile.h2.certificate, 0xf5u);
  EXPECT_EQ(profile.h2.server_certificate, 0xf6u);
  EXPECT_EQ(profile.h2.client_cert_auth, 0xf0c4u);
  EXPECT_EQ(profile.h2.server_cert_auth, 0xf0c5u);
  EXPECT_EQ(profile.h2.server_certificate_invalid, 0xf0e1u);
  EXPECT_EQ(profile.h3.authenticator_requests, 0xf4f4a1u);
  EXPECT_EQ(profile.h3.certificate, 0xf4f4a2u);
  EXPECT_EQ(profile.h3.server_certificate, 0xf4f4a3u);
  EXPECT_EQ(profile.h3.client_cert_auth, 0xf4f4c4u);
  EXPECT_EQ(profile.h3.server_cert_auth, 0xf4f4c6u);
  EXPECT_EQ(profile.h3.server_certificate_invalid, 0xf4f4e1u);
  EXPECT_EQ(profile.h2.forms(), RequestForms{});
  EXPECT_EQ(profile.h3.forms(), RequestForms{});
  EXPECT_EQ(FindConflict(profile), std::nullopt);
}

TEST(ProfileTest, FindsEachNumberByItsOwnName) {
  Profile profile;
  std::set<uint64_t*> found;
  for (const std::string version : {"h2.", "h3."}) {
    for (const char* name : kNames) {
      uint64_t* number = FindCodePoint(profile, version + name);
      ASSERT_NE(number, nullptr) << version << name;
      found.insert(number);
    }
  }
  EXPECT_EQ(found.size(), 14u);
  *FindCodePoint(profile, "h2.certificate") = 0xe0;
  EXPECT_EQ(profile.h2.certificate, 0xe0u);
}

TEST(ProfileTest, FindsNothingByOtherNames) {
  Profile profile;
  for (const char* name : {"", "h2", "h2.", "certificate", "h4.certificate", "h2.Certificate",
                           "h2.certificate ", "h2.server_certificate"}) {
    EXPECT_EQ(FindCodePoint(profile, name), nullptr) << name;
  }
}

TEST(ProfileTest, AllowsOneNumberForBothCertificateFrames) {
  Profile profile;
  profile.h2.server_certificate = profile.h2.certificate;
  profile.h3.server_certificate = profile.h3.certificate;
  EXPECT_EQ(FindConflict(profile), std::nullopt);
}

TEST(ProfileTest, FindsConflicts) {
  struct Case {
    const char* name;
    uint64_t value;
  };
  for (const Case& c : {
           // does not fit
           Case{"h2.certificate", 0x100},
           Case{"h2.client-cert-auth", 0x10000},
           Case{"h2.server-certificate-invalid", uint64_t{1} << 32},
           Case{"h3.certificate", uint64_t{1} << 62},
           Case{"h3.server-cert-auth", uint64_t{1} << 62},
           Case{"h3.server-certificate-invalid", UINT64_MAX},
           // HTTP's own
           Case{"h2.authenticator-requests", 4},
           Case{"h2.server-certificate", 0x10},
           Case{"h2.client-cert-auth", 4},
           Case{"h2.server-certificate-invalid", 1},
           Case{"h3.certificate", 4},
           Case{"h3.authenticator-requests", 0x21},
           Case{"h3.authenticator-requests", 0x21 + 0x1f * 1000},
           Case{"h3.client-cert-auth", 0x33},
           Case{"h3.client-cert-auth", 0x40},
           Case{"h3.server-certificate-invalid", 0x10e},
           // no form
           Case{"h2.request-forms", 4},
           Case{"h3.request-forms", UINT64_MAX},
           // each other's
           Case{"h2.authenticator-requests", 0xf5},
           Case{"h2.server-certificate", 0xf4},
           Case{"h3.certificate", 0xf4f4a1},
           Case{"h2.server-cert-auth", 0xf0c4},
           Case{"h3.client-cert-auth", 0xf4f4c6},
       }) {
    Profile profile;
    *FindCodePoint(profile, c.name) = c.value;
    EXPECT_NE(FindConflict(profile), std::nullopt) << c.name << "=" << c.value;
  }
}

}  // namespace
}  // namespace signet::wire
