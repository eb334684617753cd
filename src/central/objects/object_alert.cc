#include "central/objects/object_alert.h"

#include <algorithm>
#include <set>

#include "central/alerts/alert.h"

namespace redoubt::central {

namespace {

using rules::Importance;

constexpr size_t kReceiversShown = 20;

Importance importance_of(const scan::Detection& found) {
  return importance_named(found.importance).value_or(Importance::medium);
}

Importance raised(Importance importance) {
  return importance == Importance::critical ? importance : static_cast<Importance>(static_cast<int>(importance) + 1);
}

// The first of the most important.
const scan::Detection& strongest(const scan::ScanReport& report) {
  return *std::max_element(
      report.detections.begin(), report.detections.end(),
      [](const scan::Detection& a, const scan::Detection& b) { return importance_of(a) < importance_of(b); });
}

std::string words_of(const scan::Detection& found, const scan::ScanReport& report) {
  std::string words = found.rule + " of " + found.rule_set + ", " + found.engine + " " + found.engine_version;
  if (found.object > 0 && found.object < report.objects.size()) words += ", in " + report.objects[found.object].name;
  return words;
}

std::string all_words(const scan::ScanReport& report) {
  const scan::Detection& first = strongest(report);
  std::string words = "rule " + words_of(first, report);
  for (const scan::Detection& found : report.detections) {
    if (&found != &first) words += "; " + words_of(found, report);
  }
  return words;
}

std::vector<std::string> engines_of(const scan::ScanReport& report) {
  std::set<std::string> engines;
  for (const scan::Detection& found : report.detections) engines.insert(found.engine);
  return {engines.begin(), engines.end()};
}

NewDetection common_parts(const Object& object, const scan::ScanReport& report) {
  NewDetection detection;
  detection.source = AlertSource::object;
  detection.time = report.finished;
  detection.user = object.submitted_by;
  detection.object = {object.id, object.name, object.sha256, engines_of(report)};
  return detection;
}

}  // namespace

NewDetection detection_of(const Object& object, const scan::ScanReport& report) {
  const scan::Detection& first = strongest(report);
  NewDetection detection = common_parts(object, report);
  detection.key = "object " + object.id + "|" + first.rule;
  detection.rule.id = first.engine + ":" + first.rule;
  detection.rule.title = first.description.empty() ? first.rule : first.description;
  detection.rule.description = all_words(report);
  const bool agreed = detection.object.engines.size() > 1;
  detection.rule.format = agreed ? "combined" : first.engine;
  detection.importance = agreed ? raised(importance_of(first)) : importance_of(first);
  return detection;
}

NewDetection rescan_detection(const std::vector<Object>& received, const scan::ScanReport& before,
                              const scan::ScanReport& now) {
  NewDetection detection = detection_of(received.front(), now);
  detection.source = AlertSource::rescan;
  detection.key += "|rescan " + std::to_string(now.finished.us);
  detection.message = "was '" + std::string(scan::name_of(before.verdict)) + "' on " +
                      base::format_time(before.finished) + "; handed in by";
  for (size_t i = 0; i < received.size() && i < kReceiversShown; ++i) {
    detection.message +=
        std::string(i == 0 ? " " : ", ") + received[i].submitted_by + " on " + base::format_time(received[i].submitted);
  }
  if (received.size() > kReceiversShown) detection.message += ", …";
  return detection;
}

NewDetection unjudged_detection(const Object& object, const scan::ScanReport& report) {
  NewDetection detection = common_parts(object, report);
  detection.key = "object " + object.id + "|unjudged";
  detection.rule.id = "object:" + std::string(scan::name_of(report.verdict));
  detection.rule.title =
      report.verdict == scan::Verdict::timeout ? "An object was not judged in time" : "An object could not be judged";
  detection.rule.description = report.error;
  detection.rule.format = "object";
  detection.importance = Importance::low;
  return detection;
}

}  // namespace redoubt::central
