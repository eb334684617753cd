// What every gateway asks of a central node: judge this object, tell what became of it. The real one speaks the scanner
// API (scanner_client.h); tests have their own. All functions block, within limits of time, and may be called by any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::gateway {

// In the order in which one outweighs another where an answer has both for the same scan.
enum class ScanState : uint8_t { not_detected, processing, timeout, error, detect };
std::string_view name_of(ScanState state);  // as on the wire: "not detected"

struct ScanResult {
  std::string scan_id;
  ScanState state = ScanState::error;
};

struct Filters {
  uint64_t object_bytes_max = 0;  // 0: the node names none
  std::string version;
};

// The bytes of an open regular file, from its beginning on; the descriptor stays the caller's.
struct Submission {
  std::string scan_id;
  int fd = -1;
  uint64_t size_bytes = 0;
};

enum class Answer : uint8_t {
  taken,
  not_approved,  // the node's administrator has not accepted this system (yet)
  too_large,
  busy,     // later, see retry_after_ms
  refused,  // the node does not want this object
  away,     // no node, or one that has no time for anybody
  changed,  // the file has other bytes than it had
};
struct Submitted {
  Answer answer = Answer::away;
  std::string reason;  // of all but `taken`
  int64_t retry_after_ms = 0;
  std::string sha256;  // of the bytes that the node took
};

class Scanner {
 public:
  virtual ~Scanner() = default;

  virtual Submitted submit(const Submission& submission) = 0;
  // Of all scans that the node has results of for this system. unauthenticated: not approved; exhausted: busy;
  // unavailable: away.
  virtual Result<std::vector<ScanResult>> states() = 0;
  virtual Status forget(const std::string& scan_id) = 0;
  virtual Result<Filters> filters() = 0;
  // Calls that are under way end soon, and later ones at once.
  virtual void stop() = 0;
};

}  // namespace redoubt::gateway
