// signet-fetch: fetches URLs over HTTP/2 and answers authenticator requests with Signet's keys.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "client-lib/tools/code_point_options.h"
#include "client-lib/tools/fetch.h"
#include "client-lib/tools/field_option.h"
#include "client-lib/tools/seconds_option.h"

namespace signet::tools {
namespace {

constexpr char kDescription[] =
    "Fetches URLs in order over HTTP/2 or HTTP/3 and prints their bodies. When a server asks for\n"
    "client certificates on the way, the Signet agent answers with keys that stay in hardware; "
    "what\n"
    "nobody can or may prove is declined. Each origin has one connection, because an identity\n"
    "belongs to the whole connection, unless the server of another one proves that it is this\n"
    "origin, too.";

constexpr char kFooter[] =
    "\nExit codes; what comes first here wins:\n"
    "   2  the command line or a file named there is not usable\n"
    "   7  no connection to the server\n"
    "  35  TLS failed\n"
    "  60  the server's certificate is not trusted\n"
    "  16  HTTP/2 failed\n"
    "  95  HTTP/3 failed\n"
    "  23  standard output can't be written\n"
    "  28  the deadline has passed\n"
    "  22  a response has status 400 or above\n"
    "\nExample:\n"
    "  signet-fetch --cacert ca.pem --verbose https://www.example.com/ "
    "https://www.example.com/login\n";

struct CommandLine {
  std::vector<std::string> urls;
  std::string connect;
  std::vector<std::string> resolve;
  std::string proxy;
  std::vector<std::string> header;
  double deadline_s = 30;
  bool no_agent = false;
  bool verbose = false;
  bool json = false;
  CodePointOptions code_points;
};

void Declare(CLI::App& app, CommandLine& line, FetchOptions& options) {
  app.add_option("URL", line.urls, "https://HOST[:PORT]/PATH")->required();
  app.add_option("--cacert", options.ca_file,
                 "PEM authorities that the server's certificate must\n"
                 "lead to, in place of the system's store")
      ->type_name("FILE");
  app.add_option("--cert", options.certificate,
                 "PEM certificate to show in the TLS handshake, leaf first, when the server asks")
      ->type_name("FILE");
  app.add_option("--key", options.key, "The key of that certificate, PEM")->type_name("FILE");
  app.add_option(
         "--header", line.header,
         "Send this header field, too; or those of FILE, a line each, such as a token that\n"
         "nobody is to see on a command line. May be repeated")
      ->type_name("NAME: VALUE|@FILE")
      ->allow_extra_args(false);
  app.add_option("--connect", line.connect,
                 "Connect there, for every URL; host names and certificates stay the URLs'")
      ->type_name("HOST:PORT");
  app.add_option("--resolve", line.resolve,
                 "HOST is at ADDRESS for this port, whatever a lookup says. May be repeated")
      ->type_name("HOST:PORT:ADDRESS")
      ->allow_extra_args(false);  // what follows is a URL
  app.add_option("--proxy", line.proxy,
                 "Reach the URLs' servers through tunnels (CONNECT) of this proxy; over HTTP/3,\n"
                 "if that is wanted, but with HTTP/2 inside")
      ->type_name("https://HOST[:PORT]");
  app.add_flag("--http3", options.http3, "Use HTTP/3 (QUIC, on UDP) in place of HTTP/2");
  app.add_option("--limit", options.limit,
                 "How many unanswered authenticator requests the server may have")
      ->type_name("N")
      ->check(CLI::Range(uint32_t{1}, UINT32_MAX))
      ->capture_default_str();
  app.add_option("--agent", options.agent,
                 "The agent's socket. Without it: $SIGNET_AGENT_SOCKET, else agent.sock in\n"
                 "$SIGNET_RUNTIME_DIR, else in $XDG_RUNTIME_DIR/signet, else in /run/signet")
      ->type_name("SOCKET");
  AddSecondsOption(
      app, "--deadline", line.deadline_s,
      "Longest wait: to connect, for the agent's answer to each authenticator request,\n"
      "and for each URL besides these answers (in all ten times as long)");
  app.add_flag("--no-agent", line.no_agent, "Ask no agent: decline every authenticator request");
  app.add_flag("--verbose", line.verbose,
               "Say on standard error what happens: wire profile,\n"
               "settings, requests, proofs, declines with reasons");
  app.add_flag("--json", line.json, "Print one JSON object in place of the bodies");
  line.code_points.AddTo(app);
}

// False, with a reason in `error`, when the command line makes no sense.
bool Complete(const CommandLine& line, FetchOptions& options, std::string& error) {
  for (const std::string& text : line.urls) {
    std::optional<Url> url = ParseUrl(text);
    if (!url) {
      error = "URL \"" + text + "\": not understood; write https://HOST[:PORT]/PATH";
      return false;
    }
    options.urls.push_back(std::move(*url));
  }
  if (!line.connect.empty()) {
    options.connect = ParseEndpoint(line.connect);
    if (!options.connect || options.connect->port == 0) {
      error = "--connect " + line.connect + ": write HOST:PORT";
      return false;
    }
  }
  if (options.certificate.empty() != options.key.empty()) {
    error = "--cert and --key belong together; give both";
    return false;
  }
  for (const std::string& text : line.header) {
    if (AddFieldOption(text, options.fields, error)) continue;
    error = "--header: " + error;
    return false;
  }
  for (const std::string& text : line.resolve) {
    std::optional<ResolvedHost> host = ParseResolvedHost(text);
    if (!host) {
      error = "--resolve " + text + ": write HOST:PORT:ADDRESS, the address in digits";
      return false;
    }
    options.resolved.push_back(std::move(*host));
  }
  if (!line.proxy.empty()) {
    options.proxy = ParseUrl(line.proxy);
    if (!options.proxy || options.proxy->target != "/") {
      error = "--proxy " + line.proxy + ": write https://HOST[:PORT]";
      return false;
    }
  }
  std::optional<CodePoints> code_points = line.code_points.Resolve(error);
  if (!code_points) return false;
  options.code_points = *code_points;
  options.deadline_ms = ToMilliseconds(line.deadline_s);
  options.use_agent = !line.no_agent;
  options.bodies = line.json ? nullptr : &std::cout;
  options.log = line.verbose ? &std::cerr : nullptr;
  return true;
}

int Main(int argc, char** argv) {
  CLI::App app(kDescription, "signet-fetch");
  app.footer(kFooter);
  CommandLine line;
  FetchOptions options;
  Declare(app, line, options);
  FetchReport report;
  try {
    app.parse(argc, argv);
    std::string error;
    if (Complete(line, options, error)) {
      report = FetchSlowly(options);
    } else {
      report.Fail(FetchExit::kUsage, error);
    }
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& failure) {
    report.Fail(FetchExit::kUsage, std::string(failure.what()) + "; see --help");
    for (int i = 1; i < argc; ++i) line.json = line.json || std::string_view(argv[i]) == "--json";
  }
  if (line.json) std::cout << ToJson(report) << '\n';
  std::cout.flush();
  if (!report.failure.empty()) std::cerr << "signet-fetch: " << report.failure << '\n';
  if (!std::cout) {
    std::cerr << "signet-fetch: standard output: write failed\n";
    if (report.exit == FetchExit::kOk) report.exit = FetchExit::kOutput;
  }
  return static_cast<int>(report.exit);
}

}  // namespace
}  // namespace signet::tools

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  return signet::tools::Main(argc, argv);
}
