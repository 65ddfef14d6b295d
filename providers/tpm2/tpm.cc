#include "providers/tpm2/tpm.h"

#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "providers/tpm2/tpm_error.h"

namespace signet::providers {
namespace {

constexpr TPM2B_SENSITIVE_CREATE kNoPassword{};
constexpr TPM2B_DATA kNoOutsideInfo{};
constexpr TPML_PCR_SELECTION kNoPcrs{};

struct EsysFree {
  void operator()(void* output) const { Esys_Free(output); }
};
template <typename T>
using EsysPointer = std::unique_ptr<T, EsysFree>;

// What tpm2-openssl, and with it every key file that names TPM2_RH_OWNER as parent, recreates. A
// difference in one bit gives another key.
TPM2B_PUBLIC PrimaryTemplate() {
  TPM2B_PUBLIC result{};
  TPMT_PUBLIC& area = result.publicArea;
  area.type = TPM2_ALG_ECC;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT | TPMA_OBJECT_USERWITHAUTH |
                          TPMA_OBJECT_NODA | TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                          TPMA_OBJECT_SENSITIVEDATAORIGIN;
  TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  ecc.curveID = TPM2_ECC_NIST_P256;
  ecc.symmetric.algorithm = TPM2_ALG_AES;
  ecc.symmetric.keyBits.aes = 128;
  ecc.symmetric.mode.aes = TPM2_ALG_CFB;
  ecc.scheme.scheme = TPM2_ALG_NULL;
  ecc.kdf.scheme = TPM2_ALG_NULL;
  return result;
}

constexpr TPMA_SESSION kSessionAttributes =
    TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;

// An authorisation value that does not stay behind.
class AuthValue {
 public:
  explicit AuthValue(const Pin& pin) {
    value_.size = static_cast<UINT16>(std::min(pin.size(), kMaxAuthSize));
    std::memcpy(value_.buffer, pin.c_str(), value_.size);
  }
  AuthValue(const AuthValue&) = delete;
  AuthValue& operator=(const AuthValue&) = delete;
  ~AuthValue() { explicit_bzero(&value_, sizeof(value_)); }

  const TPM2B_AUTH& get() const { return value_; }

 private:
  TPM2B_AUTH value_{};
};

bool Same(const TPM2B_NAME& a, const TPM2B_NAME& b) {
  return std::ranges::equal(std::span(a.name, a.size), std::span(b.name, b.size));
}

bool Same(const TPM2B_PUBLIC& a, const TPM2B_PUBLIC& b) {
  std::array<uint8_t, sizeof(TPM2B_PUBLIC)> a_bytes, b_bytes;
  size_t a_size = 0, b_size = 0;
  return Tss2_MU_TPM2B_PUBLIC_Marshal(&a, a_bytes.data(), a_bytes.size(), &a_size) ==
             TSS2_RC_SUCCESS &&
         Tss2_MU_TPM2B_PUBLIC_Marshal(&b, b_bytes.data(), b_bytes.size(), &b_size) ==
             TSS2_RC_SUCCESS &&
         std::ranges::equal(std::span(a_bytes).first(a_size), std::span(b_bytes).first(b_size));
}

bool IsPrimary(TPM2B_PUBLIC area) {
  if (area.publicArea.type != TPM2_ALG_ECC) return false;
  area.publicArea.unique = {};
  TPM2B_PUBLIC wanted = PrimaryTemplate();
  area.size = wanted.size = 0;  // the marshaller fills it in
  return Same(area, wanted);
}

// Is the error about one of the command's parameters, not its handles or sessions?
bool IsParameterError(TSS2_RC code) {
  return (BaseCode(code) & TPM2_RC_FMT1) != 0 && (code & TPM2_RC_P) != 0;
}

// The TPM has said of a key of ours that it signs so. Another answer is that of an object that took
// the handle, or of none; or the session is gone.
bool IsAnswerOfAnotherKey(TSS2_RC code) {
  const TSS2_RC base = BaseCode(code);
  return (base & TPM2_RC_FMT1) != 0 || base == TPM2_RC_REFERENCE_H0 || base == TPM2_RC_REFERENCE_S0;
}

}  // namespace

TpmObject::TpmObject(TpmObject&& other) noexcept
    : tpm_(other.tpm_), handle_(std::exchange(other.handle_, ESYS_TR_NONE)), kind_(other.kind_) {}

TpmObject::~TpmObject() {
  if (handle_ == ESYS_TR_NONE || tpm_.abandoned_) return;
  if (kind_ == Kind::kTransient) {
    Esys_FlushContext(tpm_.esys_, handle_);
  } else {
    Esys_TR_Close(tpm_.esys_, &handle_);
  }
}

bool TpmObject::HasHandleOf(const TpmObject& other) const {
  TPM2_HANDLE ours = 0, theirs = 0;
  return Esys_TR_GetTpmHandle(tpm_.esys_, handle_, &ours) == TSS2_RC_SUCCESS &&
         Esys_TR_GetTpmHandle(tpm_.esys_, other.handle_, &theirs) == TSS2_RC_SUCCESS &&
         ours == theirs;
}

void TpmObject::Disown() { Esys_TR_Close(tpm_.esys_, &handle_); }

absl::StatusOr<std::unique_ptr<Tpm>> Tpm::Connect(const std::string& tcti) {
  std::unique_ptr<Tpm> tpm(new Tpm);
  TSS2_RC code = Tss2_TctiLdr_Initialize(tcti.empty() ? nullptr : tcti.c_str(), &tpm->tcti_);
  if (code == TSS2_RC_SUCCESS) code = Esys_Initialize(&tpm->esys_, tpm->tcti_, nullptr);
  if (code != TSS2_RC_SUCCESS) {
    return TpmError(absl::StrCat("connect to ", tcti.empty() ? "the default TCTI" : tcti), code);
  }
  return tpm;
}

Tpm::~Tpm() {
  CloseSession();
  Esys_Finalize(&esys_);
  Tss2_TctiLdr_Finalize(&tcti_);
}

absl::StatusOr<TpmObject> Tpm::CreatePrimary() {
  const TPM2B_PUBLIC primary_template = PrimaryTemplate();
  ESYS_TR handle = ESYS_TR_NONE;
  TSS2_RC code = Esys_CreatePrimary(esys_, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                    ESYS_TR_NONE, &kNoPassword, &primary_template, &kNoOutsideInfo,
                                    &kNoPcrs, &handle, nullptr, nullptr, nullptr, nullptr);
  if (code != TSS2_RC_SUCCESS) return Failure("TPM2_CreatePrimary", code);
  return TpmObject(*this, handle, TpmObject::Kind::kTransient);
}

absl::StatusOr<TpmObject> Tpm::OpenPersistent(TPM2_HANDLE handle) {
  ESYS_TR object = ESYS_TR_NONE;
  TSS2_RC code =
      Esys_TR_FromTPMPublic(esys_, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object);
  if (BaseCode(code) == TPM2_RC_HANDLE) {
    return absl::NotFoundError(absl::StrCat("TPM2_ReadPublic: the TPM has no persistent key 0x",
                                            absl::Hex(handle),
                                            "; make it again or set the backend's parent"));
  }
  if (code != TSS2_RC_SUCCESS) return TpmError("TPM2_ReadPublic", code);
  return TpmObject(*this, object, TpmObject::Kind::kPersistent);
}

absl::StatusOr<Tss2PrivateKey> Tpm::Create(const TpmObject& parent, TPM2_HANDLE handle,
                                           const TPM2B_PUBLIC& key_template, const Pin* pin) {
  Tss2PrivateKey key;
  key.parent = handle;
  key.auth = pin != nullptr;
  TPM2B_SENSITIVE_CREATE sensitive{};
  ESYS_TR session = ESYS_TR_PASSWORD;
  if (pin != nullptr) {
    absl::StatusOr<TPM2B_NAME> name = NameOf(parent);
    if (!name.ok()) return name.status();
    if (absl::Status started = StartSession(parent, *name); !started.ok()) return started;
    key.parent_name = *name;
    session = session_;
    sensitive.sensitive.userAuth = AuthValue(*pin).get();
  }
  TPM2B_PRIVATE* private_area = nullptr;
  TPM2B_PUBLIC* public_area = nullptr;
  TSS2_RC code = Esys_Create(esys_, parent.handle_, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                             &key_template, &kNoOutsideInfo, &kNoPcrs, &private_area, &public_area,
                             nullptr, nullptr, nullptr);
  explicit_bzero(&sensitive, sizeof(sensitive));
  EsysPointer<TPM2B_PRIVATE> private_owner(private_area);
  EsysPointer<TPM2B_PUBLIC> public_owner(public_area);
  if (code != TSS2_RC_SUCCESS) {
    if (pin != nullptr) CloseSession();
    return Failure("TPM2_Create", code);
  }
  key.public_area = *public_area;
  key.private_area = *private_area;
  return key;
}

absl::StatusOr<TPM2B_NAME> Tpm::NameOf(const TpmObject& object) {
  TPM2B_NAME* name = nullptr;
  const TSS2_RC code = Esys_TR_GetName(esys_, object.handle_, &name);
  EsysPointer<TPM2B_NAME> owner(name);
  if (code != TSS2_RC_SUCCESS) return TpmError("Esys_TR_GetName", code);
  return *name;
}

absl::Status Tpm::StartSession(const TpmObject& parent, const TPM2B_NAME& name) {
  absl::StatusOr<TPM2B_NAME> actual = NameOf(parent);
  if (!actual.ok()) return actual.status();
  if (!Same(*actual, name)) {
    return absl::InvalidArgumentError(
        "the key's parent is another than when it was made, so its PIN was not used; was the TPM "
        "replaced or cleared? Then create a new key");
  }
  if (session_ != ESYS_TR_NONE && Same(session_parent_, name)) return absl::OkStatus();
  CloseSession();
  return OpenSession(parent, name);
}

absl::Status Tpm::OpenSession(const TpmObject& parent, const TPM2B_NAME& name) {
  TPMT_SYM_DEF encryption{};
  encryption.algorithm = TPM2_ALG_AES;
  encryption.keyBits.aes = 128;
  encryption.mode.aes = TPM2_ALG_CFB;
  TSS2_RC code = Esys_StartAuthSession(esys_, parent.handle_, ESYS_TR_NONE, ESYS_TR_NONE,
                                       ESYS_TR_NONE, ESYS_TR_NONE, nullptr, TPM2_SE_HMAC,
                                       &encryption, TPM2_ALG_SHA256, &session_);
  if (code != TSS2_RC_SUCCESS) {
    session_ = ESYS_TR_NONE;
    return Failure("TPM2_StartAuthSession", code);
  }
  session_parent_ = name;
  code = Esys_TRSess_SetAttributes(esys_, session_, kSessionAttributes, 0xff);
  if (code == TSS2_RC_SUCCESS) return absl::OkStatus();
  CloseSession();
  return TpmError("Esys_TRSess_SetAttributes", code);
}

void Tpm::CloseSession() {
  if (session_ == ESYS_TR_NONE) return;
  if (abandoned_ || Esys_FlushContext(esys_, session_) != TSS2_RC_SUCCESS) {
    Esys_TR_Close(esys_, &session_);
  }
  session_ = ESYS_TR_NONE;
}

absl::StatusOr<TpmObject> Tpm::Load(const TpmObject& parent, const Tss2PrivateKey& key) {
  ESYS_TR handle = ESYS_TR_NONE;
  TSS2_RC code = Esys_Load(esys_, parent.handle_, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                           &key.private_area, &key.public_area, &handle);
  if (code != TSS2_RC_SUCCESS) {
    absl::Status status = Failure("TPM2_Load", code);
    // The parameters are the key: whatever is wrong with them, it is not one of ours.
    if (IsParameterError(code)) return absl::InvalidArgumentError(status.message());
    return status;
  }
  return TpmObject(*this, handle, TpmObject::Kind::kTransient);
}

absl::StatusOr<TPMT_SIGNATURE> Tpm::Sign(const TpmObject& key, const TPM2B_DIGEST& digest,
                                         const TPMT_SIG_SCHEME& scheme, const Pin* pin) {
  // The key is unrestricted, so the TPM need not have hashed the message itself.
  TPMT_TK_HASHCHECK no_ticket{};
  no_ticket.tag = TPM2_ST_HASHCHECK;
  no_ticket.hierarchy = TPM2_RH_NULL;
  const ESYS_TR session = pin == nullptr ? ESYS_TR_PASSWORD : session_;
  if (pin != nullptr) Esys_TR_SetAuth(esys_, key.handle_, &AuthValue(*pin).get());
  TPMT_SIGNATURE* signature = nullptr;
  TSS2_RC code = Esys_Sign(esys_, key.handle_, session, ESYS_TR_NONE, ESYS_TR_NONE, &digest,
                           &scheme, &no_ticket, &signature);
  EsysPointer<TPMT_SIGNATURE> owner(signature);
  if (pin != nullptr) {
    constexpr TPM2B_AUTH kNothing{.size = sizeof(TPM2B_AUTH::buffer), .buffer = {}};
    Esys_TR_SetAuth(esys_, key.handle_, &kNothing);  // over it in ESYS's own memory
  }
  if (code == TSS2_RC_SUCCESS) return *signature;
  if (pin != nullptr && BaseCode(code) == TPM2_RC_AUTH_FAIL) return WrongPin();
  absl::Status status = Failure("TPM2_Sign", code);
  if (!IsAnswerOfAnotherKey(code)) return status;
  CloseSession();
  return absl::DataLossError(status.message());
}

absl::Status Tpm::WrongPin() {
  const absl::StatusOr<Tries> tries = TriesLeft();
  if (!tries.ok()) return absl::PermissionDeniedError("wrong PIN; be sure of the next");
  return absl::PermissionDeniedError(
      absl::StrCat("wrong PIN, and ", tries->left, tries->left == 1 ? " try is" : " tries are",
                   " left before the TPM's lockout; be sure of the next"));
}

absl::StatusOr<Tpm::Tries> Tpm::TriesLeft() {
  const absl::StatusOr<uint32_t> most = Property(TPM2_PT_MAX_AUTH_FAIL);
  if (!most.ok()) return most.status();
  const absl::StatusOr<uint32_t> failed = Property(TPM2_PT_LOCKOUT_COUNTER);
  if (!failed.ok()) return failed.status();
  return Tries{.left = *most - std::min(*most, *failed), .most = *most};
}

absl::StatusOr<bool> Tpm::Has(const TPMT_PUBLIC_PARMS& parameters) {
  const TSS2_RC code = Esys_TestParms(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &parameters);
  if (code == TSS2_RC_SUCCESS) return true;
  if (IsParameterError(code)) return false;
  return TpmError("TPM2_TestParms", code);
}

absl::StatusOr<uint32_t> Tpm::Property(TPM2_PT property) {
  TPMS_CAPABILITY_DATA* data = nullptr;
  TSS2_RC code = Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                    TPM2_CAP_TPM_PROPERTIES, property, 1, nullptr, &data);
  EsysPointer<TPMS_CAPABILITY_DATA> owner(data);
  if (code != TSS2_RC_SUCCESS) return TpmError("TPM2_GetCapability", code);
  const TPML_TAGGED_TPM_PROPERTY& found = data->data.tpmProperties;
  return found.count > 0 && found.tpmProperty[0].property == property ? found.tpmProperty[0].value
                                                                      : 0;
}

absl::StatusOr<std::string> Tpm::Manufacturer() {
  absl::StatusOr<uint32_t> letters = Property(TPM2_PT_MANUFACTURER);
  if (!letters.ok()) return letters.status();
  std::string name;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const char letter = static_cast<char>(*letters >> shift);
    if (letter > ' ' && letter <= '~') name.push_back(letter);
  }
  return name.empty() ? "unknown" : name;
}

absl::Status Tpm::Failure(std::string_view command, TSS2_RC code) {
  absl::Status status = TpmError(command, code);
  if (!absl::IsResourceExhausted(status)) return status;
  const absl::StatusOr<uint32_t> seconds = Property(TPM2_PT_LOCKOUT_INTERVAL);
  if (!seconds.ok() || *seconds == 0) return status;
  return absl::Status(status.code(),
                      absl::StrCat(status.message(), " (it forgets one failed try every ", *seconds,
                                   " s, so this is over by then)"));
}

void Tpm::Startup() { Esys_Startup(esys_, TPM2_SU_CLEAR); }

absl::Status Tpm::FlushCopiesOf(const Tss2PrivateKey* key) {
  TPMS_CAPABILITY_DATA* data = nullptr;
  TSS2_RC code =
      Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES,
                         TPM2_TRANSIENT_FIRST, TPM2_MAX_CAP_HANDLES, nullptr, &data);
  EsysPointer<TPMS_CAPABILITY_DATA> owner(data);
  if (code != TSS2_RC_SUCCESS) return TpmError("TPM2_GetCapability", code);
  const TPML_HANDLE& handles = data->data.handles;
  for (uint32_t i = 0; i < handles.count; ++i) {
    ESYS_TR object = ESYS_TR_NONE;
    // What can't be read (a hash sequence, an object just gone) is not ours.
    if (Esys_TR_FromTPMPublic(esys_, handles.handle[i], ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              &object) != TSS2_RC_SUCCESS) {
      continue;
    }
    TPM2B_PUBLIC* area = nullptr;
    code = Esys_ReadPublic(esys_, object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area, nullptr,
                           nullptr);
    EsysPointer<TPM2B_PUBLIC> area_owner(area);
    const bool ours = code == TSS2_RC_SUCCESS &&
                      (IsPrimary(*area) || (key != nullptr && Same(*area, key->public_area)));
    if (ours) {
      Esys_FlushContext(esys_, object);
    } else {
      Esys_TR_Close(esys_, &object);
    }
  }
  return absl::OkStatus();
}

}  // namespace signet::providers
