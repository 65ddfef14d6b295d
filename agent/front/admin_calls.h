// What an administrator may ask: the Admin service. Whether it may was decided before (Gate).
#ifndef SIGNET_AGENT_FRONT_ADMIN_CALLS_H_
#define SIGNET_AGENT_FRONT_ADMIN_CALLS_H_

#include <asio/awaitable.hpp>
#include <asio/thread_pool.hpp>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "agent/front/tokens.h"
#include "agent/identity/enrolment.h"
#include "agent/identity/identity_store.h"
#include "agent/policy/policy.h"
#include "agent/policy/remembered_answers.h"
#include "ipc/admin.pb.h"

namespace signet::agent {

struct AgentFacts {
  std::string version;
  std::filesystem::path config_file;
  std::filesystem::path runtime_dir;
  std::filesystem::path state_dir;
};

// Loop thread only; files are written by `file_worker`. All references outlive it; a call's
// arguments outlive the call. Once a call changes something, its client's going away no longer
// stops it: it is done whole.
class AdminCalls {
 public:
  static constexpr std::chrono::seconds kPatience{120};  // an RSA key in a TPM takes its time

  AdminCalls(AgentFacts facts, Enrolment& enrolment, const IdentityStore& identities,
             Policy& policy, RememberedAnswers& remembered, Tokens& tokens,
             asio::thread_pool& file_worker);

  using Result = asio::awaitable<absl::Status>;
  Result Status(const v1::StatusRequest&, v1::StatusResponse& response);
  Result LockToken(const v1::LockTokenRequest& request, v1::LockTokenResponse&);
  Result ListIdentities(const v1::AdminListIdentitiesRequest&,
                        v1::ListIdentitiesResponse& response);
  Result ShowIdentity(const v1::ShowIdentityRequest& request, v1::ShowIdentityResponse& response);
  Result CreateIdentity(const v1::CreateIdentityRequest& request,
                        v1::CreateIdentityResponse& response);
  Result CreateCsr(const v1::CreateCsrRequest& request, v1::CreateCsrResponse& response);
  Result ImportChain(const v1::ImportChainRequest& request, v1::ImportChainResponse& response);
  Result SwitchCertificate(const v1::SwitchCertificateRequest& request,
                           v1::SwitchCertificateResponse& response);
  Result RetireCertificate(const v1::RetireCertificateRequest& request,
                           v1::RetireCertificateResponse& response);
  Result RemoveIdentity(const v1::RemoveIdentityRequest& request, v1::RemoveIdentityResponse&);
  Result ListRules(const v1::ListRulesRequest&, v1::ListRulesResponse& response);
  Result Explain(const v1::ExplainRequest& request, v1::ExplainResponse& response);
  // Refuses an identity that does not exist and a program that is no file: a rule with a slip of
  // the pen in it would quietly match nothing.
  Result AddRule(const v1::AddRuleRequest& request, v1::AddRuleResponse& response);
  Result ListRemembered(const v1::ListRememberedRequest&, v1::ListRememberedResponse& response);
  Result ForgetRemembered(const v1::ForgetRememberedRequest& request,
                          v1::ForgetRememberedResponse&);

 private:
  v1::Identity Describe(const Identity& identity) const;
  // What another agent has can't be changed here.
  absl::Status CheckOurs(const std::string& identity) const;
  std::string NoteOn(const Rule& rule) const;

  const AgentFacts facts_;
  Enrolment& enrolment_;
  const IdentityStore& identities_;
  Policy& policy_;
  RememberedAnswers& remembered_;
  Tokens& tokens_;
  asio::thread_pool& file_worker_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_ADMIN_CALLS_H_
