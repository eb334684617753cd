// The book of external systems: who may submit objects with which certificate. A system names itself (an id in the
// path) and shows a certificate of its own making; the first request of a pair nobody knows is written down as pending,
// and a person decides after comparing fingerprints. Kept in the state database and in memory, bounded. Any thread; may
// block.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/state/state_db.h"

namespace redoubt::central {

// SQL of its table; a step of central's schema list.
extern const std::string_view kExternalSystemsMigration;

enum class SystemState : uint8_t { pending, approved, rejected };
std::string_view name_of(SystemState state);

constexpr size_t kSystemIdBytesMax = 64;
constexpr size_t kSystemNameBytesMax = 128;
constexpr size_t kPendingSystemsMax = 1000;  // past it the one that was silent longest goes
constexpr size_t kPendingOfSenderMax = 20;   // of one address (IPv6: one /64); past it new ones are not written down

// One certificate of one system. A system that changes its certificate has two.
struct ExternalSystem {
  int64_t id = 0;           // of this row
  std::string system_id;    // as the system calls itself
  std::string fingerprint;  // SHA-256 of the certificate (DER), lower-case hexadecimal
  std::string name;         // as people call it; empty: nobody did
  std::string address;      // of its latest request
  SystemState state = SystemState::pending;
  base::Time first_seen, last_seen;
  std::string decided_by;  // account; empty while pending
  base::Time decided;
};

// Who asks, as a request says and its connection proves.
struct SystemClaim {
  std::string system_id;
  std::string fingerprint;
  std::string address;
};

struct SystemDecision {
  SystemState state = SystemState::approved;
  std::optional<std::string> name;  // none: as it was
  std::string by;
};

class ExternalSystems {
 public:
  static Result<std::unique_ptr<ExternalSystems>> open(store::StateDb& state);

  // Success for an approved pair alone; unauthenticated says what it waits for. Writes down a pair nobody knows.
  Status admit(const SystemClaim& claim, base::Time now);
  // Pending ones first, then by id.
  std::vector<ExternalSystem> list() const;
  Result<ExternalSystem> decide(int64_t id, const SystemDecision& decision);
  // A system that asks again is written down anew.
  Status remove(int64_t id);
  // Writes when and from where systems were seen last; called now and then, and before the end.
  Status save_seen();

 private:
  using Key = std::pair<std::string, std::string>;  // id of the system, fingerprint

  explicit ExternalSystems(store::StateDb& state) : state_(state) {}
  Status load();
  Status write_down(const SystemClaim& claim, base::Time now);
  std::optional<Key> to_drop() const;
  size_t pending_of(const std::string& sender) const;
  ExternalSystem* find(int64_t id);

  store::StateDb& state_;
  mutable std::mutex mutex_;
  std::map<Key, ExternalSystem> systems_;
  std::set<Key> seen_;  // since save_seen()
};

}  // namespace redoubt::central
