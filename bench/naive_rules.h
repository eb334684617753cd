// The loop that a matcher is worth its code against: every rule that events of the type can meet, one after the other,
// each test evaluated where the tree has it. Read-only; any thread.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "event/batch.h"
#include "query/expression.h"

namespace redoubt::bench {

class NaiveRules {
 public:
  // The expressions must be normalized and outlive this.
  explicit NaiveRules(std::span<const query::Expression> rules);

  // Judges about `events` events spread over the batches; returns how many it judged.
  size_t count_over_sample(std::span<const event::Batch> batches, size_t events) const;
  // How many rules are true of the event.
  size_t count_hits(const event::Row& row) const;

 private:
  static constexpr size_t kTypes = 32;
  std::array<std::vector<const query::Expression*>, kTypes> rules_of_type_;
};

}  // namespace redoubt::bench
