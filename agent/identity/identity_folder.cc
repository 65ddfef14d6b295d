#include "agent/identity/identity_folder.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "agent/identity/certificate_facts.h"
#include "agent/identity/pem.h"
#include "agent/storage/durable_file.h"

namespace signet::agent {
namespace {

using wire::SignatureScheme;

constexpr char kMetadataFile[] = "identity.toml";
constexpr char kKeyPemFile[] = "key.pem";
constexpr char kKeyUriFile[] = "key.uri";
constexpr char kPublicKeyFile[] = "public.pem";

constexpr std::array kSchemes = {SignatureScheme::kEcdsaSecp256r1Sha256,
                                 SignatureScheme::kEcdsaSecp384r1Sha384,
                                 SignatureScheme::kEcdsaSecp521r1Sha512,
                                 SignatureScheme::kRsaPssRsaeSha256,
                                 SignatureScheme::kRsaPssRsaeSha384,
                                 SignatureScheme::kRsaPssRsaeSha512,
                                 SignatureScheme::kEd25519,
                                 SignatureScheme::kEd448,
                                 SignatureScheme::kRsaPssPssSha256,
                                 SignatureScheme::kRsaPssPssSha384,
                                 SignatureScheme::kRsaPssPssSha512};

absl::Status Malformed(const std::filesystem::path& file, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(file.native(), ": ", what));
}

bool IsPem(wire::BytesView reference) {
  return absl::StartsWith({reinterpret_cast<const char*>(reference.data()), reference.size()},
                          "-----BEGIN ");
}

std::string MetadataOf(const Identity& identity) {
  toml::array schemes;
  for (SignatureScheme scheme : identity.schemes) schemes.push_back(wire::Name(scheme));
  const toml::table table{{"kind", Name(identity.kind)},
                          {"backend", identity.key.backend},
                          {"algorithm", identity.algorithm},
                          {"hardware", identity.hardware},
                          {"schemes", std::move(schemes)}};
  std::ostringstream text;
  text << table << "\n";
  return text.str();
}

std::optional<std::vector<SignatureScheme>> ReadSchemes(const toml::array* names) {
  if (names == nullptr) return std::nullopt;
  std::vector<SignatureScheme> schemes;
  for (const toml::node& node : *names) {
    const auto name = node.value<std::string_view>();
    const auto* scheme = std::find_if(kSchemes.begin(), kSchemes.end(), [&](SignatureScheme known) {
      return name && wire::Name(known) == *name;
    });
    if (scheme == kSchemes.end()) return std::nullopt;
    schemes.push_back(*scheme);
  }
  return schemes;
}

absl::Status ReadMetadata(const std::filesystem::path& file, Identity& identity) {
  const absl::StatusOr<std::string> text = ReadFile(file);
  if (!text.ok()) return text.status();
  toml::table table;
  try {
    table = toml::parse(*text);
  } catch (const toml::parse_error& error) {
    return Malformed(file, absl::StrCat("line ", error.source().begin.line, ": ",
                                        std::string(error.description())));
  }
  const auto kind = ParseIdentityKind(table["kind"].value_or(std::string_view()));
  const auto backend = table["backend"].value<std::string>();
  const auto algorithm = table["algorithm"].value<std::string>();
  const auto hardware = table["hardware"].value<bool>();
  auto schemes = ReadSchemes(table["schemes"].as_array());
  if (!kind || !backend || !algorithm || !hardware || !schemes) {
    return Malformed(file, "kind, backend, algorithm, hardware or schemes is missing or wrong");
  }
  identity.kind = *kind;
  identity.key.backend = *backend;
  identity.algorithm = *algorithm;
  identity.hardware = *hardware;
  identity.schemes = *std::move(schemes);
  return absl::OkStatus();
}

absl::Status ReadKeyReference(const std::filesystem::path& folder, Identity& identity) {
  absl::StatusOr<std::string> text = ReadFile(folder / kKeyPemFile);
  if (absl::IsNotFound(text.status())) {
    text = ReadFile(folder / kKeyUriFile);
    if (text.ok()) absl::StripTrailingAsciiWhitespace(&*text);
  }
  if (!text.ok()) return text.status();
  identity.key.reference.assign(text->begin(), text->end());
  return absl::OkStatus();
}

absl::Status ReadPublicKey(const std::filesystem::path& file, Identity& identity) {
  const absl::StatusOr<std::string> text = ReadFile(file);
  if (!text.ok()) return text.status();
  absl::StatusOr<wire::Bytes> key = ParsePublicKeyPem(*text);
  if (!key.ok()) return Malformed(file, key.status().message());
  identity.public_key = *std::move(key);
  return absl::OkStatus();
}

absl::Status ReadChain(const std::filesystem::path& file, Identity& identity) {
  const absl::StatusOr<std::string> text = ReadFile(file);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  if (!text.ok()) return text.status();
  absl::StatusOr<std::vector<wire::Bytes>> chain = ParseChainPem(*text);
  if (!chain.ok()) return Malformed(file, chain.status().message());
  absl::StatusOr<std::shared_ptr<const ChainFacts>> facts = ReadChainFacts(*chain);
  if (!facts.ok()) return Malformed(file, facts.status().message());
  if ((*facts)->public_key_info != identity.public_key) {
    return Malformed(file, "its first certificate is for another key than public.pem");
  }
  identity.chain = *std::move(chain);
  identity.facts = *std::move(facts);
  return absl::OkStatus();
}

// Null without that file, and where it only repeats the current chain, as one does that a kill
// left in the middle of a switch.
std::shared_ptr<const Identity> ReadOther(const std::filesystem::path& file,
                                          const Identity& identity,
                                          std::vector<std::string>& problems) {
  auto other = std::make_shared<Identity>(identity);
  other->chain.clear();
  if (const absl::Status read = ReadChain(file, *other); !read.ok()) {
    problems.push_back(
        absl::StrCat("identity \"", identity.name, "\": ", read.message(),
                     "; restore or remove that file: the identity is used without it"));
    return nullptr;
  }
  if (other->chain.empty()) return nullptr;
  if (other->chain != identity.chain) return other;
  std::error_code ignored;  // the next start removes it, or the next change
  std::filesystem::remove(file, ignored);
  return nullptr;
}

}  // namespace

absl::StatusOr<Identity> ReadIdentityFolder(const std::filesystem::path& folder,
                                            std::vector<std::string>& problems) {
  Identity identity;
  identity.name = folder.filename();
  absl::Status status = ReadMetadata(folder / kMetadataFile, identity);
  if (status.ok()) status = ReadKeyReference(folder, identity);
  if (status.ok()) status = ReadPublicKey(folder / kPublicKeyFile, identity);
  if (status.ok()) status = ReadChain(folder / kCurrentChain, identity);
  if (status.ok()) {
    std::shared_ptr<const Identity> next = ReadOther(folder / kNextChain, identity, problems);
    identity.previous = ReadOther(folder / kPreviousChain, identity, problems);
    identity.next = std::move(next);
    return identity;
  }
  return absl::Status(
      status.code(),
      absl::StrCat(status.message(), "; restore the file, or remove the folder and enrol again"));
}

absl::Status WriteIdentityFolder(const std::filesystem::path& folder, const Identity& identity) {
  const bool pem = IsPem(identity.key.reference);
  std::string reference(identity.key.reference.begin(), identity.key.reference.end());
  if (!pem && !std::all_of(reference.begin(), reference.end(), absl::ascii_isprint)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "identity \"", identity.name, "\": its key reference is neither PEM nor one line of text"));
  }
  if (!pem) reference += '\n';
  absl::Status status = WriteFileDurably(folder / (pem ? kKeyPemFile : kKeyUriFile), reference);
  if (status.ok()) {
    status = WriteFileDurably(folder / kPublicKeyFile, PublicKeyToPem(identity.public_key));
  }
  if (status.ok() && !identity.chain.empty()) {
    status = WriteChain(folder, kCurrentChain, identity.chain);
  }
  if (status.ok() && identity.next != nullptr) {
    status = WriteChain(folder, kNextChain, identity.next->chain);
  }
  if (status.ok() && identity.previous != nullptr) {
    status = WriteChain(folder, kPreviousChain, identity.previous->chain);
  }
  if (status.ok()) status = WriteFileDurably(folder / kMetadataFile, MetadataOf(identity));
  return status;
}

absl::Status WriteChain(const std::filesystem::path& folder, const char* file,
                        const std::vector<wire::Bytes>& chain) {
  return WriteFileDurably(folder / file, ChainToPem(chain));
}

absl::Status RemoveChain(const std::filesystem::path& folder, const char* file) {
  std::error_code error;
  std::filesystem::remove(folder / file, error);
  if (error) return FileError(folder / file, "remove", error.value(), FileAccess::kWrite);
  return SyncFolder(folder);
}

}  // namespace signet::agent
