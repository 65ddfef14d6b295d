#include "providers/tpm2/tss2_private_key.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <tss2/tss2_mu.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace signet::providers {
namespace {

// The largest, RSA of 4096 bits with a description, has about 3 kB.
constexpr size_t kMaxFileSize = 8192;
constexpr char kPemLabel[] = "TSS2 PRIVATE KEY";
constexpr std::string_view kPemStart = "-----BEGIN TSS2 PRIVATE KEY-----";
constexpr std::string_view kParentLine = "Signet-Parent: ";
constexpr std::string_view kLoadableKeyOid = "2.23.133.10.1.3";

// The file as ASN.1 has it. Optional fields that Signet does not use are only told from absent.
struct TpmKey {
  ASN1_OBJECT* type;
  ASN1_BOOLEAN empty_auth;
  ASN1_TYPE* policy;
  ASN1_TYPE* secret;
  ASN1_TYPE* auth_policy;
  ASN1_TYPE* description;
  ASN1_TYPE* rsa_parent;
  ASN1_INTEGER* parent;
  ASN1_OCTET_STRING* public_area;
  ASN1_OCTET_STRING* private_area;
};

// clang-format off
ASN1_SEQUENCE(TpmKey) = {
    ASN1_SIMPLE(TpmKey, type, ASN1_OBJECT),
    ASN1_EXP_OPT(TpmKey, empty_auth, ASN1_BOOLEAN, 0),
    ASN1_EXP_OPT(TpmKey, policy, ASN1_ANY, 1),
    ASN1_EXP_OPT(TpmKey, secret, ASN1_ANY, 2),
    ASN1_EXP_OPT(TpmKey, auth_policy, ASN1_ANY, 3),
    ASN1_EXP_OPT(TpmKey, description, ASN1_ANY, 4),
    ASN1_EXP_OPT(TpmKey, rsa_parent, ASN1_ANY, 5),
    ASN1_SIMPLE(TpmKey, parent, ASN1_INTEGER),
    ASN1_SIMPLE(TpmKey, public_area, ASN1_OCTET_STRING),
    ASN1_SIMPLE(TpmKey, private_area, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END(TpmKey)

IMPLEMENT_ASN1_FUNCTIONS(TpmKey)
    // clang-format on

    struct OpenSslDeleter {
  void operator()(TpmKey* key) const { TpmKey_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(char* text) const { OPENSSL_free(text); }
  void operator()(uint8_t* bytes) const { OPENSSL_free(bytes); }
};
template <typename T>
using OpenSslPointer = std::unique_ptr<T, OpenSslDeleter>;

// What the parser leaves in OpenSSL's queue of errors is nobody else's business.
class ErrorQueueMark {
 public:
  ErrorQueueMark() { ERR_set_mark(); }
  ~ErrorQueueMark() { ERR_pop_to_mark(); }
};

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("not a TSS2 PRIVATE KEY file: ", std::string(what),
                                                 "; give the one that creating the key made"));
}

absl::Status NotSupported(std::string_view what) {
  return absl::UnimplementedError(absl::StrCat("a TSS2 PRIVATE KEY file ", std::string(what),
                                               "; create a key of Signet's own"));
}

struct KeyFile {
  wire::Bytes der;
  TPM2B_NAME parent_name{};  // empty: the file does not say
};

// What follows the PEM block: nothing, or the line with the parent's name.
bool ReadParentName(std::string_view text, TPM2B_NAME& name) {
  if (text.empty()) return true;
  if (!text.starts_with(kParentLine) || !text.ends_with('\n')) return false;
  text.remove_prefix(kParentLine.size());
  text.remove_suffix(1);
  if (text.empty() || text.size() % 2 != 0 || text.size() / 2 > sizeof(name.name) ||
      !std::ranges::all_of(text, absl::ascii_isxdigit)) {
    return false;
  }
  const std::string bytes = absl::HexStringToBytes({text.data(), text.size()});
  std::ranges::copy(bytes, name.name);
  name.size = static_cast<UINT16>(bytes.size());
  return true;
}

absl::StatusOr<KeyFile> DecodePem(wire::BytesView pem) {
  if (pem.size() > kMaxFileSize) return Malformed("too long");
  std::string_view text(reinterpret_cast<const char*>(pem.data()), pem.size());
  if (!text.starts_with(kPemStart)) return Malformed("no PEM of that label");
  OpenSslPointer<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  char* label = nullptr;
  char* header = nullptr;
  uint8_t* data = nullptr;
  long size = 0;
  if (PEM_read_bio(bio.get(), &label, &header, &data, &size) != 1) return Malformed("broken PEM");
  OpenSslPointer<char> label_owner(label);
  OpenSslPointer<char> header_owner(header);
  OpenSslPointer<uint8_t> data_owner(data);
  if (std::string_view(header) != "") return Malformed("PEM with headers");
  KeyFile file{wire::Bytes(data, data + size)};
  const std::string_view rest =
      text.substr(text.size() - static_cast<size_t>(BIO_pending(bio.get())));
  if (!ReadParentName(rest, file.parent_name)) return Malformed("something follows it");
  return file;
}

std::span<const uint8_t> View(const ASN1_OCTET_STRING* string) {
  return {ASN1_STRING_get0_data(string), static_cast<size_t>(ASN1_STRING_length(string))};
}

// What the marshaller would not have written, the unmarshaller should not have accepted: inner and
// outer lengths that differ, bytes that remain.
template <typename T>
bool Unmarshal(TSS2_RC (*unmarshal)(const uint8_t*, size_t, size_t*, T*),
               TSS2_RC (*marshal)(const T*, uint8_t*, size_t, size_t*),
               std::span<const uint8_t> bytes, T* value) {
  size_t offset = 0;
  *value = T{};
  if (unmarshal(bytes.data(), bytes.size(), &offset, value) != TSS2_RC_SUCCESS) return false;
  std::array<uint8_t, sizeof(T)> again;
  size_t size = 0;
  return marshal(value, again.data(), again.size(), &size) == TSS2_RC_SUCCESS &&
         std::ranges::equal(bytes, std::span(again).first(size));
}

template <typename T>
bool Marshal(TSS2_RC (*marshal)(const T*, uint8_t*, size_t, size_t*), const T& value,
             ASN1_OCTET_STRING* string) {
  std::array<uint8_t, sizeof(T)> bytes;
  size_t size = 0;
  return marshal(&value, bytes.data(), bytes.size(), &size) == TSS2_RC_SUCCESS &&
         ASN1_OCTET_STRING_set(string, bytes.data(), static_cast<int>(size)) == 1;
}

}  // namespace

bool IsPersistentHandle(TPM2_HANDLE handle) {
  return handle >= TPM2_PERSISTENT_FIRST && handle <= TPM2_PERSISTENT_LAST;
}

absl::StatusOr<Tss2PrivateKey> ParseTss2PrivateKey(wire::BytesView pem) {
  ErrorQueueMark mark;
  absl::StatusOr<KeyFile> decoded = DecodePem(pem);
  if (!decoded.ok()) return decoded.status();
  const wire::Bytes* const der = &decoded->der;
  const uint8_t* cursor = der->data();
  OpenSslPointer<TpmKey> file(d2i_TpmKey(nullptr, &cursor, static_cast<long>(der->size())));
  if (!file) return Malformed("broken DER");
  if (cursor != der->data() + der->size()) return Malformed("bytes after the DER");

  std::array<char, 64> oid{};
  OBJ_obj2txt(oid.data(), oid.size(), file->type, /*no_name=*/1);
  uint64_t parent = 0;
  if (ASN1_INTEGER_get_uint64(&parent, file->parent) != 1 || parent > UINT32_MAX) {
    return Malformed("the parent is no handle");
  }
  Tss2PrivateKey key;
  if (!Unmarshal(Tss2_MU_TPM2B_PUBLIC_Unmarshal, Tss2_MU_TPM2B_PUBLIC_Marshal,
                 View(file->public_area), &key.public_area)) {
    return Malformed("broken public area");
  }
  if (!Unmarshal(Tss2_MU_TPM2B_PRIVATE_Unmarshal, Tss2_MU_TPM2B_PRIVATE_Marshal,
                 View(file->private_area), &key.private_area)) {
    return Malformed("broken private area");
  }

  if (std::string_view(oid.data()) != kLoadableKeyOid) return NotSupported("of another type");
  if (file->policy != nullptr || file->auth_policy != nullptr) return NotSupported("with a policy");
  if (file->secret != nullptr) return NotSupported("with an import secret");
  if (file->rsa_parent != nullptr) return NotSupported("under an RSA primary");
  key.auth = file->empty_auth <= 0;
  key.parent_name = decoded->parent_name;
  const bool named = key.parent_name.size > 0;
  if (key.auth && !named) return NotSupported("with a password that another program set");
  if (named && !key.auth) return Malformed("something follows it");
  key.parent = parent == 0 ? TPM2_RH_OWNER : static_cast<TPM2_HANDLE>(parent);
  if (key.parent != TPM2_RH_OWNER && !IsPersistentHandle(key.parent)) {
    return NotSupported("under another hierarchy");
  }
  return key;
}

absl::StatusOr<wire::Bytes> EncodeTss2PrivateKey(const Tss2PrivateKey& key) {
  ErrorQueueMark mark;
  OpenSslPointer<TpmKey> file(TpmKey_new());
  OpenSslPointer<BIO> bio(BIO_new(BIO_s_mem()));
  uint8_t* der = nullptr;
  int size = -1;
  if (file && bio) {
    ASN1_OBJECT_free(file->type);
    file->type = OBJ_txt2obj(kLoadableKeyOid.data(), /*no_name=*/1);
    file->empty_auth = key.auth ? 0 : 0xff;
    if (file->type != nullptr && ASN1_INTEGER_set_uint64(file->parent, key.parent) == 1 &&
        Marshal(Tss2_MU_TPM2B_PUBLIC_Marshal, key.public_area, file->public_area) &&
        Marshal(Tss2_MU_TPM2B_PRIVATE_Marshal, key.private_area, file->private_area)) {
      size = i2d_TpmKey(file.get(), &der);
    }
  }
  OpenSslPointer<uint8_t> der_owner(der);
  if (size < 0 || PEM_write_bio(bio.get(), kPemLabel, "", der, size) <= 0) {
    return absl::InvalidArgumentError("TSS2 PRIVATE KEY: can't be encoded; report this");
  }
  char* text = nullptr;
  long text_size = BIO_get_mem_data(bio.get(), &text);
  wire::Bytes reference(text, text + text_size);
  if (key.auth) {
    const absl::string_view name(reinterpret_cast<const char*>(key.parent_name.name),
                                 key.parent_name.size);
    const std::string line =
        absl::StrCat(std::string(kParentLine), absl::BytesToHexString(name), "\n");
    reference.insert(reference.end(), line.begin(), line.end());
  }
  return reference;
}

}  // namespace signet::providers
