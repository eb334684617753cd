#include "query/match/matcher.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstdlib>
#include <new>
#include <random>
#include <set>

#include "base/text.h"
#include "event/batch_builder.h"
#include "query/hunt.h"
#include "query/match/gate.h"
#include "query/match/like_texts.h"
#include "query/match/literals.h"
#include "query/match/memo.h"
#include "query/match/prefixes.h"
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

Matcher compiled(const std::vector<std::string>& texts) {
  std::vector<Expression> rules;
  for (const std::string& text : texts) rules.push_back(parsed(text));
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

std::vector<TriggerSet> triggers_of(std::string_view text) {
  SlotTable slots;
  return necessary_triggers(parsed(text), slots, TriggerChances());
}

TEST(Gate, finds_a_set_of_triggers_for_each_part_that_must_hold) {
  const auto sets =
      triggers_of("process.command_line MATCHES \"a\" AND (process.name = \"x\" OR PID = 1) AND NOT PID = 2");
  ASSERT_EQ(sets.size(), 1U);
  ASSERT_EQ(sets.front().size(), 2U);
  EXPECT_TRUE(triggers_of("NOT PID = 1").empty());
  EXPECT_TRUE(triggers_of("PID = 1 OR EventType = \"loss\"").empty());
}

TEST(Gate, takes_literals_out_of_patterns_and_regular_expressions) {
  const auto only = [](std::string_view text) {
    const auto sets = triggers_of(text);
    CHECK(sets.size() == 1 && sets.front().size() == 1);
    return sets.front().front();
  };
  EXPECT_EQ(only("CommandLine LIKE \"*ab*cde?f*\"").text, "cde");
  EXPECT_EQ(only("CommandLine LIKE \"abc*d\"").kind, TriggerKind::start);
  EXPECT_EQ(only("CommandLine LIKE \"a*bcd\"").kind, TriggerKind::end);
  EXPECT_EQ(only("CommandLine MATCHES \"[0-9]+Needle\\s+x\"").text, "needle");
  EXPECT_TRUE(triggers_of("CommandLine MATCHES \"[0-9]+|needle\"").empty());
  // What our folding and RE2 may see differently is not taken.
  EXPECT_TRUE(triggers_of("CommandLine MATCHES \"stra\u00dfe\"").empty());
}

TEST(Gate, chooses_the_rarest_triggers_and_the_kind_of_record_first) {
  TriggerChances chances;
  SlotTable slots;
  const auto gate = [&](std::string_view text) {
    const Expression rule = parsed(text);
    GateChooser chooser(chances);
    const auto sets = necessary_triggers(rule, slots, chances);
    chooser.consider(sets, possible_types(rule));
    return chooser.choose(sets, possible_types(rule));
  };
  const Gate rare = gate("process.executable ENDS \".exe\" AND process.name = \"rare-tool.exe\"");
  EXPECT_TRUE(rare.kind.empty());
  ASSERT_EQ(rare.triggers.size(), 1U);
  EXPECT_EQ(rare.triggers.front().kind, TriggerKind::whole);
  const Gate kind =
      gate("event.code = 4663 AND log.channel = \"Security\" AND attributes.ObjectName ENDS \"lsass.exe\"");
  ASSERT_EQ(kind.kind.size(), 1U);
  EXPECT_EQ(kind.kind.front().number, 4663);
  ASSERT_EQ(kind.triggers.size(), 1U);
}

std::vector<std::pair<std::string, LiteralId>> random_literals(std::mt19937& random, size_t count, size_t size_min) {
  std::set<std::string> texts;
  while (texts.size() < count) {
    std::string text;
    for (size_t size = size_min + random() % 9; text.size() < size;) text += static_cast<char>('a' + random() % 4);
    texts.insert(text);
  }
  std::vector<std::pair<std::string, LiteralId>> literals;
  for (const std::string& text : texts) literals.emplace_back(text, static_cast<LiteralId>(literals.size()));
  return literals;
}

class LiteralScannerEngines : public testing::TestWithParam<LiteralScanner::Engine> {};

TEST_P(LiteralScannerEngines, find_what_a_search_for_each_literal_finds) {
  if (!LiteralScanner::has(GetParam())) GTEST_SKIP() << "skipped: this build or processor has no Hyperscan";
  std::mt19937 random(7);
  for (const auto& [count, size_min] : std::vector<std::pair<size_t, size_t>>{
           {1, 1}, {5, 1}, {60, 1}, {2000, 1}, {60, 4}, {60, 5}, {200, 6}, {500, 7}, {500, 9}}) {
    auto literals = random_literals(random, count, size_min);
    literals.emplace_back("", static_cast<LiteralId>(count));
    LiteralScanner scanner;
    for (const auto& [text, id] : literals) scanner.add(text, id);
    ScanScratch scratch;
    ASSERT_TRUE(scanner.build(GetParam(), scratch));
    for (int i = 0; i < 200; ++i) {
      std::string text;
      for (size_t size = random() % 40; text.size() < size;) text += static_cast<char>('a' + random() % 5);
      std::vector<LiteralId> found;
      scanner.find(text, scratch, found);
      std::vector<LiteralId> wanted;
      for (const auto& [literal, id] : literals) {
        if (text.find(literal) != std::string::npos) wanted.push_back(id);
      }
      EXPECT_EQ(std::set<LiteralId>(found.begin(), found.end()), std::set<LiteralId>(wanted.begin(), wanted.end()))
          << text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, LiteralScannerEngines,
                         testing::Values(LiteralScanner::Engine::best, LiteralScanner::Engine::windows,
                                         LiteralScanner::Engine::hyperscan));

TEST(LiteralTable, finds_whole_leading_and_trailing_text) {
  const auto found = [](Anchor anchor, std::string_view text) {
    LiteralTable table(anchor);
    const std::vector<std::string> literals{"/curl", "curl", "/bin/curl", "\\cmd.exe", "/usr", ".exe", "/", ""};
    for (size_t i = 0; i < literals.size(); ++i) table.add(literals[i], static_cast<LiteralId>(i));
    table.build();
    std::vector<LiteralId> ids;
    table.find(text, ids);
    std::sort(ids.begin(), ids.end());
    return ids;
  };
  EXPECT_EQ(found(Anchor::whole, "/bin/curl"), (std::vector<LiteralId>{2}));
  EXPECT_EQ(found(Anchor::end, "/usr/bin/curl"), (std::vector<LiteralId>{0, 1, 2, 7}));
  EXPECT_EQ(found(Anchor::end, "c:\\x\\cmd.exe"), (std::vector<LiteralId>{3, 5, 7}));
  EXPECT_EQ(found(Anchor::end, "/tmp/"), (std::vector<LiteralId>{6, 7}));
  EXPECT_EQ(found(Anchor::start, "/usr/bin"), (std::vector<LiteralId>{4, 6, 7}));
  EXPECT_EQ(found(Anchor::end, "curl"), (std::vector<LiteralId>{1, 7}));
}

TEST(PrefixTable, agrees_with_one_comparison_after_the_other) {
  const std::vector<std::string> prefixes{"10.0.0.0/8", "10.1.0.0/16", "10.0.0.1", "0.0.0.0/0",  "fd00::/8",
                                          "::/0",       "::1",         "x",        "10.0.0.0/9", "::ffff:10.0.0.0/104"};
  PrefixTable table;
  for (size_t i = 0; i < prefixes.size(); ++i) table.add(prefixes[i], static_cast<LiteralId>(i));
  table.build();
  for (const std::string address :
       {"10.0.0.1", "10.1.2.3", "10.200.0.1", "::ffff:10.0.0.1", "fd00::1", "::1", "x", ""}) {
    std::vector<LiteralId> wanted;
    for (size_t i = 0; i < prefixes.size(); ++i) {
      if (base::in_cidr(address, prefixes[i])) wanted.push_back(static_cast<LiteralId>(i));
    }
    std::vector<LiteralId> found;
    table.find(address, found);
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, wanted) << address;
    EXPECT_EQ(table.any(address), !wanted.empty()) << address;
  }
}

TEST(ValueMemo, keeps_what_was_found_and_forgets_when_it_is_full) {
  ValueMemo memo;
  const std::vector<LiteralId> found{3, 5};
  const auto key = ValueMemo::key_of("value");
  EXPECT_FALSE(memo.find(key).has_value());
  memo.keep(key, found);
  const auto kept = memo.find(key);
  ASSERT_TRUE(kept.has_value());
  EXPECT_TRUE(std::equal(kept->begin(), kept->end(), found.begin(), found.end()));
  EXPECT_FALSE(memo.find(ValueMemo::key_of("valuf")).has_value());
  for (size_t i = 0; i < ValueMemo::kCells; ++i) memo.keep(ValueMemo::key_of(std::to_string(i)), {});
  EXPECT_FALSE(memo.find(key).has_value());
  const auto last = memo.find(ValueMemo::key_of(std::to_string(ValueMemo::kCells - 1)));
  ASSERT_TRUE(last.has_value());
  EXPECT_TRUE(last->empty());
}

TEST(Matcher, finds_nothing_in_attributes_without_text) {
  auto matcher = compiled({"attributes CONTAINS \"needle\"", "attributes.a CONTAINS \"needle\""});
  event::BatchBuilder builder;
  builder.add_attribute("a", "");
  builder.finish_event(event::EventType::systemlog);
  builder.finish_event(event::EventType::systemlog);
  std::vector<Hit> hits;
  matcher.match(builder.take(), hits);
  EXPECT_TRUE(hits.empty());
}

// The look ahead is at all texts of a batch, wherever they are kept.
TEST(Matcher, finds_words_in_attributes_that_lie_apart) {
  auto matcher = compiled({"attributes CONTAINS \"needle\" OR attributes CONTAINS \"Kelvin\""});
  event::BatchBuilder builder;
  constexpr size_t kMany = 40;
  for (size_t i = 0; i < kMany; ++i) {
    builder.add_attribute("a", std::string(20'000, 'x'));
    builder.add_attribute("b", i % 2 == 0 ? "a NEEDLE" : "hay");
    builder.add_attribute("c", std::string(i * 700, 'y'));
    builder.add_attribute("d", i % 5 == 0 ? "\xE2\x84\xAA"
                                            "elvin"
                                          : "\xC2\xAE");
    builder.finish_event(event::EventType::systemlog);
  }
  const event::Batch batch = builder.take();
  std::vector<Hit> hits;
  matcher.match(batch, hits);
  std::vector<Hit> wanted;
  for (uint32_t i = 0; i < kMany; ++i) {
    if (i % 2 == 0 || i % 5 == 0) wanted.push_back({i, 0});
  }
  EXPECT_EQ(hits, wanted);
}

// One look at the batch is for the fields of a keyword rule too.
TEST(Matcher, finds_words_in_fields_and_in_attributes) {
  auto matcher =
      compiled({"attributes CONTAINS \"needle\" OR process.name CONTAINS \"needle\" OR UserName = \"needle\"",
                "process.name CONTAINS \"hay\""});
  const std::vector<std::vector<std::string>> rows{
      {"hay", "x", "x"}, {"a NEEDLE", "x", "x"}, {"x", "needle", "x"}, {"x", "x", "a needle"}};
  const std::vector<std::vector<Hit>> wanted{{{0, 1}}, {{0, 0}}, {{0, 0}}, {{0, 0}}};
  for (size_t i = 0; i < rows.size(); ++i) {
    event::BatchBuilder builder;
    builder.set(event::Field::process_name, rows[i][0]);
    builder.set(event::Field::user_name, rows[i][1]);
    builder.add_attribute("a", rows[i][2]);
    builder.finish_event(event::EventType::process);
    EXPECT_EQ(hits_of(matcher, builder.take()), wanted[i]) << i;
  }
}

// A part of each word is looked for first; only the whole word counts, in any case and at either end of a text.
TEST(CaselessLook, finds_whole_literals) {
  CaselessLook look;
  ScanScratch scratch;
  ASSERT_TRUE(look.build({"kerberos::golden", "\\mimilib.dll", "xyz"}, scratch));
  if (!LiteralScanner::has(LiteralScanner::Engine::hyperscan)) GTEST_SKIP() << "skipped: no Hyperscan here";
  for (const char* const there : {"Kerberos::GOLDEN", "a kerberos::golden", "c:\\MimiLib.DLL!", "xYz"}) {
    EXPECT_TRUE(look.may_hold(there, scratch)) << there;
  }
  for (const char* const absent : {"", "berberos::golden", "erberos::golden", "kerberos::golde", "mimilib.dll", "xy z",
                                   "c:\\otherlib.dll", "s::gol"}) {
    EXPECT_FALSE(look.may_hold(absent, scratch)) << absent;
  }
}

// Numbers of texts mean something else in each batch.
TEST(Matcher, forgets_the_numbers_of_texts_with_their_batch) {
  auto matcher = compiled({"attributes CONTAINS \"needle\"", "process.name = \"cat\""});
  for (const bool present : {false, true, false, true}) {
    event::BatchBuilder builder;
    for (size_t i = 0; i < 3; ++i) {
      builder.set(event::Field::process_name, std::string_view(present ? "cat" : "dog"));
      builder.add_attribute("a", present ? "a needle" : "hay");
      builder.finish_event(event::EventType::process);
    }
    std::vector<Hit> hits;
    matcher.match(builder.take(), hits);
    EXPECT_EQ(hits.size(), present ? 6U : 0U);
  }
}

event::Batch batch_of_processes(const std::vector<std::vector<std::string>>& rows) {
  event::BatchBuilder builder;
  for (const auto& row : rows) {
    builder.set(event::Field::event_time, static_cast<int64_t>(builder.size()));
    builder.set(event::Field::process_name, row[0]);
    builder.set(event::Field::user_name, row[1]);
    builder.add_attribute("a", row[2]);
    builder.finish_event(event::EventType::process);
  }
  return builder.take();
}

// What is remembered of events are the values of all that their rules read, also of what is read for the first time
// after others were remembered.
TEST(Matcher, tells_events_apart_by_what_rules_read) {
  auto matcher = compiled({"process.name = \"cat\" AND NOT UserName = \"root\" AND attributes.a != \"x\"",
                           "process.name = \"dog\" AND (UserName = \"root\" OR attributes CONTAINS \"needle\")"});
  const std::vector<std::vector<std::string>> rows{{"cow", "root", "x"}, {"cow", "ann", "y"},  {"cat", "root", "x"},
                                                   {"cat", "ann", "x"},  {"cat", "ann", "y"},  {"dog", "root", "x"},
                                                   {"dog", "ann", "y"},  {"cat", "root", "y"}, {"cat", "bob", "y"}};
  const std::vector<Hit> wanted{{4, 0}, {5, 1}, {8, 0}};
  auto with_word = rows;
  with_word[6][2] = with_word[0][2] = "a needle";
  const std::vector<Hit> wanted_with_word{{4, 0}, {5, 1}, {6, 1}, {8, 0}};
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(hits_of(matcher, batch_of_processes(rows)), wanted) << round;
    EXPECT_EQ(hits_of(matcher, batch_of_processes(with_word)), wanted_with_word) << round;
  }
  EXPECT_EQ(matcher.counters()[0].matched, 12U);
}

// Numbers are read as texts are.
TEST(Matcher, tells_events_apart_by_their_numbers) {
  std::vector<Expression> rules;
  rules.push_back(parsed("process.pid = 3"));
  rules.push_back(Expression::test(event::Field::process_pid, Operator::equal, {event::Field::process_parent_pid}));
  auto made = Matcher::compile(rules);
  ASSERT_TRUE(made.has_value());
  Matcher matcher = *std::move(made);
  for (int round = 0; round < 3; ++round) {
    event::BatchBuilder builder;
    for (const auto& [pid, ppid] : std::vector<std::pair<int, int>>{{1, 3}, {3, 1}, {1, 1}, {3, 3}, {1, 3}}) {
      builder.set(event::Field::process_pid, static_cast<int64_t>(pid));
      builder.set(event::Field::process_parent_pid, static_cast<int64_t>(ppid));
      builder.finish_event(event::EventType::process);
    }
    EXPECT_EQ(hits_of(matcher, builder.take()), (std::vector<Hit>{{1, 0}, {2, 1}, {3, 0}, {3, 1}})) << round;
  }
}

// Kinds of event of which no two are alike are not remembered, and those that come later are.
TEST(Matcher, judges_events_of_which_no_two_are_alike) {
  auto matcher = compiled({"process.name ENDS \"7\" AND attributes.a = \"x\""});
  for (int from : {0, 3000, 0}) {
    std::vector<std::vector<std::string>> rows;
    std::vector<Hit> wanted;
    for (int i = from; i < from + 3000; ++i) {
      if (i % 10 == 7 && i % 3 == 0) wanted.push_back({static_cast<uint32_t>(i - from), 0});
      rows.push_back({std::to_string(i), "ann", i % 3 == 0 ? "x" : "y"});
    }
    EXPECT_EQ(hits_of(matcher, batch_of_processes(rows)), wanted);
  }
}

// Long texts are searched where they differ from others: words are found in the parts that are alike, between them, and
// across the borders, whatever changes.
TEST(Matcher, finds_literals_in_long_texts_that_are_alike) {
  constexpr size_t kWords = 4;
  const std::vector<std::string> words{"needle-one", "thread", "Pin", std::string(kPartLiteralMax, 'k')};
  Matcher matcher = compiled({"attributes.a CONTAINS \"needle-ONE\"", "attributes.a CONTAINS \"thread\"",
                              "attributes.a CONTAINS \"pin\"", "attributes.a CONTAINS \"" + words[3] + "\"",
                              "attributes.a CONTAINS \"needle-one\", \"zzz\"",
                              "NOT attributes.a CONTAINS \"thread\" AND attributes.a CONTAINS \"a\""});
  std::mt19937 random(5);
  const auto text_of = [&](size_t size) {
    std::string text;
    while (text.size() < size) text += static_cast<char>('a' + random() % 6);
    return text;
  };
  std::string text = text_of(2000);
  for (int batch = 0; batch < 60; ++batch) {
    event::BatchBuilder builder;
    std::vector<Hit> wanted;
    for (uint32_t row = 0; row < 20; ++row) {
      if (random() % 40 == 0) text = text_of(400 + random() % 2000);
      // Mostly in the same place, sometimes anywhere; words come and go.
      const size_t at = random() % 10 == 0 ? random() % text.size() : text.size() / 2;
      std::string changed = text.substr(0, at);
      if (random() % 3 == 0) changed += words[random() % kWords];
      if (random() % 50 == 0) changed += "\u00e4";
      changed += std::to_string(random() % 100) + text.substr(std::min(text.size(), at + random() % 4));
      if (random() % 8 == 0) text = changed;
      const std::string folded = base::fold_case(changed);
      const auto has = [&](size_t word) { return folded.find(base::fold_case(words[word])) != std::string::npos; };
      for (uint32_t rule = 0; rule < kWords; ++rule) {
        if (has(rule)) wanted.push_back({row, rule});
      }
      if (has(0)) wanted.push_back({row, 4});
      if (!has(1) && folded.find('a') != std::string::npos) wanted.push_back({row, 5});
      builder.add_attribute("a", changed);
      builder.finish_event(event::EventType::systemlog);
    }
    ASSERT_EQ(hits_of(matcher, builder.take()), wanted) << batch;
  }
}

// An expression that starts with a run of any characters is tried at the beginning alone.
TEST(Matcher, finds_expressions_that_start_with_a_run) {
  Matcher matcher =
      compiled({"attributes.a MATCHES \".{5,}\"", "attributes.a MATCHES \".{3}\"", "attributes.a MATCHES \".+b\"",
                "attributes.a MATCHES \".{1}b\"", "attributes.a MATCHES \".*x|b\""});
  event::BatchBuilder builder;
  for (const char* const text : {"\n\u00e4aa", "aa\naa", "xxab", "b"}) {
    builder.add_attribute("a", text);
    builder.finish_event(event::EventType::systemlog);
  }
  EXPECT_EQ(hits_of(matcher, builder.take()),
            (std::vector<Hit>{{0, 1}, {1, 0}, {1, 1}, {2, 1}, {2, 2}, {2, 3}, {2, 4}, {3, 4}}));
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
