#include "rules/attack/matrix.h"

#include <gtest/gtest.h>

namespace redoubt::rules::attack {
namespace {

std::string pattern(const std::string& stix_id, const std::string& id, const std::string& more = "") {
  return R"({"type":"attack-pattern","id":"attack-pattern--)" + stix_id + R"(","name":"N )" + id +
         R"(","external_references":[{"source_name":"capec","external_id":"CAPEC-1"},)"
         R"({"source_name":"mitre-attack","external_id":")" +
         id +
         R"(","url":"x"}],"kill_chain_phases":[{"kill_chain_name":"mitre-attack","phase_name":"execution"},)"
         R"({"kill_chain_name":"other","phase_name":"no"}])" +
         more + "}";
}

std::string revoked_by(const std::string& source, const std::string& target) {
  return R"({"type":"relationship","relationship_type":"revoked-by","source_ref":"attack-pattern--)" + source +
         R"(","target_ref":"attack-pattern--)" + target + R"("})";
}

std::string bundle(const std::string& objects) { return R"({"type":"bundle","id":"b","objects":[)" + objects + "]}"; }

TEST(AttackMatrix, reads_names_tactics_and_version) {
  const auto matrix = read_bundle(bundle(
      R"({"type":"x-mitre-collection","name":"Enterprise ATT&CK","x_mitre_version":"19.0"},)"
      R"({"type":"x-mitre-tactic","name":"Execution","x_mitre_shortname":"execution","x_mitre_list":[["T1"],{"a":{"name":"no"}}]},)" +
      pattern("2", "T1059.004") + "," + pattern("1", "T1059") + R"(,{"type":"malware","name":"no"})"));
  ASSERT_TRUE(matrix) << matrix.error().message;
  EXPECT_EQ(matrix->version, "19.0");
  ASSERT_EQ(matrix->tactics.size(), 1U);
  EXPECT_EQ(matrix->tactics[0].short_name, "execution");
  EXPECT_EQ(matrix->tactics[0].name, "Execution");
  ASSERT_EQ(matrix->techniques.size(), 2U);
  EXPECT_EQ(matrix->techniques[0].id, "T1059");
  EXPECT_EQ(matrix->techniques[1].name, "N T1059.004");
  EXPECT_EQ(matrix->techniques[1].tactics, std::vector<std::string>{"execution"});
  EXPECT_EQ(matrix->techniques[1].replaced_by, "");
}

TEST(AttackMatrix, what_is_revoked_leads_to_its_last_successor) {
  const std::string revoked = R"(,"revoked":true)";
  const auto matrix =
      read_bundle(bundle(pattern("1", "T1001", revoked) + "," + pattern("2", "T1002", revoked) + "," +
                         pattern("3", "T1003") + "," + pattern("4", "T1004", revoked) + "," +
                         pattern("5", "T1003", revoked) + "," + revoked_by("1", "2") + "," + revoked_by("2", "3") +
                         "," + revoked_by("5", "5") + "," + pattern("6", "T1006", R"(,"x_mitre_deprecated":true)")));
  ASSERT_TRUE(matrix) << matrix.error().message;
  std::vector<std::pair<std::string, std::string>> found;
  for (const Technique& each : matrix->techniques) found.emplace_back(each.id, each.replaced_by);
  EXPECT_EQ(found, (std::vector<std::pair<std::string, std::string>>{
                       {"T1001", "T1003"}, {"T1002", "T1003"}, {"T1003", ""}, {"T1004", ""}, {"T1006", ""}}));
}

TEST(AttackMatrix, what_is_no_bundle_is_refused) {
  for (const char* text :
       {"", "[]", "{}", "null", "{\"objects\":[1,[],{}]}", "{\"objects\":{}}", "{\"objects\":[{\"type\":"}) {
    EXPECT_FALSE(read_bundle(text)) << text;
  }
  EXPECT_FALSE(read_bundle(bundle(pattern("1", "T1")))) << "an id of another form";
  EXPECT_NE(read_bundle(std::string(100'000, '[')).error().message.find("levels deep"), std::string::npos);
}

}  // namespace
}  // namespace redoubt::rules::attack
