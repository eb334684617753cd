// The private reputation service: what is known as good or bad of hashes, addresses, domains and URLs, who said so and
// when, with no outside network. Filled by people and by feeds they import; asked by the object door and over the API.
// Kept in the state database; a small table in memory tells at once what nobody has said anything about. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "central/reputation/feed.h"
#include "central/reputation/indicator.h"
#include "store/state/state_db.h"

namespace redoubt::central {

// A step of central's schema list.
extern const std::string_view kReputationMigration;

enum class Reputation : uint8_t { unknown, good, bad };

// "unknown", "good", "bad".
std::string_view name_of(Reputation reputation);
std::optional<Reputation> reputation_named(std::string_view name);

// What one source says.
struct ReputationEntry {
  std::string id;
  Indicator indicator;
  Reputation reputation = Reputation::bad;
  std::string source;  // name of the feed, or the account that entered it
  std::string note;
  base::Time added;
};

// The word on one indicator. A person's word counts more than a feed's, and among equals bad more than good.
struct ReputationWord {
  Reputation reputation = Reputation::unknown;
  std::vector<ReputationEntry> entries;  // what counted first
};

struct ReputationSource {
  std::string name;
  int64_t entries = 0;
  base::Time latest;
};

// How an import went.
struct ImportReport {
  std::string format;
  size_t added = 0;    // or renewed
  size_t removed = 0;  // of the same source, which it does not tell of any more
  size_t skipped = 0;
  std::vector<std::string> reasons;
};

constexpr size_t kReputationEntriesMax = 5'000'000;
constexpr size_t kReputationPageMax = 500;
// The source of what people enter.
constexpr std::string_view kManualSource = "manual";

class ReputationBook {
 public:
  static Result<std::unique_ptr<ReputationBook>> open(store::StateDb& state);

  Result<ReputationWord> ask(const Indicator& indicator);
  // Grows with every change: a word that was asked for under another generation may be another now.
  int64_t generation() const { return generation_; }

  // One a person knows; of the same indicator the latest counts.
  Result<ReputationEntry> add(const Indicator& indicator, Reputation reputation, const std::string& note,
                              const std::string& by);
  Status remove(const std::string& id);
  // What the source says from now on: what it does not tell of any more is gone.
  Result<ImportReport> import(const std::string& source, Reputation reputation, std::string_view feed);
  Result<size_t> remove_source(const std::string& source);

  Result<std::vector<ReputationSource>> sources();
  // Newest first; `source` empty: of all. Entries with an id below `before`.
  Result<std::vector<ReputationEntry>> list(const std::string& source, int64_t before, size_t limit);

 private:
  explicit ReputationBook(store::StateDb& state) : state_(state) {}
  Status load();
  bool may_know(const Indicator& indicator) const;

  store::StateDb& state_;
  std::atomic<int64_t> generation_ = 0;
  mutable std::shared_mutex mutex_;
  std::vector<uint64_t> known_;  // sorted hashes of what there is an entry of; a hit is looked up
};

}  // namespace redoubt::central
