#include "gateway/folder/settings.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "gateway/folder/folder_check.h"

namespace redoubt::gateway::folder {
namespace {

const std::string kFingerprint(64, 'a');

std::string node_keys() {
  return R"("kata_cn_addr": "node.example:8443", "system_id": "u", "cert_pem": "cert.pem", "cert_key": "/keys/key.pem",
            "server_fingerprint": ")" +
         kFingerprint + "\"";
}

std::string message_of(const std::string& json) {
  const auto settings = parse_settings(json, "/etc/redoubt");
  return settings ? "" : settings.error().message;
}

TEST(Settings, takes_the_original_configuration_with_its_behaviour) {
  const auto settings = parse_settings(R"({"in_dir": "/in/", "out_dir": "/out", "qrnt_dir": "/q", "cert_pem": "/c.pem",
    "cert_key": "/k.pem", "kata_cn_addr": "10.0.0.1", "system_id": "u", "server_verification": "none"})",
                                       "");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->scanner.host, "10.0.0.1");
  EXPECT_EQ(settings->scanner.port, "443");
  EXPECT_EQ(settings->scanner.trust.by, ServerTrust::By::nothing);
  ASSERT_EQ(settings->folders.size(), 1U);
  const FolderSet& set = settings->folders[0];
  EXPECT_EQ(set.input, "/in");
  EXPECT_EQ(set.work, "/in/.redoubt-work");
  EXPECT_EQ(set.size_limit, 100'000'000U);
  EXPECT_EQ(set.over_limit, Action::leave);
  EXPECT_EQ(set.same_name, SameName::replace);
  EXPECT_EQ(set.subfolders, Subfolders::no);
}

TEST(Settings, takes_any_number_of_sets) {
  const base::TempDir dir;
  ASSERT_TRUE(base::write_file_atomic(dir / "masks", "*.tmp\n", base::kPublicFile));
  const auto settings = parse_settings("{" + node_keys() + R"(, "parallel": 4, "poll_seconds": 0.25,
    "folders": [
      {"name": "mail", "in_dir": "a", "out_dir": "b", "qrnt_dir": "c", "subfolders": true, "size_limit": "10MiB",
       "over_limit": "pass", "exclude_list": "masks", "excluded": "pass", "same_name": "keep_both",
       "on_detect": "leave", "on_error": "leave", "on_timeout": "pass", "retries": 0, "settle_seconds": 0.5,
       "sweep_seconds": 2, "temporary_settle_seconds": 9, "work_dir": "/w"},
      // a comment
      {"in_dir": "/d", "out_dir": "/e", "qrnt_dir": "/f"}]})",
                                       dir.path());
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->scanner.certificate_file, dir / "cert.pem");
  EXPECT_EQ(settings->scanner.key_file, "/keys/key.pem");
  EXPECT_EQ(settings->poll_ms, 250);
  ASSERT_EQ(settings->folders.size(), 2U);
  const FolderSet& mail = settings->folders[0];
  EXPECT_EQ(mail.input, dir / "a");
  EXPECT_EQ(mail.size_limit, 10U << 20);
  EXPECT_EQ(mail.over_limit, Action::pass);
  EXPECT_EQ(mail.on_detect, Action::leave);
  EXPECT_EQ(mail.settle_ms, 500);
  EXPECT_EQ(mail.work, "/w");
  EXPECT_TRUE(mail.exclude.match("x/y.tmp"));
  EXPECT_EQ(settings->folders[1].name, "folder2");
  EXPECT_EQ(settings->folders[1].over_limit, Action::quarantine);
  EXPECT_EQ(settings->folders[1].same_name, SameName::keep_both);
}

TEST(Settings, say_what_is_wrong) {
  const std::string set = R"("in_dir": "/a", "out_dir": "/b", "qrnt_dir": "/c")";
  struct Case {
    std::string json;
    std::string expected;
  };
  for (const Case& wrong : std::vector<Case>{
           {"{\n\n\"a\": }", "line 3: no valid JSON"},
           {"[]", "an object is expected"},
           {"{" + node_keys() + ", " + set + R"(, "in_dirr": "x"})", "unknown key 'in_dirr' (did you mean in_dir"},
           {"{" + node_keys() + R"(, "folders": [{)" + set + R"(, "sub_folders": true}]})",
            "folders[0]: unknown key 'sub_folders' (did you mean subfolders"},
           {"{" + node_keys() + ", " + set + R"(, "on_detect": "pass"})",
            R"(on_detect: "pass" is none of quarantine, leave)"},
           {"{" + node_keys() + ", " + set + R"(, "retries": -1})", "retries: a number from 0 to 100 is expected"},
           {"{" + node_keys() + ", " + set + R"(, "settle_seconds": "5"})", "settle_seconds: a number of seconds"},
           {"{" + node_keys() + ", " + set + R"(, "size_limit": "ten"})", "size_limit: "},
           {"{" + node_keys() + ", " + set + R"(, "subfolders": "yes"})", "subfolders: true or false is expected"},
           {"{" + node_keys() + ", " + set + R"(, "exclude_list": "/nowhere"})", "exclude_list: open /nowhere"},
           {"{" + node_keys() + R"(, "in_dir": "/a", "out_dir": "/b"})", "'qrnt_dir' is missing"},
           {"{" + node_keys() + R"(, "in_dir": "/a", "folders": []})",
            "'in_dir' belongs into the objects of \"folders\""},
           {"{" + node_keys() + R"(, "folders": [{"name": "x", )" + set + R"(}, {"name": "x", )" + set + "}]}",
            "folders[1]: there is a folder named 'x' already"},
           {"{" + node_keys() + ", " + set + R"(, "server_ca": "ca.pem"})", "one of server_fingerprint, server_ca"},
           {"{" + node_keys() + ", " + set + R"(, "kata_cn_addr": "a:b:"})", "system"},
       }) {
    const std::string message = message_of(wrong.json);
    if (wrong.expected == "system") continue;
    EXPECT_NE(message.find(wrong.expected), std::string::npos) << wrong.json << "\n" << message;
  }
}

TEST(Settings, never_trust_an_unknown_node_without_being_told) {
  const std::string keys =
      R"("in_dir": "/in", "out_dir": "/out", "qrnt_dir": "/q", "cert_pem": "/c", "cert_key": "/k", "system_id": "u",
         "kata_cn_addr": "h")";
  EXPECT_NE(message_of("{" + keys + "}").find("how is the node known?"), std::string::npos);
  EXPECT_NE(message_of("{" + keys + R"(, "server_verification": "off"})").find("is not \"none\""), std::string::npos);
  EXPECT_NE(message_of("{" + keys + R"(, "server_fingerprint": "aa"})").find("64 hexadecimal digits"),
            std::string::npos);
  const auto ca = parse_settings("{" + keys + R"(, "server_ca": "ca.pem"})", "/etc");
  ASSERT_TRUE(ca);
  EXPECT_EQ(ca->scanner.trust.by, ServerTrust::By::ca);
  EXPECT_EQ(ca->scanner.trust.value, "/etc/ca.pem");
}

TEST(Settings, read_addresses) {
  const auto scanner = [](const std::string& address) {
    auto settings = parse_settings(R"({"in_dir": "/in", "out_dir": "/out", "qrnt_dir": "/q", "cert_pem": "/c",
      "cert_key": "/k", "system_id": "u", "server_verification": "none", "kata_cn_addr": ")" +
                                       address + "\"}",
                                   "");
    return settings ? settings->scanner.host + " " + settings->scanner.port : settings.error().message;
  };
  EXPECT_EQ(scanner("node"), "node 443");
  EXPECT_EQ(scanner("https://node:8443/"), "node 8443");
  EXPECT_EQ(scanner("[::1]:8443"), "::1 8443");
  EXPECT_EQ(scanner("fe80::1"), "fe80::1 443");
  for (const char* wrong : {"a b", "node:", "node:x", "user@node"}) {
    EXPECT_NE(scanner(wrong).find("is not HOST or HOST:PORT"), std::string::npos) << wrong;
  }
}

TEST(Masks, are_of_names_or_of_paths) {
  const Masks masks("# comment\r\n\n  *.tmp  \nThumbs.db\ndrafts/*.doc\n[a]*\n");
  EXPECT_EQ(masks.size(), 4U);
  for (const char* name : {"x.tmp", "a/b/x.tmp", "Thumbs.db", "s/Thumbs.db", "drafts/1.doc", "alpha"}) {
    EXPECT_TRUE(masks.match(name)) << name;
  }
  for (const char* name : {"x.TMP", "xThumbs.db", "other/1.doc", "drafts/x/1.doc", "1.doc", "beta"}) {
    EXPECT_FALSE(masks.match(name)) << name;
  }
}

TEST(FolderCheck, refuses_what_would_be_scanned_for_ever) {
  const base::TempDir dir;
  for (const char* name : {"in", "in/out", "out", "q"}) ASSERT_TRUE(base::make_directories(dir / name));
  Settings settings;
  settings.folders.push_back({.name = "one",
                              .input = dir / "in",
                              .output = dir / "out",
                              .quarantine = dir / "q",
                              .work = dir / "in/.redoubt-work"});
  FolderSet& set = settings.folders[0];
  EXPECT_TRUE(check_folders(settings));
  set.output = dir / "in/out";
  EXPECT_TRUE(check_folders(settings));  // the top alone is looked at
  set.subfolders = Subfolders::yes;
  EXPECT_NE(check_folders(settings).error().message.find("out_dir of 'one' is where 'one' looks for files"),
            std::string::npos);
  set.output = dir / "q";
  EXPECT_NE(check_folders(settings).error().message.find("the same folder"), std::string::npos);
  set.output = dir / "nowhere";
  EXPECT_NE(check_folders(settings).error().message.find("folder 'one': out_dir: "), std::string::npos);
  set.output = dir / "out";
  set.work = dir / "in/out/work";
  EXPECT_NE(check_folders(settings).error().message.find("its name must begin with .redoubt-"), std::string::npos);
  set.work = dir / "work";
  EXPECT_TRUE(check_folders(settings));
  settings.folders.push_back(
      {.name = "two", .input = dir / "in/out", .output = dir / "out", .quarantine = dir / "q", .work = dir / "work2"});
  EXPECT_NE(check_folders(settings).error().message.find("in the same folder"), std::string::npos);
}

}  // namespace
}  // namespace redoubt::gateway::folder
