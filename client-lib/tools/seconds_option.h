// A span of time on a command line, such as --deadline: 0.001 to 86400 seconds.
#ifndef SIGNET_CLIENT_LIB_TOOLS_SECONDS_OPTION_H_
#define SIGNET_CLIENT_LIB_TOOLS_SECONDS_OPTION_H_

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace signet::tools {

// `seconds` holds the default and outlives the parsing of `app`.
void AddSecondsOption(CLI::App& app, const std::string& name, double& seconds,
                      const std::string& description);

uint32_t ToMilliseconds(double seconds);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_SECONDS_OPTION_H_
