// The verdicts that those who judge now gave, found by content and name: the latest in memory, the rest in the state
// database. Called by the object service; any thread.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "central/objects/verdict_rows.h"
#include "store/state/state_db.h"

namespace redoubt::central {

class VerdictCache {
 public:
  // The database outlives it.
  explicit VerdictCache(store::StateDb& state) : state_(state) {}

  // Null where these have not judged it, or the database cannot tell.
  std::shared_ptr<const KnownVerdict> find(const ContentKey& content, const Judges& judges);
  void put(std::shared_ptr<const KnownVerdict> known);
  void drop(const ContentKey& content);

 private:
  void drop_locked(const std::string& key);

  static constexpr size_t kVerdictsMax = 20'000;
  // A long report stays in the database alone.
  static constexpr size_t kPartsMax = 64;

  store::StateDb& state_;
  std::mutex mutex_;
  std::list<std::shared_ptr<const KnownVerdict>> latest_;  // the first was asked for last
  std::unordered_map<std::string, decltype(latest_)::iterator> by_content_;
};

}  // namespace redoubt::central
