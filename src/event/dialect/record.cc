#include "event/dialect/record.h"

#include <simdjson.h>
#include <array>
#include <charconv>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "event/batch.h"
#include "event/dialect/dialect.h"

namespace redoubt::event::dialect {

namespace {

constexpr std::string_view kNothing = "";  // an empty text that is there

std::string_view present(std::string_view text) { return text.data() == nullptr ? kNothing : text; }

// Records of one kind have their names in one order, so the next name is guessed before it is looked for.
class Names {
 public:
  // The number, and the name where it stays; nothing where there is no room for another.
  std::optional<Member> find(std::string_view name) {
    if (!followers_.empty() && names_[followers_[last_]] == name) return known(followers_[last_]);
    auto at = numbers_.find(name);
    if (at == numbers_.end()) {
      if (names_.size() == kNameNumbersMax || name.size() > kAttributeNameBytesMax) return std::nullopt;
      names_.push_back(kept_.keep(name));
      at = numbers_.emplace(names_.back(), static_cast<uint32_t>(followers_.size())).first;
      followers_.push_back(0);
    }
    followers_[last_] = at->second;
    return known(at->second);
  }

 private:
  Member known(uint32_t number) {
    last_ = number;
    return Member{.name = names_[number], .name_number = number, .text = {}};
  }

  TextBlocks kept_;
  std::vector<std::string_view> names_;
  std::unordered_map<std::string_view, uint32_t> numbers_;
  std::vector<uint32_t> followers_;
  uint32_t last_ = 0;
};

}  // namespace

struct RecordParser::State {
  simdjson::dom::parser parser;
  std::vector<Member> members;
  Names names;
  std::string path;              // of the member in hand
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
    Member member = names.find(name).value_or(Member{});
    if (member.name_number == kNoNameNumber) member.name = keep(std::string(name));
    member.text = text;
    members.push_back(member);
    return true;
  }

  // The value of a member whose name is in `path`.
  bool flatten(simdjson::dom::element value, size_t depth) {
    switch (value.type()) {
      case simdjson::dom::element_type::NULL_VALUE: return true;
      case simdjson::dom::element_type::OBJECT: return flatten_object(value.get_object().value_unsafe(), depth);
      case simdjson::dom::element_type::ARRAY: return flatten_array(value.get_array().value_unsafe(), depth);
      case simdjson::dom::element_type::STRING:
      case simdjson::dom::element_type::BOOL:
      case simdjson::dom::element_type::INT64:
      case simdjson::dom::element_type::UINT64:
      case simdjson::dom::element_type::DOUBLE: break;
    }
    return add(path, scalar(value));
  }

  bool flatten_object(simdjson::dom::object object, size_t depth) {
    if (depth == kRecordDepthMax) return false;
    const size_t name_bytes = path.size();
    for (const auto member : object) {
      // Most records are flat, and most of their members texts.
      if (std::string_view text; name_bytes == 0 && member.value.get(text) == simdjson::SUCCESS) {
        if (!add(member.key, present(text))) return false;
        continue;
      }
      path.resize(name_bytes);
      if (name_bytes > 0) path += '.';
      path += member.key;
      if (!flatten(member.value, depth + 1)) return false;
    }
    path.resize(name_bytes);
    return true;
  }

  // Values one a line; members of objects in it as if the array were not there.
  bool flatten_array(simdjson::dom::array array, size_t depth) {
    if (depth == kRecordDepthMax) return false;
    std::string lines;
    bool any = false;
    for (const simdjson::dom::element value : array) {
      if (value.is_null()) continue;
      if (value.is_object() || value.is_array()) {
        if (!flatten(value, depth + 1)) return false;
        continue;
      }
      if (std::exchange(any, true)) lines += '\n';
      lines += scalar(value);
    }
    return !any || add(path, keep(std::move(lines)));
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
  state_->path.clear();
  simdjson::dom::element root;
  if (const auto error = state_->parser.parse(json.data(), json.size()).get(root); error != simdjson::SUCCESS) {
    return fail(Errc::invalid_argument, std::string("record is no JSON: ") + simdjson::error_message(error));
  }
  if (!root.is_object()) return fail(Errc::invalid_argument, "record is no JSON object");
  if (!state_->flatten(root, 0)) {
    return fail(Errc::invalid_argument, "record has more than " + std::to_string(kRecordMembersMax) +
                                            " members, or more than " + std::to_string(kRecordDepthMax) +
                                            " levels of them");
  }
  Record record;
  record.members_ = state_->members;
  return record;
}

}  // namespace redoubt::event::dialect
