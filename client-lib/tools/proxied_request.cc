#include "client-lib/tools/proxied_request.h"

#include <utility>

namespace signet::tools {
namespace {

constexpr int kNoContent = 204;
constexpr int kNotModified = 304;

// A backend may not speak in our name either (RFC 9440 section 2.2: not in responses).
void RemoveReserved(Fields& fields) {
  std::erase_if(fields, [](const Field& field) { return IsReserved(field.name); });
}

}  // namespace

ProxiedRequest::ProxiedRequest(Client client, Backend& backend, UpstreamRequest request)
    : client_(client), head_only_(request.method == "HEAD"), tunnel_(request.method == "CONNECT") {
  client_.response.OnTaken([this](size_t count) { exchange_->Taken(count); });
  exchange_ = backend.Start(std::move(request), *this);
}

void ProxiedRequest::OnInformation(int status, Fields fields) {
  RemoveReserved(fields);
  client_.response.Inform(status, fields);
  client_.wake.Wake();
}

void ProxiedRequest::OnResponse(int status, Fields fields) {
  RemoveReserved(fields);
  bool has_body = !head_only_ && status != kNoContent && status != kNotModified;
  client_.response.Start(status, fields, has_body);
  client_.wake.Wake();
}

void ProxiedRequest::OnResponseBody(std::span<const uint8_t> data) {
  client_.response.Add({reinterpret_cast<const char*>(data.data()), data.size()});
  client_.wake.Wake();
}

void ProxiedRequest::OnResponseEnd(Fields trailers) {
  over_ = !tunnel_;
  RemoveReserved(trailers);
  client_.response.End(std::move(trailers));
  client_.wake.Wake();
}

void ProxiedRequest::OnFailure(UpstreamFailure failure) {
  over_ = true;
  failure_ = std::move(failure);
  if (client_.response.started() && tunnel_) {
    client_.streams.ResetStream(client_.stream, ClientStreams::Reset::kTunnel);
  } else if (client_.response.started()) {
    client_.response.Abort();
  }
  client_.wake.Wake();
}

void ProxiedRequest::OnSent(size_t count) {
  client_.streams.Consume(client_.stream, count);
  client_.wake.Wake();
}

}  // namespace signet::tools
