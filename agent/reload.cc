#include "agent/reload.h"

#include <signal.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace signet::agent {
namespace {

asio::awaitable<absl::StatusOr<Configuration>> Load(
    std::filesystem::path file, std::vector<std::filesystem::path> policy_folders) {
  co_return LoadConfiguration(file, policy_folders);
}

// What systemctl waits for: RELOADING until READY.
void TellReloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t us = int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  sd_notify(0, absl::StrCat("RELOADING=1\nMONOTONIC_USEC=", us).c_str());
}

}  // namespace

bool AdmitsOthers(const Access& access) {
  const auto other = [](uid_t uid) { return uid != geteuid(); };
  return std::ranges::any_of(access.use, other) || std::ranges::any_of(access.admin, other);
}

absl::Status CheckReloadable(const Configuration& running, const Configuration& wanted) {
  const char* changed = nullptr;
  if (running.backends != wanted.backends) changed = "the backends";
  if (AdmitsOthers(running.access) != AdmitsOthers(wanted.access)) {
    changed = "whether [access] admits other users";
  }
  if (running.request_forms != wanted.request_forms) changed = "[requests]";
  if (running.bus != wanted.bus) changed = "[bus] or [lock]";
  if (running.prompts != wanted.prompts) changed = "[prompts]";
  if (changed == nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(wanted.file.native(), ": ", changed, " changed; restart signetd for that"));
}

Reload::Reload(const asio::any_io_executor& loop, asio::thread_pool& file_worker,
               Configuration running, Policy& policy, AuditTrail& audit)
    : hangups_(loop, SIGHUP),
      file_worker_(file_worker),
      running_(std::move(running)),
      policy_(policy),
      audit_(audit) {}

void Reload::Stop() {
  stopped_ = true;
  hangups_.cancel();
}

asio::awaitable<void> Reload::Run() {
  while (!stopped_) {
    asio::error_code error;
    co_await hangups_.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    TellReloading();
    absl::StatusOr<Configuration> wanted = co_await asio::co_spawn(
        file_worker_, Load(running_.file, running_.policy_folders), asio::use_awaitable);
    if (stopped_) co_return;
    absl::Status status = wanted.status();
    if (status.ok()) status = CheckReloadable(running_, *wanted);
    std::string outcome;
    if (status.ok()) {
      running_ = *std::move(wanted);
      policy_.Configure(running_.access, running_.rules, running_.limits);
      audit_.SetRequired(running_.audit_required);
      outcome = absl::StrCat("read again: ", running_.file.native(), ", ", running_.rules.size(),
                             " rules");
    } else {
      outcome = absl::StrCat("the configuration stays as it was: ", status.message());
    }
    std::cerr << "signetd: " << outcome << std::endl;
    AuditRecord record;
    record.event = "reload";
    record.outcome = status.ok() ? "done" : "refused";
    record.detail = outcome;
    audit_.Write(record);
    sd_notify(0, absl::StrCat("READY=1\nSTATUS=", outcome).c_str());
  }
}

}  // namespace signet::agent
