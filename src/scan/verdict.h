// What the engines say about an object: one detection an engine and rule, and the verdict over all of them. Values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace redoubt::scan {

enum class Verdict : uint8_t { processing, not_detected, detect, error, timeout };

// "not detected", as external systems read it.
std::string_view name_of(Verdict verdict);

struct Detection {
  std::string engine;          // "yara"
  std::string engine_version;  // "4.2.3"
  std::string rule;            // "EICAR_Test_File"
  std::string rule_set;    // name and content hash of the rule set, so that a verdict can be told from a newer one's
  std::string importance;  // "low" … "critical"
  std::string description;
};

struct ScanReport {
  Verdict verdict = Verdict::error;
  std::string error;  // for error and timeout
  std::string mime_type;
  std::vector<Detection> detections;
  std::vector<std::string> engines;  // every engine that had its say: "yara 4.2.3 (rules 1a2b…)"
  base::Time finished;
  int64_t duration_us = 0;
};

}  // namespace redoubt::scan
