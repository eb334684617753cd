// What the reputation service knows of an object, of what is inside it and of the links it names, added to the words of
// the engines. Called by the object judge; any thread.
#pragma once

#include <string>

#include "central/reputation/reputation_book.h"
#include "scan/verdict.h"

namespace redoubt::central {

// The engine's name in detections.
constexpr std::string_view kReputationEngine = "reputation";

// A content that is known as good by its hash: nobody has to look into it. Empty engines: it is not.
Result<scan::ScanReport> good_by_reputation(ReputationBook& book, const std::string& sha256);
// Whether the report is such a word, and no engine has looked.
bool is_good_by_reputation(const scan::ScanReport& report);
// Takes the words out that an earlier call added, and adds those of now. Of a report that is `error` or `timeout` too:
// what is known as bad stays so.
Status add_reputation(ReputationBook& book, const std::string& sha256, scan::ScanReport& report);

}  // namespace redoubt::central
