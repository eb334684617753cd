#include "central/reputation/feed.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "rules/stix/lexer.h"

namespace redoubt::central {

namespace {

using nlohmann::json;

constexpr size_t kReasonsMax = 20;
constexpr size_t kReasonBytesMax = 200;
constexpr int kJsonNestingMax = 64;
// As a tree of values it takes some ten times the memory.
constexpr size_t kJsonFeedBytesMax = size_t{16} << 20;

void skip(Feed& feed, std::string reason) {
  ++feed.skipped;
  if (feed.reasons.size() < kReasonsMax)
    feed.reasons.push_back(base::escape_invalid_utf8(reason.substr(0, kReasonBytesMax)));
}

Status add_indicator(Feed& feed, Indicator indicator, std::string_view note) {
  if (feed.indicators.size() >= kFeedIndicatorsMax) {
    return fail(Errc::too_large, "feed: more than " + std::to_string(kFeedIndicatorsMax) + " indicators");
  }
  feed.indicators.push_back({std::move(indicator), base::escape_invalid_utf8(note.substr(0, kFeedNoteBytesMax))});
  return {};
}

std::string_view trimmed_of(std::string_view text, std::string_view what) {
  const size_t first = text.find_first_not_of(what);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(what) - first + 1);
}

// "44d8…:68:Eicar-Test" of .hdb and .hsb; the size may be '*'.
bool is_clamav_line(std::string_view line) {
  const size_t first = line.find(':');
  if (first != 32 && first != 40 && first != 64) return false;
  const size_t second = line.find(':', first + 1);
  const std::string_view size = line.substr(first + 1, second - first - 1);
  return second != std::string_view::npos &&
         (size == "*" || size.find_first_not_of("0123456789") == std::string_view::npos);
}

Status read_line(Feed& feed, std::string_view line) {
  line = trimmed_of(line, " \t\r");
  if (line.empty() || line.starts_with('#') || line.starts_with("//")) return {};
  if (is_clamav_line(line)) {
    feed.format = "clamav";
    const size_t name = line.find(':', line.find(':') + 1) + 1;
    if (auto hash = read_indicator(line.substr(0, line.find(':')))) {
      return add_indicator(feed, *std::move(hash), line.substr(name, line.find(':', name) - name));
    }
  }
  // The first column that is an indicator; what follows it is about it.
  for (size_t at = 0; at < line.size();) {
    const size_t end = std::min(line.find_first_of(",;\t ", at), line.size());
    const std::string_view cell = trimmed_of(line.substr(at, end - at), "\"' ");
    if (auto indicator = read_indicator(cell)) {
      const std::string_view rest = end < line.size() ? line.substr(end + 1) : std::string_view();
      return add_indicator(feed, *std::move(indicator), trimmed_of(rest, "\"'#;, \t"));
    }
    at = end + 1;
  }
  skip(feed, "no indicator: " + std::string(line));
  return {};
}

Result<Feed> read_lines(std::string_view text) {
  Feed feed{.format = "list"};
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    TRY_STATUS(read_line(feed, text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return feed;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// "filename|sha256": the second part is the indicator.
Status read_attribute(Feed& feed, const json& attribute, const std::string& event) {
  if (!attribute.is_object()) return {};
  const auto to_ids = attribute.find("to_ids");
  const std::string type = text_of(attribute, "type"), value = text_of(attribute, "value");
  // What MISP does not mark for detection is context, an address of a victim say.
  if (to_ids != attribute.end() && to_ids->is_boolean() && !to_ids->get<bool>()) {
    skip(feed, type + " is not for detection: " + value);
    return {};
  }
  const size_t bar = value.find('|');
  const std::string_view last =
      bar == std::string::npos ? std::string_view(value) : std::string_view(value).substr(bar + 1);
  const std::string_view first = std::string_view(value).substr(0, bar);
  auto indicator = read_indicator(type.starts_with("filename|") ? last : first);
  const std::string comment = text_of(attribute, "comment");
  if (indicator) return add_indicator(feed, *std::move(indicator), comment.empty() ? event : comment);
  skip(feed, type + ": " + value);
  return {};
}

Status read_misp_event(Feed& feed, const json& holder) {
  const auto found = holder.find("Event");
  const json& event = found == holder.end() ? holder : *found;
  if (!event.is_object()) return {};
  const std::string info = text_of(event, "info");
  for (const json& attribute : event.value("Attribute", json::array())) {
    TRY_STATUS(read_attribute(feed, attribute, info));
  }
  for (const json& object : event.value("Object", json::array())) {
    if (!object.is_object()) continue;
    for (const json& attribute : object.value("Attribute", json::array())) {
      TRY_STATUS(read_attribute(feed, attribute, info));
    }
  }
  return {};
}

// A pattern that is true of each of its values alone: equalities joined by OR. Nothing else says that a value is bad by
// itself.
Result<std::vector<Indicator>> values_of_pattern(const std::string& pattern) {
  const auto tokens = rules::stix::read_tokens(pattern);
  if (!tokens) return fail(Errc::invalid_argument, tokens.error().message);
  std::vector<Indicator> values;
  std::string_view before;
  for (const auto& token : *tokens) {
    using rules::stix::TokenKind;
    if (token.kind == TokenKind::word && (token.text == "AND" || token.text == "FOLLOWEDBY" || token.text == "NOT")) {
      return fail(Errc::unsupported, "'" + token.text + "' in a pattern");
    }
    if (token.kind == TokenKind::string && before == "=") {
      if (auto value = read_indicator(token.text)) values.push_back(*std::move(value));
    }
    before = token.text;
  }
  if (values.empty()) return fail(Errc::unsupported, "no hash, address, domain or URL in a pattern");
  return values;
}

Status read_stix_object(Feed& feed, const json& object) {
  if (!object.is_object() || text_of(object, "type") != "indicator") return {};
  const std::string name = text_of(object, "name");
  auto values = values_of_pattern(text_of(object, "pattern"));
  if (!values) {
    skip(feed, name + ": " + values.error().message);
    return {};
  }
  for (Indicator& value : *values) TRY_STATUS(add_indicator(feed, std::move(value), name));
  return {};
}

Result<Feed> read_json(std::string_view text) {
  if (text.size() > kJsonFeedBytesMax) {
    return fail(Errc::too_large, "feed: JSON of more than " + std::to_string(kJsonFeedBytesMax) + " bytes");
  }
  const auto depth_limit = [](int depth, json::parse_event_t, json&) { return depth <= kJsonNestingMax; };
  const json root = json::parse(text, depth_limit, false);
  if (root.is_discarded()) return fail(Errc::invalid_argument, "feed: not JSON");
  Feed feed{.format = "misp"};
  if (root.is_object() && root.contains("objects") && root["objects"].is_array()) {
    feed.format = "stix";
    for (const json& object : root["objects"]) TRY_STATUS(read_stix_object(feed, object));
    return feed;
  }
  const bool is_answer = root.is_object() && root.contains("response") && root["response"].is_array();
  const json& events = is_answer ? root["response"] : root;
  if (!events.is_array()) {
    TRY_STATUS(read_misp_event(feed, events));
    return feed;
  }
  for (const json& event : events) {
    if (event.is_object()) TRY_STATUS(read_misp_event(feed, event));
  }
  return feed;
}

}  // namespace

Result<Feed> read_feed(std::string_view text) {
  if (text.size() > kFeedBytesMax) {
    return fail(Errc::too_large, "feed: more than " + std::to_string(kFeedBytesMax) + " bytes");
  }
  const size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
  TRY(Feed feed, is_json ? read_json(text) : read_lines(text));
  if (feed.indicators.empty()) {
    return fail(Errc::invalid_argument, "feed: it tells of no hash, address, domain or URL" +
                                            (feed.reasons.empty() ? std::string() : "; " + feed.reasons.front()));
  }
  return feed;
}

}  // namespace redoubt::central
