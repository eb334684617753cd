#include "central/alerts/alert_book.h"

#include <soci/soci.h>
#include <charconv>
#include <set>

#include "base/log.h"

namespace redoubt::central {

namespace {

constexpr long long kClosed = static_cast<long long>(AlertStatus::closed);
constexpr size_t kCommentsShownMax = 1000;

constexpr std::string_view kAlertColumns =
    "id, created_us, updated_us, title, status, assignee, source, importance, rule_id, rule, techniques, tactics, "
    "host_id, host_name, user_name, subject, detections, first_event_us, last_event_us, process, object, event, "
    "correlation, message";

const std::string& subject_of(const NewDetection& detection) {
  switch (detection.source) {
    case AlertSource::rule:
    case AlertSource::hunt: break;
    case AlertSource::fleet: return detection.host_id;
    case AlertSource::object:
    case AlertSource::rescan: return detection.object.sha256;
    case AlertSource::correlation: return detection.correlated.group_id;
  }
  return detection.process.entity_id;
}

long long first_time_us(const NewDetection& detection) {
  return detection.source == AlertSource::correlation ? detection.correlated.first.us : detection.time.us;
}

long long alert_holding(soci::session& sql, const std::string& key) {
  long long id = 0;
  sql << "SELECT alert_id FROM detections WHERE key = :key", soci::use(key), soci::into(id);
  return id;
}

long long alert_to_join(soci::session& sql, const NewDetection& detection) {
  long long id = 0;
  const std::string& subject = subject_of(detection);
  const long long after = first_time_us(detection) - kAlertGroupUs, before = detection.time.us + kAlertGroupUs;
  const long long any_host = detection.source == AlertSource::correlation ? 1 : 0;
  sql << "SELECT id FROM alerts WHERE rule_id = :rule AND (:any_host = 1 OR host_id = :host) AND subject = :subject"
         " AND status <> :closed AND last_event_us >= :after AND first_event_us <= :before ORDER BY id DESC LIMIT 1",
      soci::use(detection.rule.id), soci::use(any_host), soci::use(detection.host_id), soci::use(subject),
      soci::use(kClosed), soci::use(after), soci::use(before), soci::into(id);
  return id;
}

void join_alert(soci::session& sql, long long id, const NewDetection& detection, long long now_us) {
  const long long first_us = first_time_us(detection), last_us = detection.time.us;
  sql << "UPDATE alerts SET detections = detections + 1, updated_us = :now,"
         " first_event_us = min(first_event_us, :first), last_event_us = max(last_event_us, :last) WHERE id = :id",
      soci::use(now_us), soci::use(first_us), soci::use(last_us), soci::use(id);
}

long long make_alert(soci::session& sql, const NewDetection& detection, long long now_us) {
  const long long status = 0, source = static_cast<long long>(detection.source),
                  importance = static_cast<long long>(detection.importance), first_us = first_time_us(detection),
                  last_us = detection.time.us;
  const std::string rule = rule_json(detection.rule), techniques = names_json(detection.techniques),
                    tactics = names_json(detection.tactics), process = process_json(detection.process),
                    object = object_json(detection.object), correlation = correlation_json(detection.correlated);
  sql << "INSERT INTO alerts (created_us, updated_us, title, status, source, importance, rule_id, rule, techniques,"
         " tactics, host_id, host_name, user_name, subject, detections, first_event_us, last_event_us, process, object,"
         " event, correlation, message) VALUES (:created, :updated, :title, :status, :source, :importance, :rule_id, "
         ":rule, "
         ":techniques,"
         " :tactics, :host_id, :host_name, :user_name, :subject, 1, :first, :last, :process, :object, :event,"
         " :correlation, :message)",
      soci::use(now_us), soci::use(now_us), soci::use(detection.rule.title), soci::use(status), soci::use(source),
      soci::use(importance), soci::use(detection.rule.id), soci::use(rule), soci::use(techniques), soci::use(tactics),
      soci::use(detection.host_id), soci::use(detection.host_name), soci::use(detection.user),
      soci::use(subject_of(detection)), soci::use(first_us), soci::use(last_us), soci::use(process), soci::use(object),
      soci::use(detection.event_json), soci::use(correlation), soci::use(detection.message);
  long long id = 0;
  sql << "SELECT last_insert_rowid()", soci::into(id);
  return id;
}

enum class Novelty { fresh, repeated };
struct Added {
  long long alert_id;
  Novelty novelty;
};

Added add_detection(soci::session& sql, const NewDetection& detection) {
  if (const long long held = alert_holding(sql, detection.key); held != 0) return {held, Novelty::repeated};
  const long long now_us = base::Time::now().us, time_us = detection.time.us;
  long long id = alert_to_join(sql, detection);
  if (id != 0) {
    join_alert(sql, id, detection, now_us);
  } else {
    id = make_alert(sql, detection, now_us);
  }
  sql << "INSERT INTO detections (key, alert_id, time_us) VALUES (:key, :alert, :time)", soci::use(detection.key),
      soci::use(id), soci::use(time_us);
  sql << "INSERT INTO rule_hits (rule_id, hits, last_hit_us) VALUES (:rule, 1, :time) ON CONFLICT (rule_id)"
         " DO UPDATE SET hits = rule_hits.hits + 1, last_hit_us = max(rule_hits.last_hit_us, excluded.last_hit_us)",
      soci::use(detection.rule.id), soci::use(time_us);
  return {id, Novelty::fresh};
}

// Reads the alerts that `tail` (WHERE …, ORDER BY …) selects; parameters are bound by name.
struct AlertReader {
  long long id = 0, created = 0, updated = 0, status = 0, source = 0, importance = 0, detections = 0, first = 0,
            last = 0;
  Alert alert;

  void bind(soci::details::prepare_temp_type& prepared) {
    prepared, soci::into(id), soci::into(created), soci::into(updated), soci::into(alert.title), soci::into(status),
        soci::into(alert.assignee), soci::into(source), soci::into(importance), soci::into(alert.rule_id),
        soci::into(alert.rule), soci::into(alert.techniques), soci::into(alert.tactics), soci::into(alert.host_id),
        soci::into(alert.host_name), soci::into(alert.user), soci::into(alert.subject), soci::into(detections),
        soci::into(first), soci::into(last), soci::into(alert.process), soci::into(alert.object),
        soci::into(alert.event), soci::into(alert.correlation), soci::into(alert.message);
  }

  Alert take() {
    alert.id = id;
    alert.created = {created};
    alert.updated = {updated};
    alert.status = static_cast<AlertStatus>(status);
    alert.source = static_cast<AlertSource>(source);
    alert.importance = static_cast<rules::Importance>(importance);
    alert.detections = detections;
    alert.first_event = {first};
    alert.last_event = {last};
    return alert;
  }
};

void read_comments(soci::session& sql, Alert& alert) {
  long long time_us = 0;
  const long long id = alert.id, limit = kCommentsShownMax;
  std::string user, text;
  soci::statement statement =
      (sql.prepare << "SELECT time_us, user_name, comment FROM alert_comments WHERE alert_id = :id ORDER BY id"
                      " LIMIT :limit",
       soci::into(time_us), soci::into(user), soci::into(text), soci::use(id), soci::use(limit));
  statement.execute();
  while (statement.fetch()) alert.comments.push_back({.time = {time_us}, .user = user, .text = text});
}

Result<Alert> read_alert(soci::session& sql, long long id) {
  AlertReader reader;
  soci::details::prepare_temp_type prepared = sql.prepare
                                              << "SELECT " + std::string(kAlertColumns) + " FROM alerts WHERE id = :id";
  reader.bind(prepared);
  prepared, soci::use(id);
  soci::statement statement(prepared);
  statement.execute();
  if (!statement.fetch()) return fail(Errc::not_found, "no alert '" + std::to_string(id) + "'");
  Alert alert = reader.take();
  read_comments(sql, alert);
  return alert;
}

Result<long long> parse_alert_id(const std::string& text) {
  long long id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size() || id <= 0) {
    return fail(Errc::not_found, "no alert '" + text.substr(0, 64) + "'");
  }
  return id;
}

// Where a page starts: after the alert with this importance, time of change and id.
struct AlertCursor {
  long long importance = 0, updated_us = 0, id = 0;

  std::string text() const {
    return std::to_string(importance) + "." + std::to_string(updated_us) + "." + std::to_string(id);
  }
  static Result<AlertCursor> parse(std::string_view text) {
    AlertCursor cursor;
    const char* at = text.data();
    const char* const end = at + text.size();
    for (long long* number : {&cursor.importance, &cursor.updated_us, &cursor.id}) {
      if (number != &cursor.importance && (at == end || *at++ != '.')) return malformed();
      const auto [stop, error] = std::from_chars(at, end, *number);
      if (error != std::errc{}) return malformed();
      at = stop;
    }
    if (at != end) return malformed();
    return cursor;
  }
  static tl::unexpected<Error> malformed() {
    return fail(Errc::invalid_argument, "cursor: not one that a page of alerts gave");
  }
};

// The numbers of enumerators, for IN (…): never text from outside.
template <class Enumerator>
std::string in_list(std::string_view column, const std::vector<Enumerator>& values) {
  if (values.empty()) return "";
  std::string list;
  for (const Enumerator value : values) list += (list.empty() ? "" : ",") + std::to_string(static_cast<int>(value));
  return " AND " + std::string(column) + " IN (" + list + ")";
}

std::string where_of(const AlertFilter& filter) {
  return " WHERE (:any_host = 1 OR host_id = :host)" + in_list("status", filter.statuses) +
         in_list("importance", filter.importances);
}

}  // namespace

Result<std::string> AlertBook::add(const NewDetection& detection) {
  TRY_STATUS(add_all({&detection, 1}));
  long long id = 0;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    id = alert_holding(sql, detection.key);
    return {};
  }));
  return std::to_string(id);
}

Result<size_t> AlertBook::add_all(std::span<const NewDetection> detections, const AlsoWrite& also) {
  if (detections.empty() && !also) return size_t{0};
  std::set<long long> changed;
  std::vector<const NewDetection*> fresh;
  std::vector<Alert> alerts;
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    fresh.clear();
    for (const NewDetection& detection : detections) {
      const Added added = add_detection(sql, detection);
      if (added.novelty == Novelty::repeated) continue;
      fresh.push_back(&detection);
      changed.insert(added.alert_id);
    }
    if (also) TRY_STATUS(also(sql));
    for (const long long id : changed) {
      TRY(Alert alert, read_alert(sql, id));
      alerts.push_back(std::move(alert));
    }
    return {};
  }));
  for (const Alert& alert : alerts) feed_.publish(alert_json(alert));
  for (const NewDetection* detection : fresh) {
    if (listener_) listener_(*detection);
  }
  return fresh.size();
}

Result<Alert> AlertBook::get(const std::string& id) {
  TRY(const long long number, parse_alert_id(id));
  Alert alert;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    TRY(alert, read_alert(sql, number));
    return {};
  }));
  return alert;
}

Result<AlertPage> AlertBook::list(const AlertFilter& filter, size_t limit, const std::string& cursor) {
  if (limit < 1 || limit > kAlertPageMax) {
    return fail(Errc::invalid_argument, "limit: from 1 to " + std::to_string(kAlertPageMax));
  }
  AlertCursor from{.importance = 1000};  // above every importance: the first page
  if (!cursor.empty()) {
    TRY(from, AlertCursor::parse(cursor));
  }
  AlertPage page;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    const long long any_host = filter.host_id.empty() ? 1 : 0, rows = static_cast<long long>(limit) + 1;
    const std::string where = where_of(filter);
    long long total = 0;
    sql << "SELECT count(*) FROM alerts" + where, soci::use(any_host, "any_host"), soci::use(filter.host_id, "host"),
        soci::into(total);
    page.total = total;
    AlertReader reader;
    soci::details::prepare_temp_type prepared =
        sql.prepare << "SELECT " + std::string(kAlertColumns) + " FROM alerts" + where +
                           " AND (importance, updated_us, id) < (:importance, :updated, :id)"
                           " ORDER BY importance DESC, updated_us DESC, id DESC LIMIT :rows";
    reader.bind(prepared);
    prepared, soci::use(any_host, "any_host"), soci::use(filter.host_id, "host"),
        soci::use(from.importance, "importance"), soci::use(from.updated_us, "updated"), soci::use(from.id, "id"),
        soci::use(rows, "rows");
    soci::statement statement(prepared);
    statement.execute();
    while (statement.fetch()) page.alerts.push_back(reader.take());
    for (Alert& alert : page.alerts) read_comments(sql, alert);
    return {};
  }));
  if (page.alerts.size() > limit) {
    page.alerts.resize(limit);
    const Alert& last = page.alerts.back();
    page.next_cursor =
        AlertCursor{.importance = static_cast<long long>(last.importance), .updated_us = last.updated.us, .id = last.id}
            .text();
  }
  return page;
}

Result<Alert> AlertBook::change(const std::string& id, const AlertChange& change, const std::string& user) {
  TRY(const long long number, parse_alert_id(id));
  Alert alert;
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    const long long now_us = base::Time::now().us;
    if (change.status) {
      const long long status = static_cast<long long>(*change.status);
      sql << "UPDATE alerts SET status = :status WHERE id = :id", soci::use(status), soci::use(number);
    }
    if (change.assignee) {
      sql << "UPDATE alerts SET assignee = :assignee WHERE id = :id", soci::use(*change.assignee), soci::use(number);
    }
    if (change.comment) {
      sql << "INSERT INTO alert_comments (alert_id, time_us, user_name, comment) VALUES (:id, :time, :user, :text)",
          soci::use(number), soci::use(now_us), soci::use(user), soci::use(*change.comment);
    }
    sql << "UPDATE alerts SET updated_us = :now WHERE id = :id", soci::use(now_us), soci::use(number);
    TRY(alert, read_alert(sql, number));  // not found: all of the above is rolled back
    return {};
  }));
  feed_.publish(alert_json(alert));
  return alert;
}

Result<std::map<std::string, RuleHits, std::less<>>> AlertBook::hits() {
  std::map<std::string, RuleHits, std::less<>> hits;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    std::string rule;
    long long count = 0, last_us = 0;
    soci::statement statement = (sql.prepare << "SELECT rule_id, hits, last_hit_us FROM rule_hits", soci::into(rule),
                                 soci::into(count), soci::into(last_us));
    statement.execute();
    while (statement.fetch()) hits[rule] = {.count = count, .last = {last_us}};
    return {};
  }));
  return hits;
}

Result<std::set<std::string>> AlertBook::known(std::span<const std::string> keys) {
  std::set<std::string> known;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    for (const std::string& key : keys) {
      if (alert_holding(sql, key) != 0) known.insert(key);
    }
    return {};
  }));
  return known;
}

}  // namespace redoubt::central
