// What external systems read: the states of their scans, the limits of the door, everything that was detected.
#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/object_json.h"
#include "central/api/object_wait.h"
#include "central/api/parameters.h"
#include "central/api/scanner_names.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr int64_t kDetectsDefault = 1000;
constexpr int64_t kDetectsPageMax = 10'000;
constexpr size_t kTokenBytesMax = 256;

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) words.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return words;
}

Response said_ok() { return {.content_type = "text/plain", .body = "OK"}; }

// States by name; empty: any.
Result<std::vector<std::string>> wanted_states(const Request& request) {
  std::vector<std::string> wanted = split_list(request.query_value("state"));
  for (const std::string& name : wanted) {
    using scan::Verdict;
    constexpr std::array kAll = {Verdict::processing, Verdict::not_detected, Verdict::detect, Verdict::error,
                                 Verdict::timeout};
    const bool known =
        std::any_of(kAll.begin(), kAll.end(), [&](Verdict state) { return scan::name_of(state) == name; });
    if (!known) return fail(Errc::invalid_argument, "'state': detect, not detected, processing, timeout, error");
  }
  return wanted;
}

Result<ordered_json> states_json(Services& services, const Request& request) {
  TRY(const std::vector<std::string> wanted, wanted_states(request));
  TRY(const ScanName name, scan_of_request(request));
  TRY(const std::vector<ExternalScan> scans, services.scans.find(name));
  ordered_json list = ordered_json::array();
  for (const ExternalScan& scan : scans) {
    const std::string state(scan::name_of(scan.state));
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), state) == wanted.end()) continue;
    list.push_back({{"scanId", scan.name.scan_id}, {"state", state}});
  }
  return list;
}

Result<ordered_json> scan_json(Services& services, const Request& request) {
  TRY(const int64_t wait_ms, query_integer(request, "wait_ms", {0, 0, kObjectWaitMsMax}));
  TRY(const ScanName name, scan_of_request(request));
  TRY(const std::vector<ExternalScan> scans, services.scans.find(name));
  if (scans.empty()) return fail(Errc::not_found, "no scan '" + name.scan_id + "'");
  const ObjectWait wait;
  TRY(const Object object, services.objects.get(scans.front().object_id, wait.admitted() ? wait_ms : 0));
  return ordered_json{
      {"scanId", name.scan_id}, {"state", scan::name_of(object.verdict)}, {"object", stored_object_json(object)}};
}

Status forget_scans(Services& services, const Request& request) {
  TRY(const ScanName name, scan_of_request(request));
  TRY(const size_t removed, services.scans.remove(name));
  if (removed == 0 && !name.scan_id.empty()) return fail(Errc::not_found, "no scan '" + name.scan_id + "'");
  return {};
}

// ---- detects

// A token is the number of the last detect that was read, in the writing that clients know: {"offset": 7} in
// hexadecimal.
std::string detects_token(int64_t number) { return base::to_hex("{\"offset\": " + std::to_string(number) + "}"); }

Result<int64_t> offset_of_token(std::string_view token) {
  if (token.empty()) return 0;
  const auto text = token.size() <= kTokenBytesMax ? base::from_hex(token) : Result<std::string>("");
  const auto json = nlohmann::json::parse(text ? *text : "", nullptr, false);
  const auto offset = json.is_object() ? json.find("offset") : json.end();
  if (!json.is_object() || offset == json.end() || !offset->is_number_unsigned() ||
      offset->get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return fail(Errc::invalid_argument, "'token': not one of ours");
  }
  return offset->get<int64_t>();
}

Result<std::vector<std::string>> wanted_technologies(const Request& request) {
  std::vector<std::string> wanted = split_list(request.query_value("detect_type"));
  for (const std::string& name : wanted) {
    if (!is_technology(name)) {
      return fail(Errc::invalid_argument, "'detect_type': am, sb, yara, url_reputation, ids");
    }
  }
  return wanted;
}

std::string_view three_grades(std::string_view importance) {
  if (importance == "critical" || importance == "high") return "high";
  return importance == "medium" ? "medium" : "low";
}

// 202611251430 of its minute: clients tell states of the rules by it, and these are those in force then.
int64_t minute_number(base::Time time) {
  std::string digits;
  for (const char c : base::format_time(time).substr(0, std::string_view("2026-11-25T14:30").size())) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return std::stoll(digits);
}

ordered_json processed_json(const Object& object, const LoggedDetect& detect) {
  return {{"MD5", detect.md5},
          {"SHA256", object.sha256},
          {"name", object.name},
          {"type", object.report ? object.report->mime_type : ""},
          {"size", object.size_bytes}};
}

// The object itself, or the one inside it that an engine named.
ordered_json detected_json(const Object& object, const LoggedDetect& detect, size_t index) {
  if (index == 0 || !object.report || index >= object.report->objects.size()) return processed_json(object, detect);
  const scan::InnerObject& inner = object.report->objects[index];
  return {{"SHA256", inner.sha256}, {"name", inner.name}, {"type", inner.mime_type}, {"size", inner.size_bytes}};
}

ordered_json detect_json(const Object& object, const LoggedDetect& detect) {
  constexpr std::array<std::string_view, 3> kGrades = {"low", "medium", "high"};
  ordered_json names = ordered_json::array(), rule_sets = ordered_json::array();
  size_t grade = 0;
  std::optional<size_t> inner;
  for (const scan::Detection& found : object.report->detections) {
    if (technology_of(found.engine) != detect.technology) continue;
    names.push_back(found.rule);
    if (std::find(rule_sets.begin(), rule_sets.end(), found.rule_set) == rule_sets.end()) {
      rule_sets.push_back(found.rule_set);
    }
    const auto* const at = std::find(kGrades.begin(), kGrades.end(), three_grades(found.importance));
    grade = std::max(grade, static_cast<size_t>(at - kGrades.begin()));
    if (!inner) inner = found.object;
  }
  return {{"alertID", std::stoll("0" + detect.alert_id)},
          {"eventTimeStamp", base::format_time(object.submitted)},
          {"detectTimestamp", base::format_time(detect.time)},
          {"importance", kGrades[grade]},
          {"objectSource", "external"},
          {"technology", detect.technology},
          {"objectType", "file"},
          {"object",
           {{"processedObject", processed_json(object, detect)},
            {"detectedObject", detected_json(object, detect, inner.value_or(0))}}},
          {"detection", {{"detect", names}, {"dataBaseVersion", minute_number(detect.time)}}},
          {"details", {{"objectId", object.id}, {"submittedBy", object.submitted_by}, {"ruleSets", rule_sets}}}};
}

Result<ordered_json> detects_json(Services& services, const Request& request) {
  TRY(const auto limit, query_integer(request, "limit", {kDetectsDefault, 1, kDetectsPageMax}));
  TRY(const std::vector<std::string> technologies, wanted_technologies(request));
  TRY(int64_t offset, offset_of_token(request.query_value("token")));
  TRY(const auto detects, services.detects.after(offset, technologies, static_cast<size_t>(limit)));
  ordered_json list = ordered_json::array();
  for (const LoggedDetect& detect : detects) {
    const auto object = services.objects.get(detect.object_id, 0);
    if (!object && object.error().code != Errc::not_found) return tl::unexpected<Error>(object.error());
    // Told of by its engine, not judged as a whole yet: it and what is behind it come with the next call.
    if (object && !object->report) break;
    offset = detect.number;
    if (object) list.push_back(detect_json(*object, detect));
  }
  return ordered_json{{"detects", std::move(list)}, {"token", detects_token(offset)}};
}

Response answered(const Result<ordered_json>& json) {
  return json ? json_response(*json) : error_response(json.error());
}

}  // namespace

Response list_scan_states(Services& services, const Request& request) {
  auto list = states_json(services, request);
  if (list && list->empty()) return no_content();
  if (list && services.facts.state_list == StateList::object) list = ordered_json{{"scans", *std::move(list)}};
  return answered(list);
}

Response get_scan(Services& services, const Request& request) { return answered(scan_json(services, request)); }

Response delete_scan(Services& services, const Request& request) {
  const Status done = forget_scans(services, request);
  return done ? said_ok() : error_response(done.error());
}

Response delete_scans(Services& services, const Request& request) { return delete_scan(services, request); }

Response get_scan_filters(Services& services, const Request&) {
  return json_response({{"maxObjectSize", services.facts.object_bytes_max}, {"version", services.facts.version}});
}

Response list_detects(Services& services, const Request& request) { return answered(detects_json(services, request)); }

}  // namespace redoubt::central
