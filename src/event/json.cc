#include "event/json.h"

#include <nlohmann/json.hpp>

#include "base/time.h"

namespace redoubt::event {

std::string to_json(const Row& row) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const FieldInfo& field : kFields) {
    const Value value = row.get(field.field);
    if (!value.present()) continue;
    if (value.is_text()) {
      object[std::string(field.name)] = std::string(value.text());
    } else if (field.type == FieldType::time) {
      object[std::string(field.name)] = base::format_time(base::Time{value.integer()});
    } else {
      object[std::string(field.name)] = value.integer();
    }
  }
  for (const Attribute& attribute : row.attributes()) {
    object["attributes." + std::string(row.attribute_name(attribute))] = std::string(attribute.value);
  }
  return object.dump();
}

std::string attributes_to_json(const Row& row) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const Attribute& attribute : row.attributes()) {
    object[std::string(row.attribute_name(attribute))] = std::string(attribute.value);
  }
  return object.dump();
}

}  // namespace redoubt::event
