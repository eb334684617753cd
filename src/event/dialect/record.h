// One JSON object as a flat list of named texts: nested objects are written as name.name, arrays of values one a line,
// numbers and booleans as JSON has them; null members are left out. Inside this folder only. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"

namespace redoubt::event::dialect {

// Names have numbers, from zero on, that stay as long as the parser: what is to be known of a name is looked up by it.
constexpr uint32_t kNoNameNumber = UINT32_MAX;
constexpr uint32_t kNameNumbersMax = 10'000;  // names that come later have none

struct Member {
  std::string_view name;
  uint32_t name_number = kNoNameNumber;
  std::string_view text;
};

class Record {
 public:
  // The members in order. Views are good until the next parse.
  std::span<const Member> members() const { return members_; }
  // The text of a member; nothing ("" with a null data pointer) where there is none.
  std::string_view find(std::string_view name) const {
    for (const Member& member : members_) {
      if (member.name == name) return member.text;
    }
    return {};
  }
  bool has(std::string_view name) const { return find(name).data() != nullptr; }

 private:
  friend class RecordParser;
  std::span<const Member> members_;
};

class RecordParser {
 public:
  RecordParser();
  ~RecordParser();
  RecordParser(RecordParser&&) noexcept;
  RecordParser& operator=(RecordParser&&) noexcept;

  // invalid_argument where the text is no JSON object, or past the limits of dialect.h.
  Result<Record> parse(std::string_view json);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace redoubt::event::dialect
