#include "ipc/wire/reader.h"
