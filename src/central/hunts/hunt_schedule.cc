#include "central/hunts/hunt_schedule.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "query/hunt.h"

namespace redoubt::central {

namespace {

using event::Field;
using nlohmann::ordered_json;

constexpr auto kLookEvery = std::chrono::seconds(1);
// After a run that failed, a store that is busy say.
constexpr int64_t kRetryUs = 30 * base::kSecondUs;

Error no_hunt(int64_t id) { return {Errc::not_found, "no saved hunt '" + std::to_string(id) + "'"}; }
HuntError refuse(std::string message) { return Error{Errc::invalid_argument, std::move(message)}; }

// The events that a hunt found, row by row.
class FoundEvents {
 public:
  FoundEvents(const ScheduledHunt& hunt, const store::HuntResult& result) : hunt_(hunt), result_(result) {
    for (size_t i = 0; i < result.columns.size(); ++i) {
      if (result.columns[i].field) column_of_[*result.columns[i].field] = i;
    }
  }

  std::string key(size_t row) const {
    return rule_id() + "|" + text(row, Field::host_id) + "|" + text(row, Field::host_boot_id) + "|" +
           std::to_string(integer(row, Field::event_sequence));
  }

  NewDetection detection(size_t row) const {
    return {.key = key(row),
            .source = AlertSource::hunt,
            .rule = {.id = rule_id(),
                     .title = hunt_.name,
                     .description = hunt_.query,
                     .format = "hunt",
                     .author = hunt_.author,
                     .references = {},
                     .false_positives = {}},
            .importance = hunt_.importance,
            .techniques = {},
            .tactics = {},
            .time = {integer(row, Field::event_time)},
            .host_id = text(row, Field::host_id),
            .host_name = text(row, Field::host_name),
            .user = text(row, Field::user_name),
            .process = {.entity_id = text(row, Field::process_entity_id),
                        .executable = text(row, Field::process_executable),
                        .command_line = text(row, Field::process_command_line)},
            .object = {},
            .event_json = event_json(row)};
  }

 private:
  std::string rule_id() const { return "hunt:" + std::to_string(hunt_.id); }

  const store::Cell& cell(size_t row, Field field) const {
    static const store::Cell kAbsent;
    const auto at = column_of_.find(field);
    return at == column_of_.end() ? kAbsent : result_.rows[row][at->second];
  }
  std::string text(size_t row, Field field) const {
    const auto* value = std::get_if<std::string>(&cell(row, field));
    return value != nullptr ? *value : "";
  }
  int64_t integer(size_t row, Field field) const {
    const auto* value = std::get_if<int64_t>(&cell(row, field));
    return value != nullptr ? *value : 0;
  }

  // What a source says beyond the fields is one column, a JSON object.
  static void add_attributes(const std::string& text, ordered_json& json) {
    const ordered_json attributes = ordered_json::parse(text, nullptr, false);
    if (!attributes.is_object()) return;
    for (const auto& [name, value] : attributes.items()) json[std::string(event::kAttributePrefix) + name] = value;
  }

  // As event::to_json writes an event that just came in.
  std::string event_json(size_t row) const {
    ordered_json json = ordered_json::object();
    for (size_t i = 0; i < result_.columns.size(); ++i) {
      const store::Column& column = result_.columns[i];
      const store::Cell& value = result_.rows[row][i];
      const auto* words = std::get_if<std::string>(&value);
      if (words != nullptr && column.field == Field::attributes) {
        add_attributes(*words, json);
        continue;
      }
      if (words != nullptr) json[column.name] = *words;
      const bool is_time = column.field && event::info(*column.field).type == event::FieldType::time;
      if (const auto* number = std::get_if<int64_t>(&value)) {
        json[column.name] = is_time ? ordered_json(base::format_time({*number})) : ordered_json(*number);
      }
    }
    return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  }

  const ScheduledHunt& hunt_;
  const store::HuntResult& result_;
  std::map<Field, size_t> column_of_;
};

HuntOutcome<std::monostate> check(const ScheduledHunt& hunt, base::Time now) {
  const auto parsed = query::parse_hunt(hunt.query, now);
  if (!parsed) return tl::unexpected<HuntError>(parsed.error());
  if (!std::holds_alternative<std::monostate>(parsed->aggregate)) {
    return tl::unexpected(refuse("a scheduled hunt finds events: remove the pipe that counts"));
  }
  if (parsed->since || parsed->until) {
    return tl::unexpected(refuse("a scheduled hunt has its own window of time: remove '| since' and '| until'"));
  }
  if (hunt.interval_us < kHuntIntervalUsMin || hunt.interval_us > kHuntIntervalUsMax) {
    return tl::unexpected(refuse("'interval': from 1 minute to 30 days"));
  }
  if (hunt.window_us < hunt.interval_us + kHuntOverlapUsMin || hunt.window_us > kHuntWindowUsMax) {
    return tl::unexpected(refuse("'window': at least the interval and 1 minute, at most 90 days"));
  }
  return std::monostate{};
}

}  // namespace

HuntSchedule::HuntSchedule(const HuntScheduleParts& parts)
    : parts_(parts),
      runs_(parts.metrics.counter("redoubt_scheduled_hunt_runs_total", "runs of saved hunts")),
      runs_failed_(parts.metrics.counter("redoubt_scheduled_hunt_runs_failed_total", "runs that will be tried again")),
      detections_(parts.metrics.counter("redoubt_scheduled_hunt_detections_total", "events that saved hunts found")) {}

Result<std::unique_ptr<HuntSchedule>> HuntSchedule::open(const HuntScheduleParts& parts) {
  std::unique_ptr<HuntSchedule> schedule(new HuntSchedule(parts));
  TRY_STATUS(base::within("saved hunts", parts.state.read([&](soci::session& sql) -> Status {
    for (ScheduledHunt& hunt : read_scheduled_hunts(sql)) schedule->hunts_.emplace(hunt.id, std::move(hunt));
    return {};
  })));
  return schedule;
}

void HuntSchedule::start() {
  runner_ = std::thread([this] { wait_and_run(); });
}

void HuntSchedule::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (runner_.joinable()) runner_.join();
}

std::vector<ScheduledHunt> HuntSchedule::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<ScheduledHunt> all;
  for (const auto& [id, hunt] : hunts_) all.push_back(hunt);
  return all;
}

Result<ScheduledHunt> HuntSchedule::get(int64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = hunts_.find(id);
  if (found == hunts_.end()) return tl::unexpected<Error>(no_hunt(id));
  return found->second;
}

HuntOutcome<ScheduledHunt> HuntSchedule::save(ScheduledHunt hunt, const std::string& user, base::Time now) {
  hunt.id = 0;
  hunt.author = user;
  hunt.created = now;
  hunt.covered_until = {now.us - hunt.interval_us};
  hunt.next_run = now;
  if (auto sound = check(hunt, now); !sound) return tl::unexpected(std::move(sound).error());
  if (list().size() >= kScheduledHuntsMax) {
    return tl::unexpected<HuntError>(
        Error{Errc::exhausted, "there are " + std::to_string(kScheduledHuntsMax) + " saved hunts: delete one first"});
  }
  return keep(std::move(hunt));
}

HuntOutcome<ScheduledHunt> HuntSchedule::change(int64_t id, const HuntChange& change, base::Time now) {
  const std::lock_guard running(run_mutex_);  // a run would write back what it began with
  auto found = get(id);
  if (!found) return tl::unexpected<HuntError>(std::move(found).error());
  ScheduledHunt hunt = *std::move(found);
  if (change.name) hunt.name = *change.name;
  if (change.query) hunt.query = *change.query;
  if (change.importance) hunt.importance = *change.importance;
  if (change.interval_us) hunt.interval_us = *change.interval_us;
  if (change.window_us) hunt.window_us = *change.window_us;
  if (change.state) hunt.state = *change.state;
  hunt.next_run.us = std::min(hunt.next_run.us, now.us + hunt.interval_us);
  if (auto sound = check(hunt, now); !sound) return tl::unexpected(std::move(sound).error());
  return keep(std::move(hunt));
}

HuntOutcome<ScheduledHunt> HuntSchedule::keep(ScheduledHunt hunt) {
  Status kept = parts_.state.write([&](soci::session& sql) -> Status {
    write_scheduled_hunt(sql, hunt);
    return {};
  });
  if (!kept) return tl::unexpected<HuntError>(std::move(kept).error());
  const std::lock_guard lock(mutex_);
  hunts_[hunt.id] = hunt;
  return hunt;
}

Status HuntSchedule::remove(int64_t id) {
  const std::lock_guard running(run_mutex_);
  TRY_STATUS(get(id).map([](const ScheduledHunt&) {}));
  TRY_STATUS(parts_.state.write([&](soci::session& sql) -> Status {
    delete_scheduled_hunt(sql, id);
    return {};
  }));
  const std::lock_guard lock(mutex_);
  hunts_.erase(id);
  return {};
}

// The newest events come first, so that what is over a limit is the oldest. Events of earlier runs, which the window
// overlaps, do not count against the limit of detections.
Result<HuntSchedule::Run> HuntSchedule::look(const ScheduledHunt& hunt, base::Time now) {
  const auto parsed = query::parse_hunt(hunt.query, now);
  if (!parsed) return fail(Errc::invalid_argument, parsed.error().message);
  const int64_t since_us = hunt.covered_until.us - (hunt.window_us - hunt.interval_us);
  const HistoryRange range{.since = {std::max(since_us, now.us - kHuntWindowUsMax)}, .until = now};
  TRY(const Backtest history, parts_.hunts.backtest(parsed->where, range, query::kHuntLimitMax));
  const FoundEvents events(hunt, history.events);
  std::vector<std::string> keys;
  for (size_t row = 0; row < history.events.rows.size(); ++row) keys.push_back(events.key(row));
  TRY(const std::set<std::string> known, parts_.alerts.known(keys));
  std::vector<NewDetection> detections;
  Run run{.found = std::max(history.hits, static_cast<int64_t>(keys.size())), .partial_why = ""};
  if (history.partial) run.partial_why = "not all of it was looked at: " + history.partial_why;
  run.beyond = run.found - static_cast<int64_t>(keys.size());
  for (size_t row = 0; row < keys.size(); ++row) {
    if (known.contains(keys[row])) continue;
    if (detections.size() < kHuntDetectionsMax) {
      detections.push_back(events.detection(row));
    } else {
      ++run.beyond;
    }
  }
  TRY(const size_t fresh, parts_.alerts.add_all(detections));
  run.fresh = static_cast<int64_t>(fresh);
  return run;
}

Result<ScheduledHunt> HuntSchedule::run(int64_t id, base::Time now) {
  const std::lock_guard running(run_mutex_);
  TRY(ScheduledHunt hunt, get(id));
  auto found = look(hunt, now);
  hunt.last_run = now;
  runs_.add();
  if (found) {
    // What a limit of time cut short is looked at again.
    if (found->partial_why.empty()) hunt.covered_until = now;
    hunt.next_run = {now.us + hunt.interval_us};
    hunt.last_found = found->found;
    hunt.last_new = found->fresh;
    hunt.last_beyond = found->beyond;
    hunt.last_problem = found->partial_why;
    hunt.detections += found->fresh;
    detections_.add(found->fresh);
  } else {
    runs_failed_.add();
    hunt.next_run = {now.us + std::min(hunt.interval_us, kRetryUs)};
    hunt.last_problem = found.error().message;
    base::log_warning("hunts", "saved hunt '" + hunt.name + "': " + hunt.last_problem);
  }
  auto kept = keep(std::move(hunt));
  if (!kept) return tl::unexpected<Error>(std::get<Error>(std::move(kept).error()));
  return *std::move(kept);
}

size_t HuntSchedule::run_due(base::Time now) {
  size_t ran = 0;
  for (const ScheduledHunt& hunt : list()) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    if (hunt.state == HuntSwitch::off || hunt.next_run > now) continue;
    ++ran;
    const auto done = run(hunt.id, now);
    if (!done && done.error().code != Errc::not_found) base::log_error("hunts", done.error().message);
  }
  return ran;
}

void HuntSchedule::wait_and_run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kLookEvery, [this] { return stopping_; })) {
    lock.unlock();
    run_due(base::Time::now());
    lock.lock();
  }
}

}  // namespace redoubt::central
