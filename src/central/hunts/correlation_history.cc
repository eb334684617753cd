#include "central/hunts/correlation_history.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace redoubt::central {

namespace {

using event::Field;
using rules::correlation::Correlator;
using rules::correlation::Intake;
using rules::correlation::Key;
using rules::correlation::ReferenceKind;

// What a correlation is about, through others: places of rules, and the fields that are looked at.
struct Needs {
  std::set<size_t> rules;
  std::set<Field> fields = {Field::event_time, Field::event_sequence, Field::host_id, Field::host_boot_id,
                            Field::event_count};
  std::string attribute;  // one that is looked at
};

void add_keys(const std::vector<Key>& keys, Needs& needs) {
  for (const Key& key : keys) {
    for (const auto& place : key.places) {
      needs.fields.insert(place.field);
      if (!place.attribute.empty()) needs.attribute = place.attribute;
    }
  }
}

template <class Item, class IdOf>
std::optional<size_t> place_of(const std::vector<Item>& items, const std::string& id, const IdOf& id_of) {
  const auto found = std::find_if(items.begin(), items.end(), [&](const Item& each) { return id_of(each) == id; });
  if (found == items.end()) return std::nullopt;
  return static_cast<size_t>(found - items.begin());
}

// Chains are finite: the front end refuses circles.
void add_needs(const rules::RuleSet& rules, size_t correlation, Needs& needs) {
  for (const auto& reference : rules.correlations()[correlation].definition.references) {
    add_keys(reference.group_by, needs);
    add_keys(reference.fields, needs);
    if (reference.kind == ReferenceKind::rule) {
      const auto rule = place_of(rules.rules(), reference.id, [](const rules::Rule& each) { return each.id; });
      if (rule) needs.rules.insert(*rule);
    } else if (const auto inner = place_of(rules.correlations(), reference.id,
                                           [](const rules::Correlation& each) { return each.rule.id; })) {
      add_needs(rules, *inner, needs);
    }
  }
}

// A row of what a hunt found.
class CellFields final : public rules::correlation::EventFields {
 public:
  CellFields(const std::map<Field, size_t>& columns, const std::vector<store::Cell>& row)
      : columns_(columns), row_(row) {}

  event::Value get(Field field) const override {
    const auto column = columns_.find(field);
    if (column == columns_.end()) return {};
    const store::Cell& cell = row_[column->second];
    if (const auto* text = std::get_if<std::string>(&cell)) return event::Value::of_text(*text);
    if (const auto* number = std::get_if<int64_t>(&cell)) return event::Value::of_integer(*number);
    return {};
  }
  event::Value attribute(std::string_view) const override { return {}; }

  int64_t integer(Field field) const {
    const event::Value value = get(field);
    return value.present() && !value.is_text() ? value.integer() : 0;
  }
  std::string text(Field field) const {
    const event::Value value = get(field);
    return value.is_text() ? std::string(value.text()) : "";
  }

 private:
  const std::map<Field, size_t>& columns_;
  const std::vector<store::Cell>& row_;
};

struct Found {
  size_t rule;
  store::HuntResult result;
  std::map<Field, size_t> columns;
};

struct Hit {
  int64_t time_us;
  const Found* found;
  size_t row;
};

// Every hit in order of time; those of an event in the order of rules.
std::vector<Hit> in_order(const std::vector<Found>& all) {
  std::vector<Hit> hits;
  for (const Found& found : all) {
    for (size_t row = 0; row < found.result.rows.size(); ++row) {
      const CellFields fields(found.columns, found.result.rows[row]);
      hits.push_back({.time_us = fields.integer(Field::event_time), .found = &found, .row = row});
    }
  }
  std::stable_sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.time_us < b.time_us; });
  return hits;
}

// Reads what each of the rules matches; a limit is said in history.partial_why.
Result<std::vector<Found>> read_hits(store::EventStore& events, const rules::RuleSet& rules, const Needs& needs,
                                     const query::Hunt& within, const store::HuntLimits& limits,
                                     CorrelationHistory& history) {
  std::vector<Found> all;
  uint32_t left = kHistoryHitsMax;
  for (const size_t rule : needs.rules) {
    const query::Hunt hunt{.where = rules.rules()[rule].expression.clone(),
                           .since = within.since,
                           .until = within.until,
                           .direction = query::Direction::ascending,
                           .limit = left,
                           .fields = {needs.fields.begin(), needs.fields.end()}};
    TRY(store::HuntResult result, events.hunt(hunt, limits));
    Found& found = all.emplace_back(Found{.rule = rule, .result = std::move(result), .columns = {}});
    for (size_t i = 0; i < found.result.columns.size(); ++i) {
      if (found.result.columns[i].field) found.columns[*found.result.columns[i].field] = i;
    }
    left -= static_cast<uint32_t>(std::min<size_t>(left, found.result.rows.size()));
    if (found.result.partial) history.partial_why = found.result.partial_why;
    if (left == 0) history.partial_why = "its rules hit more than " + std::to_string(kHistoryHitsMax) + " events";
    if (left == 0) break;
  }
  return all;
}

// Without a last number: in order of time the numbers of one host may go back.
Intake intake_of(const Correlator& correlator, const Hit& hit) {
  const CellFields fields(hit.found->columns, hit.found->result.rows[hit.row]);
  Intake intake{
      .host_id = fields.text(Field::host_id), .boot_id = fields.text(Field::host_boot_id), .newest_us = hit.time_us};
  const rules::correlation::Observation event{.time_us = hit.time_us,
                                              .sequence = static_cast<uint64_t>(fields.integer(Field::event_sequence))};
  correlator.observe_event(static_cast<uint32_t>(hit.found->rule), fields, event, intake);
  return intake;
}

}  // namespace

Result<CorrelationHistory> run_over_history(store::EventStore& events, const rules::RuleSet& rules, size_t correlation,
                                            const query::Hunt& within, const store::HuntLimits& limits) {
  Needs needs;
  add_needs(rules, correlation, needs);
  if (!needs.attribute.empty()) {
    return fail(Errc::unsupported, "the correlation looks at '" + needs.attribute +
                                       "', which is an attribute: only fields are looked at over history");
  }
  CorrelationHistory history;
  TRY(const std::vector<Found> all, read_hits(events, rules, needs, within, limits, history));
  history.partial = !history.partial_why.empty();
  Correlator correlator(rules, {.shown = rules::correlation::Shown::all});
  std::set<std::pair<std::string, std::string>> sources;
  const auto take = [&](const Intake& intake) {
    for (auto& firing : correlator.take(intake).firings) {
      if (firing.correlation == correlation) history.firings.push_back(std::move(firing));
    }
  };
  for (const Hit& hit : in_order(all)) {
    const Intake intake = intake_of(correlator, hit);
    sources.emplace(intake.host_id, intake.boot_id);
    take(intake);
  }
  // Windows that were over by the end of the range.
  for (const auto& [host_id, boot_id] : sources) {
    take({.host_id = host_id, .boot_id = boot_id, .newest_us = within.until ? within.until->us : 0});
  }
  return history;
}

}  // namespace redoubt::central
