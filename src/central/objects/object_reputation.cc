#include "central/objects/object_reputation.h"

#include <algorithm>

namespace redoubt::central {

namespace {

bool is_of_reputation(const scan::Detection& found) { return found.engine == kReputationEngine; }

// Of a link: in the object as a whole.
scan::Detection bad_word(const ReputationEntry& entry, size_t object) {
  const std::string what = std::string(name_of(entry.indicator.kind)) + " " + entry.indicator.value;
  return {.engine = std::string(kReputationEngine),
          .engine_version = base::format_time(entry.added),
          .rule = entry.note.empty() ? what : entry.note,
          .rule_set = entry.source,
          .importance = entry.indicator.kind == IndicatorKind::domain ? "medium" : "high",
          .description = "known as bad: " + what,
          .object = object};
}

Status add_word(ReputationBook& book, const Indicator& indicator, size_t object, scan::ScanReport& report) {
  TRY(const ReputationWord word, book.ask(indicator));
  if (word.reputation == Reputation::bad) report.detections.push_back(bad_word(word.entries.front(), object));
  return {};
}

Status add_words_on_link(ReputationBook& book, const std::string& link, scan::ScanReport& report) {
  const auto url = read_indicator(link);
  if (!url || url->kind != IndicatorKind::url) return {};
  TRY(const ReputationWord word, book.ask(*url));
  if (word.reputation == Reputation::good) return {};
  if (word.reputation == Reputation::bad) {
    report.detections.push_back(bad_word(word.entries.front(), 0));
    return {};
  }
  const auto host = host_of(*url);
  return host ? add_word(book, *host, 0, report) : Status{};
}

}  // namespace

Result<scan::ScanReport> good_by_reputation(ReputationBook& book, const std::string& sha256) {
  TRY(const ReputationWord word, book.ask({IndicatorKind::sha256, sha256}));
  scan::ScanReport report;
  if (word.reputation != Reputation::good) return report;
  report.verdict = scan::Verdict::not_detected;
  report.finished = base::Time::now();
  report.engines = {std::string(kReputationEngine) + ": good, says " + word.entries.front().source};
  return report;
}

bool is_good_by_reputation(const scan::ScanReport& report) {
  return !report.engines.empty() && report.engines.front().starts_with(std::string(kReputationEngine) + ": good");
}

Status add_reputation(ReputationBook& book, const std::string& sha256, scan::ScanReport& report) {
  std::erase_if(report.detections, is_of_reputation);
  if (report.verdict == scan::Verdict::detect && report.detections.empty()) {
    report.verdict = scan::Verdict::not_detected;
  }
  TRY_STATUS(add_word(book, {IndicatorKind::sha256, sha256}, 0, report));
  for (size_t i = 1; i < report.objects.size(); ++i) {
    TRY_STATUS(add_word(book, {IndicatorKind::sha256, report.objects[i].sha256}, i, report));
  }
  for (const std::string& link : report.links) TRY_STATUS(add_words_on_link(book, link, report));
  if (std::any_of(report.detections.begin(), report.detections.end(), is_of_reputation)) {
    report.verdict = scan::Verdict::detect;
  }
  return {};
}

}  // namespace redoubt::central
