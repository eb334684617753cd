#include "event/dialect/record.h"

#include <simdjson.h>
#include <array>
#include <charconv>
#include <deque>
#include <string>
#include <vector>

#include "event/dialect/dialect.h"

namespace redoubt::event::dialect {

namespace {

constexpr std::string_view kNothing = "";  // an empty text that is there

std::string_view present(std::string_view text) { return text.data() == nullptr ? kNothing : text; }

}  // namespace

struct RecordParser::State {
  simdjson::dom::parser parser;
  std::vector<Member> members;
  std::deque<std::string> made;  // names and texts that do not stand in the JSON as they are

  std::string_view keep(std::string text) { return made.emplace_back(std::move(text)); }

  std::string_view number(simdjson::dom::element value) {
    std::array<char, 32> digits{};
    std::to_chars_result done{};
    if (int64_t whole = 0; value.get(whole) == simdjson::SUCCESS) {
      done = std::to_chars(digits.data(), digits.data() + digits.size(), whole);
    } else if (uint64_t large = 0; value.get(large) == simdjson::SUCCESS) {
      done = std::to_chars(digits.data(), digits.data() + digits.size(), large);
    } else {
      done = std::to_chars(digits.data(), digits.data() + digits.size(), value.get_double().value_unsafe());
    }
    return keep(std::string(digits.data(), done.ptr));
  }

  // The text of what is neither object, array nor null.
  std::string_view scalar(simdjson::dom::element value) {
    if (std::string_view text; value.get(text) == simdjson::SUCCESS) return present(text);
    if (bool truth = false; value.get(truth) == simdjson::SUCCESS) return truth ? "true" : "false";
    return number(value);
  }

  bool add(std::string_view name, std::string_view text) {
    if (members.size() == kRecordMembersMax) return false;
    members.push_back({name, text});
    return true;
  }

  bool flatten(std::string_view name, simdjson::dom::element value, size_t depth) {
    if (value.is_null()) return true;
    if (simdjson::dom::object object; value.get(object) == simdjson::SUCCESS)
      return flatten_object(name, object, depth);
    if (simdjson::dom::array array; value.get(array) == simdjson::SUCCESS) return flatten_array(name, array, depth);
    return add(name, scalar(value));
  }

  bool flatten_object(std::string_view name, simdjson::dom::object object, size_t depth) {
    if (depth == kRecordDepthMax) return false;
    for (const auto member : object) {
      const std::string_view full =
          name.empty() ? present(member.key) : keep(std::string(name) + "." + std::string(member.key));
      if (!flatten(full, member.value, depth + 1)) return false;
    }
    return true;
  }

  // Values one a line; members of objects in it as if the array were not there.
  bool flatten_array(std::string_view name, simdjson::dom::array array, size_t depth) {
    if (depth == kRecordDepthMax) return false;
    std::string lines;
    bool any = false;
    for (const simdjson::dom::element value : array) {
      if (value.is_null()) continue;
      if (value.is_object() || value.is_array()) {
        if (!flatten(name, value, depth + 1)) return false;
        continue;
      }
      if (std::exchange(any, true)) lines += '\n';
      lines += scalar(value);
    }
    return !any || add(name, keep(std::move(lines)));
  }
};

RecordParser::RecordParser() : state_(std::make_unique<State>()) {}
RecordParser::~RecordParser() = default;
RecordParser::RecordParser(RecordParser&&) noexcept = default;
RecordParser& RecordParser::operator=(RecordParser&&) noexcept = default;

Result<Record> RecordParser::parse(std::string_view json) {
  if (json.size() > kRecordBytesMax) {
    return fail(Errc::too_large, "record is longer than " + std::to_string(kRecordBytesMax) + " bytes");
  }
  state_->members.clear();
  state_->made.clear();
  simdjson::dom::element root;
  if (const auto error = state_->parser.parse(json.data(), json.size()).get(root); error != simdjson::SUCCESS) {
    return fail(Errc::invalid_argument, std::string("record is no JSON: ") + simdjson::error_message(error));
  }
  if (!root.is_object()) return fail(Errc::invalid_argument, "record is no JSON object");
  if (!state_->flatten({}, root, 0)) {
    return fail(Errc::invalid_argument, "record has more than " + std::to_string(kRecordMembersMax) +
                                            " members, or more than " + std::to_string(kRecordDepthMax) +
                                            " levels of them");
  }
  Record record;
  record.members_ = state_->members;
  return record;
}

}  // namespace redoubt::event::dialect
