// signet-gateway: a reverse proxy that asks for client certificates where a path needs them.
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

#include "client-lib/tools/code_point_options.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/gateway.h"
#include "client-lib/tools/gateway_configuration.h"
#include "client-lib/tools/handshake_certificate.h"
#include "client-lib/tools/issuer_keys.h"
#include "client-lib/tools/quic_tls.h"
#include "client-lib/tools/seconds_option.h"
#include "client-lib/tools/server_certificate_configuration.h"
#include "client-lib/tools/tcp_socket.h"
#include "client-lib/tools/udp_socket.h"

namespace signet::tools {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

constexpr char kDescription[] =
    "Serves HTTP/2 over TLS 1.3, and HTTP/3, asks for client certificates in the middle of a "
    "connection, "
    "where\n"
    "a path needs them, and passes requests on to a backend, with the client's identities in "
    "header\n"
    "fields. Without a backend it answers by itself, for trials. Prints\n"
    "{\"listening\":\"ADDR:PORT\"} when it is ready; one JSON line a request goes to standard "
    "error.\n"
    "SIGTERM or SIGINT: finishes what is in progress and ends; a second one ends at once.";

constexpr char kFooter[] =
    "\nThe file of --config (TOML; docs/gateway.md has all of it):\n"
    "  listen, cert, key, http3, http3_retry_above, decision_timeout, idle_timeout, "
    "drain_timeout,\n"
    "  handshake_certificate = \"none\" or \"request\"\n"
    "  [backend]        url = \"http://HOST:PORT\" or \"h2c://HOST:PORT\", timeout, connections,\n"
    "                   client_cert, client_cert_chain\n"
    "  [[server_certificate]]  cert, key, origins, when = \"start\" or \"request\"\n"
    "  [[certificate]]  name, ca, key_usage, extended_key_usage, extensions\n"
    "  [[token]]        name, issuer, audience, jwks, jwks_ca, types, clock_skew\n"
    "  [[tunnel]]       target, address, connections\n"
    "  [[path]]         prefix, mode = \"require\", \"offer\" or \"none\", certificates,\n"
    "                   without = \"403\", \"401\" or \"pass\", page, decision_timeout,\n"
    "                   token, token_bound_to, token_to_backend\n"
    "The backend is told by Client-Cert and Client-Cert-Chain (RFC 9440) and Signet-Identities "
    "(JSON);\n"
    "the same names from outside are removed.\n"
    "\nAnswers without a backend (JSON):\n"
    "  a PATH of --require  200 "
    "{\"identities\":[{\"subject\",\"issuer\",\"serial\",\"sha256\",\"ca\"}]} in the\n"
    "                       order of its files, `ca` as given there, or 403 {\"error\",\"detail\"} "
    "with\n"
    "                       error not-supported, declined, invalid, untrusted or timeout\n"
    "  /whoami              200 {\"identities\"} proved on this connection, or 403 no-identity\n"
    "  another path         200 {\"path\"}\n"
    "An identity holds for its whole connection and is not asked for again on it.\n"
    "\nExit codes: 0 ended by a signal, 1 can't listen, 2 the command line or a file named there "
    "is\n"
    "not usable.\n"
    "\nExamples:\n"
    "  signet-gateway --config gateway.toml\n"
    "  signet-gateway --listen 127.0.0.1:8443 --cert server.pem --key server.key \\\n"
    "      --require /login=device-ca.pem,user-ca.pem\n";

struct CommandLine {
  std::string config;
  std::string listen;
  std::string certificate;
  std::string key;
  bool http3 = false;
  std::vector<std::string> require;
  double decision_timeout_s = 60;
  double idle_timeout_s = 120;
  const CLI::Option* decision_timeout = nullptr;  // to tell whether it was given
  const CLI::Option* idle_timeout = nullptr;
  CodePointOptions code_points;
};

void Declare(CLI::App& app, CommandLine& line) {
  app.add_option("--config", line.config,
                 "What to serve; see below. Options given here win over it, and each --require\n"
                 "adds to it, for that very path")
      ->type_name("FILE");
  app.add_option("--listen", line.listen, "Address to listen on; port 0 picks one")
      ->type_name("ADDR:PORT");
  app.add_option("--cert", line.certificate, "The server's certificate chain, PEM, leaf first")
      ->type_name("FILE");
  app.add_option("--key", line.key, "The key of that certificate, PEM")->type_name("FILE");
  app.add_flag("--http3", line.http3,
               "Serve HTTP/3 (QUIC) as well, on the UDP port of the same number");
  app.add_option("--require", line.require,
                 "PATH (without query) is answered only to clients who prove, for each file, a\n"
                 "certificate that leads to one of the file's certificates. May be repeated")
      ->type_name("PATH=CA.pem[,CA.pem...]")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  AddSecondsOption(app, "--decision-timeout", line.decision_timeout_s,
                   "How long a request waits for the client's certificates");
  line.decision_timeout = app.get_option("--decision-timeout");
  AddSecondsOption(app, "--idle-timeout", line.idle_timeout_s,
                   "How long a connection may live without a request, or on which\n"
                   "nothing moves");
  line.idle_timeout = app.get_option("--idle-timeout");
  line.code_points.AddTo(app);
}

int Fail(int code, const std::string& why) {
  std::cerr << "signet-gateway: " << why << '\n';
  return code;
}

// A client and the backend cost a descriptor each; the usual limit is made for select().
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Descriptor BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return Descriptor(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

std::string PortOf(const Descriptor& listener) {
  const std::string endpoint = LocalEndpoint(listener);
  return endpoint.substr(endpoint.rfind(':') + 1);
}

// The file of --config with the options on top of it; nothing, with a reason in `error`, when they
// do not make a gateway.
std::optional<GatewayConfiguration> Configure(const CommandLine& line, std::string& error) {
  GatewayConfiguration configuration;
  if (!line.config.empty()) {
    std::optional<GatewayConfiguration> loaded = LoadGatewayConfigurationSlowly(line.config, error);
    if (!loaded) return std::nullopt;
    configuration = std::move(*loaded);
  }
  if (!line.listen.empty()) configuration.listen = line.listen;
  if (!line.certificate.empty()) configuration.certificate = line.certificate;
  if (!line.key.empty()) configuration.key = line.key;
  configuration.http3 = configuration.http3 || line.http3;
  if (line.decision_timeout->count() > 0) {
    configuration.decision_timeout_ms = ToMilliseconds(line.decision_timeout_s);
  }
  if (line.idle_timeout->count() > 0) {
    configuration.idle_timeout_ms = ToMilliseconds(line.idle_timeout_s);
  }
  for (const std::string& option : line.require) {
    if (!configuration.requirements.AddOption(option, error)) return std::nullopt;
  }
  for (const auto& [option, value] :
       {std::pair("--listen", &configuration.listen),
        std::pair("--cert", &configuration.certificate), std::pair("--key", &configuration.key)}) {
    if (value->empty()) {
      error = std::string(option) + " is needed, here or in the file of --config; see --help";
      return std::nullopt;
    }
  }
  return configuration;
}

int Serve(const CommandLine& line) {
  std::string error;
  std::optional<CodePoints> code_points = line.code_points.Resolve(error);
  if (!code_points) return Fail(kExitUsage, error);
  std::optional<GatewayConfiguration> configuration = Configure(line, error);
  if (!configuration) return Fail(kExitUsage, error);
  SslContext context = NewServerContext(configuration->certificate, configuration->key, error);
  if (context == nullptr) return Fail(kExitUsage, error);
  if (configuration->handshake_certificate) RequestHandshakeCertificate(context.get());
  std::optional<Endpoint> address = ParseEndpoint(configuration->listen);
  if (!address) return Fail(kExitUsage, "--listen " + configuration->listen + ": write ADDR:PORT");
  Descriptor listener = Listen(*address, error);
  if (!listener.valid()) {
    return Fail(kExitFailed, "--listen " + configuration->listen + ": " + error +
                                 "; choose a local address and a free port");
  }
  GnutlsCredentials credentials;
  Descriptor udp;
  if (configuration->http3) {
    credentials = NewQuicServerCredentials(configuration->certificate, configuration->key, error);
    if (credentials == nullptr) return Fail(kExitUsage, error);
    udp = BindUdpBeside(listener, error);
    if (!udp.valid()) {
      return Fail(kExitFailed, "--http3: UDP port of --listen " + configuration->listen + ": " +
                                   error + "; choose a port that is free on both");
    }
  }
  Descriptor signals = BlockSignals();
  if (!signals.valid()) return Fail(kExitFailed, std::string("signals: ") + strerror(errno));

  EventLoop loop;
  GatewayPolicy policy{std::move(*configuration),
                       code_points->h2,
                       code_points->h3,
                       &std::cerr,
                       {},
                       SSL_CTX_get0_certificate(context.get()),
                       {},
                       {}};
  policy.issuer_keys = MakeIssuerKeys(loop, policy.issuers, std::cerr);
  policy.origins =
      CompleteOrigins(policy.own_certificate, PortOf(listener), policy.server_certificates);
  for (ServerCertificate& each : policy.server_certificates) each.key->Start(loop);
  nlohmann::json ready = {{"listening", LocalEndpoint(listener)}};
  if (policy.http3) {
    ready["http3"] = LocalEndpoint(udp);
    policy.alt_svc = "h3=\":" + PortOf(listener) + "\"";
  }
  RaiseDescriptorLimit();
  Gateway gateway(loop, std::move(listener), std::move(signals), policy, context.get());
  if (policy.http3) gateway.ServeHttp3(std::move(udp), credentials.get());
  std::cout << ready << std::endl;
  gateway.Run();
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App app(kDescription, "signet-gateway");
  app.footer(kFooter);
  CommandLine line;
  Declare(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& failure) {
    return Fail(kExitUsage, std::string(failure.what()) + "; see --help");
  }
  return Serve(line);
}

}  // namespace
}  // namespace signet::tools

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  return signet::tools::Main(argc, argv);
}
