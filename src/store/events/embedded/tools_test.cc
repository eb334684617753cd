// What people who look after a store ask of it: figures, verification, merging on demand, export.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "store/events/embedded/test_events.h"

namespace redoubt::store {
namespace {

using test_events::append;
using test_events::make_frame;
using testing::HasSubstr;

std::string content_of(const base::UniqueFd& fd) {
  std::string content(size_t{1} << 20, '\0');
  const ssize_t size = pread(fd.get(), content.data(), content.size(), 0);
  content.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return content;
}

size_t lines_in(const std::string& text) { return static_cast<size_t>(std::count(text.begin(), text.end(), '\n')); }

class StoreToolsTest : public testing::Test {
 protected:
  void SetUp() override { open(); }

  void open() {
    store_.reset();
    auto opened = open_embedded_store({.directory = dir_ / "events",
                                       .memory_bytes_max = uint64_t{256} << 20,
                                       .free_bytes_min = 0,
                                       .upkeep = Upkeep::on_demand});
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }
  void take(uint64_t first, uint64_t last) {
    const auto done = append(*store_, make_frame("a", first, last));
    ASSERT_TRUE(done) << done.error().message;
  }
  void seal(uint64_t first, uint64_t last) {
    take(first, last);
    const Status sealed = store_->seal();
    ASSERT_TRUE(sealed) << sealed.error().message;
  }
  VerifyReport verify() {
    auto report = store_->verify({});
    EXPECT_TRUE(report) << report.error().message;
    return report ? *std::move(report) : VerifyReport{};
  }
  Result<Exported> exported(const std::string& text, ExportFormat format) {
    auto hunt = query::parse_hunt(text, base::Time::now());
    EXPECT_TRUE(hunt);
    return store_->export_hunt(*hunt, format, {});
  }
  std::string file(const std::string& directory, const std::string& suffix) const {
    for (const auto& entry : std::filesystem::directory_iterator(dir_ / "events/" + directory)) {
      if (entry.path().string().ends_with(suffix) && entry.file_size() > 0) return entry.path();
    }
    return "";
  }
  // Another byte in the middle.
  static void damage(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto middle = static_cast<std::streamoff>(std::filesystem::file_size(path) / 2);
    file.seekg(middle);
    const char byte = static_cast<char>(~file.get());
    file.seekp(middle);
    file.put(byte);
  }

  base::TempDir dir_;
  std::unique_ptr<EventStore> store_;
};

TEST_F(StoreToolsTest, figures_come_from_manifest_indexes_and_tail) {
  seal(1, 30);
  take(31, 40);
  const auto report = store_->report();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->totals.events, 40U);
  EXPECT_EQ(report->segment_events, 30U);
  EXPECT_EQ(report->totals.tail_events, 10U);
  EXPECT_EQ(report->first_event_us, test_events::kBaseUs + base::kSecondUs);
  EXPECT_EQ(report->last_event_us, test_events::kBaseUs + 40 * base::kSecondUs);
  EXPECT_EQ(report->kinds, (std::vector<std::pair<std::string, uint64_t>>{{"process", 40}}));
  ASSERT_EQ(report->hosts.size(), 1U);
  EXPECT_EQ(report->hosts[0].events, 40U);
  ASSERT_EQ(report->segments.size(), 1U);
  EXPECT_GT(report->segments[0].index_bytes, 0U);
  EXPECT_GT(report->free_bytes, 0U);
}

TEST_F(StoreToolsTest, sound_store_verifies_and_counts_each_event) {
  EXPECT_TRUE(verify().damage.empty());
  seal(1, 30);
  take(31, 40);
  const VerifyReport report = verify();
  EXPECT_THAT(report.damage, testing::IsEmpty());
  EXPECT_EQ(report.segments, 1U);
  EXPECT_EQ(report.indexes, 1U);
  // What is sealed is in the spool too until it is judged.
  EXPECT_EQ(report.events, 70U);
  open();
  EXPECT_TRUE(verify().damage.empty());
}

TEST_F(StoreToolsTest, each_damaged_file_is_named_and_the_rest_is_read) {
  seal(1, 300);
  seal(301, 600);
  const std::string segment = file("segments", "1.parquet");
  const std::string index = file("segments", "2.index");
  const std::string spool = file("spool", ".spool");
  for (const std::string& path : {segment, index, spool}) damage(path);
  const VerifyReport report = verify();
  std::vector<std::string> what;
  for (const Damage& each : report.damage) what.push_back(each.what);
  EXPECT_THAT(what, testing::ElementsAre("segment " + segment, "index " + index, "spool " + spool));
  EXPECT_EQ(report.segments, 2U);
  std::filesystem::remove(segment);
  EXPECT_THAT(verify().damage.at(0).why, HasSubstr("No such file"));
}

TEST_F(StoreToolsTest, compacting_makes_one_segment_and_loses_nothing) {
  for (uint64_t i = 0; i < 3; ++i) seal(i * 10 + 1, i * 10 + 10);
  EXPECT_EQ(store_->merge().value(), 0U);
  const auto report = store_->compact({});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->segments_before, 3U);
  EXPECT_EQ(report->segments_after, 1U);
  EXPECT_TRUE(report->damage.empty());
  EXPECT_EQ(store_->hunt(test_events::everything(), {})->rows.size(), 30U);
  EXPECT_TRUE(verify().damage.empty());
}

TEST_F(StoreToolsTest, compacting_leaves_out_what_is_damaged) {
  for (uint64_t i = 0; i < 4; ++i) seal(i * 10 + 1, i * 10 + 10);
  std::filesystem::resize_file(file("segments", "2.parquet"), 100);
  const auto report = store_->compact({});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->damage.size(), 1U);
  EXPECT_LT(report->segments_after, 4U);
}

TEST_F(StoreToolsTest, exports_events_of_segments_and_tail) {
  seal(1, 30);
  take(31, 40);
  const auto csv = exported("process.name != \"p7\" | fields @timestamp, process.name, process.pid", ExportFormat::csv);
  ASSERT_TRUE(csv) << csv.error().message;
  EXPECT_EQ(csv->rows, 39U);
  EXPECT_FALSE(csv->partial);
  const std::string text = content_of(csv->file);
  EXPECT_EQ(text.size(), csv->bytes);
  EXPECT_TRUE(text.starts_with("@timestamp,process.name,process.pid\n")) << text;
  EXPECT_EQ(lines_in(text), 40U);
  EXPECT_THAT(text, HasSubstr("\n2026-05-28T20:27:00.000000Z,p20,1020\n"));

  const auto lines = exported("process.name = \"p8\"", ExportFormat::json_lines);
  ASSERT_TRUE(lines) << lines.error().message;
  EXPECT_EQ(lines->rows, 1U);
  EXPECT_EQ(lines_in(content_of(lines->file)), 1U);
  EXPECT_THAT(content_of(lines->file), HasSubstr("\"process.command_line\":\"curl --url Http://Example.org/8\""));

  const auto parquet = exported("", ExportFormat::parquet);
  ASSERT_TRUE(parquet) << parquet.error().message;
  EXPECT_EQ(parquet->rows, 40U);
  EXPECT_TRUE(content_of(parquet->file).starts_with("PAR1"));
}

TEST_F(StoreToolsTest, exports_in_order_and_counts) {
  seal(1, 30);
  const auto newest = exported("| fields process.name | limit 2", ExportFormat::csv);
  ASSERT_TRUE(newest) << newest.error().message;
  EXPECT_EQ(content_of(newest->file), "process.name\np30\np29\n");
  const auto sorted = exported("| sort process.pid asc | fields process.pid", ExportFormat::csv);
  ASSERT_TRUE(sorted) << sorted.error().message;
  EXPECT_TRUE(content_of(sorted->file).starts_with("process.pid\n1001\n1002\n"));
  const auto counts = exported("| count by host.name", ExportFormat::json_lines);
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(content_of(counts->file), "{\"value\":\"web-1\",\"count\":30}\n");
  const auto hours = exported("| count per hour", ExportFormat::csv);
  ASSERT_TRUE(hours) << hours.error().message;
  EXPECT_EQ(content_of(hours->file), "bucket,count\n2026-05-28T20:00:00.000000Z,30\n");
  const auto nothing = exported("process.name = \"none\" | fields process.name", ExportFormat::csv);
  ASSERT_TRUE(nothing) << nothing.error().message;
  EXPECT_EQ(nothing->rows, 0U);
}

TEST_F(StoreToolsTest, export_says_what_it_left_out_and_what_ended_it) {
  seal(1, 10);
  seal(11, 20);
  std::filesystem::resize_file(file("segments", "1.parquet"), 100);
  const auto rest = exported("| fields process.name", ExportFormat::csv);
  ASSERT_TRUE(rest) << rest.error().message;
  EXPECT_TRUE(rest->partial);
  EXPECT_EQ(rest->partial_why, "segment 1 is damaged");
  EXPECT_EQ(rest->rows, 10U);
  const auto ended = store_->export_hunt({}, ExportFormat::csv, {.cancelled = [] { return true; }});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::timeout);
  EXPECT_TRUE(std::filesystem::is_empty(dir_ / "events/tmp"));
}

TEST_F(StoreToolsTest, no_cell_of_a_csv_is_a_formula) {
  size_t number = 0;
  const std::vector<std::string> names = {"=1+1", "+1", "-bash", "@SUM(A1)", "\t=1", "\r=1", "a=1", "", "\"=1"};
  const auto done = append(*store_, make_frame("a", 1, names.size(), [&](v1::Event& event) {
    event.set_process_name(names[number++]);
    event.set_process_pid(-5);
  }));
  ASSERT_TRUE(done) << done.error().message;
  const auto csv = exported("| sort event.sequence asc | fields process.name, process.pid", ExportFormat::csv);
  ASSERT_TRUE(csv) << csv.error().message;
  EXPECT_EQ(content_of(csv->file),
            "process.name,process.pid\n'=1+1,-5\n'+1,-5\n'-bash,-5\n'@SUM(A1),-5\n'\t=1,-5\n\"'\r=1\",-5\na=1,-5\n"
            "\"\",-5\n\"\"\"=1\",-5\n");
  const auto counts = exported("process.name = \"-bash\" | count by process.name", ExportFormat::csv);
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(content_of(counts->file), "value,count\n'-bash,1\n");
  const auto rare = exported("process.name = \"-bash\" | rare process.name by host.name", ExportFormat::csv);
  ASSERT_TRUE(rare) << rare.error().message;
  EXPECT_THAT(content_of(rare->file), HasSubstr("'-bash"));
  const auto lines = exported("process.name = \"-bash\" | fields process.name", ExportFormat::json_lines);
  ASSERT_TRUE(lines) << lines.error().message;
  EXPECT_EQ(content_of(lines->file), "{\"process.name\":\"-bash\"}\n");
}

}  // namespace
}  // namespace redoubt::store
