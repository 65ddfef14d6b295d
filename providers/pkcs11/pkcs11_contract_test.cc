#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "providers/contract/backend_contract.h"
#include "providers/pkcs11/pkcs11_backend.h"
#include "providers/pkcs11/probe_module.h"
#include "tests/support/softhsm.h"
#include "tests/support/softhsm_leaks.h"

namespace signet::providers {
namespace {

// SoftHSM behind a probe, because SoftHSM itself does not count wrong PINs.
class SoftHsmToken : public ContractToken {
 public:
  SoftHsmToken() {
    hsm_.AddToken("contract");
    pkcs11::TheProbe() = pkcs11::Probe{.real_module = test::SoftHsm::Module()};
  }

  std::unique_ptr<Backend> Open() override {
    return MakePkcs11Backend({.name = name(), .module = SIGNET_PROBE_MODULE, .token = "contract"});
  }
  std::string name() const override { return "card"; }
  std::string type() const override { return "pkcs11"; }
  bool stores_keys() const override { return true; }
  std::optional<std::string> pin() const override { return std::string(test::SoftHsm::kPin); }
  // The suite asks before and after a wrong PIN, with no right one in between.
  std::optional<int> wrong_pin_count() override { return pkcs11::TheProbe().Calls("C_Login"); }

 private:
  const test::IgnoreSoftHsmLeaks ignore_leaks_;
  test::SoftHsm hsm_;
};

std::unique_ptr<ContractToken> MakeSoftHsmToken() { return std::make_unique<SoftHsmToken>(); }

INSTANTIATE_TEST_SUITE_P(SoftHsm, BackendContract,
                         testing::Values(MakeTokenFunction(&MakeSoftHsmToken)));

}  // namespace
}  // namespace signet::providers
