#include "client-lib/tools/fetch.h"

#include "client-lib/tools/connection_pool.h"

namespace signet::tools {

FetchReport FetchSlowly(const FetchOptions& options) {
  FetchReport report;
  ConnectionPool pool(options, report);
  if (!pool.Prepare()) return report;
  for (const Url& each : options.urls) {
    if (!pool.FetchSlowly(each)) break;
  }
  pool.FinishSlowly();
  return report;
}

}  // namespace signet::tools
