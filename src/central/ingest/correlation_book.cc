#include "central/ingest/correlation_book.h"

#include <soci/soci.h>

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "base/log.h"
#include "central/ingest/detection.h"

namespace redoubt::central {

// Bytes in hexadecimal: text is what every engine of the state database takes alike.
const std::string_view kCorrelationsMigration = R"sql(
ALTER TABLE alerts ADD COLUMN correlation TEXT NOT NULL DEFAULT '{}';
CREATE TABLE correlation_state (
  id INTEGER PRIMARY KEY,
  state TEXT NOT NULL
);
CREATE TABLE correlation_journal (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  intake TEXT NOT NULL
);
)sql";

namespace {

using rules::correlation::Correlator;
using rules::correlation::Firing;

constexpr std::string_view kLog = "correlations";

NewDetection detection_of(const rules::Correlation& correlation, const Firing& firing, const event::Batch& batch) {
  NewDetection detection = detection_about(correlation.rule);
  detection.key = firing.key;
  detection.source = AlertSource::correlation;
  detection.time = {firing.last_us};
  detection.host_id = firing.events.back().host_id;
  detection.host_name = firing.host_name;
  if (firing.row) describe_event(batch.row(*firing.row), detection);
  CorrelatedEvents& counted = detection.correlated;
  counted.group_id = firing.subject;
  counted.type = rules::correlation::name_of(correlation.definition.type);
  counted.timespan_us = correlation.definition.timespan_us;
  counted.count = static_cast<int64_t>(firing.count);
  counted.measured = firing.measured;
  counted.first = {firing.first_us};
  for (size_t i = 0; i < firing.group.size(); ++i) {
    counted.group.emplace_back(correlation.definition.group_by[i], firing.group[i]);
  }
  for (const auto& each : firing.events) {
    counted.events.push_back(
        {.host_id = each.host_id, .boot_id = each.boot_id, .sequence = static_cast<int64_t>(each.sequence)});
  }
  return detection;
}

// Hits of other rules as hits of those of now.
std::vector<query::match::Hit> translated(std::span<const query::match::Hit> hits, const rules::RuleSet& matched,
                                          const rules::RuleSet& now) {
  std::map<std::string_view, uint32_t> place_of;
  for (uint32_t i = 0; i < now.rules().size(); ++i) place_of.emplace(now.rules()[i].id, i);
  std::vector<query::match::Hit> translated;
  for (const query::match::Hit& hit : hits) {
    const auto found = place_of.find(matched.rules()[hit.rule].id);
    if (found != place_of.end()) translated.push_back({.row = hit.row, .rule = found->second});
  }
  return translated;
}

// As stored, in hexadecimal.
struct Kept {
  std::string state;                 // empty: none
  std::vector<std::string> journal;  // oldest first
};

Result<Kept> read_kept(store::StateDb& state) {
  Kept kept;
  TRY_STATUS(state.read([&](soci::session& sql) -> Status {
    std::string text;
    sql << "SELECT state FROM correlation_state WHERE id = 1", soci::into(kept.state);
    soci::statement rows = (sql.prepare << "SELECT intake FROM correlation_journal ORDER BY id", soci::into(text));
    rows.execute();
    while (rows.fetch()) kept.journal.push_back(text);
    return {};
  }));
  return kept;
}

// What the journal made fire is durable already: its detections were stored with it.
Status take_up(Correlator& correlator, const Kept& kept) {
  if (kept.state.empty()) return {};
  TRY(const std::string state, base::from_hex(kept.state));
  TRY_STATUS(correlator.load(state));
  for (const std::string& row : kept.journal) {
    TRY(const std::string bytes, base::from_hex(row));
    TRY(const rules::correlation::Intake intake, correlator.decode(bytes));
    (void)correlator.take(intake);
  }
  return {};
}

}  // namespace

CorrelationBook::CorrelationBook(store::StateDb& state, AlertBook& alerts, base::Metrics& metrics)
    : state_(state),
      alerts_(alerts),
      groups_(metrics.gauge("redoubt_correlation_groups", "groups that correlations are counting")),
      bytes_(metrics.gauge("redoubt_correlation_bytes", "memory of what correlations are counting")),
      groups_given_up_(
          metrics.counter("redoubt_correlation_given_up_total", "what a limit of correlations cost", "what=\"group\"")),
      events_given_up_(
          metrics.counter("redoubt_correlation_given_up_total", "what a limit of correlations cost", "what=\"event\"")),
      events_late_(metrics.counter("redoubt_correlation_given_up_total", "what a limit of correlations cost",
                                   "what=\"late_event\"")),
      firings_(metrics.counter("redoubt_correlation_firings_total", "how often correlations held")) {}

Result<std::unique_ptr<CorrelationBook>> CorrelationBook::open(store::StateDb& state, AlertBook& alerts,
                                                               std::shared_ptr<const RuleSnapshot> rules,
                                                               base::Metrics& metrics) {
  std::unique_ptr<CorrelationBook> book(new CorrelationBook(state, alerts, metrics));
  TRY_STATUS(book->reload(std::move(rules)));
  return book;
}

Status CorrelationBook::reload(std::shared_ptr<const RuleSnapshot> rules) {
  const std::lock_guard lock(mutex_);
  const auto before = std::exchange(rules_, std::move(rules));
  // What people decided is looked at when a correlation holds; the counting depends on the files alone.
  if (before != nullptr && before->shared_files() == rules_->shared_files() && !torn_) return {};
  return base::within("correlations", load());
}

// From what is durable. Without correlations what others counted before stays as it is.
Status CorrelationBook::load() {
  const rules::RuleSet& rules = rules_->files();
  correlator_.reset();
  torn_ = !rules.correlations().empty();  // until all of it is done: a failure is made good by the next batch
  if (!torn_) return {};
  TRY(const Kept kept, read_kept(state_));
  correlator_ = std::make_unique<Correlator>(rules);
  if (const Status taken = take_up(*correlator_, kept); !taken) {
    base::log_error(kLog, "what was counted before cannot be read, counting starts anew: " + taken.error().message);
    correlator_ = std::make_unique<Correlator>(rules);
  }
  reported_ = {};
  report();
  TRY_STATUS(write_state());
  torn_ = false;
  return {};
}

Status CorrelationBook::write_state() {
  const std::string state = base::to_hex(correlator_->save());
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    sql << "DELETE FROM correlation_state";
    sql << "INSERT INTO correlation_state (id, state) VALUES (1, :state)", soci::use(state);
    sql << "DELETE FROM correlation_journal";
    return {};
  }));
  state_bytes_ = state.size();
  journal_bytes_ = 0;
  return {};
}

void CorrelationBook::add_firings(const rules::correlation::Outcome& outcome, const event::Batch& batch,
                                  std::vector<NewDetection>& detections) const {
  for (const Firing& firing : outcome.firings) {
    const size_t number = rules_->rules().size() + firing.correlation;
    if (rules_->decision(number).state == RuleSwitch::off) continue;
    detections.push_back(detection_of(rules_->files().correlations()[firing.correlation], firing, batch));
    detections.back().importance = rules_->importance(number);
  }
}

Result<size_t> CorrelationBook::store(const RuleSnapshot& matched, const std::string& host_id,
                                      const event::Batch& batch, std::span<const query::match::Hit> hits,
                                      std::vector<NewDetection> detections) {
  std::unique_lock lock(mutex_);
  if (torn_) TRY_STATUS(base::within("correlations", load()));
  rules::correlation::Intake intake;
  rules::correlation::Outcome outcome;
  if (correlator_ != nullptr) {
    const rules::RuleSet& before = matched.files();
    intake = &before == &rules_->files()
                 ? correlator_->observe(host_id, batch, hits)
                 : correlator_->observe(host_id, batch, translated(hits, before, rules_->files()));
    outcome = correlator_->take(intake);
    report();
  }
  if (outcome.change == rules::correlation::Change::none) {
    lock.unlock();
    return alerts_.add_all(detections);
  }
  add_firings(outcome, batch, detections);
  const std::string journaled = base::to_hex(correlator_->encode(intake));
  const auto added = alerts_.add_all(detections, [&](soci::session& sql) -> Status {
    sql << "INSERT INTO correlation_journal (intake) VALUES (:intake)", soci::use(journaled);
    return {};
  });
  torn_ = !added;
  if (!added) return added;
  firings_.add(static_cast<int64_t>(outcome.firings.size()));
  journal_bytes_ += journaled.size();
  if (journal_bytes_ <= std::max(kCorrelationJournalBytes, state_bytes_)) return added;
  // All is durable as it is; the next batch tries again.
  if (const Status written = write_state(); !written) base::log_error(kLog, written.error().message);
  return added;
}

void CorrelationBook::report() {
  const rules::correlation::GivenUp& now = correlator_->given_up();
  groups_.set(static_cast<int64_t>(correlator_->groups()));
  bytes_.set(static_cast<int64_t>(correlator_->bytes()));
  groups_given_up_.add(static_cast<int64_t>(now.groups - reported_.groups));
  events_given_up_.add(static_cast<int64_t>(now.events - reported_.events));
  events_late_.add(static_cast<int64_t>(now.late_events - reported_.late_events));
  reported_ = now;
}

}  // namespace redoubt::central
