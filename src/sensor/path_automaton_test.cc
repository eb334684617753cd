#include "sensor/path_automaton.h"

#include <gtest/gtest.h>

#include <string>

namespace redoubt::sensor {
namespace {

SensorPolicy reads(std::vector<std::string> patterns) {
  SensorPolicy policy;
  policy.read_paths = std::move(patterns);
  return policy;
}

uint32_t files(const SensorPolicy& policy, std::string_view path) {
  const auto automaton = PathAutomaton::compile(policy);
  return automaton ? automaton->flags_of(RD_PATH_FILES, path) : ~0U;
}

TEST(PathAutomaton, goes_by_whole_names) {
  const SensorPolicy policy = reads({"/etc/shadow", "/home/*/.ssh/**", "/proc/*/environ"});
  for (const char* path :
       {"/etc/shadow", "/home/a/.ssh", "/home/b/.ssh/id_rsa", "/home/b/.ssh/a/b/c", "/proc/1/environ"}) {
    EXPECT_EQ(files(policy, path), uint32_t{RD_PATH_READ}) << path;
  }
  for (const char* path : {"/", "/etc", "/etc/shadow2", "/etc/shadow/x", "/x/etc/shadow", "/home/.ssh/x",
                           "/home/a/.sshd/x", "/proc/1/task/1/environ", "/proc/environ"}) {
    EXPECT_EQ(files(policy, path), 0U) << path;
  }
}

TEST(PathAutomaton, keeps_all_that_fits_one_path) {
  SensorPolicy policy = reads({"/a/*/c", "/a/b/**"});
  policy.excluded_paths = {"/a/b/x/**", "/a/z/c"};
  policy.excluded_programs = {"/usr/bin/tool"};
  policy.excluded_cgroups = {"/batch.slice/**"};
  EXPECT_EQ(files(policy, "/a/b/c"), uint32_t{RD_PATH_READ});
  EXPECT_EQ(files(policy, "/a/q/c"), uint32_t{RD_PATH_READ});
  EXPECT_EQ(files(policy, "/a/b/x/y"), uint32_t{RD_PATH_READ} | RD_PATH_EXCLUDED);
  EXPECT_EQ(files(policy, "/a/z/c"), uint32_t{RD_PATH_READ} | RD_PATH_EXCLUDED);
  EXPECT_EQ(files(policy, "/usr/bin/tool"), uint32_t{RD_PATH_PROGRAM});
  EXPECT_EQ(files(policy, "/batch.slice/x"), 0U);
  const auto automaton = PathAutomaton::compile(policy);
  EXPECT_EQ(automaton->flags_of(RD_PATH_CGROUPS, "/batch.slice/x.service"), uint32_t{RD_PATH_CGROUP});
  EXPECT_EQ(automaton->kinds(), uint32_t{RD_PATH_KINDS});
}

TEST(PathAutomaton, of_everything_and_of_nothing) {
  EXPECT_EQ(files(reads({"/**"}), "/any/where"), uint32_t{RD_PATH_READ});
  EXPECT_EQ(files(reads({}), "/any/where"), 0U);
  EXPECT_EQ(PathAutomaton::compile(reads({}))->kinds(), 0U);
}

TEST(PathAutomaton, refuses_what_is_no_pattern) {
  for (const std::string& pattern : {std::string("etc/shadow"), std::string("/etc/*.conf"), std::string("/a/**/b"),
                                     std::string("/a/../b"), "/" + std::string(kPolicyPatternNameBytesMax + 1, 'x')}) {
    const auto automaton = PathAutomaton::compile(reads({pattern}));
    ASSERT_FALSE(automaton) << pattern;
    EXPECT_NE(automaton.error().message.find(pattern), std::string::npos);
  }
  EXPECT_FALSE(PathAutomaton::compile(reads(std::vector<std::string>(kPolicyPatternsMax + 1, "/x"))));
}

TEST(PathAutomaton, refuses_patterns_that_multiply) {
  std::vector<std::string> patterns;
  for (int i = 0; i < 14; ++i) {
    std::string pattern;
    for (int name = 0; name < 14; ++name) pattern += name == i ? "/a" : "/*";
    patterns.push_back(pattern + "/end" + std::to_string(i));
  }
  const auto automaton = PathAutomaton::compile(reads(patterns));
  ASSERT_FALSE(automaton);
  EXPECT_NE(automaton.error().message.find("more room"), std::string::npos);
}

TEST(SensorPolicy, is_right_as_it_comes) {
  EXPECT_TRUE(check(SensorPolicy{}).has_value());
  EXPECT_EQ(files(SensorPolicy{}, "/root/.ssh/authorized_keys"), uint32_t{RD_PATH_READ});
  EXPECT_EQ(files(SensorPolicy{}, "/etc/passwd"), 0U);
  SensorPolicy policy;
  policy.unwanted = {"filechange.mkdir"};
  EXPECT_TRUE(check(policy).has_value());
  policy.unwanted = {"filechange.dance"};
  EXPECT_FALSE(check(policy).has_value());
}

}  // namespace
}  // namespace redoubt::sensor
