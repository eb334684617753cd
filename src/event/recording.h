// A recording: events in a file, as frames of our own spool or as JSON records of any dialect (one a line, or objects
// that go over several lines). Read front to back in batches; what cannot be read is counted and said, and the rest
// goes on. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "event/batch.h"
#include "event/dialect/dialect.h"

namespace redoubt::event {

constexpr size_t kRecordingTroublesKept = 20;

// Why records of a recording were left out.
struct RecordingTroubles {
  uint64_t records = 0;
  std::vector<std::string> first;  // "FILE:LINE: why", at most kRecordingTroublesKept
};

class Recording {
 public:
  // "-" is standard input. `otherwise`: what records of no dialect are.
  static Result<Recording> open(const std::string& path, dialect::NamedLog otherwise = {});
  Recording(Recording&&) noexcept;
  Recording& operator=(Recording&&) noexcept;
  ~Recording();

  // The next events, at most kBatchEventsMax; nothing at the end. An error ends the recording. Records are numbered
  // (event.sequence) in the order of the file.
  Result<std::optional<Batch>> next();
  const RecordingTroubles& troubles() const;

 private:
  class Impl;
  explicit Recording(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace redoubt::event
