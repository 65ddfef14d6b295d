// For tests: a BackendPool whose backends do as they are told (fake_backend.cc).
#ifndef SIGNET_AGENT_BACKENDS_FAKE_BACKEND_FIXTURE_H_
#define SIGNET_AGENT_BACKENDS_FAKE_BACKEND_FIXTURE_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "agent/backends/pool_fixture.h"
#include "ipc/transport/descriptor.h"

namespace signet::agent {

inline std::string Text(const absl::Status& status) { return std::string(status.message()); }

class BackendPoolTest : public PoolFixture {
 protected:
  BackendPoolTest() {
    char name[] = "/tmp/signet-backends-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~BackendPoolTest() override { std::filesystem::remove_all(folder_); }

  // A fake backend's configuration; for `behaviour` see fake_backend.cc.
  static BackendConfiguration Fake(const std::string& name, const std::string& behaviour = {}) {
    BackendConfiguration backend;
    backend.name = name;
    backend.type = "pkcs11";
    backend.module = behaviour;
    return backend;
  }

  BackendPool& StartFakes(std::vector<BackendConfiguration> backends, BackendLimits limits = {}) {
    return StartPool(std::move(backends), SIGNET_FAKE_BACKEND, limits);
  }

  // A FIFO: a backend that was asked to "wait:" for it answers when it was written to and closed.
  std::string Gate() {
    const std::string path = folder_ / ("gate" + std::to_string(gates_++));
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  // The other end of it, once the backend is at work on the call.
  ipc::Descriptor WhenAtWork(const std::string& gate) {
    ipc::Descriptor fifo;
    RunUntil([&] {
      fifo = ipc::Descriptor(open(gate.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
      return fifo.valid();
    });
    return fifo;
  }
  void OpenGate(const std::string& gate, const std::string& text) {
    const ipc::Descriptor fifo = WhenAtWork(gate);
    EXPECT_EQ(write(fifo.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  // The end of a call whose short deadline passed once the backend was at work on it. On a busy
  // machine the deadline can come before its turn does: then it gets a later one.
  absl::Status RunPastItsDeadline(const std::string& backend, const std::string& message) {
    for (std::chrono::milliseconds patience(30);; patience *= 2) {
      absl::Status end = Run(Sign(backend, message, In(patience))).status();
      if (!absl::StrContains(end.message(), "its turn did not come")) return end;
    }
  }

  ipc::Descriptor PinPipe(const std::string& pin) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    EXPECT_EQ(write(ends[1], pin.data(), pin.size()), static_cast<ssize_t>(pin.size()));
    close(ends[1]);
    return ipc::Descriptor(ends[0]);
  }

  std::filesystem::path folder_;
  int gates_ = 0;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BACKENDS_FAKE_BACKEND_FIXTURE_H_
