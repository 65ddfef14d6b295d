#include "tests/support/softhsm.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace signet::test {
namespace {

constexpr char kVariable[] = "SOFTHSM2_CONF";

// Where distributions put it.
constexpr const char* kModules[] = {
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/*/softhsm/libsofthsm2.so",
    "/usr/lib*/pkcs11/libsofthsm2.so",
};

std::string MakeFolder() {
  std::string folder = (std::filesystem::temp_directory_path() / "signet-softhsm-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "softhsm: mkdtemp " + folder);
  }
  return folder;
}

void RunSoftHsmUtil(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "softhsm2-util");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, argv[0], &quiet, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&quiet);
  if (error != 0) {
    throw std::system_error(error, std::generic_category(),
                            "softhsm: run softhsm2-util (package softhsm2)");
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw std::runtime_error("softhsm: softhsm2-util " + arguments[1] + " failed");
}

}  // namespace

SoftHsm::SoftHsm() : folder_(MakeFolder()) {
  if (getenv(kVariable) != nullptr) {
    std::filesystem::remove(folder_);
    throw std::runtime_error("softhsm: SOFTHSM2_CONF is set: one SoftHsm at a time in a process");
  }
  const std::string configuration = folder_ + "/softhsm2.conf";
  std::filesystem::create_directory(folder_ + "/tokens");
  std::ofstream(configuration) << "directories.tokendir = " << folder_ << "/tokens\n"
                               << "objectstore.backend = file\n"
                               << "log.level = ERROR\n";
  setenv(kVariable, configuration.c_str(), 1);
}

SoftHsm::~SoftHsm() {
  unsetenv(kVariable);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void SoftHsm::AddToken(std::string_view label) {
  RunSoftHsmUtil({"--init-token", "--free", "--label", std::string(label), "--pin",
                  std::string(kPin), "--so-pin", std::string(kSoPin)});
}

void SoftHsm::RemoveToken(std::string_view label) {
  RunSoftHsmUtil({"--delete-token", "--token", std::string(label)});
}

std::string SoftHsm::Module() {
  for (const char* pattern : kModules) {
    glob_t found{};
    std::string path;
    if (glob(pattern, 0, nullptr, &found) == 0) path = found.gl_pathv[0];
    globfree(&found);
    if (!path.empty()) return path;
  }
  throw std::runtime_error("softhsm: libsofthsm2.so: not found; install the package softhsm2");
}

}  // namespace signet::test
