#include "event/field.h"

#include <map>

#include "base/result.h"
#include "base/text.h"

namespace redoubt::event {

std::string_view name_of(FieldType type) {
  switch (type) {
    case FieldType::text: return "text";
    case FieldType::keyword: return "keyword";
    case FieldType::id: return "id";
    case FieldType::hash: return "hash";
    case FieldType::integer: return "integer";
    case FieldType::time: return "time";
    case FieldType::ip: return "ip";
  }
  return "";
}

std::string_view name_of(EventType type) {
  for (const EventTypeInfo& row : kEventTypes) {
    if (row.type == type) return row.name;
  }
  return "";
}

namespace {

// Calls `each` with the parts of `text` between `separator`s; empty parts are left out.
template <class Each>
void for_each_part(std::string_view text, char separator, Each each) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) each(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

NameFamily family_of(char letter) {
  switch (letter) {
    case 'k': return NameFamily::hunting;
    case 's': return NameFamily::sigma;
    case 'f': return NameFamily::falco;
    case 'e': return NameFamily::ecs;
    default: CHECK(letter == 'k');
  }
  return NameFamily::ecs;
}

EventTypeSet parse_types(std::string_view text) {
  EventTypeSet set = 0;
  for_each_part(text, '|', [&](std::string_view name) {
    const auto type = event_type_named(name);
    CHECK(type.has_value());
    set |= set_of(*type);
  });
  return set == 0 ? kAllEventTypes : set;
}

// The names of the table, looked up exactly first and without case second.
struct NameIndex {
  std::map<std::string_view, std::vector<NamedField>> exact;
  std::map<std::string, std::vector<NamedField>, std::less<>> folded;
  std::vector<std::string_view> names;

  void add(std::string_view name, NamedField meaning) {
    auto& meanings = exact[name];
    if (meanings.empty()) names.push_back(name);
    meanings.push_back(meaning);
  }

  NameIndex() {
    for (const FieldInfo& row : kFields) add(row.name, {row.field, kAllEventTypes, NameFamily::canonical});
    for (const FieldInfo& row : kFields) {
      for_each_part(row.aliases, ' ', [&](std::string_view alias) {
        CHECK(alias.size() > 2 && alias[1] == ':');
        const size_t at = alias.find('@');
        const std::string_view name = alias.substr(2, at == std::string_view::npos ? at : at - 2);
        const std::string_view types = at == std::string_view::npos ? "" : alias.substr(at + 1);
        if (name != row.name) add(name, {row.field, parse_types(types), family_of(alias[0])});
      });
    }
    for (const auto& [name, meanings] : exact) folded.try_emplace(base::fold_case(name), meanings);
  }
};

const NameIndex& name_index() {
  static const NameIndex index;
  return index;
}

}  // namespace

std::optional<EventType> event_type_named(std::string_view name) {
  const std::string wanted = base::fold_case(name);
  for (const EventTypeInfo& row : kEventTypes) {
    bool found = row.name == wanted;
    for_each_part(row.aliases, ' ', [&](std::string_view alias) { found = found || alias == wanted; });
    if (found) return row.type;
  }
  return std::nullopt;
}

std::span<const NamedField> fields_spelled(std::string_view name) {
  const auto found = name_index().exact.find(name);
  if (found == name_index().exact.end()) return {};
  return found->second;
}

std::span<const NamedField> fields_named(std::string_view name) {
  const NameIndex& index = name_index();
  if (const auto found = fields_spelled(name); !found.empty()) return found;
  if (const auto found = index.folded.find(base::fold_case(name)); found != index.folded.end()) return found->second;
  return {};
}

std::span<const std::string_view> all_field_names() { return name_index().names; }

}  // namespace redoubt::event
