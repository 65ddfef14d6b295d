// An application's nghttp2 callbacks that only hand over to signet/nghttp2.h. Not for production
// code.
#ifndef SIGNET_TESTS_SUPPORT_NGHTTP2_CALLBACKS_H_
#define SIGNET_TESTS_SUPPORT_NGHTTP2_CALLBACKS_H_

#include <nghttp2/nghttp2.h>
#include <signet/nghttp2.h>

namespace signet::test {

// `Adapter` finds the adapter by the user pointer of the nghttp2_session.
template <signet_nghttp2* (*Adapter)(void* user)>
void HandOverToAdapter(nghttp2_session_callbacks* callbacks) {
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session* h2, const nghttp2_frame* frame, void* user) {
        return signet_nghttp2_on_frame_recv(Adapter(user), h2, frame, 0);
      });
  nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame_hd* header, const uint8_t* data,
                    size_t size, void* user) {
        return signet_nghttp2_on_extension_chunk(Adapter(user), header, data, size);
      });
  nghttp2_session_callbacks_set_unpack_extension_callback(
      callbacks, [](nghttp2_session*, void** payload, const nghttp2_frame_hd* header, void* user) {
        return signet_nghttp2_unpack_extension(Adapter(user), payload, header);
      });
  nghttp2_session_callbacks_set_pack_extension_callback(
      callbacks,
      [](nghttp2_session*, uint8_t* out, size_t size, const nghttp2_frame* frame, void* user) {
        return signet_nghttp2_pack_extension(Adapter(user), out, size, frame);
      });
}

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_NGHTTP2_CALLBACKS_H_
