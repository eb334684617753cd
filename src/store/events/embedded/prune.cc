#include "store/events/embedded/prune.h"

#include <algorithm>

#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

constexpr size_t kNoGroup = SIZE_MAX;

bool all_texts(const std::vector<query::Operand>& operands) {
  return std::all_of(operands.begin(), operands.end(),
                     [](const query::Operand& operand) { return std::holds_alternative<std::string>(operand); });
}

// Command lines that hold the text have all its trigrams.
bool looks_into_lines(const query::Test& test) {
  return test.field == kLineField && all_texts(test.operands) &&
         (test.op == query::Operator::equal || test.op == query::Operator::contains ||
          test.op == query::Operator::starts_with || test.op == query::Operator::ends_with);
}

}  // namespace

Pruner::Pruner(const query::Hunt& hunt) : hunt_(hunt) { collect_keys(hunt.where); }

void Pruner::collect_keys(const query::Expression& expression) {
  if (const auto* node = std::get_if<query::And>(&expression.node)) {
    for (const query::Expression& child : node->children) collect_keys(child);
  } else if (const auto* either = std::get_if<query::Or>(&expression.node)) {
    for (const query::Expression& child : either->children) collect_keys(child);
  } else if (const auto* test = std::get_if<query::Test>(&expression.node)) {
    if (test->op != query::Operator::equal || !is_indexed(test->field) || !all_texts(test->operands)) return;
    std::vector<uint64_t>& keys = keys_[test];
    for (const query::Operand& operand : test->operands) {
      keys.push_back(index_key(test->field, std::get<std::string>(operand)));
    }
  }
}

bool Pruner::may_hold(const query::Test& test, const Segment& segment, const SegmentIndex* index, size_t group) const {
  if (!has_field(segment.fields, test.field)) return false;
  if (index == nullptr) return true;
  if (group == kNoGroup) {
    return !looks_into_lines(test) ||
           std::any_of(test.operands.begin(), test.operands.end(), [&](const query::Operand& operand) {
             return index->lines_may_contain(std::get<std::string>(operand));
           });
  }
  const auto keys = keys_.find(&test);
  return keys == keys_.end() || std::any_of(keys->second.begin(), keys->second.end(),
                                            [&](uint64_t key) { return index->may_have(group, key); });
}

// Nothing where no group can hold anything.
std::vector<RowRange> Pruner::ranges_in(const Segment& segment, const SegmentIndex& index) const {
  std::vector<RowRange> ranges;
  for (size_t group = 0; group < index.groups(); ++group) {
    const bool may =
        may_match(hunt_.where, [&](const query::Test& test) { return may_hold(test, segment, &index, group); });
    if (!may) continue;
    const uint64_t first = group * uint64_t{index.group_rows()};
    const uint64_t last = first + index.group_rows() - 1;
    if (!ranges.empty() && ranges.back().last + 1 == first) {
      ranges.back().last = last;
    } else {
      ranges.push_back({first, last});
    }
  }
  return ranges;
}

View Pruner::prune(const View& view) const {
  View pruned{.segments = {}, .tails = view.tails};
  for (const SegmentPart& part : view.segments) {
    const Segment& segment = *part.segment;
    if (hunt_.since && segment.info.max_time_us < hunt_.since->us) continue;
    if (hunt_.until && segment.info.min_time_us >= hunt_.until->us) continue;
    const auto index = segment.index();
    const auto may = [&](const query::Test& test) { return may_hold(test, segment, index.get(), kNoGroup); };
    if (!may_match(hunt_.where, may)) continue;
    SegmentPart kept{.segment = part.segment, .ranges = {}};
    if (index != nullptr && !keys_.empty()) {
      kept.ranges = ranges_in(segment, *index);
      if (kept.ranges.empty()) continue;
      const bool everything = kept.ranges.front().first == 0 && kept.ranges.front().last + 1 >= segment.info.rows;
      if (everything) kept.ranges.clear();
    }
    pruned.segments.push_back(std::move(kept));
  }
  return pruned;
}

}  // namespace redoubt::store::embedded
