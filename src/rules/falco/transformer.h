// Falco's transformers: what they take, what they make of texts, and what a check of one is without it. Any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/falco/field_source.h"
#include "rules/falco/filter.h"
#include "rules/falco/test_lowering.h"

namespace redoubt::rules::falco {

// Longest text whose length a check can ask for: RE2 repeats no more.
constexpr size_t kLengthMax = 1000;

// "tolower takes 1 argument, not 2"; "" where the transformer, and those inside it, have as many as they take.
std::string argument_mistake(const Term& term);

// What the transformer makes of its arguments' values; nothing where it makes none of them.
std::optional<std::string> transform(std::string_view transformer, const std::vector<std::string>& arguments);

// A check whose left side is a transformer, by checks of what it transforms that mean the same.
Judgement lower_transformer(const Filter& check, EventClass event_class);

}  // namespace redoubt::rules::falco
