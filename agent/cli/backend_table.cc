#include "agent/cli/backend_table.h"

#include <string>

#include "agent/cli/describe.h"
#include "agent/cli/text.h"

namespace signet::cli {

void PrintBackends(const v1::StatusResponse& status, std::ostream& out) {
  if (status.backends().empty()) {
    out << "no backends; add a [[backend]] to " << Printable(status.config_file()) << '\n';
    return;
  }
  Table table({"BACKEND", "TYPE", "STATE", "KEYS", "TOKEN"});
  for (const v1::BackendStatus& backend : status.backends()) {
    table.Add({backend.name(), backend.type(), backend.state(),
               std::string(HardwareMark(backend.hardware())), backend.token()});
  }
  table.Print(out);
  for (const v1::BackendStatus& backend : status.backends()) {
    for (const std::string* note : {&backend.last_error(), &backend.next_step()}) {
      if (note->empty()) continue;
      const std::string prefix = backend.name() + ": ";
      const bool prefixed = note->compare(0, prefix.size(), prefix) == 0;
      out << Printable(prefixed ? *note : prefix + *note) << '\n';
    }
  }
}

}  // namespace signet::cli
