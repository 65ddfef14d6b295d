// Real PKCS#11 tokens (SoftHSM2) of a test's own, in a private folder under $TMPDIR.
//
// Needs the package softhsm2. SoftHSM finds its tokens through the environment variable
// SOFTHSM2_CONF, read at each C_Initialize, by this process and by those it starts. So at most one
// SoftHsm lives in a process at a time, with as many tokens as a test needs; and the module must be
// finalized (backends destroyed) before the SoftHsm is. Whatever fails throws std::runtime_error,
// which fails the test with its message.
#ifndef SIGNET_TESTS_SUPPORT_SOFTHSM_H_
#define SIGNET_TESTS_SUPPORT_SOFTHSM_H_

#include <string>
#include <string_view>

namespace signet::test {

class SoftHsm {
 public:
  static constexpr std::string_view kPin = "123456";
  static constexpr std::string_view kSoPin = "87654321";

  // Makes the folder and its configuration, and sets SOFTHSM2_CONF.
  SoftHsm();
  SoftHsm(const SoftHsm&) = delete;
  SoftHsm& operator=(const SoftHsm&) = delete;
  // Unsets SOFTHSM2_CONF and removes the folder.
  ~SoftHsm();

  // An initialized, empty token with kPin and kSoPin. A module that is initialized already sees it
  // after its next C_Initialize.
  void AddToken(std::string_view label);
  // The token with all its keys is gone, as a card that was pulled and lost.
  void RemoveToken(std::string_view label);

  // SoftHSM's PKCS#11 module.
  static std::string Module();
  const std::string& folder() const { return folder_; }  // for a test's other files too

 private:
  std::string folder_;
};

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_SOFTHSM_H_
