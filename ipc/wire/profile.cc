#include "ipc/wire/profile.h"
