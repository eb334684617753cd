#include "environment_choice.h"

#include <gmock/gmock.h>

#include "sensor/sensor.h"

namespace redoubt::agent {
namespace {

TEST(EnvironmentChoice, is_of_names_of_the_usual_ones_or_of_none) {
  EXPECT_THAT(environment_names({"none"}), testing::IsEmpty());
  EXPECT_THAT(environment_names({"AWS_PROFILE", "KUBECONFIG"}), testing::ElementsAre("AWS_PROFILE", "KUBECONFIG"));
  EXPECT_EQ(environment_names({"usual"}), sensor::default_environment_names());
  const auto more = environment_names({"usual", "KUBECONFIG"});
  EXPECT_EQ(more.size(), sensor::default_environment_names().size() + 1);
  EXPECT_EQ(more.back(), "KUBECONFIG");
}

}  // namespace
}  // namespace redoubt::agent
