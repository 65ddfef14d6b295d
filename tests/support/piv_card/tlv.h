// BER-TLV as PIV cards write it (ISO/IEC 7816-4 section 5.2.2): tags of up to three bytes, lengths
// of up to two.
#ifndef SIGNET_TESTS_SUPPORT_PIV_CARD_TLV_H_
#define SIGNET_TESTS_SUPPORT_PIV_CARD_TLV_H_

#include <cstdint>
#include <optional>

#include "ipc/wire/bytes.h"

namespace signet::test::piv {

using wire::Bytes;
using wire::BytesView;

Bytes operator+(Bytes left, BytesView right);

// `tag` as its bytes read: 0x53, 0x5F2F.
Bytes Tlv(uint32_t tag, BytesView value);

// The value of the first element in `bytes` with this one-byte tag; nothing when there is none or
// an element before it does not fit. A view of `bytes`.
std::optional<BytesView> FindTlv(BytesView bytes, uint8_t tag);

}  // namespace signet::test::piv

#endif  // SIGNET_TESTS_SUPPORT_PIV_CARD_TLV_H_
