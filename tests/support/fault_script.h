// What goes wrong in faulty_module.so and faulty_tcti.so: a small file that a test writes before or
// while the program under test runs. A line for each fault:
//
//   CALL SKIP TIMES ACTION [VALUE]
//
//   C_Sign 0 1 fail 0x30      the next C_Sign fails with CKR_DEVICE_ERROR
//   C_Sign 2 1 delay 500      the third from now takes 500 ms longer
//   C_Initialize 0 -1 hang    each one waits until this line is gone
//   * 4 1 crash               the fifth call of any kind aborts the process
//
// Each line whose CALL fits counts the call down, first SKIP and then TIMES (-1: for ever); the
// first that is due strikes, and is gone once it has struck TIMES times. The counts are in the file
// itself, under flock(2): a process that crashed goes on where it was, and the test sees what has
// struck. Without the file nothing does.
//
// Any thread, any number of processes.
#ifndef SIGNET_TESTS_SUPPORT_FAULT_SCRIPT_H_
#define SIGNET_TESTS_SUPPORT_FAULT_SCRIPT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signet::test {

struct Fault {
  std::string action;  // "fail", or any other word that the caller knows
  uint64_t value = 0;
};

// Counts the call, then waits, hangs or crashes if it is told to. What only the caller can do is
// returned. `path` may be null: no faults.
std::optional<Fault> TakeFault(const char* path, std::string_view call);

// For tests: the whole file. Reading one that is not there gives "".
void WriteFaults(const std::string& path, std::string_view lines);
std::string ReadFaults(const std::string& path);

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_FAULT_SCRIPT_H_
