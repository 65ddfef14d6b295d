// signet/nghttp2.h on a connection that can carry no authenticators: TLS 1.2, for example.
#include <gtest/gtest.h>
#include <signet/nghttp2.h>

#include <stdexcept>
#include <string>

namespace signet::tools {
namespace {

struct Connection {
  signet_nghttp2 adapter{};
  nghttp2_session* h2 = nullptr;

  explicit Connection(bool server) {
    server ? signet_nghttp2_init_server(&adapter, nullptr)
           : signet_nghttp2_init_client(&adapter, nullptr);
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session* session, const nghttp2_frame* frame, void* user) {
          return signet_nghttp2_on_frame_recv(static_cast<signet_nghttp2*>(user), session, frame,
                                              0);
        });
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    signet_nghttp2_set_option(&adapter, option);
    (server ? nghttp2_session_server_new2 : nghttp2_session_client_new2)(&h2, callbacks, &adapter,
                                                                         option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
  }
  ~Connection() {
    nghttp2_session_del(h2);
    signet_nghttp2_free(&adapter);
  }

  std::string Output() {
    std::string output;
    const uint8_t* data = nullptr;
    while (const ssize_t size = nghttp2_session_mem_send(h2, &data)) {
      if (size < 0) throw std::runtime_error(nghttp2_strerror(static_cast<int>(size)));
      output.append(reinterpret_cast<const char*>(data), size);
    }
    return output;
  }
  bool Takes(const std::string& bytes) {
    return nghttp2_session_mem_recv(h2, reinterpret_cast<const uint8_t*>(bytes.data()),
                                    bytes.size()) == static_cast<ssize_t>(bytes.size());
  }
};

// A21: nothing is advertised, and a peer that advertises and asks all the same meets an endpoint
// that knows nothing of the draft: unknown frames are discarded (RFC 9113 section 5.5).
TEST(NoSessionTest, AdvertisesNothingAndDiscardsTheFrames) {
  const std::string support("\x00\x00\x06\x04\x00\x00\x00\x00\x00\xf0\xc4\x00\x00\x00\x01", 15);
  for (const bool server : {false, true}) {
    Connection connection(server);
    nghttp2_settings_entry settings[4];
    EXPECT_EQ(signet_nghttp2_settings(&connection.adapter, settings, 4), 0u);
    nghttp2_submit_settings(connection.h2, NGHTTP2_FLAG_NONE, nullptr, 0);
    connection.Output();

    const std::string preface = server ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" : "";
    EXPECT_TRUE(connection.Takes(preface + support));
    for (const char type : {'\xf4', '\xf5', '\xf6'}) {
      EXPECT_TRUE(connection.Takes(std::string("\0\0\1", 3) + type + std::string(6, '\0')));
    }
    EXPECT_EQ(signet_nghttp2_submit(&connection.adapter, connection.h2), 0);
    EXPECT_EQ(connection.Output(), std::string("\0\0\0\4\1\0\0\0\0", 9)) << "SETTINGS ACK alone";
    EXPECT_TRUE(nghttp2_session_want_read(connection.h2));
  }
}

}  // namespace
}  // namespace signet::tools
