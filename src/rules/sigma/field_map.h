// Sigma's field names: which of our fields they are, and where their values are written in another way. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/field.h"
#include "query/expression.h"
#include "rules/sigma/problem.h"

namespace redoubt::rules::sigma {

// How the values of a Sigma field become values of ours.
enum class Notation : uint8_t {
  same,
  initiated,  // true: outbound, false: inbound
  sha256,     // of a list of hashes, "SHA256=…": the one of this kind
  sha1,
  md5,
  imphash,
};

// One place where the values of a Sigma field are: a field of the table, or an attribute.
struct FieldPlace {
  event::Field field;
  std::string attribute{};
  Notation notation = Notation::same;

  query::Expression test(query::Operator op, std::vector<query::Operand> operands,
                         query::CaseMode case_mode = query::CaseMode::folded) const;
  query::Operand operand() const;  // the value of this place, for another to be compared with
  std::string name() const;
};

// Which events a name may be about, and whether they have more than the field table knows.
enum class Attributes : uint8_t { none, any };
struct FieldScope {
  event::EventTypeSet types = event::kAllEventTypes;
  Attributes attributes = Attributes::none;
};

// Looks a name of the Sigma family up, or a canonical one, spelled exactly. Where the events have attributes, a name
// that is no field on some of them is an attribute there. Empty after a problem.
std::vector<FieldPlace> find_field(std::string_view name, const FieldScope& scope, Place place, Problems& problems);

// The value in the writing of the place; nothing where it has none.
std::optional<std::string> translate_value(Notation notation, std::string_view value);
constexpr bool is_hash(Notation notation) { return notation >= Notation::sha256; }

}  // namespace redoubt::rules::sigma
