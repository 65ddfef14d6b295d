#include "client-lib/tools/gateway_http3.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

namespace signet::tools {
namespace {

constexpr size_t kMaxConnections = 1024;
// Then others of the event loop have their turn.
constexpr int kDatagramsAtOnce = 256;
constexpr size_t kMaxDatagram = 65536;

std::string Key(const uint8_t* id, size_t size) {
  return std::string(reinterpret_cast<const char*>(id), size);
}

}  // namespace

GatewayHttp3::GatewayHttp3(EventLoop& loop, Descriptor socket,
                           gnutls_certificate_credentials_t credentials,
                           const GatewayPolicy& policy, Upstreams upstreams)
    : loop_(loop),
      socket_(std::move(socket)),
      local_(LocalAddress(socket_)),
      credentials_(credentials),
      policy_(policy),
      upstreams_(upstreams),
      receiving_(loop, [this] { ReceiveSome(); }) {
  receiving_.SetEvents(socket_.get(), POLLIN);
}

void GatewayHttp3::Stop() {
  stopping_ = true;
  for (auto& [id, each] : connections_) each.connection->Stop();
}

void GatewayHttp3::ReceiveSome() {
  std::array<uint8_t, kMaxDatagram> datagram;
  SocketAddress from;
  bool refused = false;  // of somebody else's datagrams; no news
  for (int i = 0; i < kDatagramsAtOnce; ++i) {
    const std::optional<size_t> size = ReceiveDatagram(socket_, datagram, from, refused);
    if (!size) return;
    Take({datagram.data(), *size}, from);
  }
}

void GatewayHttp3::Take(std::span<const uint8_t> datagram, const SocketAddress& from) {
  ngtcp2_version_cid ids{};
  const int decoded = ngtcp2_pkt_decode_version_cid(&ids, datagram.data(), datagram.size(),
                                                    QuicConnection::kIdSize);
  if (decoded == NGTCP2_ERR_VERSION_NEGOTIATION) RefuseVersion(ids, from);
  if (decoded != 0) return;
  const auto known = ids_.find(Key(ids.dcid, ids.dcidlen));
  GatewayHttp3Connection* connection = known != ids_.end()
                                           ? connections_.at(known->second).connection.get()
                                           : Accept(datagram, from);
  if (connection != nullptr) connection->Receive(datagram, local_, from);
}

// Null for what does not begin a connection, or when there are too many: the client tries again.
GatewayHttp3Connection* GatewayHttp3::Accept(std::span<const uint8_t> datagram,
                                             const SocketAddress& from) {
  ngtcp2_pkt_hd header{};
  if (stopping_ || connections_.size() >= kMaxConnections ||
      ngtcp2_accept(&header, datagram.data(), datagram.size()) != 0) {
    return nullptr;
  }
  const std::optional<ngtcp2_cid> original = retry_.OriginalId(header, from);
  if (!original && crowded()) {
    const std::vector<uint8_t> answer = retry_.Answer(header, from);
    if (!answer.empty()) SendDatagram(socket_, answer, from.get(), from.size);
    return nullptr;
  }
  const uint64_t id = next_id_++;
  Connection& made = connections_[id];
  made.carrier = std::make_unique<Carrier>(*this, id);
  made.connection = std::make_unique<GatewayHttp3Connection>(
      loop_, policy_, upstreams_, credentials_, *made.carrier,
      GatewayHttp3Connection::Arrival{header, original, local_, from}, [this, id] { Forget(id); });
  return made.connection.get();
}

bool GatewayHttp3::crowded() const {
  const auto handshakes =
      std::count_if(connections_.begin(), connections_.end(),
                    [](const auto& each) { return each.second.connection->in_handshake(); });
  return handshakes >= policy_.http3_retry_above;
}

void GatewayHttp3::RefuseVersion(const ngtcp2_version_cid& ids, const SocketAddress& from) {
  static constexpr uint32_t kVersions[] = {NGTCP2_PROTO_VER_V1};
  std::array<uint8_t, 1200> datagram;
  const ngtcp2_ssize size = ngtcp2_pkt_write_version_negotiation(
      datagram.data(), datagram.size(), 0, ids.scid, ids.scidlen, ids.dcid, ids.dcidlen, kVersions,
      std::size(kVersions));
  if (size > 0) {
    SendDatagram(socket_, {datagram.data(), static_cast<size_t>(size)}, from.get(), from.size);
  }
}

void GatewayHttp3::Forget(uint64_t id) {
  std::erase_if(ids_, [id](const auto& each) { return each.second == id; });
  auto found = connections_.find(id);
  loop_.DestroyLater(std::move(found->second.connection));
  loop_.DestroyLater(std::move(found->second.carrier));
  connections_.erase(found);
}

void GatewayHttp3::Carrier::SendDatagram(std::span<const uint8_t> data, const ngtcp2_path& path) {
  signet::tools::SendDatagram(owner_.socket_, data, path.remote.addr, path.remote.addrlen);
}

void GatewayHttp3::Carrier::AddId(const ngtcp2_cid& id) {
  owner_.ids_[Key(id.data, id.datalen)] = id_;
}

void GatewayHttp3::Carrier::RemoveId(const ngtcp2_cid& id) {
  owner_.ids_.erase(Key(id.data, id.datalen));
}

}  // namespace signet::tools
