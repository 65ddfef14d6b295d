#include "client-lib/tools/seconds_option.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>

namespace signet::tools {

void AddSecondsOption(CLI::App& app, const std::string& name, double& seconds,
                      const std::string& description) {
  // "nan" is below no minimum and above no maximum.
  const auto is_number = [](const std::string& text) {
    return std::isnan(std::strtod(text.c_str(), nullptr)) ? text + " is no number of seconds"
                                                          : std::string();
  };
  app.add_option(name, seconds, description)
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 86400.0))
      ->check(is_number)
      ->capture_default_str();
}

uint32_t ToMilliseconds(double seconds) {
  return static_cast<uint32_t>(std::lround(seconds * 1000));
}

}  // namespace signet::tools
