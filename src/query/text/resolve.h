// Pass 3: names into fields of the field table. Any thread.
#pragma once

#include "query/text/syntax.h"

namespace redoubt::query::text {

// Fills TestSyntax::meanings and ValueSyntax::field.
Outcome<NodeSyntax> resolve(std::string_view source, NodeSyntax node);

// What a name stands for: one canonical field, or every field that has it as an alias; empty where it is not known.
std::vector<event::NamedField> meanings_of(std::string_view name);
tl::unexpected<Diagnostic> unknown_field(std::string_view source, const Token& name);
// The one field that a name stands for.
Outcome<event::Field> single_field(std::string_view source, const Token& name);

}  // namespace redoubt::query::text
