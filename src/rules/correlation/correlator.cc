#include "rules/correlation/correlator.h"

#include <xxhash.h>
#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/hash.h"
#include "rules/correlation/groups.h"

namespace redoubt::rules::correlation {

namespace {

constexpr std::string_view kStateKind = "correlations";
constexpr std::string_view kIntakeKind = "correlation intake";
constexpr size_t kSubjectDigits = 32;
constexpr size_t kObservationBytesMin = 40;

// One place in a correlation where a rule, or another correlation, is counted.
struct Use {
  uint32_t correlation;
  uint32_t reference;
};

uint64_t seed_from(std::string_view bytes) {
  uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), sizeof(seed));
  return seed;
}

// A number, as an event has it or as text has it.
std::optional<int64_t> number_of(const event::Value& value) {
  if (!value.present()) return std::nullopt;
  if (!value.is_text()) return value.integer();
  int64_t number = 0;
  const std::string_view text = value.text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// What an event or a firing has under the keys, joined; nothing where one of them is missing.
template <class ValueOf>
bool join_values(const std::vector<Key>& keys, const ValueOf& value_of_key, std::string& joined) {
  joined.clear();
  for (const Key& key : keys) {
    const event::Value value = value_of_key(key);
    if (!value.present()) return false;
    append_part(joined, value);
  }
  return true;
}

}  // namespace

struct Correlator::State {
  State(const RuleSet& rules, const CorrelatorOptions& options)
      : correlations(rules.correlations()),
        shown(options.shown),
        groups(correlations, options),
        seed(seed_from(base::random_bytes(8))) {
    std::map<std::string_view, size_t> rule_of, correlation_of;
    for (size_t i = 0; i < rules.rules().size(); ++i) rule_of[rules.rules()[i].id] = i;
    for (size_t i = 0; i < correlations.size(); ++i) correlation_of[correlations[i].rule.id] = i;
    uses_of_rule.resize(rules.rules().size());
    uses_of_correlation.resize(correlations.size());
    for (uint32_t i = 0; i < correlations.size(); ++i) {
      keys.push_back(key_of(correlations[i].rule.id, correlations[i].definition));
      by_key[keys.back()] = i;
      const auto& references = correlations[i].definition.references;
      for (uint32_t j = 0; j < references.size(); ++j) {
        const bool is_rule = references[j].kind == ReferenceKind::rule;
        const auto& index = is_rule ? rule_of : correlation_of;
        const auto found = index.find(references[j].id);
        // One that is switched off does not occur.
        if (found == index.end()) continue;
        (is_rule ? uses_of_rule : uses_of_correlation)[found->second].push_back({i, j});
      }
    }
  }

  // Fills group and value of the observation; false where the event belongs to no group, or has no value.
  template <class ValueOf>
  bool describe(const Use& use, const ValueOf& value_of_key, Observation& observed) const {
    const Definition& definition = correlations[use.correlation].definition;
    const Reference& reference = definition.references[use.reference];
    observed.correlation = use.correlation;
    observed.reference = use.reference;
    observed.value = 0;
    if (!join_values(reference.group_by, value_of_key, observed.group)) return false;
    switch (definition.type) {
      case Type::value_count: {
        std::string values;
        if (!join_values(reference.fields, value_of_key, values)) return false;
        observed.value = XXH3_64bits_withSeed(values.data(), values.size(), seed);
        return true;
      }
      case Type::value_sum:
      case Type::value_avg:
      case Type::value_percentile:
      case Type::value_median: {
        const auto number = number_of(value_of_key(reference.fields.front()));
        if (number) observed.value = static_cast<uint64_t>(*number);
        return number.has_value();
      }
      case Type::event_count:
      case Type::temporal:
      case Type::temporal_ordered:
      case Type::temporal_extended: return true;
    }
    return false;
  }

  void count(const Observation& observed, uint32_t source, size_t depth, Outcome& outcome);
  void close_until(HeldGroup& held, int64_t now_us, size_t depth, Outcome& outcome);
  void advance(uint32_t source, int64_t now_us, Outcome& outcome);
  void fire(const HeldGroup& held, const Window& window, const Entry& decisive, std::optional<uint32_t> row,
            size_t depth, Outcome& outcome);
  Firing firing_of(const HeldGroup& held, const Window& window, const Entry& decisive) const;
  EventKey event_key(const Entry& entry) const {
    return {groups.source(entry.source).host_id, groups.source(entry.source).boot_id, entry.sequence};
  }

  const std::vector<Correlation>& correlations;
  Shown shown;
  Groups groups;
  uint64_t seed;  // of the digests of values: what a host sends cannot be made to fall together
  std::vector<std::vector<Use>> uses_of_rule, uses_of_correlation;
  std::vector<std::string> keys;
  std::map<std::string, uint32_t, std::less<>> by_key;
};

Correlator::Correlator(const RuleSet& rules, const CorrelatorOptions& options)
    : state_(std::make_unique<State>(rules, options)) {}
Correlator::~Correlator() = default;
Correlator::Correlator(Correlator&&) noexcept = default;
Correlator& Correlator::operator=(Correlator&&) noexcept = default;

const GivenUp& Correlator::given_up() const { return state_->groups.given_up; }
size_t Correlator::groups() const { return state_->groups.count(); }
size_t Correlator::bytes() const { return state_->groups.bytes(); }

namespace {

// How many events it stands for.
uint64_t times_of(const EventFields& fields) {
  constexpr int64_t kTimesMax = 1'000'000'000;
  const event::Value count = fields.get(event::Field::event_count);
  const bool is_number = count.present() && !count.is_text();
  return is_number ? static_cast<uint64_t>(std::clamp<int64_t>(count.integer(), 1, kTimesMax)) : 1;
}

}  // namespace

void Correlator::observe_event(uint32_t rule, const EventFields& fields, const Observation& event,
                               Intake& intake) const {
  for (const Use& use : state_->uses_of_rule[rule]) {
    Observation observed = event;
    const auto value = [&](const Key& key) { return value_of(key, fields); };
    if (!state_->describe(use, value, observed)) continue;
    const bool counts = state_->correlations[use.correlation].definition.type == Type::event_count;
    if (counts) observed.value = times_of(fields);
    intake.observations.push_back(std::move(observed));
  }
}

Intake Correlator::observe(const std::string& host_id, const event::Batch& batch,
                           std::span<const query::match::Hit> hits) const {
  using event::Field;
  Intake intake{.host_id = host_id};
  if (batch.size() == 0) return intake;
  const event::Row last = batch.row(batch.size() - 1);
  intake.boot_id = last.text(Field::host_boot_id);
  intake.host_name = last.text(Field::host_name);
  intake.last_sequence = static_cast<uint64_t>(last.integer(Field::event_sequence));
  for (size_t i = 0; i < batch.size(); ++i) {
    intake.newest_us = std::max(intake.newest_us, batch.row(i).integer(Field::event_time));
  }
  for (const query::match::Hit& hit : hits) {
    if (state_->uses_of_rule[hit.rule].empty()) continue;
    const event::Row row = batch.row(hit.row);
    const Observation event{.row = hit.row,
                            .time_us = row.integer(Field::event_time),
                            .sequence = static_cast<uint64_t>(row.integer(Field::event_sequence))};
    observe_event(hit.rule, RowFields(row), event, intake);
  }
  return intake;
}

Outcome Correlator::take(const Intake& intake) {
  Outcome outcome;
  const uint32_t source = state_->groups.source_of(intake.host_id, intake.boot_id);
  const uint64_t taken = state_->groups.source(source).sequence;
  if (!intake.host_name.empty()) state_->groups.source(source).host_name = intake.host_name;
  for (const Observation& observed : intake.observations) {
    if (observed.sequence <= taken || observed.time_us < 0 || observed.time_us > kTimeUsMax) continue;
    outcome.change = Change::some;
    state_->count(observed, source, 0, outcome);
  }
  state_->advance(source, intake.newest_us, outcome);
  Source& after = state_->groups.source(source);
  after.sequence = std::max(after.sequence, intake.last_sequence);
  state_->groups.make_room();
  return outcome;
}

void Correlator::State::count(const Observation& observed, uint32_t source, size_t depth, Outcome& outcome) {
  const Definition& definition = correlations[observed.correlation].definition;
  const Entry entry{.time_us = observed.time_us,
                    .sequence = observed.sequence,
                    .value = observed.value,
                    .source = source,
                    .reference = observed.reference};
  HeldGroup& held = groups.touch(observed.correlation, observed.group, source);
  const bool at_once = decision_of(definition) == Decision::at_once;
  if (!at_once) close_until(held, entry.time_us, depth, outcome);
  switch (held.group.add(definition, entry)) {
    case Taken::kept: break;
    case Taken::too_late: ++groups.given_up.late_events; return;
    case Taken::pushed_out: ++groups.given_up.events; break;
  }
  if (const auto window = at_once ? held.group.found(definition) : std::nullopt) {
    const HeldGroup fired{.group = Group(definition.type), .name = held.name, .correlation = held.correlation};
    groups.remove(held);
    fire(fired, *window, entry, observed.row, depth, outcome);
    return;
  }
  groups.settle(held);
}

// The group may be empty afterwards.
void Correlator::State::close_until(HeldGroup& held, int64_t now_us, size_t depth, Outcome& outcome) {
  const Definition& definition = correlations[held.correlation].definition;
  while (!held.group.empty() && now_us > held.group.due_us(definition)) {
    outcome.change = Change::some;
    const Window window = held.group.close(definition);
    if (!window.entries.empty()) fire(held, window, window.entries.back(), std::nullopt, depth, outcome);
  }
}

void Correlator::State::advance(uint32_t source, int64_t now_us, Outcome& outcome) {
  HostClock& clock = *groups.source(source).clock;
  clock.newest_us = std::max(clock.newest_us, std::min(now_us, kTimeUsMax));
  while (!clock.due.empty() && clock.due.begin()->first.first < clock.newest_us) {
    HeldGroup& held = *clock.due.begin()->second;
    close_until(held, clock.newest_us, 0, outcome);
    groups.settle(held);
  }
}

Firing Correlator::State::firing_of(const HeldGroup& held, const Window& window, const Entry& decisive) const {
  const Correlation& correlation = correlations[held.correlation];
  const EventKey by = event_key(decisive);
  Firing firing{.correlation = held.correlation,
                .subject = base::sha256_hex(held.name).substr(0, kSubjectDigits),
                .group = split_parts(held.name).value_or(std::vector<std::string>()),
                .first_us = window.entries.front().time_us,
                .last_us = window.entries.back().time_us,
                .count = window.entries.size(),
                .measured = window.measured,
                .host_name = groups.source(decisive.source).host_name};
  firing.key = correlation.rule.id + "|" + firing.subject + "|" + by.host_id + "|" + by.boot_id + "|" +
               std::to_string(by.sequence);
  const size_t shown = std::min(kFiringEventsMax, window.entries.size());
  for (size_t i = window.entries.size() - shown; i < window.entries.size(); ++i) {
    firing.events.push_back(event_key(window.entries[i]));
  }
  return firing;
}

// `decisive`: the event that completed the window, or the last one of a window that is over.
void Correlator::State::fire(const HeldGroup& held, const Window& window, const Entry& decisive,
                             std::optional<uint32_t> row, size_t depth, Outcome& outcome) {
  Firing firing = firing_of(held, window, decisive);
  firing.row = row;
  const std::vector<std::string> group = firing.group;
  const uint32_t inner = held.correlation;
  const bool is_shown = shown == Shown::all || correlations[inner].rule.alerting == Alerting::on;
  if (is_shown) outcome.firings.push_back(std::move(firing));
  if (depth >= kChainDepthMax) return;
  for (const Use& use : uses_of_correlation[inner]) {
    Observation observed{
        .row = row.value_or(0), .time_us = window.entries.back().time_us, .sequence = decisive.sequence};
    const auto value = [&](const Key& key) {
      return key.position < group.size() ? event::Value::of_text(group[key.position]) : event::Value();
    };
    if (describe(use, value, observed)) count(observed, decisive.source, depth + 1, outcome);
  }
}

std::string Correlator::save() const {
  ByteWriter writer;
  writer.put_u64(state_->seed);
  state_->groups.write(writer, state_->keys);
  return with_envelope(kStateKind, writer.bytes());
}

Status Correlator::load(std::string_view state) {
  TRY(const std::string_view bytes, without_envelope(kStateKind, state));
  ByteReader reader(bytes);
  const uint64_t seed = reader.take_u64();
  Groups groups = state_->groups.emptied();
  groups.read(reader, state_->by_key);
  if (!reader.sound()) return base::fail(Errc::corrupt, std::string(kStateKind) + ": malformed");
  state_->seed = seed;
  state_->groups = std::move(groups);
  return {};
}

std::string Correlator::encode(const Intake& intake) const {
  ByteWriter writer;
  writer.put_text(intake.host_id);
  writer.put_text(intake.boot_id);
  writer.put_text(intake.host_name);
  writer.put_u64(intake.last_sequence);
  writer.put_u64(static_cast<uint64_t>(intake.newest_us));
  std::map<uint32_t, uint32_t> place_of;  // of a correlation in the table below
  for (const Observation& observed : intake.observations) place_of.try_emplace(observed.correlation, 0);
  writer.put_u32(static_cast<uint32_t>(place_of.size()));
  uint32_t next = 0;
  for (auto& [correlation, place] : place_of) {
    place = next++;
    writer.put_text(state_->keys[correlation]);
  }
  writer.put_u32(static_cast<uint32_t>(intake.observations.size()));
  for (const Observation& observed : intake.observations) {
    writer.put_u32(place_of[observed.correlation]);
    writer.put_u32(observed.reference);
    writer.put_u32(observed.row);
    writer.put_u64(static_cast<uint64_t>(observed.time_us));
    writer.put_u64(observed.sequence);
    writer.put_u64(observed.value);
    writer.put_text(observed.group);
  }
  return with_envelope(kIntakeKind, writer.bytes());
}

Result<Intake> Correlator::decode(std::string_view bytes) const {
  TRY(const std::string_view inside, without_envelope(kIntakeKind, bytes));
  ByteReader reader(inside);
  Intake intake;
  intake.host_id = reader.take_text(kIdLengthMax);
  intake.boot_id = reader.take_text(kIdLengthMax);
  intake.host_name = reader.take_text(event::kTextBytesMax);
  intake.last_sequence = reader.take_u64();
  intake.newest_us = static_cast<int64_t>(reader.take_u64());
  std::vector<std::optional<uint32_t>> correlations(reader.take_count(sizeof(uint32_t)));
  for (auto& each : correlations) {
    const auto found = state_->by_key.find(reader.take_text(kIdLengthMax));
    if (found != state_->by_key.end()) each = found->second;
  }
  const uint32_t observations = reader.take_count(kObservationBytesMin);
  for (uint32_t i = 0; i < observations && reader.sound(); ++i) {
    const uint32_t place = reader.take_u32();
    Observation observed{.reference = reader.take_u32(), .row = reader.take_u32()};
    observed.time_us = static_cast<int64_t>(reader.take_u64());
    observed.sequence = reader.take_u64();
    observed.value = reader.take_u64();
    observed.group = reader.take_text(kGroupNameMax);
    if (place >= correlations.size()) reader.fail();
    if (!reader.sound() || !correlations[place]) continue;
    observed.correlation = *correlations[place];
    const auto& references = state_->correlations[observed.correlation].definition.references;
    if (observed.reference < references.size()) intake.observations.push_back(std::move(observed));
  }
  if (!reader.sound() || !reader.at_end()) return base::fail(Errc::corrupt, std::string(kIntakeKind) + ": malformed");
  return intake;
}

}  // namespace redoubt::rules::correlation
