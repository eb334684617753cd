// What needs no server: the route table against the API description, rights, targets, parameters, files.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/file.h"
#include "central/api/dispatcher.h"
#include "central/api/parameters.h"
#include "central/api/static_files.h"
#include "central/api/target.h"

namespace redoubt::central {
namespace {

// "GET /alerts/{id}" of every operation in the description: its layout is two blanks a level.
std::set<std::string> described_operations() {
  std::ifstream file(REDOUBT_SOURCE_DIR "/proto/openapi.yaml");
  std::set<std::string> operations;
  std::string line, path;
  bool in_paths = false;
  while (std::getline(file, line)) {
    if (!line.empty() && line[0] != ' ' && line[0] != '#') in_paths = line.starts_with("paths:");
    if (!in_paths) continue;
    if (line.starts_with("  /")) path = line.substr(2, line.find_last_of(':') - 2);
    for (const auto& [key, name] : {std::pair{"    get:", "GET"},
                                    {"    post:", "POST"},
                                    {"    patch:", "PATCH"},
                                    {"    put:", "PUT"},
                                    {"    delete:", "DELETE"}}) {
      if (line.starts_with(key)) operations.insert(std::string(name) + " " + path);
    }
  }
  return operations;
}

TEST(Routes, are_those_of_the_api_description) {
  std::set<std::string> ours;
  for (const Door* door : {&api_door(), &scanner_door()}) {
    for (const Route& route : door->routes)
      ours.insert(std::string(name_of(route.method)) + " " + std::string(route.pattern));
  }
  EXPECT_EQ(ours.size(), api_door().routes.size() + scanner_door().routes.size());
  EXPECT_EQ(ours, described_operations());
}

TEST(Routes, the_literal_path_wins) {
  std::vector<std::string> parameters;
  EXPECT_EQ(find_route(api_door(), Method::get, "/alerts/stream", parameters)->pattern, "/alerts/stream");
  EXPECT_EQ(find_route(api_door(), Method::get, "/alerts/7", parameters)->pattern, "/alerts/{id}");
  EXPECT_EQ(parameters, std::vector<std::string>{"7"});
  EXPECT_EQ(find_route(api_door(), Method::post, "/rules/reload", parameters)->pattern, "/rules/reload");
  EXPECT_EQ(find_route(api_door(), Method::get, "/rules/list:a%2Fb", parameters)->pattern, "/rules/{id}");
  EXPECT_EQ(parameters, std::vector<std::string>{"list:a/b"});
  EXPECT_EQ(find_route(api_door(), Method::get, "/alerts/7/tree/x", parameters), nullptr);
  EXPECT_EQ(find_route(api_door(), Method::del, "/alerts/7", parameters), nullptr);
}

// Who may change what: reading is for all, changes need a rank; these rows are the policy.
TEST(Routes, an_auditor_changes_nothing) {
  const std::set<std::string> harmless = {
      "/session",       "/map/neighbours", "/hunts",        "/hunts/export", "/hunts/histogram", "/hunts/check",
      "/hunts/outline", "/hunts/print",    "/hunts/values", "/rules/check",  "/rules/backtest",  "/exclusions/check"};
  for (const Route& route : api_door().routes) {
    if (route.method == Method::get || route.least == Access::anyone || harmless.contains(std::string(route.pattern))) {
      continue;
    }
    EXPECT_FALSE(may(Role::auditor, route.least)) << route.pattern;
  }
}

TEST(Routes, without_login_only_these) {
  std::set<std::string> open;
  for (const Route& route : api_door().routes) {
    if (route.least == Access::anyone) open.insert(std::string(name_of(route.method)) + std::string(route.pattern));
  }
  EXPECT_EQ(open, (std::set<std::string>{"POST/session", "POST/enroll", "GET/health", "GET/openapi.yaml"}));
}

TEST(Routes, external_systems_have_a_door_of_their_own) {
  for (const Route& route : scanner_door().routes) {
    EXPECT_EQ(route.least, Access::external_system) << route.pattern;
    EXPECT_TRUE(route.pattern.starts_with("/sensors/{sensorId}/")) << route.pattern;
  }
  for (const Route& route : api_door().routes) EXPECT_NE(route.least, Access::external_system) << route.pattern;
  EXPECT_FALSE(may(Role::administrator, Access::external_system));
}

TEST(Target, is_decoded_by_segment) {
  const auto target = parse_target("/a%2Fb/c?x=1+2&y=%41");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (std::vector<std::string>{"a/b", "c"}));
  EXPECT_EQ(target->query.at("x"), "1 2");
  EXPECT_EQ(target->query.at("y"), "A");
  for (const char* bad : {"", "x", "/%", "/%4", "/%zz", "/%00", "/a?%00=1"}) EXPECT_FALSE(parse_target(bad)) << bad;
  EXPECT_TRUE(parse_target("/%41")->segments == std::vector<std::string>{"A"});
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "/x";
  EXPECT_FALSE(parse_target(deep));
}

TEST(JsonBody, names_the_key_that_is_wrong) {
  const auto message = [](std::string_view text) { return JsonBody::parse(text, {"name"}).error().message; };
  EXPECT_NE(message(R"({"nam":1})").find("'nam'"), std::string::npos);
  EXPECT_NE(message("[").find("not JSON"), std::string::npos);
  EXPECT_NE(message("[]").find("not a JSON object"), std::string::npos);
  EXPECT_NE(message("{\"name\":\"\xff\"}").find("not JSON"), std::string::npos);
  const auto body = JsonBody::parse(R"({"name":7})", {"name"});
  ASSERT_TRUE(body);
  EXPECT_NE(body->text("name", {}).error().message.find("'name'"), std::string::npos);
  EXPECT_NE(body->text("other", {}).error().message.find("missing"), std::string::npos);
  EXPECT_EQ(body->integer("name", {0, 1, 5}).error().code, Errc::invalid_argument);
  EXPECT_EQ(body->integer("name", {0, 1, 10}).value(), 7);
}

TEST(JsonBody, deep_ones_are_refused_unparsed) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_NE(JsonBody::parse(deep, {}).error().message.find("too deeply"), std::string::npos);
  EXPECT_TRUE(JsonBody::parse(R"({"name":"[[[[[[[[[[[[[[[[[[[[[[[["})", {"name"}));
}

TEST(JsonBody, huge_numbers_are_out_of_range) {
  EXPECT_EQ(JsonBody::parse(R"({"a":1e400})", {"a"}).error().code, Errc::invalid_argument);
  const auto body = JsonBody::parse(R"({"a":18446744073709551615,"b":-9223372036854775808,"c":1.5})", {"a", "b", "c"});
  ASSERT_TRUE(body);
  EXPECT_FALSE(body->integer("a", {0, 0, 100}));
  EXPECT_FALSE(body->integer("b", {0, 0, 100}));
  EXPECT_FALSE(body->integer("c", {0, 0, 100}));
}

TEST(JsonBody, flags_durations_and_nulls) {
  const auto body = JsonBody::parse(R"({"a":true,"b":"15m","c":null,"d":1})", {"a", "b", "c", "d"});
  ASSERT_TRUE(body);
  EXPECT_EQ(body->optional_flag("a").value(), true);
  EXPECT_EQ(body->optional_flag("none").value(), std::nullopt);
  EXPECT_NE(body->optional_flag("d").error().message.find("'d'"), std::string::npos);
  EXPECT_EQ(body->optional_duration_us("b").value(), 900'000'000);
  EXPECT_FALSE(body->optional_duration_us("d"));
  EXPECT_TRUE(body->is_null("c"));
  EXPECT_FALSE(body->is_null("a"));
  EXPECT_FALSE(body->is_null("none"));
}

class StaticFiles : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(base::make_directories(web_ / "assets"));
    ASSERT_TRUE(base::write_file_atomic(web_ / "index.html", "<html>", base::kPublicFile));
    ASSERT_TRUE(base::write_file_atomic(web_ / "assets/a.js", "1", base::kPublicFile));
    ASSERT_TRUE(base::write_file_atomic(outside_ / "secret.txt", "secret", base::kPublicFile));
  }
  base::TempDir web_, outside_;
};

TEST_F(StaticFiles, paths_without_extension_are_the_page) {
  EXPECT_EQ(serve_file(web_.path(), {}).body, "<html>");
  EXPECT_EQ(serve_file(web_.path(), {"alerts", "7"}).body, "<html>");
  const Response script = serve_file(web_.path(), {"assets", "a.js"});
  EXPECT_EQ(script.content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(serve_file(web_.path(), {"assets", "b.js"}).status, 404);
}

TEST_F(StaticFiles, nothing_outside_is_served) {
  const std::string outside = outside_.path().substr(outside_.path().rfind('/') + 1);
  EXPECT_EQ(serve_file(web_.path(), {"..", outside, "secret.txt"}).status, 404);
  EXPECT_EQ(serve_file(web_.path(), {"../" + outside + "/secret.txt"}).status, 404);
  EXPECT_EQ(serve_file(web_.path(), {outside_.path() + "/secret.txt"}).status, 404);
  EXPECT_EQ(serve_file(web_.path(), {".hidden"}).status, 404);
  EXPECT_EQ(serve_file("", {}).status, 404);
}

}  // namespace
}  // namespace redoubt::central
