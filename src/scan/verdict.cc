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

}  // namespace redoubt::scan
