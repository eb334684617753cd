// The event store, for administrators.
#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"
#include "query/hunt.h"
#include "store/backup/backup.h"
#include "store/events/report_json.h"

namespace redoubt::central {

namespace {

constexpr size_t kExportFormatMax = 16;
constexpr size_t kBackupPathMax = 4096;

template <class Report>
Response report_response(const Result<Report>& report) {
  if (!report) return error_response(report.error());
  return {.body = store::json_of(*report)};
}

std::string_view content_type_of(store::ExportFormat format) {
  switch (format) {
    case store::ExportFormat::csv: return "text/csv; charset=utf-8";
    case store::ExportFormat::json_lines: return "application/jsonl";
    case store::ExportFormat::parquet: return "application/vnd.apache.parquet";
  }
  return "";
}

struct ExportBody {
  std::string query;
  store::ExportFormat format;
};

Result<ExportBody> parse_export_body(const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"query", "format"}));
  ExportBody asked{};
  TRY(asked.query, body.text("query", {.bytes_max = query::kHuntTextMax}));
  TRY(const std::string name, body.text("format", {.bytes_min = 1, .bytes_max = kExportFormatMax}));
  const auto format = store::export_format_named(name);
  if (!format) return fail(Errc::invalid_argument, "'format': csv, jsonl or parquet");
  asked.format = *format;
  return asked;
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
  const auto body = parse_export_body(request);
  if (!body) return error_response(body.error());
  auto exported = services.keeper.export_hunt(body->query, body->format);
  if (!exported) {
    const auto* diagnostic = std::get_if<query::Diagnostic>(&exported.error());
    return diagnostic != nullptr ? error_response(*diagnostic, body->query)
                                 : error_response(std::get<Error>(exported.error()));
  }
  Response response{.content_type = std::string(content_type_of(body->format)),
                    .headers = {{"Redoubt-Rows", std::to_string(exported->rows)}}};
  if (exported->partial) response.headers.emplace_back("Redoubt-Partial", exported->partial_why);
  response.audit_note = std::to_string(exported->rows) + " rows: " + body->query;
  response.file = std::make_shared<const base::UniqueFd>(std::move(exported->file));
  response.file_bytes = exported->bytes;
  return response;
}

}  // namespace redoubt::central
