// A ByteStream as OpenSSL's BIO: TLS inside another connection.
#ifndef SIGNET_CLIENT_LIB_TOOLS_STREAM_BIO_H_
#define SIGNET_CLIENT_LIB_TOOLS_STREAM_BIO_H_

#include <openssl/bio.h>

#include "client-lib/tools/byte_stream.h"

namespace signet::tools {

// `stream` outlives the BIO, which asks for a retry where the stream would block. Throws
// std::bad_alloc.
BIO* NewStreamBio(ByteStream& stream);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_STREAM_BIO_H_
