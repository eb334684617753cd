// What external systems asked to have judged, under the ids that they chose: which object a scan is, and its state for
// as long as the system wants to read it. Kept in the state database; a final state is copied from the object when it
// is first asked for. Bounded by age and count. Any thread; may block.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "central/objects/object_service.h"
#include "scan/verdict.h"
#include "store/state/state_db.h"

namespace redoubt::central {

// SQL of its table; a step of central's schema list.
extern const std::string_view kExternalScansMigration;

constexpr size_t kScanIdBytesMax = 256;
constexpr size_t kScanInstanceBytesMax = 128;
constexpr int64_t kScansPerSystemMax = 20'000;
constexpr int64_t kScanAgeUsMax = 7 * base::kDayUs;

// A scan as its system names it. An instance is one of several machines that share a system's id; empty: none was named
// (to ask: any).
struct ScanName {
  std::string system_id;
  std::string instance;
  std::string scan_id;  // to ask: empty for all
};

struct ExternalScan {
  ScanName name;
  std::string object_id;
  std::string sha256;
  scan::Verdict state = scan::Verdict::processing;
};

class ScanBook {
 public:
  // Both outlive it.
  ScanBook(store::StateDb& state, ObjectService& objects) : state_(state), objects_(objects) {}

  // already_exists: the system used the id before.
  Status add(const ExternalScan& scan);
  // Those of that name, with the state they are in now, in the order in which they came.
  Result<std::vector<ExternalScan>> find(const ScanName& name);
  // How many there were.
  Result<size_t> remove(const ScanName& name);
  // Removes what is too old, or too much; called now and then.
  Status forget_old(base::Time now);

 private:
  Status settle(std::vector<ExternalScan>& scans);

  store::StateDb& state_;
  ObjectService& objects_;
};

}  // namespace redoubt::central
