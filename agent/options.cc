#include "agent/options.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "agent/policy/check.h"
#include "ipc/wire/socket_path.h"

namespace signet::agent {
namespace {

constexpr const char* kAbout =
    "signetd, the Signet agent: proves who a client is, with keys that never leave hardware.\n"
    "Stays in the foreground; SIGTERM or SIGINT ends it once what is in flight is answered (at\n"
    "most 5 s), a second one at once. SIGHUP: reads the configuration again; one that is not\n"
    "understood, or that changes backends, is refused and the old one stays. systemd may pass the\n"
    "sockets (named agent.sock, grpc.sock), is told when the agent is ready, and may watch it.";

constexpr const char* kExitCodes =
    "Exit codes: 0 ended as asked, 1 failed, 2 usage, 78 the configuration is refused.";

}  // namespace

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  Places places = DefaultPlaces();
  Options options{std::move(places.config), std::move(places.policy_folders), wire::RuntimeDir(),
                  std::move(places.state_dir)};
  CLI::App app(kAbout, "signetd");
  app.footer(kExitCodes);
  app.set_version_flag("--version", "signetd " SIGNET_VERSION);
  app.add_option("--config", options.config, "signet.toml; conf.d/*.toml beside it add to it")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--policy-dir", options.policy_folders,
                 "rules for every agent, read before; may be given again")
      ->type_name("DIR")
      ->allow_extra_args(false)
      ->capture_default_str();
  app.add_option("--runtime-dir", options.runtime_dir, "where agent.sock and grpc.sock go")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--state-dir", options.state_dir, "where identities and added rules are kept")
      ->type_name("DIR")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  for (std::filesystem::path* path : {&options.config, &options.runtime_dir, &options.state_dir}) {
    *path = std::filesystem::absolute(*path).lexically_normal();
  }
  for (std::filesystem::path& folder : options.policy_folders) {
    folder = std::filesystem::absolute(folder).lexically_normal();
  }
  return options;
}

}  // namespace signet::agent
