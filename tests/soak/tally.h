// What the clients of one process saw, as lines of JSON on stdout for soak.py, which knows what was
// being disturbed when. Times are seconds of CLOCK_MONOTONIC, as Python's time.monotonic() has
// them.
#ifndef SIGNET_TESTS_SOAK_TALLY_H_
#define SIGNET_TESTS_SOAK_TALLY_H_

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace signet::soak {

inline double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Any thread.
class Tally {
 public:
  void Count(const std::string& what, int times = 1);
  // Right after a disturbance this may be; else it is wrong.
  void Refused(double begun, const std::string& what);
  // Never right.
  void Wrong(const std::string& what);
  // Prints what was counted since the last time.
  void Flush();

 private:
  void Print(const std::string& line);

  std::mutex mutex_;
  std::map<std::string, int> counts_;
};

}  // namespace signet::soak

#endif  // SIGNET_TESTS_SOAK_TALLY_H_
