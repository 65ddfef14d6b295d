#include "agent/cli/progress.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "agent/cli/text.h"

namespace signet::cli {
namespace {

void Show(std::stop_token stop, const std::string& what, std::ostream& err) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  for (int seconds = 0; !stop.stop_requested(); ++seconds) {
    err << "\r" << what << " ... " << seconds << " s" << std::flush;
    stopped.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
  }
  err << "\r\033[K" << std::flush;
}

}  // namespace

Progress::Progress(std::string what, Console& console) {
  if (!console.err_is_terminal) return;
  thread_ = std::jthread([what = Printable(what), &err = console.err](std::stop_token stop) {
    Show(std::move(stop), what, err);
  });
}

}  // namespace signet::cli
