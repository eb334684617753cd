// Where the members of records go: under which name a family of names knows a field on events of one type, and how a
// text becomes a value of it. The same table (fields.def) tells rules where to look. Inside this folder only. One
// thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "event/batch_builder.h"
#include "event/dialect/record.h"

namespace redoubt::event::dialect {

class MemberMap {
 public:
  explicit MemberMap(NameFamily family) : family_(family) {}

  // The field that the name is on events of the type; nothing for an attribute.
  std::optional<Field> field_of(std::string_view name, EventType type);
  // The same for a member of a record, whose name is `name` or ends in it.
  std::optional<Field> field_of(std::string_view name, const Member& member, EventType type);
  // Sets the field of that name, or adds the attribute where there is none, where the text is no value of the field or
  // where the field has a value.
  void add(std::string_view name, const Member& member, EventType type, BatchBuilder& batch);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Names = std::unordered_map<std::string, std::optional<Field>, Hash, std::equal_to<>>;

  // What is known of a name's number.
  struct Known {
    bool looked_up = false;
    std::optional<Field> field;
  };

  NameFamily family_;
  std::array<Names, kEventTypesMax> names_;               // by event type
  std::array<std::vector<Known>, kEventTypesMax> known_;  // by event type and number
};

// False where the text is no value of the field's type.
bool set_value(Field field, std::string_view text, BatchBuilder& batch);
// Microseconds since the epoch of the ways in which logs write times (RFC 3339; with a blank for the T; without a zone,
// which is UTC).
std::optional<int64_t> time_of(std::string_view text);
// Sets the field to the last part of a path, and what files have beside it, where it has no value yet.
void set_last_part(std::string_view path, Field field, BatchBuilder& batch);
void set_file_names(std::string_view path, BatchBuilder& batch);
// All that follows from the paths that are set.
void set_derived(BatchBuilder& batch);

}  // namespace redoubt::event::dialect
