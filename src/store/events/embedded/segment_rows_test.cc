// Values read from the pages of a segment are those that DuckDB reads from it.
#include "store/events/embedded/segment_rows.h"

#include <gtest/gtest.h>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>

#include "bench/generator.h"
#include "store/events/embedded/parquet_encoding.h"
#include "store/events/embedded/row_finder.h"
#include "store/events/embedded/segment_writer.h"
#include "store/events/embedded/tail_rows.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {
namespace {

using event::Field;

Status always() { return {}; }

class SegmentRowsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened =
        Duck::open({.segment_directory = dir_ / "", .temporary_directory = dir_ / "", .memory_bytes_max = 1 << 28});
    ASSERT_TRUE(opened) << opened.error().message;
    duck_ = *std::move(opened);
  }

  // Rows of a fleet's events, with fields of many values, of few, and of none.
  std::shared_ptr<Memtable> fleet(size_t rows) {
    auto table = std::make_shared<Memtable>();
    bench::Generator generator({.mix = bench::Mix::fleet, .hosts = 20});
    while (table->rows() < rows) {
      const auto next = generator.next();
      table->begin(next.host_id, next.frame.boot_id, next.batch);
      for (size_t i = 0; i < next.batch.size() && table->rows() < rows; ++i) {
        // Too many of these for a dictionary, and numbers of all sizes.
        table->put(Field::file_path, "/tmp/" + std::to_string(table->rows() * 7919));
        table->put(Field::file_inode, static_cast<int64_t>(table->rows() * 0x9E3779B97F4A7C15));
        table->add(next.batch.row(i));
      }
    }
    return table;
  }

  std::shared_ptr<const Segment> write(const std::shared_ptr<const Memtable>& table, uint64_t number = 1) {
    const std::string path = dir_ / (std::to_string(number) + ".parquet");
    std::vector<uint32_t> rows(table->rows());
    std::iota(rows.begin(), rows.end(), 0);
    rows = sorted_rows(*table, std::move(rows));
    auto info = write_segment(*table, rows, number, path);
    EXPECT_TRUE(info) << info.error().message;
    return std::make_shared<const Segment>(*info, path);
  }

  static std::vector<Field> all_fields() {
    std::vector<Field> fields;
    for (const event::FieldInfo& info : event::kFields) fields.push_back(info.field);
    return fields;
  }

  std::vector<std::vector<Cell>> by_sql(const std::shared_ptr<const Segment>& segment) {
    Reading reading{.fields = {}, .places = Reading::Places::shown, .further = {}};
    reading.fields.fill(~uint64_t{0});
    std::string columns;
    for (const event::FieldInfo& info : event::kFields) columns += std::string(info.column) + ", ";
    auto rows =
        duck_->connect().value()->select({.text = "SELECT " + columns + std::string(kRowColumn) + " FROM " +
                                                  source_of({.segments = {{segment, {}}}, .tails = {}}, reading) +
                                                  " ORDER BY " + std::string(kRowColumn),
                                          .parameters = {}});
    EXPECT_TRUE(rows) << rows.error().message;
    return std::move(rows->rows);
  }

  base::TempDir dir_;
  std::unique_ptr<Duck> duck_;
};

TEST_F(SegmentRowsTest, reads_what_sql_reads) {
  const auto segment = write(fleet(20'000));
  const auto expected = by_sql(segment);
  ASSERT_EQ(expected.size(), 20'000U);
  std::vector<uint64_t> places(expected.size());
  std::iota(places.begin(), places.end(), 0);
  PageMemory memory;
  const auto all = read_rows(*segment, all_fields(), places, memory, always);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->rows, expected);
  const std::vector<uint64_t> some{0, 17, 8191, 8192, 19'999};
  const auto few = read_rows(*segment, all_fields(), some, memory, always);
  ASSERT_TRUE(few) << few.error().message;
  for (size_t i = 0; i < some.size(); ++i) EXPECT_EQ(few->rows[i], expected[some[i]]);
}

TEST_F(SegmentRowsTest, refuses_rows_that_are_not_there) {
  const auto segment = write(fleet(100));
  PageMemory memory;
  const auto read = read_rows(*segment, {Field::event_time}, std::vector<uint64_t>{100}, memory, always);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::corrupt);
}

TEST_F(SegmentRowsTest, threads_find_what_one_finds) {
  constexpr size_t kRows = 3000;
  View view;
  for (uint64_t number = 1; number <= 8; ++number) view.segments.push_back({write(fleet(kRows), number), {}});
  view.tails.push_back({.table = fleet(kRows), .rows = kRows, .shown = nullptr});
  event::FieldSet fields{};
  add_field(fields, Field::process_command_line);
  query::Hunt hunt;
  const auto find = [&](const char* part, uint64_t rows_a_thread, const std::function<Status()>& go_on) {
    hunt.where = query::normalize(query::Expression::test(Field::process_command_line, query::Operator::contains,
                                                          {std::string(part)}))
                     .value();
    PageMemory memory;
    return RowFinder(hunt, memory, go_on, rows_a_thread).find(view, fields, {});
  };
  const auto alone = find("7f3", UINT64_MAX, always);
  const auto shared = find("7f3", 1, always);
  ASSERT_TRUE(alone && *alone && shared && *shared);
  const ShownRows& rows = (*alone)->rows;
  const ShownRows& others = (*shared)->rows;
  ASSERT_GT(rows.rows, 0U);
  ASSERT_EQ(rows.rows, others.rows);
  for (size_t row = 0; row < rows.rows; ++row) {
    EXPECT_EQ(rows.places[row].part, others.places[row].part);
    EXPECT_EQ(rows.places[row].row, others.places[row].row);
    EXPECT_EQ(cell_of(*rows.table, row, Field::process_command_line),
              cell_of(*others.table, row, Field::process_command_line));
  }
  const auto too_many = find("/", 1, always);
  ASSERT_TRUE(too_many);
  EXPECT_FALSE(*too_many);
  std::atomic<int> asked = 0;
  const auto ended = find("7f3", 1, [&]() -> Status { return ++asked > 4 ? fail(Errc::timeout, "enough") : Status{}; });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::timeout);
}

// A host's events lie process by process, but time still goes on from one row group to the next.
TEST(SortedRows, keeps_processes_together_in_stretches_of_time) {
  constexpr uint32_t kEvents = 20'000;
  constexpr uint32_t kStretch = 8192;
  Memtable table;
  for (uint32_t row = 0; row < kEvents; ++row) {
    table.put(Field::host_id, "host");
    table.put(Field::event_time, int64_t{row});
    table.put(Field::process_entity_id, row % 2 == 0 ? "even" : "odd");
    table.finish_row();
  }
  std::vector<uint32_t> rows(kEvents);
  std::iota(rows.begin(), rows.end(), 0);
  rows = sorted_rows(table, std::move(rows));
  for (uint32_t at = 0; at < kEvents; ++at) EXPECT_EQ(rows[at] / kStretch, at / kStretch);
  for (uint32_t at = 0; at < kStretch; ++at) {
    EXPECT_EQ(rows[at], at < kStretch / 2 ? at * 2 : (at - kStretch / 2) * 2 + 1);
  }
}

// Whatever a byte is turned into, reading ends.
TEST_F(SegmentRowsTest, survives_damage_anywhere) {
  const auto segment = write(fleet(300));
  std::vector<uint64_t> places(300);
  std::iota(places.begin(), places.end(), 0);
  std::ifstream in(segment->path, std::ios::binary);
  const std::string sound((std::istreambuf_iterator<char>(in)), {});
  PageMemory memory;
  for (size_t at = 0; at < sound.size(); at += 61) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ (at % 2 == 0 ? 0xFF : 0x10));
    std::ofstream(segment->path, std::ios::binary | std::ios::trunc) << damaged;
    const Segment again(segment->info, segment->path);
    (void)read_rows(again, all_fields(), places, memory, always);
  }
}

TEST(ParquetEncoding, unpacks_runs_and_packed_numbers) {
  // Four times 2, then eight numbers of three bits: the example of Encodings.md.
  const std::string bytes = std::string("\x08\x02\x03", 3) + "\x88\xC6\xFA";
  const auto numbers = unpack_runs(bytes, 3, 12);
  ASSERT_TRUE(numbers);
  EXPECT_EQ(*numbers, (std::vector<uint32_t>{2, 2, 2, 2, 0, 1, 2, 3, 4, 5, 6, 7}));
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(unpack_runs(bytes.substr(0, size), 3, 12)) << size;
  EXPECT_FALSE(unpack_runs(bytes, 33, 1));
  EXPECT_FALSE(unpack_runs("\x08\x03", 1, 4));  // 3 has no place in one bit
}

TEST(ParquetEncoding, unpacks_deltas) {
  // 7, 5, 3, 1, 2, 3, 4, 5: the example of Encodings.md, in one miniblock of eight of a block of eight.
  const std::string bytes("\x08\x01\x08\x0E\x03\x02\xC0\x3F", 8);
  std::string_view left = bytes;
  const auto numbers = unpack_deltas(left, 8);
  ASSERT_TRUE(numbers);
  EXPECT_EQ(*numbers, (std::vector<int64_t>{7, 5, 3, 1, 2, 3, 4, 5}));
  EXPECT_TRUE(left.empty());
  for (size_t size = 0; size < bytes.size(); ++size) {
    left = std::string_view(bytes).substr(0, size);
    EXPECT_FALSE(unpack_deltas(left, 8)) << size;
  }
}

// A walker gives the same numbers, and knows where the ones are.
void expect_walks(const std::string& bytes, unsigned width, const std::vector<uint32_t>& numbers) {
  RunWalker walker(bytes, width);
  RunWalker before(bytes, width);
  RunWalker finder(bytes, width);
  size_t ones = 0;
  for (size_t place = 0; place < numbers.size(); ++place) {
    EXPECT_EQ(walker.number_at(place), numbers[place]);
    if (width != 1) continue;
    EXPECT_EQ(before.ones_before(place), ones);
    if (numbers[place] == 0) continue;
    EXPECT_EQ(finder.place_of_one(ones++), place);
  }
  if (width != 1) return;
  EXPECT_EQ(RunWalker(bytes, 1).ones_before(numbers.size()), ones);
  EXPECT_FALSE(finder.place_of_one(ones));
}

TEST(ParquetEncoding, runs_come_back_as_they_were) {
  std::mt19937 random(7);
  for (const unsigned width : {1U, 3U, 8U, 13U, 32U}) {
    for (size_t round = 0; round < 200; ++round) {
      std::vector<uint32_t> numbers;
      const size_t count = random() % 300;
      while (numbers.size() < count) {
        const uint32_t number = static_cast<uint32_t>(random()) >> (32 - width);
        numbers.insert(numbers.end(), std::min<size_t>(1 + (random() % 2) * (random() % 40), count - numbers.size()),
                       number);
      }
      std::string bytes;
      pack_runs(numbers, width, bytes);
      const auto again = unpack_runs(bytes, width, numbers.size());
      ASSERT_TRUE(again);
      ASSERT_EQ(*again, numbers);
      expect_walks(bytes, width, numbers);
    }
  }
  std::string bytes;
  pack_runs(std::vector<uint32_t>(8192, 1), 1, bytes);
  EXPECT_LE(bytes.size(), 4U);
}

TEST(ParquetEncoding, deltas_come_back_as_they_were) {
  std::mt19937_64 random(7);
  for (const unsigned shift : {0U, 1U, 20U, 50U, 63U}) {
    for (const size_t count : {size_t{1}, size_t{2}, size_t{33}, size_t{129}, size_t{8192}}) {
      std::vector<int64_t> numbers(count);
      for (int64_t& number : numbers) number = static_cast<int64_t>(random()) >> shift;
      std::string bytes;
      pack_deltas(numbers, bytes);
      std::string_view left = bytes;
      const auto again = unpack_deltas(left, count);
      ASSERT_TRUE(again);
      ASSERT_EQ(*again, numbers);
      EXPECT_TRUE(left.empty());
    }
  }
}

}  // namespace
}  // namespace redoubt::store::embedded
