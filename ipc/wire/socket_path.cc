#include "ipc/wire/socket_path.h"
