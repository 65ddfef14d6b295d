#include "agent/identity/chain_check.h"

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/identity/certificate_facts.h"
#include "agent/identity/key_usage.h"
#include "agent/identity/openssl.h"
#include "ipc/wire/authenticator.h"

namespace signet::agent {
namespace {

// One certificate of the chain, with its place for messages; counted from 1.
struct Link {
  size_t place;
  OpenSslPtr<X509> certificate;
};

absl::Status Refuse(const Link& link, absl::string_view why) {
  // RFC 2253 form: control characters come escaped.
  const OpenSslPtr<BIO> name(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(name.get(), X509_get_subject_name(link.certificate.get()), 0,
                     XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return absl::InvalidArgumentError(
      absl::StrCat("certificate ", link.place, " (\"", Content(name.get()), "\"): ", why));
}

bool HasKey(const Link& link, const wire::Bytes& public_key) {
  return EncodeDer(i2d_X509_PUBKEY, X509_get_X509_PUBKEY(link.certificate.get())) == public_key;
}

absl::Status CheckKey(const Identity& identity, const std::vector<Link>& links) {
  if (HasKey(links.front(), identity.public_key)) return absl::OkStatus();
  for (const Link& link : links) {
    if (HasKey(link, identity.public_key)) {
      return Refuse(link, absl::StrCat("this is the one for the key of \"", identity.name,
                                       "\"; put it first, each issuer after what it issued"));
    }
  }
  return Refuse(links.front(), absl::StrCat("it is for another key than that of \"", identity.name,
                                            "\"; get one for the request that signet identity csr ",
                                            identity.name, " makes"));
}

absl::Status CheckIssuedBy(const Link& subject, const Link& issuer) {
  if (X509_NAME_cmp(X509_get_issuer_name(subject.certificate.get()),
                    X509_get_subject_name(issuer.certificate.get())) != 0) {
    return Refuse(issuer, absl::StrCat("it did not issue certificate ", subject.place,
                                       "; put each issuer right after what it issued"));
  }
  EVP_PKEY* key = X509_get0_pubkey(issuer.certificate.get());
  const bool verified = key != nullptr && X509_verify(subject.certificate.get(), key) == 1;
  ERR_clear_error();
  if (!verified) {
    return Refuse(subject, absl::StrCat("its signature was not made by certificate ", issuer.place,
                                        "; give the issuer that signed it"));
  }
  const uint32_t usage = X509_get_key_usage(issuer.certificate.get());
  if (X509_check_ca(issuer.certificate.get()) == 0 || (usage & KU_KEY_CERT_SIGN) == 0) {
    ERR_clear_error();
    return Refuse(issuer, "it is no certificate authority; leave it out or give the right issuer");
  }
  return absl::OkStatus();
}

absl::Status CheckValidity(const Link& link, const CertificateFacts& facts,
                           std::chrono::system_clock::time_point now) {
  if (std::chrono::floor<std::chrono::seconds>(now) <= facts.not_after) return absl::OkStatus();
  return Refuse(link, "it has expired; get a new one");
}

absl::Status CheckLeaf(const Identity& identity, const Link& leaf, const ChainFacts& facts) {
  if (X509_get_version(leaf.certificate.get()) != X509_VERSION_3) {
    return Refuse(leaf, "it is not X.509 version 3, which TLS demands; get one that is");
  }
  if (!MaySign(facts)) {
    return Refuse(leaf, "its key usage has no digitalSignature; get one that has");
  }
  if (identity.kind == IdentityKind::kServer ? MayBeServer(facts) : MayBeClient(facts)) {
    return absl::OkStatus();
  }
  return Refuse(leaf,
                absl::StrCat("its extended key usage has no ",
                             identity.kind == IdentityKind::kServer ? "serverAuth" : "clientAuth",
                             ", which a ", std::string(Name(identity.kind)),
                             " identity needs; get one that has"));
}

}  // namespace

absl::Status CheckChain(const Identity& identity, const std::vector<wire::Bytes>& chain,
                        std::chrono::system_clock::time_point now) {
  if (chain.size() > wire::kMaxChainLength) {
    return absl::InvalidArgumentError(absl::StrCat("the chain has ", chain.size(),
                                                   " certificates, at most ", wire::kMaxChainLength,
                                                   " are sent; leave out what is not needed"));
  }
  const absl::StatusOr<std::shared_ptr<const ChainFacts>> facts = ReadChainFacts(chain);
  if (!facts.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(facts.status().message(), "; give the certificates as they were issued"));
  }
  std::vector<Link> links;
  for (const wire::Bytes& der : chain) {
    links.push_back({links.size() + 1, DecodeDer(d2i_X509, der)});
  }
  absl::Status status = CheckKey(identity, links);
  for (size_t i = 0; status.ok() && i + 1 < links.size(); ++i) {
    status = CheckIssuedBy(links[i], links[i + 1]);
  }
  for (size_t i = 0; status.ok() && i < links.size(); ++i) {
    status = CheckValidity(links[i], (*facts)->certificates[i], now);
  }
  if (status.ok()) status = CheckLeaf(identity, links.front(), **facts);
  return status;
}

}  // namespace signet::agent
