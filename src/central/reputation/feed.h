// Files that tell of many indicators: plain and CSV lists, ClamAV hash signatures, MISP events and STIX 2.1 bundles, as
// somebody carries them into a network without an outside. Their form is told from their content. Hostile input: size
// and counts are limited. Any thread; nlohmann stays in the .cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "central/reputation/indicator.h"

namespace redoubt::central {

constexpr size_t kFeedBytesMax = size_t{64} << 20;  // JSON: 16 MiB
constexpr size_t kFeedIndicatorsMax = 1'000'000;
constexpr size_t kFeedNoteBytesMax = 256;

struct FeedIndicator {
  Indicator indicator;
  std::string note;  // what the feed says of it: a threat's name; may be empty
};

struct Feed {
  std::string format;  // "list", "clamav", "misp", "stix"
  std::vector<FeedIndicator> indicators;
  size_t skipped = 0;                // lines, attributes and patterns that are no indicator of a kind kept here
  std::vector<std::string> reasons;  // of the first of them
};

// invalid_argument for what is none of these forms, or tells of nothing.
Result<Feed> read_feed(std::string_view text);

}  // namespace redoubt::central
