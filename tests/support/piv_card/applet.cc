#include "tests/support/piv_card/applet.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace signet::test::piv {
namespace {

// Status words, ISO/IEC 7816-4.
constexpr uint16_t kOk = 0x9000;
constexpr uint16_t kMoreData = 0x6100;
constexpr uint16_t kWrongTriesLeft = 0x63C0;
constexpr uint16_t kWrongLength = 0x6700;
constexpr uint16_t kSecurityNotSatisfied = 0x6982;
constexpr uint16_t kBlocked = 0x6983;
constexpr uint16_t kWrongData = 0x6A80;
constexpr uint16_t kNotFound = 0x6A82;
constexpr uint16_t kWrongReference = 0x6A88;
constexpr uint16_t kUnknownInstruction = 0x6D00;

constexpr uint8_t kPinReference = 0x80;
constexpr uint8_t kPukReference = 0x81;
constexpr size_t kSecretSize = 8;  // padded with 0xFF
constexpr uint8_t kPadding = 0xFF;
constexpr uint8_t kLogOut = 0xFF;  // P1 of VERIFY

constexpr uint8_t kApplication[] = {0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00};

Bytes Status(int word) { return {static_cast<uint8_t>(word >> 8), static_cast<uint8_t>(word)}; }

Bytes TriesLeft(int tries) { return Status(tries == 0 ? kBlocked : kWrongTriesLeft | tries); }

std::optional<Apdu> Parse(BytesView command) {
  if (command.size() < 4) return std::nullopt;
  Apdu apdu{command[0], command[1], command[2], command[3], {}, 256};
  BytesView rest = command.subspan(4);
  if (rest.size() > 1) {
    const size_t size = rest[0];
    if (rest.size() < 1 + size) return std::nullopt;
    apdu.data = wire::Copy(rest.subspan(1, size));
    rest = rest.subspan(1 + size);
  }
  if (!rest.empty() && rest[0] != 0) apdu.expected = rest[0];
  return apdu;
}

std::string Unpadded(BytesView secret) {
  return std::string(secret.begin(), std::ranges::find(secret, kPadding));
}

Bytes FromHex(const std::filesystem::path& file) {
  std::ifstream in(file);
  Bytes bytes;
  for (char digits[3]{}; in.get(digits[0]) && in.get(digits[1]);) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(digits, nullptr, 16)));
  }
  if (bytes.size() != 16) throw std::runtime_error("read " + file.native());
  return bytes;
}

// Card Holder Unique Identifier. Agency 9999 means: the GUID is the card's number.
Bytes HolderObject(BytesView guid) {
  const Bytes agency_9999{0xD4, 0xE7, 0x39, 0xDA, 0x73, 0x9C, 0xED, 0x39, 0xCE,
                          0x73, 0x9D, 0x83, 0x68, 0x58, 0x21, 0x08, 0x42, 0x10,
                          0x84, 0x21, 0xC8, 0x42, 0x10, 0xC3, 0xEB};
  const std::string expiry = "20991231";
  return Tlv(0x53, Tlv(0x30, agency_9999) + Tlv(0x34, guid) +
                       Tlv(0x35, Bytes(expiry.begin(), expiry.end())) + Tlv(0x3E, {}) +
                       Tlv(0xFE, {}));
}

}  // namespace

Applet::Applet(const std::filesystem::path& folder) : pins_(folder / "pins") {
  for (const SlotKind& kind : kSlotKinds) {
    std::optional<KeySlot> slot = KeySlot::Load(folder, kind);
    if (!slot.has_value()) continue;
    if (!slot->certificate_object().empty()) {
      objects_[kind.certificate] = slot->certificate_object();
    }
    slots_.push_back(*std::move(slot));
  }
  objects_[0x5FC102] = HolderObject(FromHex(folder / "guid"));
  // Discovery object: the PIV application has a PIN, and no other is used.
  objects_[0x7E] = Tlv(
      0x7E, Tlv(0x4F, Bytes{0xA0, 0, 0, 3, 8, 0, 0, 0x10, 0, 1, 0}) + Tlv(0x5F2F, Bytes{0x40, 0}));
}

void Applet::Reset() {
  verified_ = just_verified_ = false;
  chained_.clear();
  pending_.clear();
}

std::optional<Bytes> Applet::Answer(BytesView command) {
  std::optional<Apdu> apdu = Parse(command);
  if (!apdu.has_value()) return Status(kWrongLength);
  if ((apdu->cla & 0x10) != 0) {
    chained_ = std::move(chained_) + apdu->data;
    return Status(kOk);
  }
  if (!chained_.empty()) apdu->data = std::exchange(chained_, {}) + apdu->data;
  switch (apdu->ins) {
    case 0xA4:
      return Select(*apdu);
    case 0xC0:
      return Continue(apdu->expected);
    case 0xCB:
      return GetData(*apdu);
    case 0x20:
      return Verify(*apdu);
    case 0x24:
      return ChangeReference(*apdu);
    case 0x2C:
      return UnblockPin(*apdu);
    case 0x87:
      return Authenticate(*apdu);
    default:
      return Status(kUnknownInstruction);
  }
}

Bytes Applet::Select(const Apdu& apdu) {
  const size_t size = std::min(apdu.data.size(), std::size(kApplication));
  if (apdu.p1 != 4 || size < 5 ||
      !std::equal(kApplication, kApplication + size, apdu.data.begin())) {
    return Status(kNotFound);
  }
  const Bytes version{0, 0, 0x10, 0, 1, 0};
  const Bytes authority{0xA0, 0, 0, 3, 8};
  return Respond(Tlv(0x61, Tlv(0x4F, version) + Tlv(0x79, Tlv(0x4F, authority))), apdu.expected);
}

Bytes Applet::GetData(const Apdu& apdu) {
  const std::optional<BytesView> name = FindTlv(apdu.data, 0x5C);
  if (!name.has_value() || name->size() > 3) return Status(kWrongData);
  uint32_t tag = 0;
  for (const uint8_t byte : *name) tag = tag << 8 | byte;
  const auto object = objects_.find(tag);
  return object == objects_.end() ? Status(kNotFound) : Respond(object->second, apdu.expected);
}

Bytes Applet::Verify(const Apdu& apdu) {
  if (apdu.p2 != kPinReference) return Status(kWrongReference);
  if (apdu.p1 == kLogOut) {
    verified_ = just_verified_ = false;
    return Status(kOk);
  }
  if (apdu.data.empty()) return verified_ ? Status(kOk) : TriesLeft(pins_.pin_tries());
  if (apdu.data.size() != kSecretSize) return Status(kWrongData);
  ++counts.verify;
  verified_ = just_verified_ = pins_.CheckPin(Unpadded(apdu.data));
  return verified_ ? Status(kOk) : TriesLeft(pins_.pin_tries());
}

Bytes Applet::ChangeReference(const Apdu& apdu) {
  const bool is_pin = apdu.p2 == kPinReference;
  if (!is_pin && apdu.p2 != kPukReference) return Status(kWrongReference);
  if (apdu.data.size() != 2 * kSecretSize) return Status(kWrongData);
  const std::string old_one = Unpadded(BytesView(apdu.data).first(kSecretSize));
  const std::string new_one = Unpadded(BytesView(apdu.data).last(kSecretSize));
  const bool right = is_pin ? pins_.CheckPin(old_one) : pins_.CheckPuk(old_one);
  if (!right) return TriesLeft(is_pin ? pins_.pin_tries() : pins_.puk_tries());
  is_pin ? pins_.ChangePin(new_one) : pins_.ChangePuk(new_one);
  return Status(kOk);
}

Bytes Applet::UnblockPin(const Apdu& apdu) {
  if (apdu.p2 != kPinReference) return Status(kWrongReference);
  if (apdu.data.size() != 2 * kSecretSize) return Status(kWrongData);
  if (!pins_.CheckPuk(Unpadded(BytesView(apdu.data).first(kSecretSize)))) {
    return TriesLeft(pins_.puk_tries());
  }
  pins_.ChangePin(Unpadded(BytesView(apdu.data).last(kSecretSize)));
  return Status(kOk);
}

std::optional<Bytes> Applet::Authenticate(const Apdu& apdu) {
  ++counts.authenticate;
  const bool just_verified = std::exchange(just_verified_, false);
  const auto slot = std::ranges::find_if(
      slots_, [&](const KeySlot& each) { return each.kind().reference == apdu.p2; });
  if (slot == slots_.end()) return Status(kWrongReference);
  const PinPolicy policy = slot->kind().pin_policy;
  if ((policy == PinPolicy::kOnce && !verified_) ||
      (policy == PinPolicy::kAlways && !just_verified)) {
    return Status(kSecurityNotSatisfied);
  }
  const std::optional<BytesView> dynamic = FindTlv(apdu.data, 0x7C);
  const auto challenge = dynamic.has_value() ? FindTlv(*dynamic, 0x81) : std::nullopt;
  if (!challenge.has_value()) return Status(kWrongData);
  if (std::exchange(disturbances.drop, false)) return std::nullopt;
  std::this_thread::sleep_for(disturbances.signing_takes);
  const std::optional<Bytes> signature = slot->Sign(apdu.p1, *challenge);
  if (!signature.has_value()) return Status(kWrongData);
  return Respond(Tlv(0x7C, Tlv(0x82, *signature)), apdu.expected);
}

Bytes Applet::Respond(Bytes data, size_t expected) {
  pending_ = std::move(data);
  return Continue(expected);
}

Bytes Applet::Continue(size_t expected) {
  const auto end = pending_.begin() + static_cast<long>(std::min(expected, pending_.size()));
  Bytes part(pending_.begin(), end);
  pending_.erase(pending_.begin(), end);
  if (pending_.empty()) return std::move(part) + Status(kOk);
  const size_t left = pending_.size() > 0xff ? 0 : pending_.size();  // 0: 256 or more
  return std::move(part) + Status(kMoreData | static_cast<int>(left));
}

}  // namespace signet::test::piv
