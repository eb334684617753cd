#include "sensor/container/image_reference.h"

#include "sensor/container/text_lines.h"

namespace redoubt::sensor {

namespace {

constexpr size_t kImageBytesMax = 512;

}  // namespace

ImageReference parse_image_reference(std::string_view text) {
  constexpr std::string_view kBareId = "sha256:";
  if (text.starts_with(kBareId)) return {};
  ImageReference reference;
  if (const size_t at = text.find('@'); at != std::string_view::npos) {
    reference.digest = bounded_text(text.substr(at + 1), kImageBytesMax);
    text = text.substr(0, at);
  }
  // A colon before the last slash belongs to the registry's port.
  const size_t colon = text.rfind(':');
  const size_t slash = text.rfind('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    reference.tag = bounded_text(text.substr(colon + 1), kImageBytesMax);
    text = text.substr(0, colon);
  }
  reference.name = bounded_text(text, kImageBytesMax);
  return reference;
}

}  // namespace redoubt::sensor
