#include "agent/identity/enrolment.h"

#include <algorithm>
#include <asio/async_result.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/identity/certificate_request_builder.h"
#include "agent/identity/chain_check.h"
#include "agent/identity/openssl.h"
#include "agent/identity/pem.h"
#include "agent/identity/selection.h"
#include "agent/identity/signature_check.h"

namespace signet::agent {
namespace {

constexpr size_t kMaxChainPemSize = 256 * 1024;

absl::StatusOr<Identity> Find(const IdentityStore& store, const std::string& name) {
  for (const Identity& identity : *store.snapshot()) {
    if (identity.name == name) return identity;
  }
  return absl::NotFoundError(absl::StrCat(
      "identity \"", name, "\": there is none of that name; see signet identity list"));
}

absl::Status CheckNewName(const IdentityStore& store, const std::string& name) {
  if (!IsIdentityName(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("identity \"", name,
                     "\": not a name; use 1 to 64 letters, digits, "
                     "\".\", \"_\" or \"-\", the first not \".\" or \"-\""));
  }
  if (!Find(store, name).ok()) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat("identity \"", name,
                                               "\": the name is in use; choose another, or signet "
                                               "identity remove ",
                                               name));
}

absl::Status About(const std::string& name, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("identity \"", name, "\": ", status.message()));
}

absl::Status NoChain(const std::string& name, const absl::Status& status) {
  return About(name, absl::InvalidArgumentError(absl::StrCat(
                         status.message(), "; give the certificates alone, as PEM, leaf first")));
}

// These two on the file worker, where one change follows another: what is checked is what is
// changed.

absl::Status ImportSlowly(IdentityStore& store, const std::string& name,
                          const std::string& chain_pem, bool next) {
  const absl::StatusOr<Identity> identity = Find(store, name);
  if (!identity.ok()) return identity.status();
  if (chain_pem.size() > kMaxChainPemSize) {
    return NoChain(name, absl::InvalidArgumentError("the file is too large to be a chain"));
  }
  const absl::StatusOr<std::vector<wire::Bytes>> chain = ParseChainPem(chain_pem);
  if (!chain.ok()) return NoChain(name, chain.status());
  const absl::Status fits = CheckChain(*identity, *chain, std::chrono::system_clock::now());
  if (!fits.ok()) return About(name, fits);
  if (next && *chain == identity->chain) {
    return About(name, absl::InvalidArgumentError(
                           "this is the certificate that it has now; import the one that is to "
                           "follow"));
  }
  return next ? store.SetNextChain(name, *chain) : store.SetChain(name, *chain);
}

absl::Status SwitchSlowly(IdentityStore& store, const std::string& name, bool back) {
  const absl::StatusOr<Identity> identity = Find(store, name);
  if (!identity.ok()) return identity.status();
  if (const auto& other = back ? identity->previous : identity->next) {
    if (const auto why = WhyUnusable(*other, std::chrono::system_clock::now())) {
      return About(name, absl::InvalidArgumentError(
                             absl::StrCat("not switched to the other certificate: ", *why)));
    }
  }
  return back ? store.SwitchBack(name) : store.SwitchToNext(name);
}

}  // namespace

Enrolment::Enrolment(IdentityStore& store, KeyMaker& maker, Signer& signer,
                     asio::thread_pool& file_worker)
    : store_(store), maker_(maker), signer_(signer), file_worker_(file_worker) {}

asio::awaitable<absl::StatusOr<Identity>> Enrolment::Create(std::string name, std::string backend,
                                                            IdentityKind kind,
                                                            std::string algorithm,
                                                            Deadline deadline) {
  if (absl::Status status = CheckNewName(store_, name); !status.ok()) co_return status;
  absl::StatusOr<NewKey> made = co_await maker_.CreateKey(backend, name, algorithm, deadline);
  if (!made.ok()) co_return made.status();
  Identity identity;
  identity.name = name;
  identity.kind = kind;
  identity.algorithm = algorithm;
  identity.hardware = made->hardware;
  identity.key = std::move(made->key);
  identity.public_key = std::move(made->public_key);
  identity.schemes = std::move(made->schemes);

  const absl::Status stored = co_await OnFileWorker([&] { return store_.Add(identity); });
  if (stored.ok()) co_return identity;
  // A key that nobody can name again must not stay on the token.
  const absl::Status removed = co_await maker_.RemoveKey(identity.key, deadline);
  if (removed.ok()) co_return stored;
  co_return absl::Status(
      stored.code(), absl::StrCat(stored.message(),
                                  "; and its key could not be removed again: ", removed.message()));
}

asio::awaitable<absl::StatusOr<std::string>> Enrolment::CreateCsr(std::string name,
                                                                  std::string subject,
                                                                  std::vector<std::string> names,
                                                                  Deadline deadline) {
  const absl::StatusOr<Identity> identity = Find(store_, name);
  if (!identity.ok()) co_return identity.status();
  if (identity->schemes.empty()) {
    co_return absl::FailedPreconditionError(absl::StrCat(
        "identity \"", name, "\": its key can do no signature of TLS 1.3; create another"));
  }
  absl::StatusOr<CertificateRequestBuilder> builder =
      CertificateRequestBuilder::Make(*identity, subject, names);
  if (!builder.ok()) co_return builder.status();
  const wire::SignatureScheme scheme = identity->schemes.front();
  const wire::Bytes message = builder->ToBeSigned();
  SignatureCheck check = CheckWith(DecodeDer(d2i_PUBKEY, identity->public_key), scheme);
  const absl::StatusOr<wire::Bytes> signature =
      co_await signer_.Sign(identity->key, scheme, message, std::move(check), deadline);
  if (!signature.ok()) co_return signature.status();
  absl::StatusOr<std::string> pem = builder->Finish(scheme, *signature);
  if (!pem.ok()) co_return About(name, pem.status());
  co_return pem;
}

asio::awaitable<absl::StatusOr<Identity>> Enrolment::Import(std::string name, std::string chain_pem,
                                                            bool next) {
  const absl::Status imported =
      co_await OnFileWorker([&] { return ImportSlowly(store_, name, chain_pem, next); });
  if (!imported.ok()) co_return imported;
  co_return Find(store_, name);
}

asio::awaitable<absl::StatusOr<Identity>> Enrolment::Switch(std::string name, bool back) {
  const absl::Status switched =
      co_await OnFileWorker([&] { return SwitchSlowly(store_, name, back); });
  if (!switched.ok()) co_return switched;
  co_return Find(store_, name);
}

asio::awaitable<absl::StatusOr<Identity>> Enrolment::Retire(std::string name) {
  const absl::Status retired = co_await OnFileWorker([&] { return store_.RetirePrevious(name); });
  if (!retired.ok()) co_return retired;
  co_return Find(store_, name);
}

asio::awaitable<absl::Status> Enrolment::Remove(std::string name, bool forget, Deadline deadline) {
  const absl::StatusOr<Identity> identity = Find(store_, name);
  if (!identity.ok()) co_return identity.status();
  if (identity->found) {
    co_return About(
        name, absl::InvalidArgumentError(absl::StrCat(
                  "it was not made here but found on the token of backend ", identity->key.backend,
                  "; remove its key there with the tool that manages the token")));
  }
  // The key first: if that fails the identity is still there to try again with. A key that is not
  // found may be on a token that is not here.
  const absl::Status removed = co_await maker_.RemoveKey(identity->key, deadline);
  if (!removed.ok() && !forget) {
    co_return About(name, absl::Status(removed.code(),
                                       absl::StrCat(removed.message(),
                                                    "; to forget the identity and leave its key "
                                                    "where it is: signet identity remove ",
                                                    name, " --forget")));
  }
  co_return co_await OnFileWorker([&] { return store_.Remove(name); });
}

asio::awaitable<absl::Status> Enrolment::OnFileWorker(std::function<absl::Status()> work) {
  // Not co_spawn on the pool: this has no cancellation slot, so `work` always ends before the
  // coroutine goes on, and may borrow from its frame.
  auto initiate = [this](auto handler, std::function<absl::Status()> job) {
    auto loop = asio::get_associated_executor(handler);
    asio::post(file_worker_, [job = std::move(job), handler = std::move(handler),
                              guard = asio::make_work_guard(loop), loop]() mutable {
      absl::Status status = job();
      asio::post(loop, [handler = std::move(handler), status = std::move(status)]() mutable {
        handler(std::move(status));
      });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(absl::Status)>(
      std::move(initiate), asio::use_awaitable, std::move(work));
}

}  // namespace signet::agent
