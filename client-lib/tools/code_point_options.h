// --code-point and --profile: the numbers that the drafts leave open (wire profile), for a command
// line.
#ifndef SIGNET_CLIENT_LIB_TOOLS_CODE_POINT_OPTIONS_H_
#define SIGNET_CLIENT_LIB_TOOLS_CODE_POINT_OPTIONS_H_

#include <signet/connection.h>

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace signet::tools {

struct CodePoints {
  CodePoints();

  signet_code_points h2;
  signet_code_points h3;
};

class CodePointOptions {
 public:
  // Declares the two options. `app` must not be parsed after this object is gone.
  void AddTo(CLI::App& app);

  // Our defaults, changed by the profile file, then by each --code-point. Nothing, with a reason in
  // `error`, when a name is unknown, a number is none, or the numbers can't work together.
  std::optional<CodePoints> Resolve(std::string& error) const;

 private:
  std::string profile_;
  std::vector<std::string> code_points_;
};

// "h2.authenticator-requests=0xf4 h2.certificate=0xf5 ...", for --verbose.
std::string ToString(const CodePoints& code_points);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CODE_POINT_OPTIONS_H_
