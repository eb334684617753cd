#include "rules/falco/alert.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "rules/falco/field_text.h"
#include "rules/falco/vocabulary.h"

namespace redoubt::rules::falco {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 8> kPriorityWords = {"Emergency", "Alert",  "Critical",      "Error",
                                                            "Warning",   "Notice", "Informational", "Debug"};
constexpr int64_t kNanosecondsPerMicrosecond = 1000;

// As the field's type says; Falco's `proc.tty` is a number, its `proc.name` never.
Json json_value(const Term& term, const std::string& text) {
  const bool is_length = term.kind == TermKind::transformer && term.text == "len";
  const auto type = term.kind == TermKind::field ? type_of_field(term.text) : std::nullopt;
  if (type == ValueType::boolean) return text == "true";
  if (is_length || type == ValueType::number) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return number;
  }
  return base::escape_invalid_utf8(text);
}

}  // namespace

std::string_view name_of(Priority priority) { return kPriorityWords[static_cast<size_t>(priority)]; }

std::string to_json(const AlertFormat& format, const event::Row& row) {
  const int64_t time_us = row.integer(event::Field::event_time);
  std::string time = base::format_time({time_us});
  time.insert(time.size() - 1, "000");
  const std::string message = render(format.output, row);
  std::vector<std::string> tags = format.tags;
  std::sort(tags.begin(), tags.end());
  Json fields = {{"evt.time", time_us * kNanosecondsPerMicrosecond}};
  for (const OutputPart& part : format.output.parts) {
    if (!part.field || (part.field->kind == TermKind::field && part.field->text == "evt.time")) continue;
    const auto text = text_of(*part.field, row);
    fields[to_text(*part.field)] = text ? json_value(*part.field, *text) : Json(nullptr);
  }
  const Json line = {{"time", time},
                     {"rule", format.rule},
                     {"priority", name_of(format.priority)},
                     {"source", format.source},
                     {"hostname", row.text(event::Field::host_name)},
                     {"output", time_of_day(row) + ": " + std::string(name_of(format.priority)) + " " + message},
                     {"tags", tags},
                     {"message", message},
                     {"output_fields", std::move(fields)}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace redoubt::rules::falco
