#include "central/api/http.h"

#include <nlohmann/json.hpp>

#include "base/log.h"

namespace redoubt::central {

namespace {

constexpr int kServerError = 500;
// Queues are worked off, and allowances come back, in seconds.
constexpr const char* kRetryAfterSeconds = "10";

struct ErrorRow {
  int status;
  std::string_view code;
};

ErrorRow row_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return {400, "invalid_argument"};
    case Errc::not_found: return {404, "not_found"};
    case Errc::already_exists: return {409, "conflict"};
    case Errc::unauthenticated: return {401, "unauthenticated"};
    case Errc::permission_denied: return {403, "permission_denied"};
    case Errc::too_large: return {413, "too_large"};
    case Errc::exhausted: return {429, "too_many_requests"};
    case Errc::unavailable: return {503, "unavailable"};
    case Errc::timeout: return {503, "timeout"};
    case Errc::unsupported: return {405, "unsupported"};
    case Errc::corrupt:
    case Errc::io:
    case Errc::internal: return {kServerError, "internal"};
  }
  return {kServerError, "internal"};
}

nlohmann::ordered_json error_json(std::string_view code, std::string_view message) {
  return {{"error", {{"code", code}, {"message", message}}}};
}

std::string error_text(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::post: return "POST";
    case Method::patch: return "PATCH";
    case Method::del: return "DELETE";
  }
  return "";
}

std::string_view Request::query_value(std::string_view name) const {
  const auto found = query.find(name);
  return found != query.end() ? std::string_view(found->second) : std::string_view();
}

std::string_view Request::header(std::string_view lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found != headers.end() ? std::string_view(found->second) : std::string_view();
}

Response error_response(const Error& error) {
  const ErrorRow row = row_of(error.code);
  if (row.status == kServerError) {
    // Paths, SQL and the like are for whoever runs the node, not for whoever asks it.
    base::log_error("api", error.message);
    return {.status = row.status, .body = error_text(error_json(row.code, "the node failed at this: see its log"))};
  }
  Response response{.status = row.status, .body = error_text(error_json(row.code, error.message))};
  if (error.code == Errc::exhausted) response.headers.emplace_back("Retry-After", kRetryAfterSeconds);
  return response;
}

nlohmann::ordered_json diagnostic_json(const query::Diagnostic& diagnostic, std::string_view source) {
  return {{"code", diagnostic.code},
          {"line", diagnostic.line},
          {"column", diagnostic.column},
          {"length", diagnostic.length},
          {"message", diagnostic.message},
          {"hint", diagnostic.hint},
          {"rendered", diagnostic.render(source)}};
}

Response error_response(const query::Diagnostic& diagnostic, std::string_view source) {
  nlohmann::ordered_json json = error_json("invalid_argument", diagnostic.message);
  json["error"]["diagnostic"] = diagnostic_json(diagnostic, source);
  return {.status = 400, .body = error_text(json)};
}

}  // namespace redoubt::central
