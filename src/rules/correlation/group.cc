#include "rules/correlation/group.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace redoubt::rules::correlation {

namespace {

bool counts_values(Type type) { return type == Type::value_count; }
bool counts_references(Type type) {
  return type == Type::temporal || type == Type::temporal_ordered || type == Type::temporal_extended;
}
bool counts_numbers(Type type) {
  return type == Type::value_sum || type == Type::value_avg || type == Type::value_percentile ||
         type == Type::value_median;
}

bool is_earlier(const Entry& entry, int64_t time_us) { return entry.time_us < time_us; }
bool is_later(int64_t time_us, const Entry& entry) { return time_us < entry.time_us; }

bool occurs_as_asked(const std::vector<Presence>& presence, uint64_t references) {
  std::vector<bool> stack;
  for (const Presence& each : presence) {
    if (each.step == PresenceStep::occurs) {
      stack.push_back((references >> each.reference & 1) != 0);
      continue;
    }
    const bool right = stack.back();
    if (each.step == PresenceStep::negation) {
      stack.back() = !right;
      continue;
    }
    stack.pop_back();
    stack.back() = each.step == PresenceStep::both ? stack.back() && right : stack.back() || right;
  }
  return !stack.empty() && stack.back();
}

// Of values in order. Nearest rank for percentiles; the mean of the middle two for the median of an even number.
double statistic(const Definition& definition, std::span<const int64_t> values) {
  const size_t count = values.size();
  if (definition.type == Type::value_avg) {
    long double sum = 0;
    for (const int64_t value : values) sum += static_cast<long double>(value);
    return static_cast<double>(sum / static_cast<long double>(count));
  }
  if (definition.type == Type::value_median) {
    const auto upper = static_cast<double>(values[count / 2]);
    return count % 2 == 1 ? upper : (static_cast<double>(values[count / 2 - 1]) + upper) / 2;
  }
  const double rank = std::ceil(definition.percentile / 100 * static_cast<double>(count));
  return static_cast<double>(values[std::max<size_t>(1, static_cast<size_t>(rank)) - 1]);
}

double statistic_of(const Definition& definition, std::span<const Entry> entries) {
  std::vector<int64_t> values;
  values.reserve(entries.size());
  for (const Entry& entry : entries) values.push_back(static_cast<int64_t>(entry.value));
  std::sort(values.begin(), values.end());
  return statistic(definition, values);
}

bool is_statistic(Type type) {
  return type == Type::value_avg || type == Type::value_percentile || type == Type::value_median;
}

}  // namespace

uint64_t Tally::times(const Entry& entry) const {
  return type_ == Type::event_count ? std::max<uint64_t>(1, entry.value) : 1;
}

void Tally::add(const Entry& entry) {
  count_ += times(entry);
  if (counts_values(type_)) ++distinct_[entry.value];
  if (counts_references(type_)) ++distinct_[entry.reference];
  if (counts_numbers(type_)) sum_ += static_cast<int64_t>(entry.value);
}

void Tally::remove(const Entry& entry) {
  count_ -= times(entry);
  if (counts_numbers(type_)) sum_ -= static_cast<int64_t>(entry.value);
  if (!counts_values(type_) && !counts_references(type_)) return;
  const auto found = distinct_.find(counts_values(type_) ? entry.value : entry.reference);
  if (--found->second == 0) distinct_.erase(found);
}

void Tally::clear() {
  count_ = 0;
  sum_ = 0;
  distinct_.clear();
}

double Tally::measure() const {
  if (counts_values(type_) || counts_references(type_)) return static_cast<double>(distinct_.size());
  if (counts_numbers(type_)) return static_cast<double>(sum_);
  return static_cast<double>(count_);
}

uint64_t Tally::references() const {
  uint64_t mask = 0;
  for (const auto& [reference, count] : distinct_) mask |= uint64_t{1} << reference;
  return mask;
}

bool satisfies(const Definition& definition, const Tally& tally, double measured) {
  if (definition.type == Type::temporal_extended) return occurs_as_asked(definition.presence, tally.references());
  return std::all_of(definition.bounds.begin(), definition.bounds.end(),
                     [&](const Bound& bound) { return holds(bound, measured); });
}

Taken Group::add(const Definition& definition, const Entry& entry) {
  const bool at_once = decision_of(definition) == Decision::at_once;
  const int64_t span = definition.timespan_us;
  if (at_once && !empty() && entry.time_us < newest_us() - 2 * span) return Taken::too_late;
  const auto from = entries_.begin() + static_cast<ptrdiff_t>(first_);
  const auto place = std::upper_bound(from, entries_.end(), entry.time_us, is_later);
  added_ = static_cast<size_t>(place - entries_.begin());
  entries_.insert(place, entry);
  if (at_once) {
    if (entry.time_us < newest_us() - span) {
      ++live_;
    } else {
      tally_.add(entry);
    }
    retire(definition);
  }
  if (size() <= kGroupEventsMax) return Taken::kept;
  if (at_once && live_ == first_) tally_.remove(entries_[live_++]);
  remove_front(1);
  return Taken::pushed_out;
}

// What the newest entry has put out of the newest window, and out of every window that a late one may find.
void Group::retire(const Definition& definition) {
  const int64_t live_from = newest_us() - definition.timespan_us;
  while (entries_[live_].time_us < live_from) tally_.remove(entries_[live_++]);
  const auto from = entries_.begin() + static_cast<ptrdiff_t>(first_);
  const auto kept = std::lower_bound(from, entries_.end(), live_from - definition.timespan_us, is_earlier);
  remove_front(static_cast<size_t>(kept - from));
}

void Group::remove_front(size_t count) {
  first_ += count;
  added_ = std::max(added_, first_);
  constexpr size_t kSlack = 16;
  if (first_ < kSlack || first_ < entries_.size() / 2) return;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(first_));
  added_ -= first_;
  live_ -= std::min(live_, first_);
  first_ = 0;
}

Window Group::cut(size_t from, size_t to, double measured) const {
  const auto begin = entries_.begin();
  return {.entries = {begin + static_cast<ptrdiff_t>(from), begin + static_cast<ptrdiff_t>(to)}, .measured = measured};
}

std::optional<Window> Group::found(const Definition& definition) const {
  if (empty()) return std::nullopt;
  if (definition.type == Type::temporal_ordered) return found_in_order(definition);
  if (added_ >= live_ && satisfies(definition, tally_, tally_.measure())) {
    return cut(live_, entries_.size(), tally_.measure());
  }
  // The newest entry is in the newest window alone.
  if (added_ + 1 == entries_.size()) return std::nullopt;
  return found_around(definition, added_);
}

// Every window that ends with an entry and has the one at `at` in it.
std::optional<Window> Group::found_around(const Definition& definition, size_t at) const {
  const int64_t span = definition.timespan_us, time_us = entries_[at].time_us;
  const auto start = std::lower_bound(begin(), end(), time_us - span, is_earlier);
  auto from = static_cast<size_t>(start - entries_.data());
  Tally tally(definition.type);
  for (size_t last = from; last < entries_.size() && entries_[last].time_us <= time_us + span; ++last) {
    tally.add(entries_[last]);
    while (entries_[from].time_us < entries_[last].time_us - span) tally.remove(entries_[from++]);
    if (last >= at && satisfies(definition, tally, tally.measure())) return cut(from, last + 1, tally.measure());
  }
  return std::nullopt;
}

// Backwards from each entry of the last rule, always to the nearest one of the rule before: the shortest chain.
std::optional<Window> Group::found_in_order(const Definition& definition) const {
  const int64_t span = definition.timespan_us, time_us = entries_[added_].time_us;
  const auto final = static_cast<uint32_t>(definition.references.size() - 1);
  for (size_t last = added_; last < entries_.size() && entries_[last].time_us <= time_us + span; ++last) {
    if (entries_[last].reference != final) continue;
    uint32_t wanted = final;
    for (size_t at = last + 1; at-- > first_ && entries_[at].time_us >= entries_[last].time_us - span;) {
      if (entries_[at].reference != wanted) continue;
      if (wanted == 0) return cut(at, last + 1, static_cast<double>(final) + 1);
      --wanted;
    }
  }
  return std::nullopt;
}

int64_t Group::due_us(const Definition& definition) const {
  return begin()->time_us + definition.timespan_us + kDisorderUs;
}

Window Group::close(const Definition& definition) {
  const auto last = std::upper_bound(begin(), end(), begin()->time_us + definition.timespan_us, is_later);
  Tally tally(definition.type);
  const auto size = static_cast<size_t>(last - begin());
  for (const Entry* entry = begin(); entry != last; ++entry) tally.add(*entry);
  const double measured = is_statistic(definition.type) ? statistic_of(definition, {begin(), size}) : tally.measure();
  Window window{.measured = measured};
  if (satisfies(definition, tally, measured)) window = cut(first_, first_ + size, measured);
  remove_front(size);
  return window;
}

size_t Group::bytes() const {
  constexpr size_t kDistinctBytes = 40;  // a node of the table and its bucket
  return sizeof(Group) + entries_.capacity() * sizeof(Entry) + tally_.distinct() * kDistinctBytes;
}

void Group::renumber_sources(const std::vector<uint32_t>& numbers) {
  for (size_t i = first_; i < entries_.size(); ++i) entries_[i].source = numbers[entries_[i].source];
}

}  // namespace redoubt::rules::correlation
