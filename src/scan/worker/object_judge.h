// Judges one object with all that is in it: identify, unpack, hand to ClamAV, scan, level by level; children before
// their container is done, each held only while it is judged. Called by the worker, one object after another, inside
// the jail.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "scan/wire.h"
#include "scan/worker/identify/file_type.h"
#include "scan/worker/unpack/unpacker.h"
#include "scan/worker/yara_engine.h"

namespace redoubt::scan {

struct Engines {
  std::unique_ptr<FileTypes> types;
  std::unique_ptr<YaraEngine> yara;
  std::unique_ptr<Unpacker> mail;
  std::unique_ptr<Unpacker> tnef;
  std::unique_ptr<Unpacker> pdf;
  std::unique_ptr<Unpacker> archive;
};

// Where objects go that ClamAV has to see. A refusal costs that object ClamAV's word alone.
class PartSink {
 public:
  virtual ~PartSink() = default;
  // Without content: the object that was handed in.
  virtual Status send(const wire::Part& part, std::optional<std::string_view> content) = 0;
};

struct JudgeLimits {
  int64_t object_time_ms_max = 0;
  uint64_t memory_bytes_max = 0;
};

// What a member may hold at most in a worker of that memory.
uint64_t member_bytes_max(uint64_t memory_bytes_max);

wire::Report judge_object(Engines& engines, const wire::Request& request, std::string_view content,
                          const JudgeLimits& limits, PartSink& parts);

}  // namespace redoubt::scan
