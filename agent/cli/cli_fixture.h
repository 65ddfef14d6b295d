// Runs command lines against a fake agent.
#ifndef SIGNET_AGENT_CLI_CLI_FIXTURE_H_
#define SIGNET_AGENT_CLI_CLI_FIXTURE_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "agent/cli/cli.h"
#include "agent/cli/fake_agent.h"
#include "ipc/transport/descriptor.h"

namespace signet::cli {

struct Outcome {
  int exit_code;
  std::string out;
  std::string err;

  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

class CliTest : public ::testing::Test {
 protected:
  // With `--agent` of the fake agent; standard input is a pipe that holds `input`.
  Outcome RunCommand(std::vector<std::string> arguments, const std::string& input = "") {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const ipc::Descriptor in(ends[0]);
    ipc::Descriptor filler(ends[1]);
    EXPECT_EQ(write(filler.get(), input.data(), input.size()), static_cast<ssize_t>(input.size()));
    filler.Reset();
    return RunOn(in.get(), std::move(arguments));
  }

  Outcome RunOn(int in, std::vector<std::string> arguments, bool err_is_terminal = false) {
    arguments.insert(arguments.begin(), {"--agent", agent_.socket()});
    std::ostringstream out, err;
    Console console{in, out, err, err_is_terminal};
    const int exit_code = RunCli(std::move(arguments), console);
    return {exit_code, out.str(), err.str()};
  }

  std::string WriteFile(const std::string& name, const std::string& content) {
    const std::string path = agent_.folder() + "/" + name;
    std::ofstream(path) << content;
    return path;
  }

  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static v1::Identity DeviceIdentity() {
    v1::Identity identity;
    identity.set_name("laptop");
    identity.set_kind(v1::IDENTITY_KIND_DEVICE);
    identity.set_backend("tpm");
    identity.set_algorithm("p256");
    identity.set_hardware(true);
    identity.set_subject("CN=laptop");
    identity.set_issuer("CN=Trial CA");
    identity.set_not_after("2030-01-02T03:04:05Z");
    identity.set_usable(true);
    return identity;
  }

  static v1::Identity SoftwareIdentity() {
    v1::Identity identity;
    identity.set_name("trial");
    identity.set_kind(v1::IDENTITY_KIND_USER);
    identity.set_backend("file");
    identity.set_algorithm("ed25519");
    identity.set_reason("no certificate; import one with: signet identity import");
    return identity;
  }

  FakeAgent agent_;
};

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_CLI_FIXTURE_H_
