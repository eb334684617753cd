#include "central/users/audit_log.h"

#include <soci/soci.h>

#include "base/log.h"

namespace redoubt::central {

namespace {

// Hostile text (a made-up account name, a path) does not fill the disk.
constexpr size_t kAuditTextMax = 256;

std::string clipped(std::string_view text) { return std::string(text.substr(0, kAuditTextMax)); }

}  // namespace

void AuditLog::record(const Actor& actor, std::string_view action, std::string_view target, std::string_view outcome) {
  const long long time_us = base::Time::now().us;
  const std::string user = clipped(actor.user), what = clipped(action), which = clipped(target), how = clipped(outcome);
  const Status status = state_.write([&](soci::session& sql) -> Status {
    sql << "INSERT INTO audit_log (time_us, actor, via, address, action, target, outcome)"
           " VALUES (:time, :actor, :via, :address, :action, :target, :outcome)",
        soci::use(time_us), soci::use(user), soci::use(actor.via), soci::use(actor.address), soci::use(what),
        soci::use(which), soci::use(how);
    return {};
  });
  if (!status) base::log_error("audit", what + " by " + user + ": " + status.error().message);
}

Result<std::vector<AuditRow>> AuditLog::newest(size_t count) {
  std::vector<AuditRow> rows;
  const long long limit = static_cast<long long>(count);
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    long long id = 0, time_us = 0;
    std::string user, via, address, action, target, outcome;
    soci::statement statement =
        (sql.prepare << "SELECT id, time_us, actor, via, address, action, target, outcome FROM audit_log"
                        " ORDER BY id DESC LIMIT :limit",
         soci::into(id), soci::into(time_us), soci::into(user), soci::into(via), soci::into(address),
         soci::into(action), soci::into(target), soci::into(outcome), soci::use(limit));
    statement.execute();
    while (statement.fetch()) {
      rows.push_back({.id = id,
                      .time = {time_us},
                      .actor = {.user = user, .via = via, .address = address},
                      .action = action,
                      .target = target,
                      .outcome = outcome});
    }
    return {};
  }));
  return rows;
}

}  // namespace redoubt::central
