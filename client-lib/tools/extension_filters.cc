#include "client-lib/tools/extension_filters.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <signet/openssl.h>

#include <algorithm>
#include <memory>

#include "client-lib/tools/tls_stream.h"

namespace signet::tools {
namespace {

struct Asn1Delete {
  void operator()(ASN1_OBJECT* object) const { ASN1_OBJECT_free(object); }
  void operator()(ASN1_BIT_STRING* bits) const { ASN1_BIT_STRING_free(bits); }
  void operator()(EXTENDED_KEY_USAGE* usage) const { EXTENDED_KEY_USAGE_free(usage); }
};
using Oid = std::unique_ptr<ASN1_OBJECT, Asn1Delete>;
using BitString = std::unique_ptr<ASN1_BIT_STRING, Asn1Delete>;
using Purposes = std::unique_ptr<EXTENDED_KEY_USAGE, Asn1Delete>;

// RFC 5280 section 4.2.1.3; the place in the list is the bit.
struct KeyUsageName {
  const char* name;
  uint32_t flag;
};
constexpr KeyUsageName kKeyUsages[] = {
    {"digitalSignature", KU_DIGITAL_SIGNATURE},
    {"nonRepudiation", KU_NON_REPUDIATION},
    {"keyEncipherment", KU_KEY_ENCIPHERMENT},
    {"dataEncipherment", KU_DATA_ENCIPHERMENT},
    {"keyAgreement", KU_KEY_AGREEMENT},
    {"keyCertSign", KU_KEY_CERT_SIGN},
    {"cRLSign", KU_CRL_SIGN},
};

template <typename T>
std::vector<uint8_t> Encode(T* object, int (*encode)(T*, unsigned char**)) {
  unsigned char* der = nullptr;
  int size = encode(object, &der);
  std::vector<uint8_t> bytes(der, der + std::max(size, 0));
  OPENSSL_free(der);
  return bytes;
}

Oid ParseOid(const std::string& text) {
  Oid oid(OBJ_txt2obj(text.c_str(), 0));
  ERR_clear_error();
  return oid;
}

std::vector<uint8_t> EncodeOid(const ASN1_OBJECT* oid) {
  return Encode<const ASN1_OBJECT>(oid, i2d_ASN1_OBJECT);
}

bool HasPurpose(const EXTENDED_KEY_USAGE* purposes, const std::string& wanted) {
  Oid oid = ParseOid(wanted);
  for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); ++i) {
    if (OBJ_cmp(sk_ASN1_OBJECT_value(purposes, i), oid.get()) == 0) return true;
  }
  return false;
}

}  // namespace

bool ExtensionFilters::Add(Filter filter, std::string& error) {
  for (const Filter& each : filters_) {
    if (each.oid == filter.oid) {
      error = filter.name + " is named twice";
      return false;
    }
  }
  filters_.push_back(std::move(filter));
  return true;
}

bool ExtensionFilters::SetKeyUsage(const std::vector<std::string>& usages, std::string& error) {
  Filter filter{NID_key_usage, "key_usage", EncodeOid(OBJ_nid2obj(NID_key_usage)), {}, 0, {}};
  BitString bits(ASN1_BIT_STRING_new());
  for (const std::string& usage : usages) {
    const auto* found = std::ranges::find_if(
        kKeyUsages, [&](const KeyUsageName& each) { return each.name == usage; });
    if (found == std::end(kKeyUsages)) {
      error = "unknown key usage \"" + usage + "\"; write digitalSignature, nonRepudiation, ...";
      return false;
    }
    filter.key_usage |= found->flag;
    ASN1_BIT_STRING_set_bit(bits.get(), static_cast<int>(found - kKeyUsages), 1);
  }
  filter.values = Encode<const ASN1_BIT_STRING>(bits.get(), i2d_ASN1_BIT_STRING);
  return Add(std::move(filter), error);
}

bool ExtensionFilters::SetExtendedKeyUsage(const std::vector<std::string>& purposes,
                                           std::string& error) {
  Filter filter{
      NID_ext_key_usage, "extended_key_usage", EncodeOid(OBJ_nid2obj(NID_ext_key_usage)), {}, 0,
      purposes};
  Purposes list(EXTENDED_KEY_USAGE_new());
  for (const std::string& purpose : purposes) {
    Oid oid = ParseOid(purpose);
    if (oid == nullptr) {
      error =
          "unknown purpose \"" + purpose + "\"; write clientAuth or an OID such as 1.3.6.1.4.1.1";
      return false;
    }
    if (OBJ_obj2nid(oid.get()) == NID_anyExtendedKeyUsage) {
      error = "TLS does not let a server ask for anyExtendedKeyUsage; name the purposes themselves";
      return false;
    }
    sk_ASN1_OBJECT_push(list.get(), oid.release());
  }
  filter.values = Encode<const EXTENDED_KEY_USAGE>(list.get(), i2d_EXTENDED_KEY_USAGE);
  return Add(std::move(filter), error);
}

bool ExtensionFilters::AddExtension(const std::string& oid_text, const std::string& value_hex,
                                    std::string& error) {
  Oid oid = ParseOid(oid_text);
  if (oid == nullptr) {
    error = "\"" + oid_text + "\" is no OID; write numbers with dots, such as 2.5.29.32";
    return false;
  }
  int nid = OBJ_obj2nid(oid.get());
  if (nid == NID_key_usage || nid == NID_ext_key_usage) {
    error = oid_text + " has a key of its own: write key_usage or extended_key_usage";
    return false;
  }
  Filter filter{NID_undef, "extension " + oid_text, EncodeOid(oid.get()), {}, 0, {}};
  if (!value_hex.empty()) {
    long size = 0;
    unsigned char* value = OPENSSL_hexstr2buf(value_hex.c_str(), &size);
    ERR_clear_error();
    if (value == nullptr) {
      error = "the value of " + oid_text + " is not hexadecimal; write its DER form";
      return false;
    }
    filter.values.assign(value, value + size);
    OPENSSL_free(value);
  }
  return Add(std::move(filter), error);
}

std::vector<signet_oid_filter> ExtensionFilters::ForRequest() const {
  std::vector<signet_oid_filter> filters;
  for (const Filter& each : filters_) {
    filters.push_back(
        {{each.oid.data(), each.oid.size()}, {each.values.data(), each.values.size()}});
  }
  return filters;
}

bool ExtensionFilters::Match(signet_bytes der, std::string& why) const {
  Certificate certificate(signet_openssl_certificate(der));
  if (certificate == nullptr) {
    ERR_clear_error();
    why = "the certificate can't be read";
    return false;
  }
  for (const Filter& filter : filters_) {
    bool fits = false;
    if (filter.nid == NID_key_usage) {
      // All bits are set when the certificate does not restrict its usage; the filter wants it
      // said.
      fits = (X509_get_extension_flags(certificate.get()) & EXFLAG_KUSAGE) != 0 &&
             (X509_get_key_usage(certificate.get()) & filter.key_usage) == filter.key_usage;
    } else if (filter.nid == NID_ext_key_usage) {
      Purposes purposes(static_cast<EXTENDED_KEY_USAGE*>(
          X509_get_ext_d2i(certificate.get(), NID_ext_key_usage, nullptr, nullptr)));
      fits = purposes != nullptr &&
             std::ranges::all_of(filter.purposes, [&](const std::string& purpose) {
               return HasPurpose(purposes.get(), purpose);
             });
    } else {
      const unsigned char* oid_der = filter.oid.data();
      Oid oid(d2i_ASN1_OBJECT(nullptr, &oid_der, static_cast<long>(filter.oid.size())));
      int place = X509_get_ext_by_OBJ(certificate.get(), oid.get(), -1);
      if (place >= 0) {
        const ASN1_OCTET_STRING* value =
            X509_EXTENSION_get_data(X509_get_ext(certificate.get(), place));
        const unsigned char* data = ASN1_STRING_get0_data(value);
        fits = filter.values.empty() || std::equal(filter.values.begin(), filter.values.end(), data,
                                                   data + ASN1_STRING_length(value));
      }
    }
    ERR_clear_error();
    if (!fits) {
      why = "the certificate does not have the required " + filter.name;
      return false;
    }
  }
  return true;
}

}  // namespace signet::tools
