#include "scan/verdict.h"

namespace redoubt::scan {

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::processing: return "processing";
    case Verdict::not_detected: return "not detected";
    case Verdict::detect: return "detect";
    case Verdict::error: return "error";
    case Verdict::timeout: return "timeout";
  }
  return "error";
}

std::optional<Verdict> verdict_named(std::string_view name) {
  using enum Verdict;
  for (const Verdict verdict : {processing, not_detected, detect, error, timeout}) {
    if (name_of(verdict) == name) return verdict;
  }
  return std::nullopt;
}

}  // namespace redoubt::scan
