#include "rules/sigma/field_map.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace redoubt::rules::sigma {

namespace {

using event::EventType;
using event::Field;
using event::NamedField;
using event::NameFamily;
using event::set_of;

constexpr event::EventTypeSet kOfFiles =
    set_of(EventType::filechange) | set_of(EventType::module) | set_of(EventType::driver);
constexpr event::EventTypeSet kOfPrograms = event::kAllEventTypes & ~kOfFiles;

// Sigma fields whose values need translation; all others stand in event/fields.def.
struct TranslatedField {
  std::string_view name;
  Field field;
  Notation notation;
  event::EventTypeSet on = event::kAllEventTypes;
};

constexpr auto kTranslatedFields = std::to_array<TranslatedField>({
    {"Initiated", Field::network_direction, Notation::initiated},
    {"Hashes", Field::process_hash_sha256, Notation::sha256, kOfPrograms},
    {"Hashes", Field::process_hash_sha1, Notation::sha1, kOfPrograms},
    {"Hashes", Field::process_hash_md5, Notation::md5, kOfPrograms},
    {"Hashes", Field::process_hash_imphash, Notation::imphash, kOfPrograms},
    {"Hashes", Field::file_hash_sha256, Notation::sha256, kOfFiles},
    {"Hashes", Field::file_hash_sha1, Notation::sha1, kOfFiles},
    {"Hashes", Field::file_hash_md5, Notation::md5, kOfFiles},
    {"Hashes", Field::file_hash_imphash, Notation::imphash, kOfFiles},
});

bool is_sigmas(const NamedField& meaning) {
  return meaning.family == NameFamily::sigma || meaning.family == NameFamily::canonical;
}

std::vector<std::string> nearest_fields(std::string_view name) {
  std::vector<std::string_view> names;
  for (const std::string_view each : event::all_field_names()) {
    const auto meanings = event::fields_spelled(each);
    if (std::any_of(meanings.begin(), meanings.end(), is_sigmas)) names.push_back(each);
  }
  for (const TranslatedField& row : kTranslatedFields) names.push_back(row.name);
  return base::nearest_names(name, names, 2);
}

struct HashKind {
  Notation notation;
  std::string_view prefix;
  size_t digits;
};

constexpr auto kHashKinds = std::to_array<HashKind>({
    {Notation::sha256, "sha256=", 64},
    {Notation::sha1, "sha1=", 40},
    {Notation::md5, "md5=", 32},
    {Notation::imphash, "imphash=", 32},
});

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "SHA256=…", or a hash alone, which is of every kind of its length.
std::optional<std::string> hash_of_kind(const HashKind& kind, const std::string& folded) {
  if (folded.starts_with(kind.prefix)) return folded.substr(kind.prefix.size());
  if (folded.size() == kind.digits && is_hexadecimal(folded)) return folded;
  return std::nullopt;
}

void add_problem(std::string_view name, bool elsewhere, Place place, Problems& problems) {
  place.length = std::max<size_t>(1, name.size());
  if (elsewhere) {
    problems.add(code::kField, place, "field '" + std::string(name) + "' is not on the events of this log source");
  } else {
    problems.add(code::kField, place, "field '" + std::string(name) + "' is not known",
                 suggest(nearest_fields(name), ""));
  }
}

}  // namespace

query::Expression FieldPlace::test(query::Operator op, std::vector<query::Operand> operands,
                                   query::CaseMode case_mode) const {
  return {query::Test{
      .field = field, .attribute = attribute, .op = op, .case_mode = case_mode, .operands = std::move(operands)}};
}

query::Operand FieldPlace::operand() const {
  if (attribute.empty()) return field;
  return query::AttributeName{attribute};
}

std::string FieldPlace::name() const {
  return std::string(event::info(field).name) + (attribute.empty() ? "" : "." + attribute);
}

std::vector<FieldPlace> find_field(std::string_view name, const FieldScope& scope, Place place, Problems& problems) {
  std::vector<FieldPlace> places;
  event::EventTypeSet covered = 0;
  bool elsewhere = false;
  const auto add = [&](Field field, event::EventTypeSet on, Notation notation) {
    elsewhere = elsewhere || (on & scope.types) == 0;
    if ((on & scope.types) == 0) return;
    places.push_back({.field = field, .notation = notation});
    covered |= on;
  };
  for (const TranslatedField& row : kTranslatedFields) {
    if (row.name == name) add(row.field, row.on, row.notation);
  }
  for (const NamedField& each : event::fields_spelled(name)) {
    if (is_sigmas(each)) add(each.field, each.on, Notation::same);
  }
  if (scope.attributes == Attributes::any && (scope.types & ~covered) != 0) {
    places.push_back({.field = Field::attributes, .attribute = std::string(name)});
  }
  if (places.empty()) add_problem(name, elsewhere, place, problems);
  return places;
}

std::optional<std::string> translate_value(Notation notation, std::string_view value) {
  const std::string folded = base::fold_case(value);
  switch (notation) {
    case Notation::same: return std::string(value);
    case Notation::initiated:
      if (folded == "true") return "outbound";
      if (folded == "false") return "inbound";
      return std::nullopt;
    case Notation::sha256:
    case Notation::sha1:
    case Notation::md5:
    case Notation::imphash:
      for (const HashKind& kind : kHashKinds) {
        if (kind.notation == notation) return hash_of_kind(kind, folded);
      }
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace redoubt::rules::sigma
