// The [[server_certificate]] tables of the gateway's configuration.
#ifndef SIGNET_CLIENT_LIB_TOOLS_SERVER_CERTIFICATE_CONFIGURATION_H_
#define SIGNET_CLIENT_LIB_TOOLS_SERVER_CERTIFICATE_CONFIGURATION_H_

#include <string>
#include <vector>

#include "client-lib/tools/server_certificate.h"
#include "client-lib/tools/toml_table.h"

namespace signet::tools {

// Reads one more; names in it are relative to the folder of `file`. Asks the agent, if the key is
// its, which may take long. Throws ConfigurationError.
void ReadServerCertificateSlowly(const TomlTable& table, const std::string& file,
                                 std::vector<ServerCertificate>& to);

// Gives those without origins those of their names, at this port, and lists what the gateway
// serves: the names of its own certificate and all further origins, as an ORIGIN frame has them.
std::vector<std::string> CompleteOrigins(X509* own, const std::string& port,
                                         std::vector<ServerCertificate>& certificates);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_SERVER_CERTIFICATE_CONFIGURATION_H_
