// Makes LeakSanitizer look away from SoftHSM.
#ifndef SIGNET_TESTS_SUPPORT_SOFTHSM_LEAKS_H_
#define SIGNET_TESTS_SUPPORT_SOFTHSM_LEAKS_H_

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace signet::test {

// SoftHSM 2.6.1 loses a few bytes with each Ed25519 key that it reads. It is unloaded before the
// report, which therefore can't tell whose they were: while one of these lives, what this thread
// allocates is not counted.
class IgnoreSoftHsmLeaks {
 public:
#ifdef __SANITIZE_ADDRESS__
  IgnoreSoftHsmLeaks() { __lsan_disable(); }
  ~IgnoreSoftHsmLeaks() { __lsan_enable(); }
#else
  IgnoreSoftHsmLeaks() {}
#endif
  IgnoreSoftHsmLeaks(const IgnoreSoftHsmLeaks&) = delete;
  IgnoreSoftHsmLeaks& operator=(const IgnoreSoftHsmLeaks&) = delete;
};

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_SOFTHSM_LEAKS_H_
