#include "rules/falco/output.h"

#include <algorithm>

#include "base/time.h"
#include "rules/falco/field_source.h"
#include "rules/falco/vocabulary.h"

namespace redoubt::rules::falco {

namespace {

constexpr std::string_view kNotAvailable = "<NA>";
// Falco's container plugin puts its fields where this stands; alone it says nothing.
constexpr std::string_view kContainerInfo = "container.info";

std::string value_text(const event::Row& row, event::Field field) {
  const event::Value value = row.get(field);
  if (!value.present()) return std::string(kNotAvailable);
  if (value.is_text()) return std::string(value.text());
  if (event::info(field).type == event::FieldType::time) return base::format_time({value.integer()});
  return std::to_string(value.integer());
}

std::string last_part(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

// Line number `number`, from 1.
std::string line_of(std::string_view lines, int64_t number) {
  for (int64_t i = 1; i < number && !lines.empty(); ++i) {
    lines.remove_prefix(std::min(lines.find('\n'), lines.size() - 1) + 1);
  }
  return lines.empty() ? std::string(kNotAvailable) : std::string(lines.substr(0, lines.find('\n')));
}

std::string source_text(const FieldSource& source, const event::Row& row) {
  constexpr size_t kShortIdDigits = 12;
  const std::string value = source.field == event::Field{} ? "" : value_text(row, source.field);
  switch (source.shape) {
    case Shape::absent:
    case Shape::number_at_least:
    case Shape::outcome:
    case Shape::outcome_number: return std::string(kNotAvailable);
    case Shape::plain:
    case Shape::program_name:
    case Shape::command_line:
    case Shape::directory:
    case Shape::both_ends: return value;
    case Shape::arguments: {
      if (!row.get(source.field).present()) return value;
      const size_t blank = value.find(' ');
      return blank == std::string::npos ? "" : value.substr(blank + 1);
    }
    case Shape::first_argument: return value.substr(0, value.find(' '));
    case Shape::ancestor_names: return last_part(line_of(row.text(source.field), 1));
    case Shape::ancestor_name: return last_part(line_of(row.text(source.field), source.number));
    case Shape::ancestor_path: return line_of(row.text(source.field), source.number);
    case Shape::container: return row.get(source.field).present() ? value.substr(0, kShortIdDigits) : "host";
    case Shape::terminal: return row.get(source.field).present() ? value : "0";
    case Shape::login_user: return row.get(source.field).present() ? value : "-1";
    case Shape::constant_text: return std::string(source.text);
    case Shape::constant_number: return std::to_string(source.number);
    case Shape::address_family: {
      const bool is_six = row.text(source.field).find(':') != std::string_view::npos;
      const size_t blank = source.text.find(' ');
      return std::string(is_six ? source.text.substr(blank + 1) : source.text.substr(0, blank));
    }
  }
  return "";
}

// The kind of an event; nothing for events of the agent itself.
std::optional<EventClass> class_of(const event::Row& row) {
  for (const EventClassInfo& each : event_classes()) {
    if (each.type == row.type() && each.action == row.text(event::Field::event_action)) return each.event_class;
  }
  return std::nullopt;
}

std::string connection_text(const event::Row& row) {
  return value_text(row, event::Field::source_ip) + ":" + value_text(row, event::Field::source_port) + "->" +
         value_text(row, event::Field::destination_ip) + ":" + value_text(row, event::Field::destination_port);
}

std::string field_text(const Term& field, EventClass event_class, const event::Row& row) {
  if (field.kind != TermKind::field) return std::string(kNotAvailable);
  const EventClassInfo& kind = info(event_class);
  if (field.text == "evt.type") return std::string(kind.events.substr(0, kind.events.find(' ')));
  if (field.text == "evt.num") return value_text(row, event::Field::event_sequence);
  if (field.text.starts_with("evt.time") || field.text == "evt.datetime") {
    return value_text(row, event::Field::event_time);
  }
  if (field.text == "fd.name" && kind.type == event::EventType::connection) return connection_text(row);
  const FoundSource found = find_source(field, event_class);
  return found.source ? source_text(*found.source, row) : std::string(kNotAvailable);
}

std::optional<FilterMistake> check_output_field(const Term& term, size_t offset) {
  if (term.kind == TermKind::literal) return FilterMistake{offset, "'%" + term.text + "' is not a field", ""};
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
  const std::optional<EventClass> event_class = class_of(row);
  std::string text;
  for (const OutputPart& part : output.parts) {
    text += part.text;
    if (!part.field) continue;
    std::string value = event_class ? field_text(*part.field, *event_class, row) : std::string(kNotAvailable);
    if (part.width > 0) value.resize(part.width, ' ');
    text += value;
  }
  return text;
}

}  // namespace redoubt::rules::falco
