// A real dbus-daemon of a test's own, in a private folder under $TMPDIR.
//
// Needs the package dbus-daemon. Whatever fails throws std::runtime_error.
#ifndef SIGNET_TESTS_SUPPORT_DBUS_DAEMON_H_
#define SIGNET_TESTS_SUPPORT_DBUS_DAEMON_H_

#include <sys/types.h>

#include <string>

#include "tests/support/temporary_folder.h"

namespace signet::test {

// A bus on which everybody may do everything.
class DBusDaemon {
 public:
  DBusDaemon();
  DBusDaemon(const DBusDaemon&) = delete;
  DBusDaemon& operator=(const DBusDaemon&) = delete;
  ~DBusDaemon() { Stop(); }

  // Again, at the same address; returns when it listens.
  void Start();
  // Returns when it is gone, and everybody's connection with it.
  void Stop();

  const std::string& address() const { return address_; }

 private:
  TemporaryFolder folder_;
  std::string address_;
  pid_t pid_ = -1;
};

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_DBUS_DAEMON_H_
