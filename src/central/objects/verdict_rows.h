// The rows of table `object_verdicts`: what the engines of one moment said of a content under a name. Objects point at
// them, so a content that comes a thousand times has one report. Called by the object service and the retro-scan inside
// their transactions; nlohmann and SOCI stay in the .cc. May throw what SOCI throws: StateDb turns that into an error.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "central/objects/object_queue.h"
#include "scan/verdict.h"
#include "store/state/state_db.h"

namespace redoubt::central {

// A step of central's schema list.
extern const std::string_view kObjectVerdictsMigration;

// Who judges at a moment: a verdict of others is none.
struct Judges {
  std::string engines;  // ScanPool::engines
  int64_t lists = 0;    // ReputationBook::generation
  bool operator==(const Judges&) const = default;
};

struct KnownVerdict {
  long long id = 0;
  ContentKey content;
  Judges judges;
  scan::ScanReport report;
};

// Whether it is a word that stays true: after an error or timeout the next who asks may fare better.
bool holds(scan::Verdict verdict);
std::string stored_report(const scan::ScanReport& report);
scan::ScanReport parse_report(const std::string& text, scan::Verdict verdict);

// The row's id.
long long insert_verdict(soci::session& sql, const KnownVerdict& known);
// The latest word of any, an error too.
std::optional<KnownVerdict> find_latest_verdict(soci::session& sql, const ContentKey& content);
// Judges that came later say the same: the row is theirs now.
void renew_verdict(soci::session& sql, const KnownVerdict& known);
// The latest word is of nobody who judges now, so it is asked for anew.
void disown_verdict(soci::session& sql, const ContentKey& content);
// Contents whose latest word is of others than these, newest first, with an id below `before`.
std::vector<KnownVerdict> read_outdated_verdicts(soci::session& sql, const Judges& judges, long long before,
                                                 size_t limit);

}  // namespace redoubt::central
