#include "agent/caller/callers.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <utility>
#include <vector>

namespace signet::agent {
namespace {

// This process, as the other end of a socket sees it.
std::shared_ptr<const ipc::Peer> Self() {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const ipc::Descriptor one(ends[0]);
  const ipc::Descriptor other(ends[1]);
  absl::StatusOr<ipc::Peer> peer = ipc::IdentifyPeer(one.get());
  EXPECT_TRUE(peer.ok()) << peer.status();
  return std::make_shared<const ipc::Peer>(*std::move(peer));
}

TEST(Callers, TellWhatTheKernelSaid) {
  Callers callers;
  const auto self = Self();
  const Caller caller = callers.LookUp(self);
  EXPECT_EQ(caller.pid, getpid());
  EXPECT_EQ(caller.uid, geteuid());
  EXPECT_EQ(caller.start_time, self->start_time);
  ASSERT_TRUE(caller.executable);
  EXPECT_EQ(caller.executable->inode, self->executable->inode);
  EXPECT_EQ(caller.sandbox, "");
}

TEST(Callers, LookOncePerConnection) {
  Callers callers;
  const auto self = Self();
  const Caller* first = &callers.LookUp(self);
  EXPECT_EQ(&callers.LookUp(self), first);
  callers.LookUp(Self());
  EXPECT_EQ(callers.size(), 2U);
}

TEST(Callers, ForgetThoseThatAreGone) {
  Callers callers;
  const auto stays = Self();
  callers.LookUp(stays);
  for (int i = 0; i < 200; ++i) callers.LookUp(Self());
  EXPECT_LE(callers.size(), 64U);
  std::vector<std::shared_ptr<const ipc::Peer>> all;
  for (int i = 0; i < 100; ++i) callers.LookUp(all.emplace_back(Self()));
  EXPECT_GE(callers.size(), 101U);
}

}  // namespace
}  // namespace signet::agent
