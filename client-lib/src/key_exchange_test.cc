#include "client-lib/src/key_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <vector>

#include "ipc/wire/framing.h"
#include "tests/support/temporary_folder.h"

namespace signet {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

// A socket that nobody accepts from, with its queue full.
class KeyExchangeTest : public ::testing::Test {
 protected:
  KeyExchangeTest() {
    std::copy(path_.begin(), path_.end(), address_.sun_path);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address_), sizeof address_), 0);
    EXPECT_EQ(listen(listener_, 0), 0);
    do {
      waiting_.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    } while (connect(waiting_.back(), reinterpret_cast<const sockaddr*>(&address_),
                     sizeof address_) == 0);
    EXPECT_EQ(errno, EAGAIN);
  }
  ~KeyExchangeTest() override {
    for (int fd : waiting_) close(fd);
    close(listener_);
  }

  test::TemporaryFolder folder_;
  const std::string path_ = folder_.path() / "agent.sock";
  sockaddr_un address_{AF_UNIX, {}};
  const int listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::vector<int> waiting_;
  std::string detail_;
};

TEST_F(KeyExchangeTest, GivesUpAtTheDeadlineWhenTheAgentAcceptsNobody) {
  EXPECT_FALSE(ExchangeSlowly(path_, wire::Bytes{1}, milliseconds(50), detail_));
  EXPECT_THAT(detail_, HasSubstr("the agent is busy, try again"));
}

TEST_F(KeyExchangeTest, WaitsForAnAgentThatIsBehindWithAccepting) {
  std::future<std::optional<wire::Bytes>> answer = std::async(std::launch::async, [&] {
    return ExchangeSlowly(path_, wire::Bytes{1}, std::chrono::seconds(60), detail_);
  });
  EXPECT_EQ(answer.wait_for(milliseconds(100)), std::future_status::timeout) << detail_;
  // Those that came first, then the one that asks.
  for (size_t i = 0; i < waiting_.size(); ++i) {
    const int accepted = accept(listener_, nullptr, nullptr);
    ASSERT_GE(accepted, 0);
    uint8_t byte = 0;
    if (i + 1 == waiting_.size() && recv(accepted, &byte, 1, 0) == 1) {
      const wire::Bytes reply = {0, 0, 0, 1, 7};
      EXPECT_EQ(send(accepted, reply.data(), reply.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(reply.size()));
    }
    close(accepted);
  }
  EXPECT_EQ(answer.get(), wire::Bytes{7}) << detail_;
}

}  // namespace
}  // namespace signet
