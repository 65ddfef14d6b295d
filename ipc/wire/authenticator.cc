#include "ipc/wire/authenticator.h"
