// Names of images, taken apart. Pure.
#pragma once

#include <string>
#include <string_view>

namespace redoubt::sensor {

struct ImageReference {
  std::string name;    // registry and repository: "docker.io/library/nginx"
  std::string tag;     // "1.27"
  std::string digest;  // "sha256:…"
};

// NAME[:TAG][@DIGEST]. A bare id ("sha256:…") names no repository and gives nothing.
ImageReference parse_image_reference(std::string_view text);

}  // namespace redoubt::sensor
