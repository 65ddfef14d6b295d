#include "client-lib/tools/stream_bio.h"

#include <cerrno>
#include <cstdint>
#include <memory>
#include <new>

namespace signet::tools {
namespace {

ByteStream& StreamOf(BIO* bio) { return *static_cast<ByteStream*>(BIO_get_data(bio)); }

int Write(BIO* bio, const char* data, size_t size, size_t* written) {
  BIO_clear_retry_flags(bio);
  const ByteStream::Result result =
      StreamOf(bio).Write({reinterpret_cast<const uint8_t*>(data), size}, *written);
  if (result == ByteStream::Result::kDone) return 1;
  if (result == ByteStream::Result::kWouldBlock) BIO_set_retry_write(bio);
  errno = 0;  // what it holds is about something else
  return 0;
}

int Read(BIO* bio, char* out, size_t size, size_t* count) {
  BIO_clear_retry_flags(bio);
  const ByteStream::Result result =
      StreamOf(bio).Read({reinterpret_cast<uint8_t*>(out), size}, *count);
  if (result == ByteStream::Result::kDone) return 1;
  if (result == ByteStream::Result::kWouldBlock) BIO_set_retry_read(bio);
  errno = 0;
  return 0;
}

long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

struct MethodDelete {
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

const BIO_METHOD* Method() {
  static const std::unique_ptr<BIO_METHOD, MethodDelete> method = [] {
    std::unique_ptr<BIO_METHOD, MethodDelete> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "byte stream"));
    if (made == nullptr) throw std::bad_alloc();
    BIO_meth_set_write_ex(made.get(), Write);
    BIO_meth_set_read_ex(made.get(), Read);
    BIO_meth_set_ctrl(made.get(), Control);
    return made;
  }();
  return method.get();
}

}  // namespace

BIO* NewStreamBio(ByteStream& stream) {
  BIO* bio = BIO_new(Method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, &stream);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace signet::tools
