// The card's PIN and PUK and the tries that each has left, in a file: they survive the card's
// power, as everybody's do who has blocked a real one.
#ifndef SIGNET_TESTS_SUPPORT_PIV_CARD_PINS_H_
#define SIGNET_TESTS_SUPPORT_PIV_CARD_PINS_H_

#include <filesystem>
#include <string>
#include <string_view>

namespace signet::test::piv {

class Pins {
 public:
  static constexpr int kTries = 3;

  // The file holds two lines, "PIN tries" and "PUK tries". Throws std::runtime_error when it can't
  // be read, and each method when it can't be written.
  explicit Pins(std::filesystem::path file);

  // Each spends a try unless the secret is right, which gives all tries back; none when blocked.
  bool CheckPin(std::string_view pin) { return Check(pin_, pin); }
  bool CheckPuk(std::string_view puk) { return Check(puk_, puk); }

  void ChangePin(std::string_view pin) { Change(pin_, pin); }
  void ChangePuk(std::string_view puk) { Change(puk_, puk); }

  int pin_tries() const { return pin_.tries; }
  int puk_tries() const { return puk_.tries; }

 private:
  struct Secret {
    std::string text;
    int tries = kTries;
  };
  bool Check(Secret& secret, std::string_view guess);
  void Change(Secret& secret, std::string_view text);
  void Write() const;

  std::filesystem::path file_;
  Secret pin_;
  Secret puk_;
};

}  // namespace signet::test::piv

#endif  // SIGNET_TESTS_SUPPORT_PIV_CARD_PINS_H_
