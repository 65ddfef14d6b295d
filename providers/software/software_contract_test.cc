#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "providers/contract/backend_contract.h"
#include "providers/software/software_backend.h"

namespace signet::providers {
namespace {

class SoftwareToken : public ContractToken {
 public:
  std::unique_ptr<Backend> Open() override { return MakeSoftwareBackend(name()); }
  std::string name() const override { return "trial"; }
  std::string type() const override { return "software"; }
  bool stores_keys() const override { return false; }
};

std::unique_ptr<ContractToken> MakeSoftwareToken() { return std::make_unique<SoftwareToken>(); }

INSTANTIATE_TEST_SUITE_P(Software, BackendContract,
                         testing::Values(MakeTokenFunction(&MakeSoftwareToken)));

}  // namespace
}  // namespace signet::providers
