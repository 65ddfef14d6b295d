#include <memory>
#include <string>
#include <utility>

#include "providers/contract/backend_contract.h"
#include "providers/tpm2/tpm2_backend.h"
#include "tests/support/swtpm.h"

namespace signet::providers {
namespace {

class SwtpmToken : public ContractToken {
 public:
  std::unique_ptr<Backend> Open() override {
    return *MakeTpm2Backend({.name = name(), .tcti = tpm_.tcti()});
  }
  std::string name() const override { return "the tpm"; }
  std::string type() const override { return "tpm2"; }
  bool stores_keys() const override { return false; }

 private:
  test::Swtpm tpm_;
};

INSTANTIATE_TEST_SUITE_P(Tpm2, BackendContract, testing::Values(MakeTokenFunction([] {
                           return std::make_unique<SwtpmToken>();
                         })));

}  // namespace
}  // namespace signet::providers
