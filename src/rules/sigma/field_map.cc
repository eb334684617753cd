#include "rules/sigma/field_map.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace redoubt::rules::sigma {

namespace {

using event::Field;
using event::NamedField;
using event::NameFamily;

// Sigma fields whose values need translation; all others stand in event/fields.def.
struct TranslatedField {
  std::string_view name;
  Field field;
  Notation notation;
};

constexpr auto kTranslatedFields = std::to_array<TranslatedField>({
    {"Initiated", Field::network_direction, Notation::initiated},
    {"Hashes", Field::process_hash_sha256, Notation::hash_list},
});

constexpr std::string_view kHashPrefix = "sha256=";

// Sigma's spelling of names is exact (`ProcessId` and `ProcessID` are different fields of some logs).
bool is_spelled(const NamedField& meaning, std::string_view name) {
  const event::FieldInfo& row = event::info(meaning.field);
  if (meaning.family == NameFamily::canonical) return row.name == name;
  std::string_view rest = row.aliases;
  for (size_t at = rest.find(name); at != std::string_view::npos; at = rest.find(name, at + 1)) {
    const size_t end = at + name.size();
    const bool whole = end == rest.size() || rest[end] == ' ' || rest[end] == '@';
    if (at >= 2 && rest.substr(at - 2, 2) == "s:" && whole) return true;
  }
  return false;
}

bool is_sigma_name(std::string_view name) {
  const auto meanings = event::fields_named(name);
  return std::any_of(meanings.begin(), meanings.end(), [&](const NamedField& meaning) {
    return (meaning.family == NameFamily::sigma || meaning.family == NameFamily::canonical) &&
           is_spelled(meaning, name);
  });
}

std::vector<std::string> nearest_fields(std::string_view name) {
  std::vector<std::string_view> names;
  for (const std::string_view each : event::all_field_names()) {
    if (is_sigma_name(each)) names.push_back(each);
  }
  for (const TranslatedField& row : kTranslatedFields) names.push_back(row.name);
  return base::nearest_names(name, names, 2);
}

}  // namespace

std::optional<FieldMeaning> find_field(std::string_view name, event::EventTypeSet types, Place place,
                                       Problems& problems) {
  for (const TranslatedField& row : kTranslatedFields) {
    if (row.name == name) return FieldMeaning{.fields = {row.field}, .notation = row.notation};
  }
  FieldMeaning meaning;
  bool elsewhere = false;
  for (const NamedField& each : event::fields_named(name)) {
    const bool ours = each.family == NameFamily::sigma || each.family == NameFamily::canonical;
    if (!ours || !is_spelled(each, name)) continue;
    if ((each.on & types) == 0) {
      elsewhere = true;
      continue;
    }
    meaning.fields.push_back(each.field);
  }
  if (!meaning.fields.empty()) return meaning;
  place.length = std::max<size_t>(1, name.size());
  if (elsewhere) {
    problems.add(code::kField, place, "field '" + std::string(name) + "' is not on the events of this log source");
  } else {
    problems.add(code::kField, place, "field '" + std::string(name) + "' is not known",
                 suggest(nearest_fields(name), ""));
  }
  return std::nullopt;
}

std::vector<event::NamedField> find_meanings(std::string_view name, Place place, Problems& problems) {
  for (const TranslatedField& row : kTranslatedFields) {
    if (row.name == name) return {{row.field, event::kAllEventTypes, NameFamily::sigma}};
  }
  std::vector<event::NamedField> meanings;
  for (const NamedField& each : event::fields_named(name)) {
    const bool ours = each.family == NameFamily::sigma || each.family == NameFamily::canonical;
    if (ours && is_spelled(each, name)) meanings.push_back(each);
  }
  if (meanings.empty()) {
    problems.add(code::kField, place, "field '" + std::string(name) + "' is not known",
                 suggest(nearest_fields(name), ""));
  }
  return meanings;
}

bool is_other_hash(std::string_view value) {
  const std::string folded = base::fold_case(value);
  constexpr std::array<std::string_view, 4> kOthers = {"md5=", "sha1=", "imphash=", "sha512="};
  return std::any_of(kOthers.begin(), kOthers.end(), [&](std::string_view kind) { return folded.starts_with(kind); });
}

std::optional<std::string> translate_value(Notation notation, std::string_view value) {
  const std::string folded = base::fold_case(value);
  switch (notation) {
    case Notation::same: return std::string(value);
    case Notation::initiated:
      if (folded == "true") return "outbound";
      if (folded == "false") return "inbound";
      return std::nullopt;
    case Notation::hash_list:
      if (!folded.starts_with(kHashPrefix)) return std::nullopt;
      return folded.substr(kHashPrefix.size());
  }
  return std::nullopt;
}

}  // namespace redoubt::rules::sigma
