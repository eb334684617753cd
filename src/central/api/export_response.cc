#include "central/api/export_response.h"

#include <algorithm>

#include "base/time.h"
#include "central/api/parameters.h"
#include "query/hunt.h"

namespace redoubt::central {

namespace {

constexpr size_t kExportFormatMax = 16;
constexpr size_t kSecondsEnd = 19;  // of 2026-11-25T10:00:00.000000Z

struct FileKind {
  std::string_view content_type, ending;
};

FileKind kind_of(store::ExportFormat format) {
  switch (format) {
    case store::ExportFormat::csv: return {"text/csv; charset=utf-8", "csv"};
    case store::ExportFormat::json_lines: return {"application/jsonl", "jsonl"};
    case store::ExportFormat::parquet: return {"application/vnd.apache.parquet", "parquet"};
  }
  return {};
}

// "redoubt-20261125T100000Z.csv": nothing of it comes from the request.
std::string file_name(std::string_view ending) {
  std::string time = base::format_time(base::Time::now()).substr(0, kSecondsEnd);
  time.erase(std::remove_if(time.begin(), time.end(), [](char c) { return c == '-' || c == ':'; }), time.end());
  return "redoubt-" + time + "Z." + std::string(ending);
}

Response refusal(const ExportRequest& asked, const HuntError& error) {
  if (const auto* diagnostic = std::get_if<query::Diagnostic>(&error)) return error_response(*diagnostic, asked.query);
  return error_response(std::get<Error>(error));
}

}  // namespace

Result<ExportRequest> parse_export(const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"query", "format"}));
  ExportRequest asked;
  TRY(asked.query, body.text("query", {.bytes_max = query::kHuntTextMax}));
  TRY(const std::string name, body.text("format", {.bytes_min = 1, .bytes_max = kExportFormatMax}));
  const auto format = store::export_format_named(name);
  if (!format) return fail(Errc::invalid_argument, "'format': csv, jsonl or parquet");
  asked.format = *format;
  return asked;
}

Response export_response(const ExportRequest& asked,
                         const HuntOutcome<std::shared_ptr<const store::Exported>>& outcome) {
  if (!outcome) {
    Response response = refusal(asked, outcome.error());
    response.audit_note = "no file: " + asked.query;
    return response;
  }
  const store::Exported& exported = **outcome;
  const FileKind kind = kind_of(asked.format);
  Response response{.content_type = std::string(kind.content_type),
                    .headers = {{"Content-Disposition", "attachment; filename=\"" + file_name(kind.ending) + "\""},
                                {"Redoubt-Rows", std::to_string(exported.rows)}}};
  if (exported.partial) response.headers.emplace_back("Redoubt-Partial", exported.partial_why);
  response.audit_note = std::to_string(exported.rows) + " rows: " + asked.query;
  response.file = std::shared_ptr<const base::UniqueFd>(*outcome, &exported.file);
  response.file_bytes = exported.bytes;
  return response;
}

}  // namespace redoubt::central
