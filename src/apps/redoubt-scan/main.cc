// The jailed scan worker: without arguments it serves the scan pool of redoubtd, whose end of a socket pair is
// descriptor 3. `check DIRECTORY` compiles the YARA rules of a directory the same way and says what is wrong with them.
#include <unistd.h>
#include <cstdio>
#include <string_view>

#include "base/log.h"
#include "base/processor.h"
#include "scan/scan_pool.h"
#include "scan/wire.h"
#include "scan/worker/worker.h"

namespace {

constexpr int kExitUsage = 2;

int check_rules(const char* directory) {
  redoubt::base::set_log_level(redoubt::base::LogLevel::error);
  const auto pool =
      redoubt::scan::start_scan_pool({.worker_program = "/proc/self/exe", .yara_directory = directory, .workers = 1});
  if (!pool) {
    std::fprintf(stderr, "redoubt-scan: %s\n", pool.error().message.c_str());
    return 1;
  }
  const auto refused = (*pool)->diagnostics();
  for (const auto& rule : refused) {
    std::fprintf(stderr, "%s line %llu: %s\n", rule.file.c_str(), static_cast<unsigned long long>(rule.line),
                 rule.message.c_str());
  }
  if (!refused.empty()) {
    std::fprintf(stderr, "%s: these rules do not compile and would be left out\n", directory);
    return 1;
  }
  std::printf("%s: every rule compiles\n", directory);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  redoubt::base::require_processor();
  if (argc == 3 && std::string_view(argv[1]) == "check") return check_rules(argv[2]);
  if (argc != 1) {
    std::fputs("usage: redoubt-scan check DIRECTORY (without arguments it is started by redoubtd alone)\n", stderr);
    return kExitUsage;
  }
  const redoubt::Status ended = redoubt::scan::run_worker(redoubt::scan::wire::kWorkerSocket);
  // No destructors, no exit handlers: the jail refuses much of what they might do.
  if (ended) _exit(0);
  redoubt::base::log_error("scan", ended.error().message);
  _exit(1);
}
