// What hosts leave out of their telemetry, as people decided (exclusions by program, path and network), and the reads
// that rules ask about; kept in the state database and compiled to the one policy that goes to every agent. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "link/host_policy.h"
#include "store/state/state_db.h"

namespace redoubt::central {

enum class PolicyKind : uint8_t { program, path, network };
std::string_view name_of(PolicyKind kind);
std::optional<PolicyKind> policy_kind_named(std::string_view name);

constexpr size_t kPolicyNoteMax = 1000;

struct PolicyExclusion {
  int64_t id = 0;
  PolicyKind kind = PolicyKind::program;
  std::string value;  // absolute path, or CIDR
  std::string note;
  std::string author;
  base::Time created;
};

class PolicyBook {
 public:
  static Result<std::unique_ptr<PolicyBook>> open(store::StateDb& state);

  std::vector<PolicyExclusion> list() const;  // in order of ids
  // invalid_argument: no absolute path, no network, or too many. already_exists.
  Result<PolicyExclusion> add(PolicyExclusion exclusion, const std::string& author);
  Status remove(int64_t id);
  // Files whose opening for reading hosts tell, as path patterns: those that the rules in force ask about. A new
  // version only where they are others than before.
  Status ask_reads(std::vector<std::string> patterns);
  // The policy as it is now.
  link::HostPolicy compiled() const;
  uint64_t version() const;

 private:
  explicit PolicyBook(store::StateDb& state) : state_(state) {}
  Status load();

  store::StateDb& state_;
  mutable std::mutex mutex_;
  std::vector<PolicyExclusion> exclusions_;
  std::vector<std::string> read_paths_;  // sorted, each once
  uint64_t version_ = 0;
};

extern const std::string_view kPolicyMigration;
extern const std::string_view kPolicyReadsMigration;

}  // namespace redoubt::central
