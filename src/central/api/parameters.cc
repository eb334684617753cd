#include "central/api/parameters.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/time.h"

namespace redoubt::central {

namespace {

// Whether brackets nest no deeper than the limit: the parser below is recursive only in what it builds, but a deep
// tree is expensive to destroy, and no request has one.
bool shallow(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
      continue;
    }
    if (c == '"') in_text = true;
    if ((c == '{' || c == '[') && ++depth > kJsonDepthMax) return false;
    if (c == '}' || c == ']') --depth;
  }
  return true;
}

std::string key_text(std::string_view key) { return "'" + std::string(key.substr(0, 64)) + "'"; }

std::string known_list(std::initializer_list<std::string_view> keys) {
  std::string list;
  for (const std::string_view key : keys) list += (list.empty() ? "" : ", ") + std::string(key);
  return list.empty() ? "none is taken" : "known: " + list;
}

Result<int64_t> in_range(std::string_view key, int64_t number, const JsonBody::IntegerRange& range) {
  if (number >= range.min && number <= range.max) return number;
  return fail(Errc::invalid_argument,
              key_text(key) + ": from " + std::to_string(range.min) + " to " + std::to_string(range.max));
}

}  // namespace

struct JsonBody::Tree {
  nlohmann::json json;
};

JsonBody::JsonBody(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
JsonBody::JsonBody(JsonBody&&) noexcept = default;
JsonBody& JsonBody::operator=(JsonBody&&) noexcept = default;
JsonBody::~JsonBody() = default;

Status only_json_keys(const nlohmann::json& object, std::initializer_list<std::string_view> keys) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      return fail(Errc::invalid_argument, "unknown key " + key_text(key) + " (" + known_list(keys) + ")");
    }
  }
  return {};
}

Result<nlohmann::json> parse_json_object(std::string_view text, std::initializer_list<std::string_view> keys) {
  nlohmann::json json;
  if (text.empty()) text = "{}";
  if (!shallow(text)) return fail(Errc::invalid_argument, "body: JSON nested too deeply");
  try {
    json = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    return fail(Errc::invalid_argument, "body: not JSON, at byte " + std::to_string(error.byte));
  } catch (const nlohmann::json::exception&) {
    return fail(Errc::invalid_argument, "body: a number that is out of range");
  }
  if (!json.is_object()) return fail(Errc::invalid_argument, "body: not a JSON object");
  TRY_STATUS(only_json_keys(json, keys));
  return json;
}

Result<JsonBody> JsonBody::parse(std::string_view text, std::initializer_list<std::string_view> keys) {
  auto tree = std::make_unique<Tree>();
  TRY(tree->json, parse_json_object(text, keys));
  return JsonBody(std::move(tree));
}

Result<std::optional<std::string>> JsonBody::optional_text(std::string_view key, TextLimits limits) const {
  const auto found = tree_->json.find(key);
  if (found == tree_->json.end()) return std::optional<std::string>();
  if (!found->is_string()) return fail(Errc::invalid_argument, key_text(key) + ": not a string");
  auto text = found->get<std::string>();
  if (text.size() < limits.bytes_min || text.size() > limits.bytes_max) {
    return fail(Errc::invalid_argument, key_text(key) + ": from " + std::to_string(limits.bytes_min) + " to " +
                                            std::to_string(limits.bytes_max) + " bytes");
  }
  return std::optional(std::move(text));
}

Result<std::string> JsonBody::text(std::string_view key, TextLimits limits) const {
  TRY(std::optional<std::string> text, optional_text(key, limits));
  if (!text) return fail(Errc::invalid_argument, key_text(key) + " is missing");
  return *std::move(text);
}

Result<int64_t> JsonBody::integer(std::string_view key, IntegerRange range) const {
  const auto found = tree_->json.find(key);
  if (found == tree_->json.end()) return range.fallback;
  if (!found->is_number_integer()) return fail(Errc::invalid_argument, key_text(key) + ": not an integer");
  // Past the signed range the number reads as out of range, not as something else.
  if (found->is_number_unsigned() && found->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
    return in_range(key, INT64_MAX, range);
  }
  return in_range(key, found->get<int64_t>(), range);
}

Result<std::optional<bool>> JsonBody::optional_flag(std::string_view key) const {
  const auto found = tree_->json.find(key);
  if (found == tree_->json.end()) return std::optional<bool>();
  if (!found->is_boolean()) return fail(Errc::invalid_argument, key_text(key) + ": not true or false");
  return std::optional(found->get<bool>());
}

Result<std::optional<int64_t>> JsonBody::optional_duration_us(std::string_view key) const {
  TRY(const auto text, optional_text(key, {}));
  if (!text) return std::optional<int64_t>();
  const auto duration = base::parse_duration_us(*text);
  if (!duration)
    return fail(Errc::invalid_argument, key_text(key) + ": '" + *text + "' is no duration (15m, 24h, 30d)");
  return std::optional(*duration);
}

bool JsonBody::is_null(std::string_view key) const {
  const auto found = tree_->json.find(key);
  return found != tree_->json.end() && found->is_null();
}

Result<int64_t> path_number(const Request& request, std::string_view what) {
  const std::string& text = request.path_parameters.at(0);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number <= 0) {
    return fail(Errc::not_found, "no " + std::string(what) + " '" + text.substr(0, 64) + "'");
  }
  return number;
}

Result<int64_t> query_integer(const Request& request, std::string_view key, JsonBody::IntegerRange range) {
  const std::string_view text = request.query_value(key);
  if (text.empty()) return range.fallback;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(Errc::invalid_argument, key_text(key) + ": not an integer");
  }
  return in_range(key, number, range);
}

Status only_query_keys(const Request& request, std::initializer_list<std::string_view> keys) {
  for (const auto& [key, value] : request.query) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      return fail(Errc::invalid_argument, "unknown parameter " + key_text(key) + " (" + known_list(keys) + ")");
    }
  }
  return {};
}

}  // namespace redoubt::central
