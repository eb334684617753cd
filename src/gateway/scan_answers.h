// What a node answers, read from hostile bytes: sizes and counts are limited, and what is not understood is never "not
// detected". Any thread.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "gateway/scanner.h"

namespace redoubt::gateway {

constexpr size_t kAnswerBytesMax = size_t{8} << 20;
constexpr size_t kScansMax = 100'000;
constexpr size_t kScanIdBytesMax = 256;
constexpr size_t kVersionBytesMax = 128;

// [{"scanId": "…", "state": "…"}, …], or the same array as the member "scans" of an object; an empty text is an empty
// array. Each scan once: where there are several, the gravest. A state of another name is `error`.
Result<std::vector<ScanResult>> parse_states(std::string_view body);
// {"maxObjectSize": bytes, "version": "…"}; either may be missing.
Result<Filters> parse_filters(std::string_view body);

}  // namespace redoubt::gateway
