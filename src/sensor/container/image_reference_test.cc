#include "sensor/container/image_reference.h"

#include <gtest/gtest.h>

namespace redoubt::sensor {
namespace {

TEST(ImageReference, is_taken_apart) {
  struct Row {
    std::string_view text;
    std::string_view name;
    std::string_view tag;
    std::string_view digest;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"docker.io/library/nginx:1.27", "docker.io/library/nginx", "1.27", ""},
           {"registry:5000/team/app", "registry:5000/team/app", "", ""},
           {"registry:5000/team/app:v1@sha256:ab", "registry:5000/team/app", "v1", "sha256:ab"},
           {"nginx@sha256:ab", "nginx", "", "sha256:ab"},
           {"nginx", "nginx", "", ""},
           {"sha256:ab", "", "", ""},
           {"", "", "", ""},
       }) {
    const ImageReference reference = parse_image_reference(row.text);
    EXPECT_EQ(reference.name, row.name) << row.text;
    EXPECT_EQ(reference.tag, row.tag) << row.text;
    EXPECT_EQ(reference.digest, row.digest) << row.text;
  }
}

}  // namespace
}  // namespace redoubt::sensor
