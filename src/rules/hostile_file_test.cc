// Files made to hurt, through the door that rule files take: each is refused with a reason, or loaded where it is only
// large, within a second of processor time.
#include <gtest/gtest.h>
#include <time.h>

#include <filesystem>
#include <iostream>

#include "base/file.h"
#include "event/frame.h"
#include "query/hunt.h"
#include "redoubt/event.pb.h"
#include "rules/rule_set.h"

namespace redoubt::rules {
namespace {

// For builds that are optimized. Without optimization the same work takes three to six times as long (measured), with
// sanitizers more: there the limit says only that the work ends.
constexpr double kCpuSecondsMax = 1.0;
#ifdef __OPTIMIZE__
constexpr double kBuildFactor = 1;
#else
constexpr double kBuildFactor = 8;
#endif
// Another test on the same machine takes caches away.
constexpr double kMargin = 1.5;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  constexpr double kNano = 1e-9;
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * kNano;
}

std::string repeated(std::string_view text, size_t count) {
  std::string out;
  out.reserve(text.size() * count);
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

std::string nested(std::string_view open, std::string_view inside, std::string_view close, size_t levels) {
  return repeated(open, levels) + std::string(inside) + repeated(close, levels);
}

std::string numbered(std::string_view before, std::string_view after, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += std::string(before) + std::to_string(i) + std::string(after);
  return out;
}

constexpr size_t kMillion = 1'000'000;
constexpr size_t kDeep = 100'000;
constexpr size_t kTenMegabytes = size_t{10} << 20;

std::string sigma_rule(const std::string& condition, const std::string& search = "Image: /x") {
  return "title: t\nlogsource: {product: linux, category: process_creation}\ndetection:\n  s:\n    " + search +
         "\n  condition: " + condition + "\n";
}
std::string falco_rule(const std::string& condition) {
  return "- rule: r\n  desc: d\n  output: o\n  priority: Debug\n  condition: evt.type = execve and " + condition + "\n";
}
std::string openioc(const std::string& inside) {
  return R"(<ioc xmlns="http://schemas.mandiant.com/2010/ioc" id="a"><short_description>t</short_description>)"
         "<definition>" +
         inside + "</definition></ioc>";
}
std::string stix(const std::string& pattern) {
  return R"({"type":"bundle","id":"bundle--1","objects":[{"type":"indicator","spec_version":"2.1",)"
         R"("id":"indicator--00000000-0000-4000-8000-000000000001","pattern_type":"stix","pattern":")" +
         pattern + "\"}]}";
}

std::string yaml_bomb(std::string_view top) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 9; ++k) text += (k == 0 ? "*a" : ", *a") + std::to_string(i - 1);
    text += "]\n";
  }
  return std::string(top) + text;
}

std::string falco_list_bomb() {
  std::string text = "- list: l0\n  items: [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 24; ++i) {
    const std::string inner = "l" + std::to_string(i - 1);
    text += "- list: l" + std::to_string(i) + "\n  items: [" + inner + ", " + inner + ", " + inner + "]\n";
  }
  return text + falco_rule("proc.name in (l23)");
}

std::string falco_macro_bomb() {
  std::string text = "- macro: m0\n  condition: proc.name = x\n";
  for (int i = 1; i < 30; ++i) {
    const std::string inner = "m" + std::to_string(i - 1);
    text +=
        "- macro: m" + std::to_string(i) + "\n  condition: (" + inner + " or not " + inner + " and " + inner + ")\n";
  }
  return text + falco_rule("m29");
}

std::string entity_bomb() {
  std::string text = "<?xml version=\"1.0\"?><!DOCTYPE ioc [<!ENTITY e0 \"x\">";
  for (int i = 1; i < 20; ++i) {
    text += "<!ENTITY e" + std::to_string(i) + " \"";
    text += repeated("&e" + std::to_string(i - 1) + ";", 10) + "\">";
  }
  return text + "]><ioc id=\"a\"><short_description>&e19;</short_description></ioc>";
}

enum class Outcome : uint8_t { refused, quick };  // quick: loaded or not, in time

struct HostileFile {
  std::string_view name;
  std::string_view ending;
  Outcome outcome;
  std::string (*make)();
};

constexpr auto kHostileFiles = std::to_array<HostileFile>({
    {"sigma_10_megabytes", ".yml", Outcome::refused, [] { return sigma_rule("s") + repeated("# x\n", kTenMegabytes / 4); }},
    {"sigma_100_flow_levels", ".yml", Outcome::refused, [] { return sigma_rule("s", "Image: " + nested("[", "x", "]", 100)); }},
    {"sigma_deep_flow", ".yml", Outcome::refused, [] { return "title: " + nested("[", "x", "]", kDeep); }},
    {"sigma_deep_maps", ".yml", Outcome::refused, [] { return "title: " + nested("{a: ", "x", "}", kDeep); }},
    {"sigma_deep_blocks", ".yml", Outcome::refused, [] { return repeated("- ", kDeep) + "x\n"; }},
    {"sigma_unclosed", ".yml", Outcome::refused, [] { return "title: " + repeated("[", kMillion); }},
    {"sigma_quote_unclosed", ".yml", Outcome::refused, [] { return "title: \"" + repeated("a ", kMillion / 2); }},
    {"sigma_aliases", ".yml", Outcome::refused, [] { return yaml_bomb("title: t\n"); }},
    {"sigma_documents", ".yml", Outcome::refused, [] { return repeated("---\nx\n", kMillion / 6); }},
    {"sigma_empty_documents", ".yml", Outcome::refused, [] { return repeated("---\n", kMillion / 4); }},
    {"sigma_million_documents", ".yml", Outcome::refused, [] { return repeated("---\nx\n", kMillion); }},
    {"sigma_keys", ".yml", Outcome::refused, [] { return "title: t\n" + numbered("k", ": 1\n", 90'000); }},
    {"sigma_100_parentheses", ".yml", Outcome::quick, [] { return sigma_rule(nested("(", "s", ")", 100)); }},
    {"sigma_deep_parentheses", ".yml", Outcome::refused, [] { return sigma_rule(nested("(", "s", ")", kDeep)); }},
    {"sigma_nots", ".yml", Outcome::refused, [] { return sigma_rule(repeated("not ", kDeep) + "s"); }},
    {"sigma_ands", ".yml", Outcome::refused, [] { return sigma_rule(repeated("s and ", 170'000) + "s"); }},
    {"sigma_million_ands", ".yml", Outcome::refused, [] { return sigma_rule(repeated("s and ", kMillion) + "s"); }},
    {"sigma_values", ".yml", Outcome::quick, [] { return sigma_rule("s", "Image: [" + numbered("/a", ", ", 90'000) + "x]"); }},
    {"sigma_wildcards", ".yml", Outcome::quick, [] { return sigma_rule("s", "Image: '" + repeated("*a?", kDeep) + "'"); }},
    {"sigma_windash", ".yml", Outcome::quick, [] { return sigma_rule("s", "CommandLine|windash|contains: '" + repeated(" -a", kDeep) + "'"); }},
    {"sigma_base64", ".yml", Outcome::quick, [] { return sigma_rule("s", "CommandLine|utf16|base64offset|contains: '" + repeated("a", 900'000) + "'"); }},
    {"sigma_regex_repeated", ".yml", Outcome::refused, [] { return sigma_rule("s", "Image|re: '((a{0,100}){0,100}){0,100}'"); }},
    {"sigma_regex_huge_count", ".yml", Outcome::refused, [] { return sigma_rule("s", "Image|re: 'a{1000000}'"); }},
    {"sigma_regex_nested", ".yml", Outcome::refused, [] { return sigma_rule("s", "Image|re: '" + nested("(", "a", ")+", kDeep) + "'"); }},
    {"sigma_regex_classes", ".yml", Outcome::refused, [] { return sigma_rule("s", "Image|re: '(" + repeated("\\pL{90}", 900) + "){9}'"); }},
    {"falco_10_megabytes", ".yaml", Outcome::refused, [] { return falco_rule("proc.name = x") + repeated("# x\n", kTenMegabytes / 4); }},
    {"falco_deep_flow", ".yaml", Outcome::refused, [] { return "- rule: " + nested("[", "x", "]", kDeep); }},
    {"falco_aliases", ".yaml", Outcome::refused,
     [] { return "- list: a\n  items: &a [x]\n- list: b\n  items: [" + repeated("*a, ", 1000) + "*a]\n"; }},
    {"falco_items", ".yaml", Outcome::refused, [] { return repeated("- rule:\n", kDeep); }},
    {"falco_100_parentheses", ".yaml", Outcome::refused, [] { return falco_rule(nested("(", "proc.name = x", ")", 100)); }},
    {"falco_deep_parentheses", ".yaml", Outcome::refused, [] { return falco_rule(nested("(", "proc.name = x", ")", kDeep)); }},
    {"falco_nots", ".yaml", Outcome::quick, [] { return falco_rule(repeated("not ", kDeep) + "proc.name = x"); }},
    {"falco_ands", ".yaml", Outcome::refused, [] { return falco_rule(numbered("proc.pid > ", " and ", 40'000) + "proc.name = x"); }},
    {"falco_million_ands", ".yaml", Outcome::refused, [] { return falco_rule(repeated("x and ", kMillion) + "x"); }},
    {"falco_transformers", ".yaml", Outcome::refused, [] { return falco_rule(nested("tolower(", "proc.name", ")", 80'000) + " = x"); }},
    {"falco_lists", ".yaml", Outcome::refused, falco_list_bomb},
    {"falco_macros", ".yaml", Outcome::refused, falco_macro_bomb},
    {"falco_oneof", ".yaml", Outcome::refused, [] { return falco_rule("proc.name contains oneof (" + numbered("a", ", ", 50'000) + "x)"); }},
    {"falco_globs", ".yaml", Outcome::quick, [] { return falco_rule("proc.exepath glob \"" + repeated("*[a-z]?", 1000) + "\""); }},
    {"falco_prefixes", ".yaml", Outcome::quick, [] { return falco_rule("proc.exepath pmatch (" + numbered("/*/a", "*, ", 20'000) + "/x)"); }},
    {"falco_regex", ".yaml", Outcome::refused, [] { return falco_rule("proc.exepath regex \"((a{0,100}){0,100}){0,100}\""); }},
    {"falco_exceptions", ".yaml", Outcome::quick, [] {
       return falco_rule("proc.name = x") + "  exceptions:\n    - name: e\n      fields: proc.name\n      values: [" +
              numbered("a", ", ", 90'000) + "x]\n"; }},
    {"falco_rules", ".yaml", Outcome::quick, [] {
       std::string all;
       for (int i = 0; i < 9000; ++i)
         all += "- rule: r" + std::to_string(i) +
                "\n  desc: d\n  output: o\n  priority: Debug\n  condition: evt.type = execve and proc.name = x\n";
       return all; }},
    {"openioc_10_megabytes", ".ioc", Outcome::refused, [] { return openioc("") + repeated(" ", kTenMegabytes); }},
    {"openioc_entities", ".ioc", Outcome::refused, entity_bomb},
    {"openioc_100_levels", ".ioc", Outcome::refused, [] { return openioc(nested("<Indicator operator=\"OR\">", "", "</Indicator>", 100)); }},
    {"openioc_deep", ".ioc", Outcome::refused, [] { return openioc(nested("<Indicator>", "", "</Indicator>", kDeep)); }},
    {"openioc_deep_others", ".ioc", Outcome::refused, [] { return openioc(nested("<a>", "", "</a>", 400'000)); }},
    {"openioc_unclosed", ".ioc", Outcome::refused, [] { return openioc(repeated("<a>", kMillion)); }},
    {"openioc_attributes", ".ioc", Outcome::refused, [] { return openioc("<a " + numbered("b", "='1' ", 200'000) + "/>"); }},
    {"openioc_conditions", ".ioc", Outcome::refused, [] {
       return openioc("<Indicator operator=\"OR\">" +
                      repeated("<IndicatorItem condition=\"is\"><Context search=\"x\"/></IndicatorItem>", 40'000) +
                      "</Indicator>"); }},
    {"stix_17_megabytes", ".stix.json", Outcome::refused, [] { return stix("x") + repeated(" ", size_t{17} << 20); }},
    {"stix_deep_arrays", ".stix.json", Outcome::refused, [] { return "{\"type\":\"bundle\",\"objects\":" + nested("[", "", "]", kDeep) + "}"; }},
    {"stix_deep_maps", ".stix.json", Outcome::refused, [] { return nested("{\"a\":", "1", "}", kMillion); }},
    {"stix_unclosed", ".stix.json", Outcome::refused, [] { return repeated("[", kTenMegabytes); }},
    {"stix_million_keys", ".stix.json", Outcome::refused, [] { return "{" + numbered("\"k", "\":1,", kMillion) + "\"k\":1}"; }},
    {"stix_million_objects", ".stix.json", Outcome::refused, [] { return "{\"type\":\"bundle\",\"objects\":[" + repeated("{},", kMillion) + "{}]}"; }},
    {"stix_100_parentheses", ".stix.json", Outcome::refused, [] { return stix("[" + nested("(", "file:name = 'x'", ")", 100) + "]"); }},
    {"stix_deep_parentheses", ".stix.json", Outcome::refused, [] { return stix(nested("(", "[file:name = 'x']", ")", kDeep)); }},
    {"stix_million_ands", ".stix.json", Outcome::refused, [] { return stix("[" + repeated("a:b=1 AND ", kMillion) + "a:b=1]"); }},
    {"stix_ors", ".stix.json", Outcome::refused, [] { return stix("[" + repeated("file:name='x' OR ", 15'000) + "file:name='x']"); }},
    {"stix_regex", ".stix.json", Outcome::refused, [] { return stix("[file:name MATCHES '((a{0,100}){0,100}){0,100}']"); }},
    {"list_long_line", ".iocs.txt", Outcome::refused, [] { return repeated("a", kTenMegabytes); }},
    {"list_long_domain", ".iocs.txt", Outcome::refused, [] { return repeated("a.", kTenMegabytes / 2) + "com\n"; }},
    {"list_million_lines", ".iocs.txt", Outcome::refused, [] { return repeated("?\n", kMillion); }},
    {"list_zeros", ".iocs.txt", Outcome::refused, [] { return std::string(kTenMegabytes, '\0'); }},
});

class HostileFileTest : public testing::TestWithParam<HostileFile> {};

TEST_P(HostileFileTest, is_refused_in_time) {
  const HostileFile& file = GetParam();
  const base::TempDir directory;
  const std::string path = directory / ("x" + std::string(file.ending));
  ASSERT_TRUE(base::write_file_atomic(path, file.make(), base::kPublicFile));
  const double before = cpu_seconds();
  const auto set = RuleSet::load(directory / "");
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_TRUE(set->compile());
  const double taken = cpu_seconds() - before;
  EXPECT_LT(taken, kCpuSecondsMax * kBuildFactor * kMargin);
  std::cout << "  " << file.name << ": " << taken << " s, " << set->rules().size() << " rules";
  if (!set->refusals().empty()) {
    const Refusal& first = set->refusals().front();
    std::cout << ", " << first.diagnostic.code << ": " << first.diagnostic.message.substr(0, 200);
    constexpr size_t kRenderedMax = 4096;
    EXPECT_FALSE(first.diagnostic.message.empty());
    EXPECT_LT(first.rendered.size(), kRenderedMax);
    constexpr size_t kRefusalsMax = 1000;
    EXPECT_LE(set->refusals().size(), kRefusalsMax);
  }
  std::cout << "\n";
  if (file.outcome == Outcome::refused) {
    EXPECT_FALSE(set->refusals().empty());
    EXPECT_TRUE(set->rules().empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Files, HostileFileTest, testing::ValuesIn(kHostileFiles),
                         [](const auto& each) { return std::string(each.param.name); });

struct HostileQuery {
  std::string_view name;
  std::string (*make)();
};
constexpr auto kHostileQueries = std::to_array<HostileQuery>({
    {"too_long", [] { return repeated("FileName = \"x\" AND ", kMillion); }},
    {"parentheses", [] { return nested("(", "FileName = \"x\"", ")", 30'000); }},
    {"nots", [] { return repeated("NOT ", 15'000) + "FileName = \"x\""; }},
    {"values", [] { return "FileName IN (" + numbered("\"a", "\", ", 20'000) + "\"x\")"; }},
    {"regex", [] { return std::string("FileName MATCHES \"((a{0,100}){0,100}){0,100}\""); }},
    {"quote", [] { return "FileName = \"" + repeated("a", 60'000); }},
});

class HostileQueryTest : public testing::TestWithParam<HostileQuery> {};

TEST_P(HostileQueryTest, is_refused_in_time) {
  const std::string text = GetParam().make();
  const double before = cpu_seconds();
  const auto hunt = query::parse_hunt(text, {1});
  EXPECT_LT(cpu_seconds() - before, kCpuSecondsMax * kBuildFactor * kMargin);
  ASSERT_FALSE(hunt);
  EXPECT_FALSE(hunt.error().message.empty());
}

INSTANTIATE_TEST_SUITE_P(Queries, HostileQueryTest, testing::ValuesIn(kHostileQueries),
                         [](const auto& each) { return std::string(each.param.name); });

// Expressions that take other engines a time that grows with the square of the text, or faster.
TEST(HostileRegex, that_loads_takes_a_time_that_grows_with_the_text) {
  const base::TempDir directory;
  size_t number = 0;
  for (const char* pattern : {"(a+)+$", "(a|aa)+$", "(.*a){20}b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y",
                              "(?:a?){50}a{50}$", "a.*a.*a.*a.*a.*b"}) {
    const std::string path = directory / ("r" + std::to_string(number++) + ".yml");
    ASSERT_TRUE(base::write_file_atomic(path, sigma_rule("s", "CommandLine|re: '" + std::string(pattern) + "'"),
                                        base::kPublicFile));
  }
  const auto set = RuleSet::load(directory / "");
  ASSERT_TRUE(set) << set.error().message;
  ASSERT_EQ(set->rules().size() + set->refusals().size(), number);
  EXPECT_GE(set->rules().size(), 6U);
  auto matcher = set->compile();
  ASSERT_TRUE(matcher) << matcher.error().message;
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_PROCESS);
  event.set_event_action("exec");
  event.set_event_sequence(1);
  event.set_event_time(1);
  event.set_process_command_line(repeated("a", 60'000) + "!");
  event::FrameBuilder builder{v1::Event()};
  builder.add(event);
  const event::Frame frame = builder.finish("boot");
  const auto batch = event::Batch::decode(event::open_frame(frame.payload, frame.checksum).value()).value();
  std::vector<query::match::Hit> hits;
  const double before = cpu_seconds();
  matcher->match(batch, hits);
  EXPECT_LT(cpu_seconds() - before, kCpuSecondsMax * kBuildFactor * kMargin);
}

}  // namespace
}  // namespace redoubt::rules
