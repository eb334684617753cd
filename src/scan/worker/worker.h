// The life of a redoubt-scan process: take the rules, shut the jail, compile, say hello, then judge one object after
// another until the pool hangs up. Called by the program's main alone.
#pragma once

#include "base/result.h"

namespace redoubt::scan {

// `socket` is the worker's end of the pair. An error when the pool cannot be told any more.
Status run_worker(int socket);

}  // namespace redoubt::scan
