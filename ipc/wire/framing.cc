#include "ipc/wire/framing.h"
