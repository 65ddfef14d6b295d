#include "agent/prompter_tty/pinentry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace signet::prompter_tty {
namespace {

TEST(AssuanEscape, KeepsALineALine) { EXPECT_EQ(AssuanEscape("50%\r\n\"é\""), "50%25%0D%0A\"é\""); }

}  // namespace
}  // namespace signet::prompter_tty
