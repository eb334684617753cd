#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/object_json.h"
#include "central/api/object_wait.h"
#include "central/api/parameters.h"
#include "central/objects/object_archive.h"
#include "central/objects/object_export.h"
#include "central/objects/webhooks.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr size_t kUploadNameBytesMax = 255;
constexpr int64_t kObjectsDefault = 100;
constexpr size_t kPreviewBytes = 4096;
constexpr size_t kPreviewLineBytes = 16;
// Long polls hold a worker thread each: past this many a request is answered at once.
constexpr int kObjectWaitsMax = 6;

Result<ObjectFilter> filter_of(const Request& request) {
  ObjectFilter filter{.name = std::string(request.query_value("name")),
                      .sha256 = std::string(request.query_value("sha256")),
                      .submitted_by = std::string(request.query_value("submitted_by"))};
  const std::string_view verdict = request.query_value("verdict");
  if (verdict.empty()) return filter;
  filter.verdict = scan::verdict_named(verdict);
  if (filter.verdict) return filter;
  return fail(Errc::invalid_argument, "'verdict': one of processing, not detected, detect, error, timeout");
}

Result<SubmitOptions> submit_options(Services& services, const Request& request, std::string webhook) {
  if (!webhook.empty()) TRY_STATUS(may_post_to(services.facts.webhook_prefixes, webhook));
  return SubmitOptions{.source = request.session_id.empty() ? ObjectSource::api : ObjectSource::console,
                       .submitted_by = request.actor.user,
                       .webhook = std::move(webhook)};
}

// An address is an object like any other: its text, by its own name. What is known of it and its host judges it.
Result<Object> try_submit_url(Services& services, const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"url", "webhook"}));
  TRY(const std::string text, body.text("url", {.bytes_min = 1, .bytes_max = kIndicatorBytesMax}));
  TRY(const auto webhook, body.optional_text("webhook", {.bytes_max = kIndicatorBytesMax}));
  const auto url = read_indicator(text);
  if (!url || url->kind != IndicatorKind::url) return fail(Errc::invalid_argument, "'url': http, https or ftp");
  TRY(SubmitOptions options, submit_options(services, request, webhook.value_or("")));
  options.name = url->value;
  TRY(const auto submission, services.objects.begin(std::move(options)));
  TRY_STATUS(submission->write(url->value + "\n"));
  return submission->finish();
}

Result<Response> history_response(Services& services, const Request& request) {
  TRY_STATUS(only_query_keys(request, {"format", "name", "sha256", "submitted_by", "verdict"}));
  TRY(const ObjectFilter filter, filter_of(request));
  const std::string_view format = request.query_value("format");
  if (!format.empty() && format != "csv" && format != "jsonl") {
    return fail(Errc::invalid_argument, "'format': csv or jsonl");
  }
  const bool is_csv = format == "csv";
  TRY(ExportedHistory history,
      export_history(services.objects, {.directory = services.facts.temporary_directory,
                                        .filter = filter,
                                        .format = is_csv ? HistoryFormat::csv : HistoryFormat::json_lines,
                                        .json = object_text}));
  Response response{.content_type = is_csv ? "text/csv; charset=utf-8" : "application/jsonl",
                    .headers = {{"Content-Disposition",
                                 std::string("attachment; filename=\"objects.") + (is_csv ? "csv" : "jsonl") + "\""},
                                {"Redoubt-Rows", std::to_string(history.rows)}}};
  if (history.end == ExportedHistory::End::cut)
    response.headers.emplace_back("Redoubt-Partial", "there are older ones");
  response.file = std::make_shared<const base::UniqueFd>(std::move(history.file));
  response.file_bytes = history.bytes;
  response.audit_note = std::to_string(history.rows) + " rows";
  return response;
}

class ObjectBody final : public BodySink {
 public:
  explicit ObjectBody(std::unique_ptr<Submission> submission) : submission_(std::move(submission)) {}

  Status write(std::string_view bytes) override { return submission_->write(bytes); }
  Response finish() override {
    const auto object = submission_->finish();
    return object ? json_response(stored_object_json(*object), 202) : error_response(object.error());
  }

 private:
  std::unique_ptr<Submission> submission_;
};

}  // namespace

Result<std::unique_ptr<BodySink>> submit_object(Services& services, const Request& request) {
  TRY_STATUS(only_query_keys(request, {"name", "webhook"}));
  const std::string_view name = request.query_value("name");
  if (name.empty() || name.size() > kUploadNameBytesMax) {
    return fail(Errc::invalid_argument, "'name': from 1 to 255 bytes");
  }
  TRY(SubmitOptions options, submit_options(services, request, std::string(request.query_value("webhook"))));
  options.name = name;
  TRY(auto submission, services.objects.begin(std::move(options)));
  return std::make_unique<ObjectBody>(std::move(submission));
}

Response submit_url(Services& services, const Request& request) {
  const auto object = try_submit_url(services, request);
  return object ? json_response(stored_object_json(*object), 202) : error_response(object.error());
}

Response export_objects(Services& services, const Request& request) {
  auto response = history_response(services, request);
  return response ? *std::move(response) : error_response(response.error());
}

Response list_objects(Services& services, const Request& request) {
  const Status known = only_query_keys(request, {"limit", "cursor", "name", "sha256", "submitted_by", "verdict"});
  if (!known) return error_response(known.error());
  const auto limit = query_integer(request, "limit", {kObjectsDefault, 1, kObjectPageMax});
  if (!limit) return error_response(limit.error());
  const auto filter = filter_of(request);
  if (!filter) return error_response(filter.error());
  const auto page =
      services.objects.list(*filter, static_cast<size_t>(*limit), std::string(request.query_value("cursor")));
  if (!page) return error_response(page.error());
  ordered_json json = {{"objects", ordered_json::array()}};
  for (const Object& object : page->objects) json["objects"].push_back(stored_object_json(object));
  if (!page->next_cursor.empty()) json["next_cursor"] = page->next_cursor;
  return json_response(json);
}

namespace {

// What a page shows of bytes that nobody should open: digits and text, in which nothing is active.
ordered_json preview_lines(std::string_view bytes, int64_t offset) {
  ordered_json lines = ordered_json::array();
  for (size_t at = 0; at < bytes.size(); at += kPreviewLineBytes) {
    const std::string_view line = bytes.substr(at, kPreviewLineBytes);
    std::string text(line);
    std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '.');
    lines.push_back({{"offset", offset + static_cast<int64_t>(at)}, {"hex", base::to_hex(line)}, {"text", text}});
  }
  return lines;
}

Result<Response> packed_response(Services& services, const std::string& id) {
  TRY(const base::UniqueFd content, services.objects.content(id));
  TRY(const Object object, services.objects.get(id, 0));
  TRY(PackedObject packed, pack_object(content, {.directory = services.facts.temporary_directory,
                                                 .entry = object.sha256,
                                                 .password = std::string(kArchivePassword)}));
  auto file = std::make_shared<const base::UniqueFd>(std::move(packed.file));
  return Response{.content_type = "application/zip",
                  .headers = {{"Content-Disposition", "attachment; filename=\"" + object.sha256 + ".zip\""}},
                  .file = std::move(file),
                  .file_bytes = packed.bytes,
                  .audit_note = object.sha256};
}

Result<Response> preview_response(Services& services, const Request& request) {
  TRY_STATUS(only_query_keys(request, {"offset"}));
  TRY(const int64_t offset, query_integer(request, "offset", {0, 0, std::numeric_limits<int64_t>::max()}));
  TRY(const base::UniqueFd content, services.objects.content(request.path_parameters[0]));
  std::string bytes(kPreviewBytes, '\0');
  const ssize_t count = pread(content.get(), bytes.data(), bytes.size(), offset);
  if (count < 0) return base::fail_errno("read object");
  return json_response({{"lines", preview_lines(std::string_view(bytes).substr(0, static_cast<size_t>(count)), offset)},
                        {"next_offset", offset + count}});
}

}  // namespace

Response get_object_archive(Services& services, const Request& request) {
  auto response = packed_response(services, request.path_parameters[0]);
  return response ? *std::move(response) : error_response(response.error());
}

Response preview_object(Services& services, const Request& request) {
  auto response = preview_response(services, request);
  return response ? *std::move(response) : error_response(response.error());
}

Response remove_object_content(Services& services, const Request& request) {
  const Status done = services.objects.remove_content(request.path_parameters[0]);
  return done ? no_content() : error_response(done.error());
}

Response rescan_object(Services& services, const Request& request) {
  const Status done = services.objects.rescan(request.path_parameters[0]);
  return done ? json_response(ordered_json::object(), 202) : error_response(done.error());
}

Response get_object(Services& services, const Request& request) {
  const auto wait_ms = query_integer(request, "wait_ms", {0, 0, kObjectWaitMsMax});
  if (!wait_ms) return error_response(wait_ms.error());
  const ObjectWait wait;
  const auto object = services.objects.get(request.path_parameters[0], wait.admitted() ? *wait_ms : 0);
  return object ? json_response(stored_object_json(*object)) : error_response(object.error());
}

}  // namespace redoubt::central
