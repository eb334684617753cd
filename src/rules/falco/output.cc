#include "rules/falco/output.h"

#include <algorithm>

#include "base/text.h"
#include "rules/falco/field_text.h"
#include "rules/falco/transformer.h"
#include "rules/falco/vocabulary.h"

namespace redoubt::rules::falco {

namespace {

constexpr std::string_view kNotAvailable = "<NA>";
// Falco's container plugin puts its fields where this stands; alone it says nothing.
constexpr std::string_view kContainerInfo = "container.info";

// Values are from hosts: what they hold must not move a reader's terminal.
std::string printable(std::string_view text) {
  constexpr std::string_view kLetters = "btn\0fr";  // of 8 to 13
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char c : base::escape_invalid_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out += c;
    } else if (byte >= '\b' && byte <= '\r' && byte != '\v') {
      out += {'\\', kLetters[byte - '\b']};
    } else {
      out += "\\u00";
      out += {kHex[byte / 16], kHex[byte % 16]};
    }
  }
  return out;
}

// To whole characters.
void cut(std::string& text, size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  size_t end = bytes_max;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  text.resize(end);
}

std::optional<FilterMistake> check_output_field(const Term& term, size_t offset) {
  if (term.kind == TermKind::literal) return FilterMistake{offset, "'%" + term.text + "' is not a field", ""};
  if (std::string mistake = argument_mistake(term); !mistake.empty()) {
    return FilterMistake{offset, std::move(mistake), ""};
  }
  for (const Term& part : term.parts) {
    auto mistake = part.kind == TermKind::literal ? std::nullopt : check_output_field(part, offset);
    if (mistake) return mistake;
  }
  if (term.kind != TermKind::field || term.text == kContainerInfo) return std::nullopt;
  if (type_of_field(term.text)) return std::nullopt;
  const std::string near = nearest_field(term.text);
  return FilterMistake{offset, "field '" + term.text + "' is not known",
                       near.empty() ? "" : "did you mean '" + near + "'?"};
}

}  // namespace

ParsedOutput parse_output(std::string_view text) {
  ParsedOutput parsed;
  size_t at = text.starts_with('*') ? 1 : 0;
  OutputPart part;
  while (at < text.size() && !parsed.mistake) {
    if (text[at] != '%') {
      part.text += text[at++];
      continue;
    }
    const size_t start = at++;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      part.width = std::min(part.width * 10 + static_cast<size_t>(text[at++] - '0'), kOutputWidthMax);
    }
    ParsedTerm term = parse_term(text.substr(at));
    parsed.mistake = term.mistake ? term.mistake : check_output_field(term.term, start);
    if (parsed.mistake) {
      parsed.mistake->offset = start;
      break;
    }
    at += term.end;
    if (term.term.text != kContainerInfo) part.field = std::move(term.term);
    parsed.output.parts.push_back(std::move(part));
    part = {};
  }
  if (!part.text.empty()) parsed.output.parts.push_back(std::move(part));
  return parsed;
}

std::string render(const Output& output, const event::Row& row) {
  std::string text;
  for (const OutputPart& part : output.parts) {
    text += printable(part.text);
    if (!part.field) continue;
    std::string value = printable(text_of(*part.field, row).value_or(std::string(kNotAvailable)));
    if (part.width > 0) {
      cut(value, part.width);
      value.resize(part.width, ' ');
    }
    text += value;
    if (text.size() > kRenderedMax) break;
  }
  cut(text, kRenderedMax);
  return text;
}

}  // namespace redoubt::rules::falco
