#include "central/api/hunt_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

// What a column holds: its field's type; a bucket is a time, a count a number; a "value" is as its cells are.
event::FieldType type_of(const store::Column& column, const std::vector<std::vector<store::Cell>>& rows, size_t at) {
  if (column.field) return event::info(*column.field).type;
  if (column.name == "bucket") return event::FieldType::time;
  if (column.name == "value") {
    for (const auto& row : rows) {
      if (std::holds_alternative<int64_t>(row[at])) return event::FieldType::integer;
      if (std::holds_alternative<std::string>(row[at])) return event::FieldType::text;
    }
    return event::FieldType::text;
  }
  // What a correlation is grouped by.
  const bool text = std::any_of(rows.begin(), rows.end(),
                                [at](const auto& row) { return std::holds_alternative<std::string>(row[at]); });
  return text ? event::FieldType::text : event::FieldType::integer;
}

ordered_json cell_json(const store::Cell& cell, event::FieldType type) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* number = std::get_if<int64_t>(&cell)) {
    if (type == event::FieldType::time) return base::format_time({*number});
    return *number;
  }
  return nullptr;
}

}  // namespace

ordered_json rows_json(const store::HuntResult& result) {
  ordered_json columns = ordered_json::array(), rows = ordered_json::array();
  std::vector<event::FieldType> types;
  for (size_t i = 0; i < result.columns.size(); ++i) {
    const store::Column& column = result.columns[i];
    types.push_back(type_of(column, result.rows, i));
    ordered_json json = {{"name", column.name}};
    if (column.field) json["field"] = event::info(*column.field).name;
    json["type"] = event::name_of(types.back());
    columns.push_back(std::move(json));
  }
  for (const auto& row : result.rows) {
    ordered_json cells = ordered_json::array();
    for (size_t i = 0; i < row.size(); ++i) cells.push_back(cell_json(row[i], types[i]));
    rows.push_back(std::move(cells));
  }
  return {{"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

}  // namespace redoubt::central
