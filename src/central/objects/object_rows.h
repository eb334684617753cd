// The rows of table `objects`: how an Object is stored and read. Called by the object service, inside its transactions;
// SOCI stays in the .cc. May throw what SOCI throws: StateDb turns that into an error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "central/objects/object_queue.h"
#include "central/objects/object_service.h"

namespace redoubt::central {

// The verdict that a row points at, and the alert that came of it.
struct Judged {
  scan::Verdict verdict = scan::Verdict::error;
  long long verdict_id = 0;
  std::string alert_id;
};

// Ids are the row numbers, as text. 0 for text that is none.
long long object_row_id(const std::string& id);

// A person waits for what is handed in by hand.
Priority priority_of(ObjectSource source);

// Sets object.id. verdict_id 0: it is processing.
void insert_object(soci::session& sql, Object& object, long long verdict_id);
std::optional<Object> read_object(soci::session& sql, long long id);
// Rows below `before`, newest first: as many as asked for, or fewer once their reports are kPageReportBytesMax
// together.
constexpr size_t kPageReportBytesMax = size_t{8} << 20;
std::vector<Object> read_objects(soci::session& sql, const ObjectFilter& filter, long long before, size_t limit);
// Rows of one content under one name, newest first.
std::vector<Object> read_objects_of(soci::session& sql, const ContentKey& content, size_t limit);
std::vector<WaitingObject> read_processing(soci::session& sql);
void write_judgement(soci::session& sql, long long id, const Judged& judged);
// The verdict of a content has changed: so has that of all rows that are judged.
void write_rescan(soci::session& sql, const ContentKey& content, const Judged& judged, base::Time now);

}  // namespace redoubt::central
