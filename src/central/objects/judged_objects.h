// Objects as their rows have them, from when they are handed in until shortly after their verdict: who waits for one
// need not read it back. Called by the object service; any thread.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "central/objects/object_service.h"
#include "central/objects/verdict_rows.h"

namespace redoubt::central {

class JudgedObjects {
 public:
  void enter(long long row, const Object& object);
  // Its row has this verdict. Nothing for a row that never entered.
  void judge(long long row, std::shared_ptr<const KnownVerdict> verdict, const std::string& alert_id);
  // Rows got other verdicts.
  void forget_judged();

  // Nothing where it is not judged, or not remembered.
  std::optional<Object> find(long long row) const;

 private:
  struct Entry {
    Object object;
    std::shared_ptr<const KnownVerdict> verdict;  // null until it is judged
  };
  static constexpr size_t kJudgedMax = 256;

  mutable std::mutex mutex_;
  std::unordered_map<long long, Entry> entries_;
  std::deque<long long> judged_;  // the oldest first
};

}  // namespace redoubt::central
