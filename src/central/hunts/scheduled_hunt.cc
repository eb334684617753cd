#include "central/hunts/scheduled_hunt.h"

#include <soci/soci.h>

namespace redoubt::central {

namespace {

// A hunt's numbers as the database takes them.
struct HuntNumbers {
  long long importance = 0, interval_us = 0, window_us = 0, is_off = 0, created_us = 0, covered_us = 0, next_us = 0,
            last_us = 0, found = 0, fresh = 0, beyond = 0, detections = 0;

  static HuntNumbers of(const ScheduledHunt& hunt) {
    return {.importance = static_cast<long long>(hunt.importance),
            .interval_us = hunt.interval_us,
            .window_us = hunt.window_us,
            .is_off = hunt.state == HuntSwitch::off ? 1 : 0,
            .created_us = hunt.created.us,
            .covered_us = hunt.covered_until.us,
            .next_us = hunt.next_run.us,
            .last_us = hunt.last_run.us,
            .found = hunt.last_found,
            .fresh = hunt.last_new,
            .beyond = hunt.last_beyond,
            .detections = hunt.detections};
  }
  void give(ScheduledHunt& hunt) const {
    hunt.importance = static_cast<rules::Importance>(importance);
    hunt.interval_us = interval_us;
    hunt.window_us = window_us;
    hunt.state = is_off != 0 ? HuntSwitch::off : HuntSwitch::on;
    hunt.created = {created_us};
    hunt.covered_until = {covered_us};
    hunt.next_run = {next_us};
    hunt.last_run = {last_us};
    hunt.last_found = found;
    hunt.last_new = fresh;
    hunt.last_beyond = beyond;
    hunt.detections = detections;
  }
};

}  // namespace

const std::string_view kHuntsMigration = R"sql(
CREATE TABLE scheduled_hunts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  query TEXT NOT NULL,
  author TEXT NOT NULL,
  last_problem TEXT NOT NULL,
  importance BIGINT NOT NULL,
  interval_us BIGINT NOT NULL,
  window_us BIGINT NOT NULL,
  is_off BIGINT NOT NULL,
  created_us BIGINT NOT NULL,
  covered_us BIGINT NOT NULL,
  next_us BIGINT NOT NULL,
  last_us BIGINT NOT NULL,
  last_found BIGINT NOT NULL,
  last_new BIGINT NOT NULL,
  last_beyond BIGINT NOT NULL,
  detections BIGINT NOT NULL
);
)sql";

std::vector<ScheduledHunt> read_scheduled_hunts(soci::session& sql) {
  std::vector<ScheduledHunt> hunts;
  ScheduledHunt hunt;
  HuntNumbers row;
  long long id = 0;
  soci::statement statement =
      (sql.prepare << "SELECT id, name, query, author, last_problem, importance, interval_us, window_us, is_off,"
                      " created_us, covered_us, next_us, last_us, last_found, last_new, last_beyond, detections"
                      " FROM scheduled_hunts ORDER BY id",
       soci::into(id), soci::into(hunt.name), soci::into(hunt.query), soci::into(hunt.author),
       soci::into(hunt.last_problem), soci::into(row.importance), soci::into(row.interval_us),
       soci::into(row.window_us), soci::into(row.is_off), soci::into(row.created_us), soci::into(row.covered_us),
       soci::into(row.next_us), soci::into(row.last_us), soci::into(row.found), soci::into(row.fresh),
       soci::into(row.beyond), soci::into(row.detections));
  statement.execute();
  while (statement.fetch()) {
    hunt.id = id;
    row.give(hunt);
    hunts.push_back(hunt);
  }
  return hunts;
}

void write_scheduled_hunt(soci::session& sql, ScheduledHunt& hunt) {
  if (hunt.id == 0) {
    sql << "INSERT INTO scheduled_hunts (name, query, author, last_problem, importance, interval_us, window_us, is_off,"
           " created_us, covered_us, next_us, last_us, last_found, last_new, last_beyond, detections)"
           " VALUES ('', '', '', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)";
    long long id = 0;
    sql << "SELECT last_insert_rowid()", soci::into(id);
    hunt.id = id;
  }
  const long long id = hunt.id;
  const HuntNumbers row = HuntNumbers::of(hunt);
  sql << "UPDATE scheduled_hunts SET name = :name, query = :query, author = :author, last_problem = :problem,"
         " importance = :importance, interval_us = :interval, window_us = :window, is_off = :off,"
         " created_us = :created, covered_us = :covered, next_us = :next, last_us = :last, last_found = :found,"
         " last_new = :fresh, last_beyond = :beyond, detections = :detections WHERE id = :id",
      soci::use(hunt.name), soci::use(hunt.query), soci::use(hunt.author), soci::use(hunt.last_problem),
      soci::use(row.importance), soci::use(row.interval_us), soci::use(row.window_us), soci::use(row.is_off),
      soci::use(row.created_us), soci::use(row.covered_us), soci::use(row.next_us), soci::use(row.last_us),
      soci::use(row.found), soci::use(row.fresh), soci::use(row.beyond), soci::use(row.detections), soci::use(id);
}

void delete_scheduled_hunt(soci::session& sql, int64_t id) {
  const long long row = id;
  sql << "DELETE FROM scheduled_hunts WHERE id = :id", soci::use(row);
}

}  // namespace redoubt::central
