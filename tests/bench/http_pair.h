// A client and a server of one HTTP connection in one process, without a network between them: real
// TLS or QUIC, nghttp2 or nghttp3, and libsignet on both ends or on neither. Failures throw
// std::runtime_error.
#ifndef SIGNET_TESTS_BENCH_HTTP_PAIR_H_
#define SIGNET_TESTS_BENCH_HTTP_PAIR_H_

#include <signet/client.h>
#include <signet/server.h>

#include <memory>
#include <string>

namespace signet::bench {

class HttpPair {
 public:
  virtual ~HttpPair() = default;
  // Null where there is no libsignet.
  virtual signet_session* session() = 0;
  virtual signet_requester* requester() = 0;

  // What each end has to say leaves it, encrypted; what has come to it is taken. QUIC may want a
  // moment before it sends the next datagram: then nothing leaves.
  virtual bool ServerSends() = 0;  // whether something left
  virtual void ClientTakes() = 0;
  virtual bool ClientSends() = 0;
  virtual void ServerTakes() = 0;
};

// Makes pairs that have shaken hands and exchanged SETTINGS, over HTTP/3 also a request and its
// response; what they share is made once.
class HttpPairs {
 public:
  virtual ~HttpPairs() = default;
  virtual std::unique_ptr<HttpPair> New(bool with_libsignet) = 0;
};

std::unique_ptr<HttpPairs> NewHttp2Pairs(const std::string& origin);
std::unique_ptr<HttpPairs> NewHttp3Pairs(const std::string& origin);

struct FreeRequester {
  void operator()(signet_requester* requester) const { signet_requester_free(requester); }
};
using RequesterPtr = std::unique_ptr<signet_requester, FreeRequester>;

}  // namespace signet::bench

#endif  // SIGNET_TESTS_BENCH_HTTP_PAIR_H_
