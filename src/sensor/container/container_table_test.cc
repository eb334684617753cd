#include "sensor/container/container_table.h"

#include <gtest/gtest.h>

namespace redoubt::sensor {
namespace {

const std::string kId(64, 'a');
const std::string kOther(64, 'b');
constexpr int64_t kLater = ContainerTable::kEndedLifeNs + 10;

TEST(ContainerTable, begins_a_container_once_however_many_hierarchies_it_has) {
  ContainerTable table;
  const auto made = table.begin(kId, "/docker/" + kId, 1);
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(table.begin(kId, "/docker/" + kId, 2), nullptr);
  EXPECT_EQ(table.of_path("/docker/" + kId + "/inside", 2), made);
}

TEST(ContainerTable, ends_a_container_with_its_own_cgroup_once) {
  ContainerTable table;
  const auto made = table.begin(kId, "/docker/" + kId, 1);
  EXPECT_EQ(table.end("/docker/" + kId + "/inside", 2), nullptr);
  EXPECT_EQ(table.end("/docker/" + kId, 2), made);
  EXPECT_EQ(table.end("/docker/" + kId, 3), nullptr);
  EXPECT_EQ(table.of_path("/docker/" + kId, 3), made) << "late events still name it";
  table.expire(kLater);
  EXPECT_EQ(table.size(), 0U);
}

TEST(ContainerTable, begins_one_that_starts_again_anew) {
  ContainerTable table;
  const auto first = table.begin(kId, "/docker/" + kId, 1);
  table.end("/docker/" + kId, 2);
  const auto second = table.begin(kId, "/docker/" + kId, 3);
  ASSERT_NE(second, nullptr);
  EXPECT_NE(first, second);
  table.expire(kLater);
  EXPECT_EQ(table.of_path("/docker/" + kId, kLater), second) << "the first one's end does not take it";
}

TEST(ContainerTable, knows_containers_whose_path_has_no_id) {
  ContainerTable table;
  const auto made = table.begin("web", "/default/web", 1);
  EXPECT_EQ(table.of_path("/default/web/deep/er", 1), made);
  EXPECT_EQ(table.of_path("/default/webster", 1), nullptr);
  EXPECT_EQ(table.of_path("/default", 1), nullptr);
  EXPECT_EQ(table.of_path("web", 1), nullptr);
  EXPECT_EQ(table.end("/default/web", 2), made);
  table.expire(kLater);
  EXPECT_EQ(table.of_path("/default/web", kLater), nullptr);
}

TEST(ContainerTable, finds_containers_by_cgroup_until_it_is_forgotten) {
  ContainerTable table;
  const auto made = table.begin(kId, "/docker/" + kId, 1);
  table.note_cgroup(7, made);
  EXPECT_EQ(table.of_cgroup(7), made);
  EXPECT_EQ(table.of_cgroup(8), nullptr);
  table.forget_cgroup(7);
  EXPECT_EQ(table.of_cgroup(7), nullptr);
}

TEST(ContainerTable, ends_those_without_processes_but_not_the_newborn) {
  ContainerTable table;
  const auto gone = table.begin(kId, "/docker/" + kId, 1);
  table.note_cgroup(7, gone);
  const auto lives = table.begin(kOther, "/docker/" + kOther, 1);
  constexpr int64_t kNow = ContainerTable::kBirthNs + 2;
  const auto young = table.begin(std::string(64, 'c'), "/docker/" + std::string(64, 'c'), kNow - 1);
  EXPECT_EQ(table.end_others({lives.get()}, kNow), std::vector{gone});
  EXPECT_EQ(table.of_cgroup(7), nullptr);
  EXPECT_TRUE(table.end_others({lives.get()}, kNow).empty());
}

TEST(ContainerTable, stays_bounded_and_forgets_the_longest_ended_first) {
  ContainerTable table;
  const auto id_of = [](size_t number) {
    std::string id = std::to_string(number);
    return std::string(64 - id.size(), '0') + id;
  };
  for (size_t i = 0; i < ContainerTable::kContainersMax; ++i)
    ASSERT_NE(table.begin(id_of(i), "/x/" + id_of(i), 1), nullptr);
  EXPECT_EQ(table.begin(kId, "/x/" + kId, 2), nullptr);
  EXPECT_NE(table.of_path("/x/" + kId, 2), nullptr) << "its processes still carry its id";
  EXPECT_EQ(table.size(), ContainerTable::kContainersMax);
  table.end("/x/" + id_of(5), 3);
  EXPECT_NE(table.begin(kId, "/x/" + kId, 4), nullptr);
  EXPECT_EQ(table.size(), ContainerTable::kContainersMax);
}

}  // namespace
}  // namespace redoubt::sensor
