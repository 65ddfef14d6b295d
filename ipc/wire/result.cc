#include "ipc/wire/result.h"
