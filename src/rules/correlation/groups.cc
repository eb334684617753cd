#include "rules/correlation/groups.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace redoubt::rules::correlation {

namespace {

// A group's place in its list and its table, beside itself and its name.
constexpr size_t kGroupOverheadBytes = 160;
constexpr size_t kHostNameMax = size_t{64} << 10;
constexpr size_t kEntryBytes = 32, kSourceBytesMin = 28, kGroupBytesMin = 12, kCorrelationBytesMin = 8;

}  // namespace

Groups::Groups(std::span<const Correlation> correlations, const CorrelatorOptions& limits)
    : correlations_(correlations), limits_(limits), of_(correlations.size()) {}

size_t Groups::count() const {
  return std::accumulate(of_.begin(), of_.end(), size_t{0},
                         [](size_t sum, const OfCorrelation& of) { return sum + of.by_age.size(); });
}

HeldGroup& Groups::touch(uint32_t correlation, const std::string& name, uint32_t source) {
  OfCorrelation& of = of_[correlation];
  const auto found = of.by_name.find(name);
  if (found != of.by_name.end()) {
    HeldGroup& held = *found->second;
    of.by_age.splice(of.by_age.end(), of.by_age, held.self);
    if (held.source != source) disarm(held);
    held.source = source;
    return held;
  }
  of.by_age.push_back({.group = Group(correlations_[correlation].definition.type),
                       .name = name,
                       .correlation = correlation,
                       .source = source,
                       .number = next_number_++});
  HeldGroup& held = of.by_age.back();
  held.self = std::prev(of.by_age.end());
  of.by_name.emplace(held.name, &held);
  return held;
}

void Groups::settle(HeldGroup& held) {
  if (held.group.empty()) return remove(held);
  const size_t bytes = held.group.bytes() + held.name.capacity() + kGroupOverheadBytes;
  of_[held.correlation].bytes += bytes - held.bytes;
  bytes_ += bytes - held.bytes;
  held.bytes = bytes;
  arm(held);
  forget_idle(held.correlation, held);
}

void Groups::remove(HeldGroup& held) {
  OfCorrelation& of = of_[held.correlation];
  disarm(held);
  of.bytes -= held.bytes;
  bytes_ -= held.bytes;
  of.by_name.erase(held.name);
  of.by_age.erase(held.self);
}

// Looks at the oldest ones only: as many groups are looked at as are touched.
void Groups::forget_idle(uint32_t correlation, const HeldGroup& kept) {
  constexpr int kLooksEach = 2;
  const int64_t span = correlations_[correlation].definition.timespan_us;
  OfCorrelation& of = of_[correlation];
  for (int i = 0; i < kLooksEach && !of.by_age.empty(); ++i) {
    HeldGroup& oldest = of.by_age.front();
    if (&oldest == &kept || oldest.due_us != 0) return;
    if (sources_[oldest.source].clock->newest_us <= oldest.group.newest_us() + 2 * span + kIdleUs) return;
    remove(oldest);
  }
}

void Groups::give_up_oldest(uint32_t correlation) {
  remove(of_[correlation].by_age.front());
  ++given_up.groups;
}

void Groups::make_room() {
  for (uint32_t i = 0; i < of_.size(); ++i) {
    while (of_[i].by_age.size() > limits_.groups_max) give_up_oldest(i);
  }
  while (bytes_ > limits_.state_bytes_max) {
    const auto largest =
        std::max_element(of_.begin(), of_.end(), [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
    give_up_oldest(static_cast<uint32_t>(largest - of_.begin()));
  }
}

void Groups::arm(HeldGroup& held) {
  const Definition& definition = correlations_[held.correlation].definition;
  if (decision_of(definition) == Decision::at_once) return;
  const int64_t due_us = held.group.due_us(definition);
  if (held.due_us == due_us) return;
  disarm(held);
  held.due_us = due_us;
  sources_[held.source].clock->due.emplace(std::pair(due_us, held.number), &held);
}

void Groups::disarm(HeldGroup& held) {
  if (held.due_us != 0) sources_[held.source].clock->due.erase({held.due_us, held.number});
  held.due_us = 0;
}

uint32_t Groups::source_of(std::string_view host_id, std::string_view boot_id) {
  const std::pair name{std::string(host_id), std::string(boot_id)};
  auto found = number_of_.find(name);
  if (found == number_of_.end()) {
    if (sources_.size() >= limits_.sources_max) compact_sources();
    add_source(name.first, name.second);
    found = number_of_.find(name);
  }
  sources_[found->second].touched = ++clock_;
  return found->second;
}

Source& Groups::add_source(const std::string& host_id, const std::string& boot_id) {
  number_of_.emplace(std::pair{host_id, boot_id}, static_cast<uint32_t>(sources_.size()));
  HostClock& clock = clocks_[host_id];
  return sources_.emplace_back(Source{.host_id = host_id, .boot_id = boot_id, .touched = ++clock_, .clock = &clock});
}

// Keeps the younger half, and those that a group speaks of.
void Groups::compact_sources() {
  std::vector<bool> kept(sources_.size());
  std::vector<uint64_t> ages;
  for (const Source& source : sources_) ages.push_back(source.touched);
  const auto middle = ages.begin() + static_cast<ptrdiff_t>(ages.size() / 2);
  std::nth_element(ages.begin(), middle, ages.end());
  for (size_t i = 0; i < sources_.size(); ++i) kept[i] = sources_[i].touched > *middle;
  for (const OfCorrelation& of : of_) {
    for (const HeldGroup& held : of.by_age) {
      kept[held.source] = true;
      for (const Entry& entry : held.group) kept[entry.source] = true;
    }
  }
  std::vector<uint32_t> numbers(sources_.size());
  std::vector<Source> left;
  for (size_t i = 0; i < sources_.size(); ++i) {
    numbers[i] = static_cast<uint32_t>(left.size());
    if (kept[i]) left.push_back(std::move(sources_[i]));
  }
  sources_ = std::move(left);
  number_of_.clear();
  std::set<const HostClock*> in_use;
  for (uint32_t i = 0; i < sources_.size(); ++i) {
    number_of_[{sources_[i].host_id, sources_[i].boot_id}] = i;
    in_use.insert(sources_[i].clock);
  }
  std::erase_if(clocks_, [&](const auto& each) { return !in_use.contains(&each.second); });
  for (OfCorrelation& of : of_) {
    for (HeldGroup& held : of.by_age) {
      held.source = numbers[held.source];
      held.group.renumber_sources(numbers);
    }
  }
}

void Groups::write(ByteWriter& writer, std::span<const std::string> keys) const {
  writer.put_u32(static_cast<uint32_t>(sources_.size()));
  for (const Source& source : sources_) {
    writer.put_text(source.host_id);
    writer.put_text(source.boot_id);
    writer.put_text(source.host_name);
    writer.put_u64(source.sequence);
    writer.put_u64(static_cast<uint64_t>(source.clock->newest_us));
  }
  writer.put_u32(static_cast<uint32_t>(of_.size()));
  for (size_t i = 0; i < of_.size(); ++i) {
    writer.put_text(keys[i]);
    writer.put_u32(static_cast<uint32_t>(of_[i].by_age.size()));
    for (const HeldGroup& held : of_[i].by_age) {
      writer.put_text(held.name);
      writer.put_u32(held.source);
      writer.put_u32(static_cast<uint32_t>(held.group.size()));
      for (const Entry& entry : held.group) {
        writer.put_u64(static_cast<uint64_t>(entry.time_us));
        writer.put_u64(entry.sequence);
        writer.put_u64(entry.value);
        writer.put_u32(entry.source);
        writer.put_u32(entry.reference);
      }
    }
  }
}

void Groups::read(ByteReader& reader, const std::map<std::string, uint32_t, std::less<>>& correlation_of) {
  const uint32_t sources = reader.take_count(kSourceBytesMin);
  for (uint32_t i = 0; i < sources && reader.sound(); ++i) {
    const std::string host_id(reader.take_text(kIdLengthMax)), boot_id(reader.take_text(kIdLengthMax));
    if (number_of_.contains(std::pair{host_id, boot_id})) return reader.fail();
    Source& source = add_source(host_id, boot_id);
    source.host_name = reader.take_text(kHostNameMax);
    source.sequence = reader.take_u64();
    const auto newest_us = static_cast<int64_t>(reader.take_u64());
    if (newest_us < 0 || newest_us > kTimeUsMax) reader.fail();
    source.clock->newest_us = std::max(source.clock->newest_us, newest_us);
  }
  const uint32_t correlations = reader.take_count(kCorrelationBytesMin);
  for (uint32_t i = 0; i < correlations && reader.sound(); ++i) {
    const auto found = correlation_of.find(reader.take_text(kIdLengthMax));
    const uint32_t groups = reader.take_count(kGroupBytesMin);
    for (uint32_t j = 0; j < groups && reader.sound(); ++j) {
      read_group(reader, found == correlation_of.end() ? nullptr : &found->second, sources);
    }
  }
  if (!reader.at_end()) reader.fail();
  make_room();
}

// A group of a correlation that is not here is read over.
void Groups::read_group(ByteReader& reader, const uint32_t* correlation, uint32_t sources) {
  const std::string name(reader.take_text(kGroupNameMax));
  const uint32_t source = reader.take_u32();
  const uint32_t entries = reader.take_count(kEntryBytes);
  std::vector<Entry> read;
  for (uint32_t i = 0; i < entries; ++i) {
    Entry entry{
        .time_us = static_cast<int64_t>(reader.take_u64()), .sequence = reader.take_u64(), .value = reader.take_u64()};
    entry.source = reader.take_u32();
    entry.reference = reader.take_u32();
    if (entry.source >= sources || entry.time_us < 0 || entry.time_us > kTimeUsMax) reader.fail();
    read.push_back(entry);
  }
  if (source >= sources || entries == 0) reader.fail();
  if (!reader.sound() || correlation == nullptr) return;
  const Definition& definition = correlations_[*correlation].definition;
  HeldGroup& held = touch(*correlation, name, source);
  for (const Entry& entry : read) {
    if (entry.reference < definition.references.size()) (void)held.group.add(definition, entry);
  }
  settle(held);
}

}  // namespace redoubt::rules::correlation
