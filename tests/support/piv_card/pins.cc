#include "tests/support/piv_card/pins.h"

#include <fstream>
#include <stdexcept>
#include <utility>

namespace signet::test::piv {

Pins::Pins(std::filesystem::path file) : file_(std::move(file)) {
  std::ifstream in(file_);
  if (!(in >> pin_.text >> pin_.tries >> puk_.text >> puk_.tries)) {
    throw std::runtime_error("read " + file_.native());
  }
}

bool Pins::Check(Secret& secret, std::string_view guess) {
  if (secret.tries == 0) return false;
  // Spent before the comparison, so that pulling the card in between gains nothing.
  --secret.tries;
  Write();
  if (secret.text != guess) return false;
  secret.tries = kTries;
  Write();
  return true;
}

void Pins::Change(Secret& secret, std::string_view text) {
  secret = {std::string(text), kTries};
  Write();
}

void Pins::Write() const {
  const std::filesystem::path next = file_.native() + ".next";
  std::ofstream out(next);
  out << pin_.text << ' ' << pin_.tries << '\n' << puk_.text << ' ' << puk_.tries << '\n';
  out.close();
  if (!out) throw std::runtime_error("write " + next.native());
  std::filesystem::rename(next, file_);
}

}  // namespace signet::test::piv
