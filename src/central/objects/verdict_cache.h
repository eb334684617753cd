// What memory tells of a content under a name: the verdicts that those who judge now gave, the latest of them, and
// which contents the state database has no verdict on. Called by the object judge; any thread.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "central/objects/verdict_rows.h"

namespace redoubt::central {

class VerdictCache {
 public:
  // Null where these have not judged it, or it is not remembered.
  std::shared_ptr<const KnownVerdict> find(const ContentKey& content, const Judges& judges);
  void put(std::shared_ptr<const KnownVerdict> known);
  void drop(const ContentKey& content);

  // The database has no verdict on it that holds; until one is put.
  void put_unknown(const ContentKey& content);
  bool is_unknown(const ContentKey& content) const;

 private:
  void drop_locked(const std::string& key);

  static constexpr size_t kVerdictsMax = 20'000;
  static constexpr size_t kUnknownMax = 10'000;
  // A long report stays in the database alone.
  static constexpr size_t kPartsMax = 64;

  mutable std::mutex mutex_;
  std::list<std::shared_ptr<const KnownVerdict>> latest_;  // the first was asked for last
  std::unordered_map<std::string, decltype(latest_)::iterator> by_content_;
  std::unordered_set<std::string> unknown_;
};

}  // namespace redoubt::central
