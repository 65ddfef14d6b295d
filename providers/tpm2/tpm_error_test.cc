#include "providers/tpm2/tpm_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace signet::providers {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::StartsWith;

struct Case {
  TSS2_RC code;
  StatusCode status;
  const char* says;
};

// Codes as they were seen on swtpm and in resource managers' answers.
constexpr Case kCases[] = {
    {0x902, StatusCode::kOutOfRange, "resource manager"},
    {0xb0902, StatusCode::kOutOfRange, "resource manager"},  // from a resource manager
    {0xc0902, StatusCode::kOutOfRange, "resource manager"},
    {0x906, StatusCode::kOutOfRange, "resource manager"},
    {0x903, StatusCode::kUnavailable, "tpm2_flushcontext -l"},
    {0x905, StatusCode::kUnavailable, "tpm2_flushcontext -l"},
    {0x100, StatusCode::kAborted, "is the TPM there"},
    {0x18b, StatusCode::kAborted, "is the TPM there"},
    {0x910, StatusCode::kAborted, "is the TPM there"},
    {0xa000a, StatusCode::kAborted, "IO failure"},        // TPM killed in mid-command
    {0x70007, StatusCode::kAborted, "is the TPM there"},  // and ESYS ever after
    {0x921, StatusCode::kResourceExhausted, "wait for it to recover"},
    {0x922, StatusCode::kCancelled, "busy"},
    {0x90a, StatusCode::kCancelled, "busy"},
    {0xc0922, StatusCode::kCancelled, "busy"},
    {0x98e, StatusCode::kFailedPrecondition, "without passwords"},
    {0x9a2, StatusCode::kFailedPrecondition, "without passwords"},
    {0x1df, StatusCode::kInvalidArgument, "another TPM's"},
    {0x101, StatusCode::kUnavailable, "failure mode"},
    {0x1c4, StatusCode::kUnavailable, "value is out of range"},
};

TEST(TpmError, SaysWhatHappenedAndWhatToDo) {
  for (const Case& test : kCases) {
    SCOPED_TRACE(absl::StrCat("0x", absl::Hex(test.code)));
    absl::Status status = TpmError("TPM2_Sign", test.code);
    EXPECT_EQ(status.code(), test.status);
    std::string message(status.message());
    EXPECT_THAT(message, StartsWith("TPM2_Sign: "));
    EXPECT_THAT(message, HasSubstr(absl::StrCat("(0x", absl::Hex(test.code), "); ")));
    EXPECT_THAT(message, HasSubstr(test.says));
  }
}

TEST(TpmError, BaseCodeDropsWhatTheErrorIsAbout) {
  EXPECT_EQ(BaseCode(0x1df), 0x9fu);   // parameter 1
  EXPECT_EQ(BaseCode(0x98e), 0x8eu);   // session 1
  EXPECT_EQ(BaseCode(0x28b), 0x8bu);   // handle 2
  EXPECT_EQ(BaseCode(0x921), 0x921u);  // not about anything
  EXPECT_EQ(BaseCode(0xb0921), 0x921u);
  EXPECT_EQ(BaseCode(0xa000a), 0u);
}

}  // namespace
}  // namespace signet::providers
