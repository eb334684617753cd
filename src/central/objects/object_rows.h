// The rows of table `objects`: how an Object is stored and read. Called by the object service, inside its transactions;
// nlohmann and SOCI stay in the .cc. May throw what SOCI throws: StateDb turns that into an error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "central/objects/object_service.h"

namespace redoubt::central {

// What the service needs of the alert that an object caused.
struct Judged {
  scan::ScanReport report;
  std::string alert_id;
};

// Ids are the row numbers, as text. 0 for text that is none.
long long object_row_id(const std::string& id);

// Sets object.id.
void insert_object(soci::session& sql, Object& object);
std::optional<Object> read_object(soci::session& sql, long long id);
// Rows below `before`, newest first.
std::vector<Object> read_objects(soci::session& sql, long long before, size_t limit);
std::vector<long long> read_processing_ids(soci::session& sql);
void write_judgement(soci::session& sql, long long id, const Judged& judged);

}  // namespace redoubt::central
