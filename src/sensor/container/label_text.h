// Labels and annotations of runtimes as text. Pure.
#pragma once

#include <string>

#include "sensor/container/container.h"
#include "sensor/container/image_reference.h"
#include "sensor/container/text_lines.h"
#include "sensor/container/workload.h"

namespace redoubt::sensor {

constexpr size_t kRuntimeNameBytesMax = 512;

// Any map of texts; sorted by key, so that the same labels are the same text.
template <class Map>
LabelMap label_map(const Map& labels) {
  LabelMap sorted;
  for (const auto& [key, value] : labels) sorted.emplace(key, value);
  return sorted;
}

inline std::string label_lines(const LabelMap& labels) {
  TextLines lines;
  for (const auto& [key, value] : labels) lines.add(key, value);
  return lines.take();
}

// Only what the reference says; the rest stays.
inline void set_image(ContainerFacts& facts, std::string_view reference) {
  ImageReference parts = parse_image_reference(reference);
  if (facts.image_name.empty()) facts.image_name = std::move(parts.name);
  if (facts.image_tag.empty()) facts.image_tag = std::move(parts.tag);
  if (facts.image_digest.empty()) facts.image_digest = std::move(parts.digest);
}

}  // namespace redoubt::sensor
