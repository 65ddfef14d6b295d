#include "client-lib/tools/client_response.h"

#include <utility>

namespace signet::tools {

void ClientResponse::Inform(int status, const Fields& fields) {
  streams_.Inform(stream_, status, fields);
}

void ClientResponse::Start(int status, const Fields& fields, bool has_body) {
  status_ = status;
  has_body_ = has_body;
  streams_.Respond(stream_, status, fields, has_body ? &body_ : nullptr);
}

void ClientResponse::Add(std::string_view data) {
  if (!has_body_) return;
  body_.Add(data);
  streams_.Resume(stream_, body_);
}

void ClientResponse::End(Fields trailers) {
  body_.End(std::move(trailers));
  streams_.Resume(stream_, body_);
}

void ClientResponse::Abort() {
  body_.Abort();
  streams_.Resume(stream_, body_);
  if (!has_body_) streams_.ResetStream(stream_, ClientStreams::Reset::kFailed);
}

}  // namespace signet::tools
