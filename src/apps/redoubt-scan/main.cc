// The jailed scan worker. Started by redoubtd's scan pool with its end of a socket pair as descriptor 3; of no use by
// hand.
#include <unistd.h>
#include <cstdio>

#include "base/log.h"
#include "scan/wire.h"
#include "scan/worker/worker.h"

int main(int argc, char**) {
  namespace wire = redoubt::scan::wire;
  if (argc != 1) {
    std::fputs("redoubt-scan is started by redoubtd and takes no arguments\n", stderr);
    return 2;
  }
  const redoubt::Status ended = redoubt::scan::run_worker(wire::kWorkerSocket);
  // No destructors, no exit handlers: the jail refuses much of what they might do.
  if (ended) _exit(0);
  redoubt::base::log_error("scan", ended.error().message);
  _exit(1);
}
