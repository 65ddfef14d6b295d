// Others that sign: this process, ssh-agent, and a TPM through ESYS alone.
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include <stdexcept>

#include "tests/bench/blocking_socket.h"
#include "tests/bench/p256.h"
#include "tests/bench/workload.h"

namespace signet::bench {
namespace {

class Sign : public Sequential {
  void Once() override { key_.Sign("what a CertificateVerify covers, more or less"); }

  const P256Key key_;
};

// The ssh-agent protocol (draft-miller-ssh-agent).
class SshAgent : public Sequential {
 public:
  explicit SshAgent(const std::string& socket) : socket_(BlockingSocket::Connect(socket)) {
    socket_.SendMessage(std::string(1, kRequestIdentities));
    const std::string answer = socket_.ReceiveMessage();
    if (answer.size() < 9 || answer[0] != kIdentitiesAnswer ||
        ReadBigEndian32(answer.substr(1)) == 0) {
      throw std::runtime_error("ssh-agent has no key");
    }
    request_ = std::string(1, kSignRequest) +
               answer.substr(5, 4 + ReadBigEndian32(answer.substr(5))) + BigEndian32(kDataSize) +
               std::string(kDataSize, 's') + BigEndian32(0);
  }

 private:
  static constexpr char kRequestIdentities = 11;
  static constexpr char kIdentitiesAnswer = 12;
  static constexpr char kSignRequest = 13;
  static constexpr char kSignResponse = 14;
  static constexpr size_t kDataSize = 130;

  void Once() override {
    socket_.SendMessage(request_);
    if (socket_.ReceiveMessage().at(0) != kSignResponse) throw std::runtime_error("no signature");
  }

  BlockingSocket socket_;
  std::string request_;
};

void Check(TSS2_RC rc, const char* what) {
  if (rc != TSS2_RC_SUCCESS) throw std::runtime_error(what + (" failed: " + std::to_string(rc)));
}

// A key that stays loaded, empty authorisation, a password session: one command per signature.
class Esys : public Sequential {
 public:
  explicit Esys(const std::string& tcti) {
    Check(Tss2_TctiLdr_Initialize(tcti.c_str(), &tcti_), "TCTI");
    Check(Esys_Initialize(&esys_, tcti_, nullptr), "ESYS");
    TPM2B_PUBLIC key{};
    key.publicArea.type = TPM2_ALG_ECC;
    key.publicArea.nameAlg = TPM2_ALG_SHA256;
    key.publicArea.objectAttributes = TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_USERWITHAUTH |
                                      TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                      TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_NODA;
    key.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
    key.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
    key.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    key.publicArea.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    const TPM2B_SENSITIVE_CREATE secret{};
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION pcrs{};
    Check(Esys_CreatePrimary(esys_, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                             &secret, &key, &outside, &pcrs, &key_, nullptr, nullptr, nullptr,
                             nullptr),
          "TPM2_CreatePrimary");
  }
  Esys(const Esys&) = delete;
  Esys& operator=(const Esys&) = delete;
  ~Esys() override {
    if (key_ != ESYS_TR_NONE) Esys_FlushContext(esys_, key_);
    Esys_Finalize(&esys_);
    Tss2_TctiLdr_Finalize(&tcti_);
  }

 private:
  void Once() override {
    TPM2B_DIGEST digest{.size = 32, .buffer = {1}};
    TPMT_SIG_SCHEME scheme{};
    scheme.scheme = TPM2_ALG_ECDSA;
    scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
    const TPMT_TK_HASHCHECK unrestricted{
        .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL, .digest = {}};
    TPMT_SIGNATURE* signature = nullptr;
    Check(Esys_Sign(esys_, key_, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme,
                    &unrestricted, &signature),
          "TPM2_Sign");
    Esys_Free(signature);
  }

  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR key_ = ESYS_TR_NONE;
};

}  // namespace

std::unique_ptr<Workload> NewSign(const Arguments&) { return std::make_unique<Sign>(); }

std::unique_ptr<Workload> NewSshAgent(const Arguments& arguments) {
  return std::make_unique<SshAgent>(arguments.at(0));
}

std::unique_ptr<Workload> NewEsys(const Arguments& arguments) {
  return std::make_unique<Esys>(arguments.at(0));
}

}  // namespace signet::bench
