// ClamAV's share of one object: takes the parts that the worker names, asks clamd about each, keeps what it says. Made
// by the pool for each object; one thread. A worker's descriptors are hostile: only sealed memory files go on.
#pragma once

#include <string>
#include <vector>

#include "scan/clamav.h"
#include "scan/verdict.h"
#include "scan/worker_process.h"

namespace redoubt::scan {

class ClamavRelay final : public PartHandler {
 public:
  ClamavRelay(const ClamdClient& client, const base::UniqueFd& root) : client_(client), root_(root) {}
  void handle(wire::Part part, base::UniqueFd content, int64_t deadline_ns) override;
  // Into a report that has its objects, or none where the worker did not come to an end.
  void add_to(ScanReport& report) const;

 private:
  struct Found {
    wire::Part part;
    std::string rule;
  };
  bool has_found_in(const wire::Part& container) const;
  Status scan_part(const wire::Part& part, const base::UniqueFd& content, int64_t deadline_ns);
  void note(std::string line);

  const ClamdClient& client_;
  const base::UniqueFd& root_;
  std::string version_;  // "1.4.6/26889/Thu Apr 27 07:24:47 2023"
  std::vector<Found> found_;
  std::vector<std::string> notes_;
  size_t notes_left_out_ = 0;
  size_t answers_ = 0;
  enum class Clamd { answers, away } clamd_ = Clamd::answers;
};

}  // namespace redoubt::scan
