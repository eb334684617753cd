#include "gateway/scan_answers.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace redoubt::gateway {

namespace {

using Json = nlohmann::json;

constexpr auto kStateNames = std::to_array<std::pair<std::string_view, ScanState>>({
    {"not detected", ScanState::not_detected},
    {"processing", ScanState::processing},
    {"timeout", ScanState::timeout},
    {"error", ScanState::error},
    {"detect", ScanState::detect},
});

Result<Json> parse_answer(std::string_view body) {
  if (body.size() > kAnswerBytesMax) return fail(Errc::too_large, "the node's answer is too large");
  Json json = Json::parse(body.begin(), body.end(), nullptr, false);
  if (json.is_discarded()) return fail(Errc::corrupt, "the node's answer is no JSON");
  return json;
}

ScanState state_named(const Json& value) {
  if (!value.is_string()) return ScanState::error;
  const auto& name = value.get_ref<const std::string&>();
  const auto* const found =
      std::find_if(kStateNames.begin(), kStateNames.end(), [&](const auto& row) { return row.first == name; });
  return found == kStateNames.end() ? ScanState::error : found->second;
}

// Some servers write the state as an array.
ScanState state_of(const Json& scan) {
  const auto value = scan.find("state");
  if (value == scan.end()) return ScanState::error;
  if (!value->is_array()) return state_named(*value);
  ScanState gravest = value->empty() ? ScanState::error : ScanState::not_detected;
  for (const Json& one : *value) gravest = std::max(gravest, state_named(one));
  return gravest;
}

}  // namespace

std::string_view name_of(ScanState state) {
  const auto* const found =
      std::find_if(kStateNames.begin(), kStateNames.end(), [&](const auto& row) { return row.second == state; });
  return found->first;
}

Result<std::vector<ScanResult>> parse_states(std::string_view body) {
  if (body.empty()) return std::vector<ScanResult>();
  TRY(const Json json, parse_answer(body));
  const bool is_wrapped = json.is_object() && json.contains("scans");
  const Json& scans = is_wrapped ? json.at("scans") : json;
  if (!scans.is_array()) return fail(Errc::corrupt, "the node's answer is no list of scans");
  if (scans.size() > kScansMax) return fail(Errc::too_large, "the node's answer has too many scans");
  std::map<std::string, ScanState> found;
  for (const Json& scan : scans) {
    if (!scan.is_object()) return fail(Errc::corrupt, "the node's answer has a scan that is no object");
    const auto id = scan.find("scanId");
    if (id == scan.end() || !id->is_string()) return fail(Errc::corrupt, "the node's answer has a scan without scanId");
    const auto& text = id->get_ref<const std::string&>();
    if (text.empty() || text.size() > kScanIdBytesMax) continue;  // none of ours
    const ScanState state = state_of(scan);
    const auto [at, is_new] = found.emplace(text, state);
    if (!is_new) at->second = std::max(at->second, state);
  }
  std::vector<ScanResult> results;
  results.reserve(found.size());
  for (const auto& [id, state] : found) results.push_back({id, state});
  return results;
}

Result<Filters> parse_filters(std::string_view body) {
  TRY(const Json json, parse_answer(body));
  if (!json.is_object()) return fail(Errc::corrupt, "the node's filters are no object");
  Filters filters;
  const auto size = json.find("maxObjectSize");
  if (size != json.end() && size->is_number_unsigned()) filters.object_bytes_max = size->get<uint64_t>();
  const auto version = json.find("version");
  if (version != json.end() && version->is_string()) {
    filters.version = version->get_ref<const std::string&>().substr(0, kVersionBytesMax);
  }
  return filters;
}

}  // namespace redoubt::gateway
