#include "rules/sigma/modifier.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace redoubt::rules::sigma {

namespace {

// What a modifier sets. Of position, kind, linking, sense, letter case and time part a chain takes one. Rows of slot
// `unsupported` are of the specification and refused by name.
enum class Slot : uint8_t {
  position,
  kind,
  linking,
  sense,
  letter_case,
  time_part,
  flag,
  transform,
};

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
    {"expand", Slot::transform, number(Transform::expand)},
    {"windash", Slot::transform, number(Transform::windash)},
    {"wide", Slot::transform, number(Transform::utf16le)},
    {"utf16le", Slot::transform, number(Transform::utf16le)},
    {"utf16be", Slot::transform, number(Transform::utf16be)},
    {"utf16", Slot::transform, number(Transform::utf16)},
    {"base64", Slot::transform, number(Transform::base64)},
    {"base64offset", Slot::transform, number(Transform::base64offset)},
    {"year", Slot::time_part, number(TimePart::year)},
    {"minute", Slot::time_part, number(TimePart::minute)},
    {"hour", Slot::time_part, number(TimePart::hour)},
    {"day", Slot::time_part, number(TimePart::day)},
    {"week", Slot::time_part, number(TimePart::week)},
    {"month", Slot::time_part, number(TimePart::month)},
});

const ModifierRow* find_modifier(std::string_view name) {
  const auto* row =
      std::find_if(kModifiers.begin(), kModifiers.end(), [&](const auto& each) { return each.name == name; });
  return row == kModifiers.end() ? nullptr : row;
}

std::vector<std::string> nearest_modifiers(std::string_view name) {
  std::vector<std::string_view> names;
  for (const ModifierRow& row : kModifiers) names.push_back(row.name);
  return base::nearest_names(name, names, 1);
}

void apply(const ModifierRow& row, Modifiers& modifiers) {
  switch (row.slot) {
    case Slot::position: modifiers.position = static_cast<Position>(row.value); break;
    case Slot::kind: modifiers.kind = static_cast<ValueKind>(row.value); break;
    case Slot::linking: modifiers.linking = static_cast<Linking>(row.value); break;
    case Slot::sense: modifiers.sense = static_cast<Sense>(row.value); break;
    case Slot::letter_case: modifiers.case_mode = static_cast<query::CaseMode>(row.value); break;
    case Slot::time_part: modifiers.time_part = static_cast<TimePart>(row.value); break;
    case Slot::flag: modifiers.regex_flags += static_cast<char>(row.value); break;
    case Slot::transform: modifiers.transforms.push_back(static_cast<Transform>(row.value)); break;
  }
}

constexpr size_t kTransformsMax = 4;

bool is_utf16(Transform transform) {
  return transform == Transform::utf16le || transform == Transform::utf16be || transform == Transform::utf16;
}

bool encodes(Transform transform) { return transform != Transform::expand && transform != Transform::windash; }

bool has_encoding(const Modifiers& modifiers) {
  return std::any_of(modifiers.transforms.begin(), modifiers.transforms.end(), encodes);
}

// Why the modifier cannot follow the ones before it; "" where it can.
std::string_view misplaced(const ModifierRow& row, const Modifiers& before) {
  if (row.slot == Slot::flag && before.kind != ValueKind::regex) return "'i', 'm' and 's' only follow 're'";
  if (row.slot == Slot::kind && row.value == number(ValueKind::regex) && before.position != Position::whole) {
    return "'re' stands before 'contains', 'startswith' and 'endswith'";
  }
  if (row.slot != Slot::transform) return "";
  const auto transform = static_cast<Transform>(row.value);
  if (before.transforms.size() == kTransformsMax) return "the value is turned into another too often";
  if (encodes(transform) && before.position != Position::whole) {
    return "an encoding stands before 'contains', 'startswith' and 'endswith'";
  }
  if (!encodes(transform) && has_encoding(before)) return "'expand' and 'windash' stand before an encoding";
  if (!before.transforms.empty() && is_utf16(transform) && is_utf16(before.transforms.back())) {
    return "the value is in UTF-16 already";
  }
  return "";
}

bool has_transform_of_text(const Modifiers& modifiers) {
  return std::any_of(modifiers.transforms.begin(), modifiers.transforms.end(),
                     [](Transform each) { return each != Transform::expand; });
}

// What goes with some kind of value only; "" where nothing is against it.
std::string_view contradiction_of_kind(const Modifiers& modifiers) {
  const bool text = modifiers.kind == ValueKind::text && modifiers.time_part == TimePart::none;
  const bool placed = text || modifiers.kind == ValueKind::regex || modifiers.kind == ValueKind::field;
  if (modifiers.position != Position::whole && !placed) {
    return "'contains', 'startswith' and 'endswith' do not go with a modifier that reads the value in another way";
  }
  if (modifiers.case_mode == query::CaseMode::exact && !text) return "'cased' goes with texts only";
  if (has_transform_of_text(modifiers) && !text) return "'windash' and encodings go with texts only";
  return "";
}

// Why the chain as a whole makes no sense; "" where it does.
std::string_view contradiction(const Modifiers& modifiers) {
  const bool ordered = modifiers.kind >= ValueKind::less && modifiers.kind <= ValueKind::greater_equal;
  if (const std::string_view why = contradiction_of_kind(modifiers); !why.empty()) return why;
  if (!modifiers.transforms.empty() && is_utf16(modifiers.transforms.back())) {
    return "'wide' and 'utf16…' go before 'base64' or 'base64offset': texts here are UTF-8";
  }
  const bool expands = std::find(modifiers.transforms.begin(), modifiers.transforms.end(), Transform::expand) !=
                       modifiers.transforms.end();
  const bool literal = modifiers.kind != ValueKind::regex && modifiers.kind != ValueKind::field;
  if (expands && !literal) return "'expand' goes with plain values";
  if (modifiers.time_part != TimePart::none && modifiers.kind != ValueKind::text && !ordered) {
    return "a part of a time is compared with a number";
  }
  if (modifiers.sense == Sense::negated && (ordered || modifiers.linking == Linking::all)) {
    return "'neq' goes neither with 'all' nor with 'lt', 'lte', 'gt', 'gte'";
  }
  const bool alone = modifiers.linking == Linking::any && modifiers.sense == Sense::plain &&
                     modifiers.time_part == TimePart::none && modifiers.transforms.empty();
  if (modifiers.kind == ValueKind::exists && !alone) return "'exists' stands alone";
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
    const unsigned bit = 1U << static_cast<unsigned>(row->slot);
    const bool once = row->slot != Slot::flag && row->slot != Slot::transform;
    if (once && (taken & bit) != 0) {
      problems.add(code::kModifierUse, at, "modifier '" + name + "' does not go with the ones before it");
      return result;
    }
    if (const std::string_view why = misplaced(*row, result.modifiers); !why.empty()) {
      problems.add(code::kModifierUse, at, std::string(why));
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
