#include <gtest/gtest.h>
#include <algorithm>

#include "base/config.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"

namespace redoubt::base {
namespace {

TEST(Time, round_trips_through_rfc3339) {
  const Time time{1'795'321'384'123'456};
  EXPECT_EQ(parse_time(format_time(time)).value(), time);
  EXPECT_EQ(parse_time("1970-01-02").value().us, kDayUs);
  EXPECT_EQ(parse_time("1970-01-01T01:00:00+01:00").value().us, 0);
  EXPECT_EQ(format_time(Time{-1}), "1969-12-31T23:59:59.999999Z");
}

TEST(Time, refuses_what_is_no_time) {
  for (const char* text :
       {"", "yesterday", "2026-13-01", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00Zx"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(Duration, reads_units_and_refuses_overflow) {
  EXPECT_EQ(parse_duration_us("90s").value(), 90 * kSecondUs);
  EXPECT_EQ(parse_duration_us("30d").value(), 30 * kDayUs);
  for (const char* text : {"", "5", "-5s", "5 s", "9999999999d", "s"}) EXPECT_FALSE(parse_duration_us(text)) << text;
}

TEST(Hash, hex_round_trips) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(from_hex(to_hex("a\xff")).value(), "a\xff");
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
}

TEST(File, atomic_write_replaces_and_limit_holds) {
  const TempDir dir;
  ASSERT_TRUE(write_file_atomic(dir / "a", "one", kPrivateFile));
  ASSERT_TRUE(write_file_atomic(dir / "a", "two", kPrivateFile));
  EXPECT_EQ(read_file(dir / "a", 10).value(), "two");
  EXPECT_EQ(read_file(dir / "a", 2).error().code, Errc::too_large);
  EXPECT_EQ(read_file(dir / "b", 2).error().code, Errc::not_found);
}

TEST(File, one_process_holds_a_lock_at_a_time) {
  const TempDir dir;
  {
    const auto held = lock_file(dir / "lock", 0);
    ASSERT_TRUE(held);
    EXPECT_EQ(lock_file(dir / "lock", 50).error().code, Errc::already_exists);
  }
  EXPECT_TRUE(lock_file(dir / "lock", 0));
}

TEST(Text, folds_beyond_ascii_and_keeps_bad_bytes) {
  EXPECT_EQ(fold_case("ÄbC"), "äbc");
  EXPECT_EQ(fold_case("\xff"
                      "A"),
            "\xff"
            "a");
  EXPECT_EQ(escape_invalid_utf8("a\xff"), "a\\xff");
  EXPECT_EQ(escape_invalid_utf8("ä"), "ä");
}

TEST(Text, suggests_the_nearest_name) {
  constexpr std::string_view kNames[] = {"EventType", "FileName", "UserName"};
  EXPECT_EQ(nearest_names("EventTyp", kNames, 1), std::vector<std::string>{"EventType"});
  EXPECT_TRUE(nearest_names("zzzzzzzz", kNames, 1).empty());
}

constexpr Setting kSettings[] = {{"store.path", SettingType::text, "/var/lib/x", "where"},
                                 {"store.retention", SettingType::duration, "30d", "how long"}};

TEST(Config, reads_checks_and_falls_back) {
  const auto config = Config::parse("store: {retention: 7d}", kSettings);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->duration_us("store.retention"), 7 * kDayUs);
  EXPECT_EQ(config->text("store.path"), "/var/lib/x");
}

TEST(Config, names_the_line_and_the_nearest_setting) {
  const auto config = Config::parse("store:\n  retentoin: 7d\n", kSettings);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message, "line 2: setting 'store.retentoin' is not known; did you mean 'store.retention'?");
  EXPECT_FALSE(Config::parse("store: {retention: soon}", kSettings));
  EXPECT_FALSE(Config::parse("a: [b", kSettings));
}

TEST(Log, keeps_a_hostile_message_on_one_line) {
  testing::internal::CaptureStderr();
  log_error("test", "host web-1\n2026-01-01T00:00:00Z error forged: \x1b[2J is enrolled");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("web-1\\x0a2026"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(Metrics, exposes_prometheus_text) {
  Metrics metrics;
  metrics.counter("redoubt_events_total", "events", "host=\"a\"").add(3);
  metrics.counter("redoubt_events_total", "events", "host=\"b\"").add();
  EXPECT_EQ(metrics.expose(),
            "# HELP redoubt_events_total events\n# TYPE redoubt_events_total counter\n"
            "redoubt_events_total{host=\"a\"} 3\nredoubt_events_total{host=\"b\"} 1\n");
}

}  // namespace
}  // namespace redoubt::base
