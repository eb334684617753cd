#include "query/match/matcher.h"

#include <gtest/gtest.h>
#include <cstdlib>
#include <new>

#include "query/hunt.h"
#include "query/match/gate.h"
#include "query/match/literals.h"
#include "redoubt/event.pb.h"

namespace {
thread_local size_t allocations = 0;
}

// g++ 12 pairs the replaced delete with the built-in new once it has inlined one of them.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

// Counts what the program allocates. Not inlined: the compiler would see malloc and free behind new and delete.
[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
[[gnu::noinline]] void* operator new(size_t size) {
  if (void* memory = operator new(size, std::nothrow)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace redoubt::query::match {
namespace {

Expression parsed(std::string_view text) {
  auto hunt = parse_hunt(text, base::Time{});
  CHECK(hunt.has_value());
  return std::move(hunt->where);
}

Matcher compiled(std::initializer_list<std::string_view> texts) {
  std::vector<Expression> rules;
  for (const std::string_view text : texts) rules.push_back(parsed(text));
  auto matcher = Matcher::compile(rules);
  CHECK(matcher.has_value());
  return *std::move(matcher);
}

event::Batch batch_of(int count) {
  v1::EventBatch wire;
  wire.set_schema(1);
  for (int i = 0; i < count; ++i) {
    v1::Event& event = *wire.add_events();
    event.set_event_type(i % 2 == 0 ? v1::EVENT_TYPE_PROCESS : v1::EVENT_TYPE_FILECHANGE);
    event.set_event_sequence(i + 1);
    event.set_event_time(i);
    event.set_process_name("Curl");
    event.set_process_executable("/usr/bin/Curl");
    event.set_process_command_line("curl -o /tmp/X http://EXAMPLE.org/" + std::to_string(i));
    event.set_process_pid(i);
  }
  auto batch = event::Batch::decode(wire.SerializeAsString());
  CHECK(batch.has_value());
  return *std::move(batch);
}

std::vector<Hit> hits_of(Matcher& matcher, const event::Batch& batch) {
  std::vector<Hit> hits;
  matcher.match(batch, hits);
  return hits;
}

TEST(Matcher, reports_row_and_rule_in_order) {
  Matcher matcher = compiled({"PID = 1", "process.name = \"curl\"", "EventType = \"filechange\"", "NOT PID = 0", ""});
  const std::vector<Hit> wanted{{0, 1}, {0, 4}, {1, 0}, {1, 1}, {1, 2}, {1, 3}, {1, 4}};
  EXPECT_EQ(hits_of(matcher, batch_of(2)), wanted);
}

TEST(Matcher, can_be_used_again_and_moved) {
  Matcher first = compiled({"process.command_line CONTAINS \"example.ORG/1\""});
  const event::Batch batch = batch_of(12);
  const std::vector<Hit> wanted{{1, 0}, {10, 0}, {11, 0}};
  EXPECT_EQ(hits_of(first, batch), wanted);
  Matcher second = std::move(first);
  EXPECT_EQ(hits_of(second, batch), wanted);
}

TEST(Matcher, no_rules_match_nothing) {
  Matcher matcher = compiled({});
  EXPECT_TRUE(hits_of(matcher, batch_of(3)).empty());
}

TEST(Matcher, finds_every_literal_of_one_text) {
  Matcher matcher = compiled({"process.command_line CONTAINS \"tmp\"", "process.command_line CONTAINS \"/tmp/x\"",
                              "process.command_line CONTAINS \"p\", \"zzz\"", "process.command_line CONTAINS \"\"",
                              "process.command_line STARTS \"CURL \"", "process.command_line ENDS \"/0\"",
                              "process.command_line CONTAINS \"tmpx\"", "process.command_line ENDS \"/1\""});
  EXPECT_EQ(hits_of(matcher, batch_of(1)), (std::vector<Hit>{{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}}));
}

TEST(Matcher, allocates_nothing_after_the_first_batch) {
  Matcher matcher =
      compiled({"process.name = \"curl\" AND process.command_line CONTAINS \"example\"",
                "process.executable ENDS \"/curl\" OR process.pid > 5", "process.command_line LIKE \"*curl*org*\"",
                "NOT process.command_line MATCHES \"wget\"", "FileName = \"x\" OR UserName != \"root\""});
  const event::Batch batch = batch_of(200);
  std::vector<Hit> hits;
  hits.reserve(10'000);
  matcher.match(batch, hits);
  hits.clear();
  const size_t before = allocations;
  matcher.match(batch, hits);
  EXPECT_EQ(allocations, before);
  EXPECT_FALSE(hits.empty());
}

TEST(Gate, knows_the_event_types_of_a_rule) {
  const auto process = event::set_of(event::EventType::process);
  EXPECT_EQ(possible_types(parsed("EventType = \"process\" AND PID = 1")), process);
  EXPECT_EQ(possible_types(parsed("NOT EventType = \"process\"")), ~process);
  EXPECT_EQ(possible_types(parsed("EventType = \"process\" OR PID = 1")), event::kAllEventTypes);
  EXPECT_EQ(
      possible_types(parsed("FileName = \"x\"")) &
          ~(process | event::set_of(event::EventType::process_terminate) | event::set_of(event::EventType::filechange)),
      0U);
}

TEST(Gate, chooses_the_cheapest_necessary_tests) {
  const Expression rule =
      parsed("process.command_line MATCHES \"a\" AND (process.name = \"x\" OR PID = 1) AND NOT PID = 2");
  const auto tests = necessary_tests(rule);
  ASSERT_TRUE(tests.has_value());
  ASSERT_EQ(tests->size(), 2U);
  EXPECT_EQ(tests->front()->field, event::Field::process_name);
  EXPECT_FALSE(necessary_tests(parsed("NOT PID = 1")).has_value());
  EXPECT_FALSE(necessary_tests(parsed("PID = 1 OR EventType = \"loss\"")).has_value());
}

TEST(LiteralScanner, reports_overlapping_literals) {
  LiteralScanner scanner;
  const std::vector<std::string> literals{"he", "she", "his", "hers", "e", ""};
  for (size_t i = 0; i < literals.size(); ++i) scanner.add(literals[i], static_cast<PredicateId>(i));
  scanner.build();
  std::vector<PredicateId> found;
  scanner.find("ushers", [&](PredicateId id) { found.push_back(id); });
  EXPECT_EQ(found, (std::vector<PredicateId>{5, 1, 0, 4, 3}));
}

TEST(Matcher, counts_what_each_rule_costs) {
  Matcher matcher = compiled({"process.pid = 3", "process.pid >= 0", "process.name = \"nowhere\""});
  const event::Batch batch = batch_of(static_cast<int>(3 * kSampledEvents));
  std::vector<Hit> hits;
  matcher.match(batch, hits);
  const std::vector<RuleCounter> counters = matcher.counters();
  ASSERT_EQ(counters.size(), 3U);
  uint64_t matched = 0;
  for (const RuleCounter& counter : counters) {
    EXPECT_LE(counter.matched, counter.evaluated);
    matched += counter.matched;
  }
  EXPECT_EQ(matched, hits.size());
  EXPECT_EQ(counters[1].evaluated, batch.size());
  EXPECT_GT(counters[1].sampled_ns, 0U) << "every kSampledEvents-th event is timed";
  EXPECT_EQ(counters[2].evaluated, 0U);
}

}  // namespace
}  // namespace redoubt::query::match
