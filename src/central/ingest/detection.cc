#include "central/ingest/detection.h"

#include "event/json.h"

namespace redoubt::central {

using event::Field;

NewDetection detection_about(const rules::Rule& rule) {
  return {.source = AlertSource::rule,
          .rule = {.id = rule.id,
                   .title = rule.title,
                   .description = rule.description,
                   .format = rule.format,
                   .author = rule.author,
                   .references = rule.references,
                   .false_positives = rule.false_positives},
          .importance = rule.importance,
          .techniques = rule.techniques,
          .tactics = rule.tactics};
}

void describe_event(const event::Row& row, NewDetection& detection) {
  detection.host_name = row.text(Field::host_name);
  detection.user = row.text(Field::user_name);
  detection.process = {.entity_id = std::string(row.text(Field::process_entity_id)),
                       .executable = std::string(row.text(Field::process_executable)),
                       .command_line = std::string(row.text(Field::process_command_line))};
  detection.event_json = event::to_json(row);
}

}  // namespace redoubt::central
