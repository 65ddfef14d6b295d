// The services for the CLI's tests: they answer from values and record what was asked.
#ifndef SIGNET_AGENT_CLI_FAKE_ADMIN_H_
#define SIGNET_AGENT_CLI_FAKE_ADMIN_H_

#include <functional>
#include <string>

#include "ipc/admin.grpc.pb.h"
#include "ipc/agent.grpc.pb.h"

namespace signet::cli {

// Set the values before a call; look at the requests after it.
class FakeAdmin final : public v1::Admin::Service {
 public:
  grpc::Status failure;                         // if not OK, the answer to every call
  std::function<void()> before_answer = [] {};  // on gRPC's thread

  v1::StatusResponse status;
  v1::ListIdentitiesResponse identities;
  v1::ShowIdentityResponse shown;
  v1::Identity identity;  // of create, import, switch and retire
  std::string csr;
  v1::ListRulesResponse rules;
  v1::ExplainRequest explain_request;
  v1::ExplainResponse explained;
  v1::ListRememberedResponse remembered;

  int calls = 0;
  v1::LockTokenRequest lock_request;
  v1::ShowIdentityRequest show_request;
  v1::CreateIdentityRequest create_request;
  v1::CreateCsrRequest csr_request;
  v1::ImportChainRequest import_request;
  v1::SwitchCertificateRequest switch_request;
  v1::RetireCertificateRequest retire_request;
  v1::RemoveIdentityRequest remove_request;
  v1::AddRuleRequest rule_request;
  v1::ForgetRememberedRequest forget_request;

 private:
  using Context = grpc::ServerContext;

  grpc::Status Answer() {
    ++calls;
    before_answer();
    return failure;
  }

  grpc::Status Status(Context*, const v1::StatusRequest*, v1::StatusResponse* response) override {
    *response = status;
    return Answer();
  }
  grpc::Status LockToken(Context*, const v1::LockTokenRequest* request,
                         v1::LockTokenResponse*) override {
    lock_request = *request;
    return Answer();
  }
  grpc::Status ListIdentities(Context*, const v1::AdminListIdentitiesRequest*,
                              v1::ListIdentitiesResponse* response) override {
    *response = identities;
    return Answer();
  }
  grpc::Status ShowIdentity(Context*, const v1::ShowIdentityRequest* request,
                            v1::ShowIdentityResponse* response) override {
    show_request = *request;
    *response = shown;
    return Answer();
  }
  grpc::Status CreateIdentity(Context*, const v1::CreateIdentityRequest* request,
                              v1::CreateIdentityResponse* response) override {
    create_request = *request;
    *response->mutable_identity() = identity;
    return Answer();
  }
  grpc::Status CreateCsr(Context*, const v1::CreateCsrRequest* request,
                         v1::CreateCsrResponse* response) override {
    csr_request = *request;
    response->set_csr_pem(csr);
    return Answer();
  }
  grpc::Status ImportChain(Context*, const v1::ImportChainRequest* request,
                           v1::ImportChainResponse* response) override {
    import_request = *request;
    *response->mutable_identity() = identity;
    return Answer();
  }
  grpc::Status SwitchCertificate(Context*, const v1::SwitchCertificateRequest* request,
                                 v1::SwitchCertificateResponse* response) override {
    switch_request = *request;
    *response->mutable_identity() = identity;
    return Answer();
  }
  grpc::Status RetireCertificate(Context*, const v1::RetireCertificateRequest* request,
                                 v1::RetireCertificateResponse* response) override {
    retire_request = *request;
    *response->mutable_identity() = identity;
    return Answer();
  }
  grpc::Status RemoveIdentity(Context*, const v1::RemoveIdentityRequest* request,
                              v1::RemoveIdentityResponse*) override {
    remove_request = *request;
    return Answer();
  }
  grpc::Status ListRules(Context*, const v1::ListRulesRequest*,
                         v1::ListRulesResponse* response) override {
    *response = rules;
    return Answer();
  }
  grpc::Status Explain(Context*, const v1::ExplainRequest* request,
                       v1::ExplainResponse* response) override {
    explain_request = *request;
    *response = explained;
    return Answer();
  }
  grpc::Status ListRemembered(Context*, const v1::ListRememberedRequest*,
                              v1::ListRememberedResponse* response) override {
    *response = remembered;
    return Answer();
  }
  grpc::Status ForgetRemembered(Context*, const v1::ForgetRememberedRequest* request,
                                v1::ForgetRememberedResponse*) override {
    forget_request = *request;
    return Answer();
  }
  grpc::Status AddRule(Context*, const v1::AddRuleRequest* request,
                       v1::AddRuleResponse* response) override {
    rule_request = *request;
    *response->mutable_rule() = request->rule();
    return Answer();
  }
};

// The same for what the CLI asks of the Agent service.
class FakeAgentService final : public v1::Agent::Service {
 public:
  v1::CallerDescription caller;
  v1::DescribeCallerRequest caller_request;

 private:
  grpc::Status DescribeCaller(grpc::ServerContext*, const v1::DescribeCallerRequest* request,
                              v1::CallerDescription* response) override {
    caller_request = *request;
    *response = caller;
    return grpc::Status::OK;
  }
};

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_FAKE_ADMIN_H_
