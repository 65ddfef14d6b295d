// signetd as it is shipped: a process of its own, real sockets, a real (software) backend.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ipc/admin.grpc.pb.h"
#include "ipc/agent.pb.h"
#include "ipc/transport/blocking_channel.h"
#include "ipc/transport/descriptor.h"
#include "ipc/transport/unix_address.h"
#include "ipc/wire/authenticator.h"
#include "ipc/wire/certificate_request.h"
#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uid_t kNobody = 65534;
constexpr int kPatienceMs = 60'000;

// A folder that is gone at the end of the test.
class Folder {
 public:
  Folder() {
    std::string name = fs::temp_directory_path() / "signetd.XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const std::string& name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// A program of ours as a child.
class Program {
 public:
  // `uid` may differ from ours only if we are root. NOTIFY_SOCKET is set when `notify` is not
  // empty.
  Program(const char* program, std::vector<std::string> arguments, uid_t uid = geteuid(),
          const std::string& notify = "") {
    int output[2];
    EXPECT_EQ(pipe2(output, O_CLOEXEC), 0);
    output_ = ipc::Descriptor(output[0]);
    // By descriptor: the other uid may not be able to walk the path to it.
    const ipc::Descriptor file(open(program, O_RDONLY | O_CLOEXEC));
    arguments.insert(arguments.begin(), program);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (notify.empty()) {
      unsetenv("NOTIFY_SOCKET");
    } else {
      setenv("NOTIFY_SOCKET", notify.c_str(), 1);
    }
    pid_ = fork();
    if (pid_ == 0) {
      dup2(output[1], 1);
      dup2(output[1], 2);
      if (uid != geteuid() &&
          (setgroups(0, nullptr) != 0 || setgid(uid) != 0 || setuid(uid) != 0 || chdir("/") != 0)) {
        _exit(126);
      }
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // leaves with a test that is killed
      fexecve(file.get(), argv.data(), environ);
      _exit(127);
    }
    close(output[1]);
  }
  Program(Program&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)) {}
  ~Program() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }
  void Signal(int number) { kill(pid_, number); }

  struct End {
    int code;  // negative: the signal
    std::string output;
  };
  // Waits for its end.
  End Wait() {
    End end{};
    char buffer[4096];
    for (ssize_t count; (count = read(output_.get(), buffer, sizeof buffer)) > 0;) {
      end.output.append(buffer, static_cast<size_t>(count));
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = -1;
    end.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return end;
  }

 private:
  pid_t pid_ = -1;
  ipc::Descriptor output_;
};

// Hears what signetd tells systemd.
class Notifications {
 public:
  explicit Notifications(const fs::path& path) : path_(path) {
    socket_ = ipc::Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = *ipc::UnixAddress(path);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    chmod(path.c_str(), 0666);
  }
  std::string Next() {
    pollfd entry{socket_.get(), POLLIN, 0};
    char buffer[256];
    if (poll(&entry, 1, kPatienceMs) != 1) return "nothing in time";
    const ssize_t count = read(socket_.get(), buffer, sizeof buffer);
    return std::string(buffer, static_cast<size_t>(std::max<ssize_t>(count, 0)));
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  ipc::Descriptor socket_;
};

Program Start(const Folder& folder, const std::string& configuration, uid_t uid = geteuid(),
              const std::string& notify = "") {
  std::ofstream(folder / "signet.toml") << configuration;
  return Program(SIGNETD_PROGRAM,
                 {"--config", folder / "signet.toml", "--runtime-dir", folder / "run",
                  "--state-dir", folder / "state"},
                 uid, notify);
}

Program::End RunToEnd(const Folder& folder, const std::string& configuration) {
  return Start(folder, configuration).Wait();
}

// What signetd_probe prints, run as this uid.
std::string Probe(std::vector<std::string> arguments, uid_t uid) {
  return Program(SIGNETD_PROBE_PROGRAM, std::move(arguments), uid).Wait().output;
}

std::string ReadFile(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

mode_t Mode(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

constexpr char kTrial[] = "[[backend]]\nname = \"trial\"\ntype = \"software\"\n";

// A signetd that has said it is ready.
class Signetd {
 public:
  explicit Signetd(const std::string& configuration = kTrial, uid_t uid = geteuid())
      : notifications_(folder_ / "notify") {
    EXPECT_EQ(chown(folder_.path().c_str(), uid, static_cast<gid_t>(-1)), 0);
    chmod(folder_.path().c_str(), 0755);
    program.emplace(Start(folder_, configuration, uid, notifications_.path()));
    EXPECT_EQ(notifications_.Next(), "READY=1");
  }
  const Folder& folder() const { return folder_; }
  fs::path agent_socket() const { return folder_ / "run/agent.sock"; }
  fs::path grpc_socket() const { return folder_ / "run/grpc.sock"; }
  Notifications& notifications() { return notifications_; }

 private:
  Folder folder_;
  Notifications notifications_;

 public:
  std::optional<Program> program;
};

TEST(SignetdOptions, HelpAndVersionSucceed) {
  const Program::End help = Program(SIGNETD_PROGRAM, {"--help"}).Wait();
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.output, AllOf(HasSubstr("--config"), HasSubstr("--runtime-dir"),
                                 HasSubstr("--state-dir"), HasSubstr("78")));
  const Program::End version = Program(SIGNETD_PROGRAM, {"--version"}).Wait();
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.output, StartsWith("signetd "));
}

TEST(SignetdOptions, UsageErrorIsTwo) {
  const Program::End end = Program(SIGNETD_PROGRAM, {"--no-such-option"}).Wait();
  EXPECT_EQ(end.code, 2);
  EXPECT_THAT(end.output, HasSubstr("--no-such-option"));
}

TEST(SignetdConfiguration, OneThatIsNotUnderstoodIsRefusedWhole) {
  const std::pair<const char*, const char*> cases[] = {
      {"not toml", "signet.toml:1"},
      {"[[backend]]\nname = \"a\"\ntype = \"abacus\"\n", "abacus"},
      {"[[backend]]\nname = \"a\"\ntype = \"software\"\ncolour = \"red\"\n", "colour"},
      {"[access]\nuse = [\"no-such-user-here\"]\n", "no-such-user-here"},
      {"[[rule]]\norigin = \"nowhere\"\nidentity = \"*\"\ndecision = \"allow\"\n", "nowhere"},
  };
  for (const auto& [text, named] : cases) {
    Folder folder;
    const Program::End end = RunToEnd(folder, text);
    EXPECT_EQ(end.code, 78) << text;
    EXPECT_THAT(end.output, AllOf(StartsWith("signetd: "), HasSubstr(named)));
    EXPECT_FALSE(fs::exists(folder / "state")) << "nothing is touched before it is understood";
  }
}

TEST(SignetdConfiguration, OneThatIsNotThereIsNamed) {
  Folder folder;
  const Program::End end =
      Program(SIGNETD_PROGRAM, {"--config", folder / "none.toml", "--runtime-dir", folder / "run",
                                "--state-dir", folder / "state"})
          .Wait();
  EXPECT_EQ(end.code, 78);
  EXPECT_THAT(end.output, HasSubstr("none.toml"));
}

TEST(SignetdConfiguration, AddedRulesThatAreBrokenAreRefusedToo) {
  Folder folder;
  fs::create_directory(folder / "state");
  chmod((folder / "state").c_str(), 0700);
  std::ofstream(folder / "state/policy.toml") << "broken";
  const Program::End end = RunToEnd(folder, "");
  EXPECT_EQ(end.code, 78);
  EXPECT_THAT(end.output, HasSubstr("policy.toml"));
}

TEST(SignetdFolders, ArePrivateAndSoAreTheSockets) {
  const Signetd agent("");
  EXPECT_EQ(Mode(agent.folder() / "run"), 0700u);
  EXPECT_EQ(Mode(agent.folder() / "state"), 0700u);
  EXPECT_EQ(Mode(agent.agent_socket()), 0600u);
  EXPECT_EQ(Mode(agent.grpc_socket()), 0600u);
}

TEST(SignetdFolders, LetInWhomAccessNames) {
  const Signetd agent(absl::StrCat("[access]\nuse = [", geteuid(), ", 4711]\n"));
  EXPECT_EQ(Mode(agent.folder() / "run"), 0755u);
  EXPECT_EQ(Mode(agent.folder() / "state"), 0700u);
  EXPECT_EQ(Mode(agent.agent_socket()), 0666u);
  EXPECT_EQ(Mode(agent.grpc_socket()), 0666u);
}

TEST(SignetdFolders, RefusesOneThatOthersMayWriteTo) {
  for (const char* name : {"state", "run"}) {
    Folder folder;
    fs::create_directory(folder / name);
    chmod((folder / name).c_str(), 0777);
    const Program::End end = RunToEnd(folder, "");
    EXPECT_EQ(end.code, 1);
    EXPECT_THAT(end.output, AllOf(HasSubstr((folder / name).native()), HasSubstr("write")));
  }
}

TEST(SignetdFolders, RefusesOneOfAnotherUid) {
  if (geteuid() != 0) GTEST_SKIP() << "giving a folder away takes root";
  Folder folder;
  fs::create_directory(folder / "state");
  ASSERT_EQ(chown((folder / "state").c_str(), kNobody, kNobody), 0);
  chmod((folder / "state").c_str(), 0700);
  const Program::End end = RunToEnd(folder, "");
  EXPECT_EQ(end.code, 1);
  EXPECT_THAT(end.output, HasSubstr(absl::StrCat("belongs to uid ", kNobody)));
}

TEST(SignetdFolders, TwoAgentsCantShareAState) {
  const Signetd agent("");
  const Program::End second =
      Program(SIGNETD_PROGRAM, {"--config", agent.folder() / "signet.toml", "--runtime-dir",
                                agent.folder() / "run2", "--state-dir", agent.folder() / "state"})
          .Wait();
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.output, HasSubstr("another signetd"));
}

TEST(SignetdStop, EndsWellAndTidiesUp) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Signetd agent;
    agent.program->Signal(signal);
    EXPECT_EQ(agent.notifications().Next(), "STOPPING=1");
    const Program::End end = agent.program->Wait();
    EXPECT_EQ(end.code, 0) << end.output;
    EXPECT_THAT(end.output, HasSubstr("signetd: stopped"));
    EXPECT_FALSE(fs::exists(agent.agent_socket()));
    EXPECT_FALSE(fs::exists(agent.grpc_socket()));
  }
}

TEST(SignetdStop, SocketsLeftByAKilledAgentAreReplaced) {
  Signetd agent("");
  agent.program->Signal(SIGKILL);
  agent.program->Wait();
  ASSERT_TRUE(fs::exists(agent.agent_socket()));
  Program again = Start(agent.folder(), "", geteuid(), agent.notifications().path());
  EXPECT_EQ(agent.notifications().Next(), "READY=1");
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, geteuid()), StartsWith("ok"));
}

TEST(SignetdAccess, AnotherUidIsKeptOutByTheFileModes) {
  if (geteuid() != 0) GTEST_SKIP() << "becoming another uid takes root";
  const Signetd agent("");
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, kNobody), StartsWith("none "));
  EXPECT_THAT(Probe({"admin", agent.grpc_socket()}, kNobody), StartsWith("none "));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 0), StartsWith("ok"));
  EXPECT_THAT(Probe({"admin", agent.grpc_socket()}, 0), StartsWith("ok"));
}

TEST(SignetdAccess, AnotherUidIsRefusedByName) {
  if (geteuid() != 0) GTEST_SKIP() << "becoming another uid takes root";
  const Signetd agent("[access]\nuse = [0, 4711]\nadmin = [0]\n");
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, kNobody),
              AllOf(StartsWith("ERROR_CODE_ACCESS"), HasSubstr("[access] use"),
                    HasSubstr(absl::StrCat("uid ", kNobody))));
  EXPECT_THAT(Probe({"admin", agent.grpc_socket()}, kNobody),
              AllOf(StartsWith("PERMISSION_DENIED"), HasSubstr("[access] admin"),
                    HasSubstr(absl::StrCat("uid ", kNobody))));
  EXPECT_THAT(Probe({"use", agent.agent_socket()}, 4711), StartsWith("ok"));
  EXPECT_THAT(Probe({"admin", agent.grpc_socket()}, 4711), StartsWith("PERMISSION_DENIED"));
}

TEST(SignetdHardening, NobodyTracesItOrReadsItsMemory) {
  // Root may trace anything, so the agent and who tries are somebody else.
  const uid_t uid = geteuid() == 0 ? kNobody : geteuid();
  Signetd agent("", uid);
  const std::string limits = ReadFile(absl::StrCat("/proc/", agent.program->pid(), "/limits"));
  EXPECT_THAT(limits, ::testing::ContainsRegex("Max core file size +0 +0 "));

  Program control("/bin/cat", {"/dev/zero"}, uid);  // fills its pipe and waits: an ordinary process
  if (Probe({"trace", std::to_string(control.pid())}, uid) != "EFAULT attached\n") {
    GTEST_SKIP() << "this system lets nobody trace anything: no telling signetd apart";
  }
  EXPECT_EQ(Probe({"trace", std::to_string(agent.program->pid())}, uid), "EPERM EPERM\n");
}

// From an empty state folder to an authenticator that verifies.
class SignetdStory : public ::testing::Test {
 protected:
  template <typename Request, typename Response>
  Response Admin(grpc::Status (v1::Admin::Stub::*call)(grpc::ClientContext*, const Request&,
                                                       Response*),
                 const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    Response response;
    const grpc::Status status = (admin_.get()->*call)(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  v1::AuthenticateResponse Authenticate(const wire::Bytes& request) {
    v1::ClientMessage call;
    call.set_id(1);
    call.mutable_authenticate()->set_hash(v1::PRF_HASH_SHA256);
    call.mutable_authenticate()->set_handshake_context(std::string(32, 'h'));
    call.mutable_authenticate()->set_request(std::string(request.begin(), request.end()));
    call.mutable_authenticate()->set_origin("https://example.com");
    const std::string bytes = call.SerializeAsString();
    auto channel = ipc::BlockingChannel::Connect(agent_.agent_socket());
    EXPECT_TRUE(channel.ok()) << channel.status();
    EXPECT_TRUE(channel->Send({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}).ok());
    const auto received = channel->Receive();
    EXPECT_TRUE(received.ok()) << received.status();
    v1::AgentMessage answer;
    answer.ParseFromArray(received->bytes.data(), static_cast<int>(received->bytes.size()));
    EXPECT_EQ(answer.id(), 1u);
    return answer.authenticate();
  }

  Signetd agent_;
  std::unique_ptr<v1::Admin::Stub> admin_ = v1::Admin::NewStub(grpc::CreateChannel(
      "unix:" + agent_.grpc_socket().native(), grpc::InsecureChannelCredentials()));
};

wire::Bytes View(const std::string& text) { return wire::Bytes(text.begin(), text.end()); }

// The public key of a PKCS#10 request whose signature is right.
test::Der PublicKeyOf(const std::string& csr_pem) {
  BIO* bio = BIO_new_mem_buf(csr_pem.data(), static_cast<int>(csr_pem.size()));
  X509_REQ* csr = PEM_read_bio_X509_REQ(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  if (csr == nullptr) {
    ADD_FAILURE() << "no certificate request: " << csr_pem;
    return {};
  }
  EVP_PKEY* key = X509_REQ_get0_pubkey(csr);
  EXPECT_EQ(X509_REQ_verify(csr, key), 1);
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  test::Der result(der, der + size);
  OPENSSL_free(der);
  X509_REQ_free(csr);
  return result;
}

// RFC 9261 section 5.2.2, for ecdsa_secp256r1_sha256 and SHA-256.
bool Verifies(const test::Der& certificate, const wire::Bytes& request,
              const v1::Authenticator& authenticator) {
  const wire::Bytes verify = View(authenticator.certificate_verify());
  const auto parsed =
      wire::ParseCertificateVerify(wire::BytesView(verify).subspan(4));  // after its header
  if (!parsed.ok()) return false;

  wire::Bytes transcript(32, 'h');
  transcript.insert(transcript.end(), request.begin(), request.end());
  transcript.insert(transcript.end(), authenticator.certificate().begin(),
                    authenticator.certificate().end());
  uint8_t hash[32];
  EVP_Digest(transcript.data(), transcript.size(), hash, nullptr, EVP_sha256(), nullptr);
  const wire::Bytes content = wire::SignedContent(hash);

  const uint8_t* der = certificate.data();
  X509* x509 = d2i_X509(nullptr, &der, static_cast<long>(certificate.size()));
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool right =
      EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, X509_get0_pubkey(x509)) == 1 &&
      EVP_DigestVerify(context, parsed->signature.data(), parsed->signature.size(), content.data(),
                       content.size()) == 1;
  EVP_MD_CTX_free(context);
  X509_free(x509);
  return right;
}

TEST_F(SignetdStory, FromNoKeyToAnAuthenticatorThatVerifies) {
  const test::TestCa ca = test::TestCa::Root("Test Root");
  wire::CertificateRequest wanted;
  wanted.context = {1, 2, 3};
  wanted.signature_algorithms = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
  const wire::Bytes request = *wire::BuildCertificateRequest(wanted);

  EXPECT_EQ(Authenticate(request).declined().reason(), v1::DECLINE_REASON_NO_IDENTITY);

  v1::CreateIdentityRequest create;
  create.set_name("laptop");
  create.set_backend("trial");
  create.set_kind(v1::IDENTITY_KIND_DEVICE);
  create.set_algorithm("p256");
  EXPECT_FALSE(Admin(&v1::Admin::Stub::CreateIdentity, create).identity().hardware());

  v1::CreateCsrRequest csr;
  csr.set_name("laptop");
  csr.set_subject("/CN=laptop");
  const test::Der public_key = PublicKeyOf(Admin(&v1::Admin::Stub::CreateCsr, csr).csr_pem());

  const test::Der certificate = ca.Issue(public_key, {.common_name = "laptop"});
  v1::ImportChainRequest import;
  import.set_name("laptop");
  import.set_chain_pem(test::ToPem({certificate}));
  EXPECT_TRUE(Admin(&v1::Admin::Stub::ImportChain, import).identity().usable());

  EXPECT_EQ(Authenticate(request).declined().reason(), v1::DECLINE_REASON_DENIED);

  v1::AddRuleRequest allow;
  allow.mutable_rule()->set_origin("https://example.com");
  allow.mutable_rule()->set_identity("laptop");
  allow.mutable_rule()->set_decision("allow");
  Admin(&v1::Admin::Stub::AddRule, allow);

  const v1::AuthenticateResponse answer = Authenticate(request);
  ASSERT_TRUE(answer.has_authenticator()) << answer.declined().detail();
  EXPECT_EQ(answer.authenticator().identity(), "laptop");
  const wire::Bytes message = View(answer.authenticator().certificate());
  const auto parsed = wire::ParseCertificate(wire::BytesView(message).subspan(4));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(wire::Copy(parsed->context), wanted.context);
  ASSERT_EQ(parsed->entries.size(), 1u);
  EXPECT_EQ(wire::Copy(parsed->entries[0].certificate), certificate);
  EXPECT_TRUE(Verifies(certificate, request, answer.authenticator()));

  EXPECT_EQ(Authenticate(request).declined().reason(), v1::DECLINE_REASON_LIMIT)
      << "once per connection";
}

TEST_F(SignetdStory, WhatWasMadeIsThereAfterARestart) {
  v1::CreateIdentityRequest create;
  create.set_name("laptop");
  create.set_backend("trial");
  create.set_kind(v1::IDENTITY_KIND_DEVICE);
  create.set_algorithm("p256");
  Admin(&v1::Admin::Stub::CreateIdentity, create);
  agent_.program->Signal(SIGKILL);
  agent_.program->Wait();
  agent_.program.emplace(Start(agent_.folder(), kTrial, geteuid(), agent_.notifications().path()));
  ASSERT_EQ(agent_.notifications().Next(), "READY=1");
  v1::CreateCsrRequest csr;
  csr.set_name("laptop");
  csr.set_subject("/CN=laptop");
  admin_ = v1::Admin::NewStub(grpc::CreateChannel("unix:" + agent_.grpc_socket().native(),
                                                  grpc::InsecureChannelCredentials()));
  PublicKeyOf(Admin(&v1::Admin::Stub::CreateCsr, csr).csr_pem());
}

}  // namespace
}  // namespace signet::agent
