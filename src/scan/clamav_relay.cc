#include "scan/clamav_relay.h"

#include <fcntl.h>
#include <algorithm>

#include "base/text.h"

namespace redoubt::scan {

namespace {

constexpr size_t kRelayNotesMax = 20;
constexpr std::string_view kLimitPrefix = "Heuristics.Limits.Exceeded";
constexpr std::string_view kEngineWord = "ClamAV ";

// clamd maps what it reads: bytes that go away under it would end it. Nothing but a memory file can be sealed.
Status seal(const base::UniqueFd& content) {
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (fcntl(content.get(), F_ADD_SEALS, kSeals) == 0) return {};
  return base::fail_errno("seal what the worker sent");
}

std::string_view importance_of(std::string_view rule) {
  if (rule.starts_with("PUA.")) return "low";
  return rule.starts_with("Heuristics.") ? "medium" : "high";
}

// "26889" of "1.4.6/26889/Thu Apr 27 07:24:47 2023"; empty for signatures without a number.
std::string database_of(const std::string& version) {
  const size_t start = version.find('/');
  if (start == std::string::npos) return {};
  return version.substr(start + 1, version.find('/', start + 1) - start - 1);
}

}  // namespace

void ClamavRelay::handle(wire::Part part, base::UniqueFd content, int64_t deadline_ns) {
  part.name = base::escape_invalid_utf8(part.name);
  if (clamd_ == Clamd::away) return note(part.name + ": clamav: it is away");
  if (part.kind == wire::Part::Kind::opened && has_found_in(part)) return;
  if (Status done = scan_part(part, content ? content : root_, deadline_ns); !done) {
    if (done.error().code == Errc::unavailable || done.error().code == Errc::timeout) clamd_ = Clamd::away;
    note(part.name + ": clamav: " + done.error().message);
  }
}

// Then the container would be called by the name of what is in it.
bool ClamavRelay::has_found_in(const wire::Part& container) const {
  return std::any_of(found_.begin(), found_.end(),
                     [&](const Found& found) { return found.part.name.starts_with(container.name + "/"); });
}

Status ClamavRelay::scan_part(const wire::Part& part, const base::UniqueFd& content, int64_t deadline_ns) {
  if (&content != &root_) TRY_STATUS(seal(content));
  if (version_.empty()) {
    TRY(const std::string version, client_.version(deadline_ns));
    version_ = version.substr(kEngineWord.size());
  }
  TRY(const ClamdReply reply, client_.scan(content, deadline_ns));
  if (reply.kind == ClamdReply::Kind::error) return fail(Errc::internal, reply.text);
  ++answers_;
  if (reply.kind == ClamdReply::Kind::clean) return {};
  if (reply.text.starts_with(kLimitPrefix)) {
    // What it left out of a container it has seen by itself.
    if (part.kind == wire::Part::Kind::opened) return {};
    return fail(Errc::too_large, "past its limits: " + reply.text);
  }
  if (found_.size() < wire::kDetectionsMax) found_.push_back({part, reply.text});
  return {};
}

void ClamavRelay::note(std::string line) {
  if (notes_.size() < kRelayNotesMax) return notes_.push_back(std::move(line));
  ++notes_left_out_;
}

void ClamavRelay::add_to(ScanReport& report) const {
  const std::string database = database_of(version_);
  if (answers_ > 0) {
    const std::string engine = version_.substr(0, version_.find('/'));
    report.engines.push_back("clamav " + engine + (database.empty() ? "" : " (signatures " + database + ")"));
  }
  for (const Found& found : found_) {
    Detection detection;
    detection.engine = "clamav";
    detection.engine_version = version_;
    detection.rule = found.rule;
    detection.rule_set = "clamav" + (database.empty() ? "" : " " + database);
    detection.importance = importance_of(found.rule);
    detection.object = found.part.object < report.objects.size() ? found.part.object : 0;
    detection.description = "in " + found.part.name;
    report.detections.push_back(std::move(detection));
  }
  report.not_scanned.insert(report.not_scanned.end(), notes_.begin(), notes_.end());
  if (notes_left_out_ > 0) report.not_scanned.push_back("clamav: " + std::to_string(notes_left_out_) + " more");
  if (found_.empty() || report.verdict == Verdict::detect) return;
  if (!report.error.empty()) report.not_scanned.push_back("not judged to the end: " + report.error);
  report.verdict = Verdict::detect;
}

}  // namespace redoubt::scan
