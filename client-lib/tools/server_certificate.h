// A certificate that the gateway proves besides the one of its TLS handshakes
// (draft-ietf-httpbis-secondary-server-certs), and the origins that it serves by it.
#ifndef SIGNET_CLIENT_LIB_TOOLS_SERVER_CERTIFICATE_H_
#define SIGNET_CLIENT_LIB_TOOLS_SERVER_CERTIFICATE_H_

#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/tools/signing_key.h"

namespace signet::tools {

struct ServerCertificate {
  std::vector<std::vector<uint8_t>> chain;  // DER, leaf first
  std::unique_ptr<SigningKey> key;
  std::vector<std::string> names;    // of the leaf, for DNS, without wildcards
  std::vector<std::string> origins;  // https://host:port; empty: to be made of the names
  bool at_start = true;              // else when a request or CONNECT names one of its origins
};

// PEM files: the chain, leaf first, and the key of the leaf. Nothing, with a reason in `error`,
// when they are not that.
std::optional<ServerCertificate> LoadServerCertificate(const std::string& chain_file,
                                                       const std::string& key_file,
                                                       std::string& error);

// The same with a key of the agent, whose identity has the chain if no file is named.
std::optional<ServerCertificate> LoadServerCertificateOfAgentSlowly(const std::string& chain_file,
                                                                    const std::string& identity,
                                                                    std::string& error);

// Whether the certificate is for this host: a DNS name (RFC 9525) or an address.
bool IsForHost(X509* certificate, const std::string& host);
bool IsForHost(const ServerCertificate& certificate, const std::string& host);

// Whether its leaf may be a TLS server's, by its usages.
bool IsForServers(const ServerCertificate& certificate);
// The DNS names of a certificate that are whole names.
std::vector<std::string> DnsNames(X509* certificate);

// https://host:port of "host" or "host:port"; nothing when it is neither.
std::optional<std::string> OriginOf(std::string_view authority);
// As a client compares and RFC 6454 section 6.2 writes it: without the port when it is 443.
std::string AsciiOrigin(const std::string& origin);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_SERVER_CERTIFICATE_H_
