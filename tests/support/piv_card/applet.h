// The PIV application of a card: command APDUs to response APDUs (NIST SP 800-73-4 part 2), as far
// as those go who sign with it. Nothing can be written to it but its PIN and PUK.
#ifndef SIGNET_TESTS_SUPPORT_PIV_CARD_APPLET_H_
#define SIGNET_TESTS_SUPPORT_PIV_CARD_APPLET_H_

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "tests/support/piv_card/key_slot.h"
#include "tests/support/piv_card/pins.h"

namespace signet::test::piv {

struct Apdu {
  uint8_t cla, ins, p1, p2;
  Bytes data;
  size_t expected;  // bytes of answer
};

// What a test counts and how it disturbs.
struct Counts {
  int verify = 0;        // VERIFY with a PIN: those that may spend a try
  int authenticate = 0;  // GENERAL AUTHENTICATE
};
struct Disturbances {
  std::chrono::milliseconds signing_takes{0};
  bool drop = false;  // the next GENERAL AUTHENTICATE pulls the card
};

class Applet {
 public:
  // A folder with NAME.key and NAME.der for each slot, `pins` and `guid` (32 hex digits).
  explicit Applet(const std::filesystem::path& folder);

  // Without a value: the card was pulled instead.
  std::optional<Bytes> Answer(BytesView command);
  // Power went or came: nobody is verified.
  void Reset();

  const Pins& pins() const { return pins_; }
  Counts counts;
  Disturbances disturbances;

 private:
  Bytes Select(const Apdu& apdu);
  Bytes GetData(const Apdu& apdu);
  Bytes Verify(const Apdu& apdu);
  Bytes ChangeReference(const Apdu& apdu);
  Bytes UnblockPin(const Apdu& apdu);
  std::optional<Bytes> Authenticate(const Apdu& apdu);
  Bytes Respond(Bytes data, size_t expected);
  Bytes Continue(size_t expected);

  Pins pins_;
  std::vector<KeySlot> slots_;
  std::map<uint32_t, Bytes> objects_;
  bool verified_ = false;
  bool just_verified_ = false;  // by the command before: good for one signature with 9C
  Bytes chained_;               // command data so far (CLA bit 0x10)
  Bytes pending_;               // response data that GET RESPONSE fetches
};

}  // namespace signet::test::piv

#endif  // SIGNET_TESTS_SUPPORT_PIV_CARD_APPLET_H_
