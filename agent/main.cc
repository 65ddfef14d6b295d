// signetd: builds and connects every object; the map of the house.
#include <google/protobuf/stubs/logging.h>
#include <signal.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "agent/audit/audit_output.h"
#include "agent/audit/audit_trail.h"
#include "agent/audit/journal_output.h"
#include "agent/authentication/authentication.h"
#include "agent/backends/backend_pool.h"
#include "agent/backends/child_process.h"
#include "agent/bus/buses.h"
#include "agent/caller/process_reader.h"
#include "agent/caller/session_place.h"
#include "agent/consent/prompt_queue.h"
#include "agent/folders.h"
#include "agent/front/admin_calls.h"
#include "agent/front/agent_calls.h"
#include "agent/front/agent_sessions.h"
#include "agent/front/backend_tokens.h"
#include "agent/front/caller_limits.h"
#include "agent/front/gate.h"
#include "agent/front/grpc_door.h"
#include "agent/front/unlocking.h"
#include "agent/hardening.h"
#include "agent/identity/enrolment.h"
#include "agent/identity/identity_store.h"
#include "agent/options.h"
#include "agent/policy/configuration.h"
#include "agent/policy/policy.h"
#include "agent/prompting/prompting.h"
#include "agent/reload.h"
#include "agent/service_manager.h"
#include "agent/storage/durable_file.h"
#include "agent/upstream/other_agents.h"
#include "ipc/audit/trail_files.h"
#include "ipc/transport/unix_listener.h"
#include "ipc/wire/socket_path.h"

namespace signet::agent {
namespace {

constexpr std::chrono::seconds kGrace{5};  // for what is in flight when we are asked to stop

template <typename... Parts>
void Say(const Parts&... parts) {
  ((std::cerr << "signetd: ") << ... << parts) << std::endl;
}

int Fail(const absl::Status& status, int exit_code = kExitFailed) {
  Say(status.message());
  return exit_code;
}

// Threads that are started while this lives take none of the signals that the loop waits for.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t held;
    sigemptyset(&held);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&held, number);
    pthread_sigmask(SIG_BLOCK, &held, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

// The socket that the service manager listens on for us, or one of our own.
absl::StatusOr<ipc::UnixListener> Listen(PassedSockets& passed, const std::filesystem::path& folder,
                                         std::string_view name, mode_t mode) {
  if (auto found = passed.find(name); found != passed.end()) {
    return ipc::UnixListener::Adopt(std::move(found->second));
  }
  return ipc::UnixListener::Listen(folder / name, mode);
}

std::unique_ptr<AuditOutput> MakeAuditOutput(asio::thread_pool& file_worker) {
  if (StderrIsJournal()) return std::make_unique<JournalOutput>(file_worker);
  return std::make_unique<StderrAuditOutput>();
}

// What the agent does on its own account.
AuditRecord OwnRecord(std::string event, std::string detail) {
  AuditRecord record;
  record.event = std::move(event);
  record.outcome = "done";
  record.detail = std::move(detail);
  return record;
}

asio::awaitable<void> CloseDoors(AgentSessions& sessions, GrpcDoor& door,
                                 asio::steady_timer& grace) {
  using asio::experimental::awaitable_operators::operator&&;
  co_await (sessions.Stop(std::chrono::steady_clock::now() + kGrace) &&
            door.Stop(std::chrono::system_clock::now() + kGrace));
  grace.cancel();
}

// Once nothing is in flight any more; at the end of the grace whatever is: a change that is being
// done whole waits for its token, and must not keep us.
asio::awaitable<void> StopBackends(BackendPool& backends, asio::steady_timer& grace) {
  asio::error_code ignored;
  co_await grace.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_await backends.Stop();
}

asio::awaitable<void> StopOnSignal(asio::signal_set& signals, Reload& reload, Watchdog& watchdog,
                                   AgentSessions& sessions, GrpcDoor& door, Buses& buses,
                                   BackendPool& backends, OtherAgents& others, AuditTrail& audit) {
  co_await signals.async_wait(asio::use_awaitable);
  Say("stopping");
  sd_notify(0, "STOPPING=1");
  reload.Stop();
  buses.Stop();
  signals.async_wait([](const asio::error_code& error, int) {
    if (!error) _exit(kExitFailed);  // asked a second time: at once
  });
  using asio::experimental::awaitable_operators::operator&&;
  asio::steady_timer grace(co_await asio::this_coro::executor, kGrace);
  co_await (CloseDoors(sessions, door, grace) && StopBackends(backends, grace));
  others.Stop();
  audit.Write(OwnRecord("stop", ""));
  co_await audit.Stop();
  signals.cancel();
  watchdog.Stop();
}

// The sources that have a signet-backend.
std::vector<BackendConfiguration> TokensOf(std::vector<BackendConfiguration> backends) {
  std::erase_if(backends, [](const BackendConfiguration& b) { return b.type == "agent"; });
  return backends;
}

int Run(const Options& options) {
  absl::StatusOr<PassedSockets> passed = TakePassedSockets();
  if (!passed.ok()) return Fail(passed.status());
  const absl::StatusOr<Configuration> configuration =
      LoadConfiguration(options.config, options.policy_folders);
  if (!configuration.ok()) return Fail(configuration.status(), kExitConfiguration);
  const absl::Status others_only = CheckNotItself(configuration->backends, options.runtime_dir);
  if (!others_only.ok()) return Fail(others_only, kExitConfiguration);
  const bool shared = AdmitsOthers(configuration->access);

  absl::Status folders = PrepareFolder(options.state_dir, 0700);
  if (folders.ok()) folders = PrepareFolder(options.runtime_dir, shared ? 0755 : 0700);
  if (!folders.ok()) return Fail(folders);
  const auto state_lock = LockFolder(options.state_dir);
  if (!state_lock.ok()) return Fail(state_lock.status());
  RemoveTemporaryFiles(options.state_dir);

  absl::StatusOr<std::vector<Rule>> added = LoadAddedRules(options.state_dir);
  if (!added.ok()) return Fail(added.status(), kExitConfiguration);
  Policy policy({}, {}, *std::move(added));
  policy.Configure(configuration->access, configuration->rules, configuration->limits);
  IdentityStore identities(options.state_dir);
  std::vector<std::string> problems;
  if (absl::Status loaded = identities.Load(problems); !loaded.ok()) return Fail(loaded);
  for (const std::string& problem : problems) Say("left out: ", problem);

  // Everything below runs on this loop, in this thread; only files are read and written elsewhere.
  std::optional<SignalsHeld> held(std::in_place);
  asio::io_context loop(1);
  asio::thread_pool file_worker(1);
  BackendPool backends(loop.get_executor(), TokensOf(configuration->backends), FindBackendProgram(),
                       std::bind_front(&IdentityStore::SetFound, &identities));
  OtherAgents others(loop.get_executor(), configuration->backends,
                     std::bind_front(&IdentityStore::SetFound, &identities));
  BackendTokens tokens(backends, others);
  Enrolment enrolment(identities, backends, backends, file_worker);
  const std::unique_ptr<AuditOutput> audit_output = MakeAuditOutput(file_worker);
  AuditTrail audit(loop.get_executor(), file_worker, options.state_dir / audit::kFolderName,
                   *audit_output, {.required = configuration->audit_required});
  Unlocking unlocking(tokens, identities, audit);
  FindPromptPlace find_place = [prompts = configuration->prompts](const Caller& caller) {
    return PlaceFor(caller, prompts);
  };
  Prompting prompting(loop.get_executor(), FindBackendProgram().parent_path(),
                      std::move(find_place), unlocking);
  PromptQueue prompts(loop.get_executor(), prompting);
  Authentication authentication(identities, policy, prompts, backends, audit,
                                std::chrono::system_clock::now, configuration->request_forms,
                                &others);

  // A connection takes two descriptors on either socket, root's three: no uid gets more than a
  // quarter of them, root three eighths.
  const size_t connections = std::min(CallerLimits::kMaxConnectionsPerUid, MaxDescriptors() / 16);
  CallerLimits limits(connections);
  ProcessReader reader;
  Gate gate(policy, limits, reader, audit);
  AgentCalls agent_calls(authentication, identities, policy, tokens, audit);
  AdminCalls admin_calls({SIGNET_VERSION, options.config, options.runtime_dir, options.state_dir},
                         enrolment, identities, policy, authentication.remembered(), tokens,
                         file_worker);
  AgentSessions sessions(loop.get_executor(), gate, agent_calls);
  GrpcDoor door(loop.get_executor(), gate, connections, agent_calls, admin_calls, audit);

  Buses buses(loop.get_executor(), configuration->bus, tokens,
              {tokens, identities, policy, &prompts}, audit,
              [](const std::string& line) { Say(line); });

  const mode_t mode = shared ? 0666 : 0600;
  auto agent_socket = Listen(*passed, options.runtime_dir, wire::kAgentSocketName, mode);
  if (!agent_socket.ok()) return Fail(agent_socket.status());
  auto grpc_socket = Listen(*passed, options.runtime_dir, wire::kGrpcSocketName, mode);
  if (!grpc_socket.ok()) return Fail(grpc_socket.status());
  sessions.Listen(*std::move(agent_socket));
  if (absl::Status opened = door.Listen(*std::move(grpc_socket)); !opened.ok()) {
    return Fail(opened);
  }

  identities.OnChange([&] { asio::post(loop, [&] { buses.Refresh(); }); });
  backends.OnChange([&] {
    buses.Refresh();
    prompting.TokensChanged();
  });
  others.OnChange([&] { buses.Refresh(); });
  backends.Start();
  others.Start();
  buses.Start();
  asio::signal_set signals(loop, SIGTERM, SIGINT);  // before anybody is told that we are here
  Reload reload(loop.get_executor(), file_worker, *configuration, policy, audit);
  Watchdog watchdog(loop.get_executor());
  asio::co_spawn(
      loop, StopOnSignal(signals, reload, watchdog, sessions, door, buses, backends, others, audit),
      asio::detached);
  asio::co_spawn(loop, reload.Run(), asio::detached);
  asio::co_spawn(loop, watchdog.Run(), asio::detached);
  Say("ready in ", options.runtime_dir.native(), ": ", identities.snapshot()->size(),
      " identities, ", configuration->backends.size(), " backends");
  sd_notify(0, "READY=1");
  audit.Write(OwnRecord(
      "start", absl::StrCat("signetd ", SIGNET_VERSION, " with ", options.config.native())));
  held.reset();
  loop.run();  // until nothing is left to do
  // The journal may not have been told the last head yet: the pool's destructor would drop that.
  file_worker.join();
  Say("stopped");
  return 0;
}

}  // namespace
}  // namespace signet::agent

int main(int argc, char** argv) {
  using namespace signet::agent;
  google::protobuf::SetLogHandler(nullptr);  // it would log what any client sends; we answer that
  if (absl::Status hardened = HardenProcess(); !hardened.ok()) return Fail(hardened);
  const std::variant<Options, int> options = ParseOptions(argc, argv);
  if (const int* exit_code = std::get_if<int>(&options)) return *exit_code;
  return Run(std::get<Options>(options));
}
