#include "rules/sigma/placeholders.h"

#include <algorithm>

#include "base/text.h"
#include "rules/sigma/document.h"

namespace redoubt::rules::sigma {

namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The length of `%name%` at the start of the text; 0 where it is something else.
size_t placeholder_length(std::string_view text) {
  size_t end = 1;
  while (end < text.size() && is_name_character(text[end])) ++end;
  return end > 1 && end < text.size() && text[end] == '%' ? end + 1 : 0;
}

const std::vector<std::string>* look_up(std::string_view name, const Placeholders& placeholders, Place place,
                                        Problems& problems) {
  const auto found = placeholders.find(name);
  if (found != placeholders.end()) return &found->second;
  std::vector<std::string_view> names;
  names.reserve(placeholders.size());
  for (const auto& [known, values] : placeholders) names.push_back(known);
  problems.add(code::kPlaceholder, place, "placeholder '%" + std::string(name) + "%' has no values here",
               suggest(base::nearest_names(name, names, 1), "list them in placeholders.yml of the rule directory"));
  return nullptr;
}

std::vector<std::string> read_values(const Node& value, Problems& problems) {
  if (value.kind == NodeKind::scalar) return {value.text};
  std::vector<std::string> values;
  for (const Node& item : value.items) {
    if (value.kind != NodeKind::sequence || item.kind != NodeKind::scalar) break;
    values.push_back(item.text);
  }
  if (values.empty() || values.size() != value.items.size()) {
    problems.add(code::kShape, value.place, "a placeholder is a text or a list of texts");
  }
  return values;
}

// Each text with each of the endings behind it.
void append_each(std::vector<std::string>& texts, const std::vector<std::string>& endings) {
  std::vector<std::string> longer;
  longer.reserve(texts.size() * endings.size());
  for (const std::string& text : texts) {
    for (const std::string& ending : endings) longer.push_back(text + ending);
  }
  texts = std::move(longer);
}

}  // namespace

Placeholders read_placeholders(std::string_view source, Problems& problems) {
  Placeholders placeholders;
  const std::vector<Node> documents = parse_yaml(source, problems);
  for (const Node& document : documents) {
    if (document.kind != NodeKind::map) {
      problems.add(code::kShape, document.place, "placeholders are a map from names to values");
      break;
    }
    for (size_t i = 0; i + 1 < document.items.size(); i += 2) {
      placeholders[document.items[i].text] = read_values(document.items[i + 1], problems);
    }
  }
  return placeholders;
}

std::vector<std::string> expand_placeholders(std::string_view value, const Placeholders& placeholders, Place place,
                                             Problems& problems) {
  std::vector<std::string> texts(1);
  const auto append = [&](char c) { std::for_each(texts.begin(), texts.end(), [c](std::string& text) { text += c; }); };
  for (size_t i = 0; i < value.size();) {
    const bool escaped = value.substr(i).starts_with("\\%");
    const size_t length = value[i] == '%' ? placeholder_length(value.substr(i)) : 0;
    if (length == 0) {
      append(escaped ? '%' : value[i]);
      i += escaped ? 2 : 1;
      continue;
    }
    const auto* values = look_up(value.substr(i + 1, length - 2), placeholders, place, problems);
    if (values == nullptr) return {};
    if (texts.size() * values->size() > kAlternativesMax) {
      problems.add(code::kTooBig, place, "placeholders make more than " + std::to_string(kAlternativesMax) + " values");
      return {};
    }
    append_each(texts, *values);
    i += length;
  }
  return texts;
}

}  // namespace redoubt::rules::sigma
