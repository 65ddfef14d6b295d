#include "ipc/wire/handshake.h"
