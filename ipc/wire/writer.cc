#include "ipc/wire/writer.h"
