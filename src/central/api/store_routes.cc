// The event store, for administrators.
#include "central/api/export_response.h"
#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"
#include "store/backup/backup.h"
#include "store/events/report_json.h"

namespace redoubt::central {

namespace {

constexpr size_t kBackupPathMax = 4096;

template <class Report>
Response report_response(const Result<Report>& report) {
  if (!report) return error_response(report.error());
  return {.body = store::json_of(*report)};
}

Result<store::BackupReport> try_backup(Services& services, const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"directory", "copy"}));
  TRY(const std::string directory, body.text("directory", {.bytes_min = 1, .bytes_max = kBackupPathMax}));
  TRY(const auto copy, body.optional_flag("copy"));
  return services.keeper.back_up(directory,
                                 copy.value_or(false) ? store::BackupFiles::copied : store::BackupFiles::linked);
}

}  // namespace

Response back_up_store(Services& services, const Request& request) {
  const auto report = try_backup(services, request);
  Response response = report_response(report);
  if (report) response.audit_note = report->directory;
  return response;
}

Response get_store(Services& services, const Request&) { return report_response(services.keeper.report()); }

Response verify_store(Services& services, const Request&) {
  const auto report = services.keeper.verify();
  Response response = report_response(report);
  if (report) response.audit_note = report->damage.empty() ? "sound" : "damaged";
  return response;
}

Response compact_store(Services& services, const Request&) { return report_response(services.keeper.compact()); }

Response export_store(Services& services, const Request& request) {
  const auto asked = parse_export(request);
  if (!asked) return error_response(asked.error());
  return export_response(*asked, services.keeper.export_hunt(asked->query, asked->format).map([](store::Exported file) {
    return std::make_shared<const store::Exported>(std::move(file));
  }));
}

}  // namespace redoubt::central
