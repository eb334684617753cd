// The output of a Falco rule: text with %fields, written out for an event. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/batch.h"
#include "rules/falco/filter.h"

namespace redoubt::rules::falco {

constexpr size_t kOutputWidthMax = 4096;
// Bytes of a rendered output; what is longer is cut at a character.
constexpr size_t kRenderedMax = size_t{64} << 10;

struct OutputPart {
  std::string text;  // before the field
  std::optional<Term> field;
  size_t width = 0;  // padded or cut to it; 0: as it is
};

struct Output {
  std::vector<OutputPart> parts;
};

struct ParsedOutput {
  Output output;
  std::optional<FilterMistake> mistake;
};

ParsedOutput parse_output(std::string_view text);

// One line of valid UTF-8: missing values are `<NA>`, control bytes are written as in JSON (`\n`, `\u001b`), bytes that
// are not UTF-8 as \xHH.
std::string render(const Output& output, const event::Row& row);

}  // namespace redoubt::rules::falco
