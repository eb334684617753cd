#include "rules/sigma/modifier.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace redoubt::rules::sigma {

namespace {

// What a modifier sets; of each slot but `flag` a chain takes one. Rows of slot `unsupported` are of the specification
// and refused by name.
enum class Slot : uint8_t { position, kind, linking, sense, letter_case, flag, unsupported };

struct ModifierRow {
  std::string_view name;
  Slot slot;
  int value;
};

template <class Enum>
constexpr int number(Enum value) {
  return static_cast<int>(value);
}

constexpr auto kModifiers = std::to_array<ModifierRow>({
    {"contains", Slot::position, number(Position::anywhere)},
    {"startswith", Slot::position, number(Position::start)},
    {"endswith", Slot::position, number(Position::end)},
    {"re", Slot::kind, number(ValueKind::regex)},
    {"cidr", Slot::kind, number(ValueKind::cidr)},
    {"exists", Slot::kind, number(ValueKind::exists)},
    {"lt", Slot::kind, number(ValueKind::less)},
    {"lte", Slot::kind, number(ValueKind::less_equal)},
    {"gt", Slot::kind, number(ValueKind::greater)},
    {"gte", Slot::kind, number(ValueKind::greater_equal)},
    {"fieldref", Slot::kind, number(ValueKind::field)},
    {"all", Slot::linking, number(Linking::all)},
    {"neq", Slot::sense, number(Sense::negated)},
    {"cased", Slot::letter_case, number(query::CaseMode::exact)},
    {"i", Slot::flag, 'i'},
    {"ignorecase", Slot::flag, 'i'},
    {"m", Slot::flag, 'm'},
    {"multiline", Slot::flag, 'm'},
    {"s", Slot::flag, 's'},
    {"dotall", Slot::flag, 's'},
    {"base64", Slot::unsupported, 0},
    {"base64offset", Slot::unsupported, 0},
    {"wide", Slot::unsupported, 0},
    {"utf16", Slot::unsupported, 0},
    {"utf16le", Slot::unsupported, 0},
    {"utf16be", Slot::unsupported, 0},
    {"windash", Slot::unsupported, 0},
    {"expand", Slot::unsupported, 0},
    {"minute", Slot::unsupported, 0},
    {"hour", Slot::unsupported, 0},
    {"day", Slot::unsupported, 0},
    {"week", Slot::unsupported, 0},
    {"month", Slot::unsupported, 0},
    {"year", Slot::unsupported, 0},
});

const ModifierRow* find_modifier(std::string_view name) {
  const auto* row =
      std::find_if(kModifiers.begin(), kModifiers.end(), [&](const auto& each) { return each.name == name; });
  return row == kModifiers.end() ? nullptr : row;
}

std::vector<std::string> nearest_modifiers(std::string_view name) {
  std::vector<std::string_view> names;
  for (const ModifierRow& row : kModifiers) {
    if (row.slot != Slot::unsupported) names.push_back(row.name);
  }
  return base::nearest_names(name, names, 1);
}

void apply(const ModifierRow& row, Modifiers& modifiers) {
  switch (row.slot) {
    case Slot::position: modifiers.position = static_cast<Position>(row.value); break;
    case Slot::kind: modifiers.kind = static_cast<ValueKind>(row.value); break;
    case Slot::linking: modifiers.linking = static_cast<Linking>(row.value); break;
    case Slot::sense: modifiers.sense = static_cast<Sense>(row.value); break;
    case Slot::letter_case: modifiers.case_mode = static_cast<query::CaseMode>(row.value); break;
    case Slot::flag: modifiers.regex_flags += static_cast<char>(row.value); break;
    case Slot::unsupported: break;
  }
}

// Why the chain as a whole makes no sense; "" where it does.
std::string_view contradiction(const Modifiers& modifiers) {
  const bool by_position = modifiers.position != Position::whole;
  if (!modifiers.regex_flags.empty() && modifiers.kind != ValueKind::regex) return "'i', 'm' and 's' only follow 're'";
  if (by_position && modifiers.kind != ValueKind::text) {
    return "'contains', 'startswith' and 'endswith' do not go with a modifier that reads the value in another way";
  }
  if (modifiers.case_mode == query::CaseMode::exact && modifiers.kind != ValueKind::text) {
    return "'cased' goes with texts only";
  }
  if (modifiers.kind == ValueKind::exists && (modifiers.linking == Linking::all || modifiers.sense == Sense::negated)) {
    return "'exists' stands alone";
  }
  return "";
}

}  // namespace

FieldKey read_field_key(std::string_view key, Place place, Problems& problems) {
  FieldKey result;
  size_t end = std::min(key.find('|'), key.size());
  result.field = key.substr(0, end);
  unsigned taken = 0;
  while (end < key.size()) {
    const size_t start = end + 1;
    end = std::min(key.find('|', start), key.size());
    const std::string name(key.substr(start, end - start));
    const Place at{.line = place.line, .column = place.column + start, .length = std::max<size_t>(1, name.size())};
    const ModifierRow* row = find_modifier(name);
    if (row == nullptr) {
      problems.add(code::kModifier, at, "modifier '" + name + "' is not known", suggest(nearest_modifiers(name), ""));
      return result;
    }
    if (row->slot == Slot::unsupported) {
      problems.add(code::kModifierUnsupported, at, "modifier '" + name + "' is not supported");
      return result;
    }
    const unsigned bit = 1U << static_cast<unsigned>(row->slot);
    if (row->slot != Slot::flag && (taken & bit) != 0) {
      problems.add(code::kModifierUse, at, "modifier '" + name + "' does not go with the ones before it");
      return result;
    }
    taken |= bit;
    apply(*row, result.modifiers);
  }
  if (const std::string_view why = contradiction(result.modifiers); !why.empty()) {
    problems.add(code::kModifierUse, place, std::string(why));
  }
  return result;
}

}  // namespace redoubt::rules::sigma
