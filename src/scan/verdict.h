// What the engines say about an object: one detection an engine and rule, and the verdict over all of them. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace redoubt::scan {

enum class Verdict : uint8_t { processing, not_detected, detect, error, timeout };

// "not detected", as external systems read it.
std::string_view name_of(Verdict verdict);
std::optional<Verdict> verdict_named(std::string_view name);

// One object of the tree that unpacking gave; the first is what was handed in.
struct InnerObject {
  size_t parent = 0;      // index; the first is its own
  std::string name;       // as its container calls it; hostile
  std::string mime_type;  // "application/zip"; empty where it was not identified
  std::string sha256;     // of the first: empty, the object door knows it
  uint64_t size_bytes = 0;
  std::string remark;  // why it was not looked into as a whole: "encrypted: no password fits"
};

struct Detection {
  std::string engine;          // "yara"
  std::string engine_version;  // "4.2.3"
  std::string rule;            // "EICAR_Test_File"
  std::string rule_set;    // name and content hash of the rule set, so that a verdict can be told from a newer one's
  std::string importance;  // "low" … "critical"
  std::string description;
  size_t object = 0;  // index into ScanReport::objects: the inner object that caused it
};

// What an object took of its worker, in nanoseconds of CPU. ClamAV works elsewhere, and does not tell.
struct WorkerCpu {
  int64_t all_ns = 0;   // identifying, unpacking, YARA
  int64_t yara_ns = 0;  // of these
};

// Whether another worker may fare better with an object that has none.
enum class Retry : uint8_t { useless, worthwhile };

struct ScanReport {
  Verdict verdict = Verdict::error;
  Retry retry = Retry::useless;
  std::string error;  // for error and timeout
  std::string mime_type;
  std::vector<Detection> detections;
  std::vector<InnerObject> objects;
  // Why not everything was scanned: "nested deeper than 16 levels". Empty: everything was. Never silence.
  std::vector<std::string> not_scanned;
  std::vector<std::string> links;    // URLs that texts, mails and documents name; hostile, as they were found
  std::vector<std::string> engines;  // every engine that had its say: "yara 4.2.3 (rules 1a2b…)"
  base::Time finished;
  int64_t duration_us = 0;
  WorkerCpu cpu;  // not kept with the verdict
};

}  // namespace redoubt::scan
