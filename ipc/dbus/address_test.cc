#include "ipc/dbus/address.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace signet::ipc {
namespace {

class Address : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS", "XDG_RUNTIME_DIR"}) {
      unsetenv(name);
    }
  }
};

TEST_F(Address, IsWhatTheEnvironmentSays) {
  setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/a;unix:path=/b", 1);
  setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:abstract=c", 1);
  EXPECT_EQ(*FindBus(BusKind::kSession), "unix:path=/a;unix:path=/b");
  EXPECT_EQ(*FindBus(BusKind::kSystem), "unix:abstract=c");
}

TEST_F(Address, HasTheUsualDefaults) {
  EXPECT_EQ(*FindBus(BusKind::kSystem), "unix:path=/run/dbus/system_bus_socket");
  EXPECT_TRUE(absl::IsNotFound(FindBus(BusKind::kSession).status()));
  setenv("XDG_RUNTIME_DIR", "/run/user/1;x,y", 1);
  EXPECT_EQ(*FindBus(BusKind::kSession), "unix:path=/run/user/1%3bx%2cy/bus");
}

TEST_F(Address, OfAnythingButALocalSocketIsRefused) {
  for (const char* address : {"tcp:host=example.org,port=1", "unixexec:path=/bin/true",
                              "unix:path=/a;nonce-tcp:host=b", "launchd:env=X", "nonsense"}) {
    setenv("DBUS_SESSION_BUS_ADDRESS", address, 1);
    EXPECT_TRUE(absl::IsInvalidArgument(FindBus(BusKind::kSession).status())) << address;
  }
}

}  // namespace
}  // namespace signet::ipc
