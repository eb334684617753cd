// The pool of jailed redoubt-scan workers, as the node sees it: hand over a descriptor, get a report. Hostile bytes are
// parsed only on the other side of the socket. A worker that dies or hangs costs its object (error, timeout) and is
// replaced. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "scan/clamd_process.h"
#include "scan/loaded_rule.h"
#include "scan/refused_rule.h"
#include "scan/verdict.h"

namespace redoubt::scan {

// None of both: objects are judged without ClamAV.
struct ClamavOptions {
  std::string socket = {};               // of a clamd that others run
  std::optional<ClamdOptions> own = {};  // else one that the pool starts and stops
};

struct ScanPoolOptions {
  std::string worker_program;  // path of redoubt-scan
  std::string yara_directory;  // *.yar below it
  unsigned workers = 2;
  int64_t object_time_ms_max = 30'000;
  uint64_t worker_memory_bytes_max = uint64_t{1} << 30;
  ClamavOptions clamav = {};
};

struct ScanRequest {
  std::string name;
  // To try on what is encrypted, beside those that names and mails mention; the first 200, of at most 128 bytes each.
  std::vector<std::string> passwords = {};
};

class ScanPool {
 public:
  virtual ~ScanPool() = default;
  // Blocks until the object is judged or its time is up. `content` is read through the descriptor alone.
  virtual ScanReport scan(const base::UniqueFd& content, const ScanRequest& request) = 0;
  // Who judges now, by version: "yara 4.2.3 (rules 1a2b…)". A verdict of the same engines holds still.
  virtual std::string engines() const = 0;
  // Reads and compiles the rules anew; workers take them over with their next object. On an error the old rules stay.
  virtual Status reload() = 0;
  // The YARA rules that are in force, as their files have them; the first 50,000.
  virtual std::vector<LoadedRule> rules() const { return {}; }
  // The rules that do not compile and are left out; the first 100.
  virtual std::vector<RefusedRule> diagnostics() const { return {}; }
  // "ready", "no signatures in …", why clamd does not run; empty without ClamAV.
  virtual std::string clamav_state() const { return {}; }
  // Stops the workers and joins.
  virtual void stop() = 0;
};

// Compiles the rules in a worker first. A YARA rule that does not compile is left out and named by diagnostics(); an
// error only where no rule is left. clamd may come later: until it is ready, reports say so.
Result<std::unique_ptr<ScanPool>> start_scan_pool(const ScanPoolOptions& options);

}  // namespace redoubt::scan
