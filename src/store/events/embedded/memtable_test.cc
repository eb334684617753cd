#include "store/events/embedded/memtable.h"

#include <gtest/gtest.h>
#include <string>
#include <thread>

#include "store/events/embedded/test_events.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {
namespace {

using event::Field;

TEST(TextTable, numbers_equal_texts_once_and_keeps_them) {
  TextTable table;
  const uint32_t empty = table.number("");
  const uint32_t brief = table.number("twelve bytes");
  EXPECT_NE(empty, kNoText);
  EXPECT_EQ(table.text(empty), "");
  std::vector<uint32_t> numbers;
  for (int i = 0; i < 50'000; ++i) numbers.push_back(table.number("a text that is longer, " + std::to_string(i)));
  EXPECT_EQ(table.number("twelve bytes"), brief);
  EXPECT_EQ(table.text(brief), "twelve bytes");
  for (int i = 0; i < 50'000; ++i) {
    const std::string text = "a text that is longer, " + std::to_string(i);
    ASSERT_EQ(table.text(numbers[static_cast<size_t>(i)]), text);
    ASSERT_EQ(table.number(text), numbers[static_cast<size_t>(i)]);
  }
  EXPECT_EQ(table.size(), 50'003U);
  EXPECT_GT(table.bytes(), 50'000U * 25);
}

TEST(Memtable, holds_rows_by_column) {
  Memtable table;
  const auto made = test_events::make_frame("host", 1, 3000, [](v1::Event& event) {
    if (event.event_sequence() > 2500) event.set_file_path("/tmp/x");
  });
  table.begin("host", "boot", made.batch);
  for (size_t i = 0; i < made.batch.size(); ++i) table.add(made.batch.row(i));
  ASSERT_EQ(table.rows(), 3000U);
  EXPECT_EQ(table.text_table().text(table.text_number(2999, Field::process_name)), "p3000");
  EXPECT_EQ(table.text_table().text(table.text_number(0, Field::host_id)), "host");  // not what the agent says
  EXPECT_EQ(table.number(2999, Field::process_pid), 4000);
  EXPECT_EQ(table.text_number(0, Field::file_path), kNoText);
  EXPECT_EQ(table.texts(0, Field::file_path), nullptr);  // no memory where nobody has it
  EXPECT_NE(table.texts(1, Field::file_path), nullptr);
  EXPECT_FALSE(has_field(table.fields(2000), Field::file_path));
  EXPECT_TRUE(has_field(table.fields(3000), Field::file_path));
  EXPECT_FALSE(has_field(table.fields(3000), Field::registry_path));
}

TEST(Memtable, takes_little_memory_for_what_is_often_said) {
  Memtable table;
  for (uint64_t first = 1; first < 100'000; first += 1000) {
    const auto made = test_events::make_frame("host", first, first + 999, [](v1::Event& event) {
      event.set_process_name("the same on all events");
      event.set_process_command_line("the same command line on all events, and it is a long one at that");
    });
    table.begin("host", "boot", made.batch);
    for (size_t i = 0; i < made.batch.size(); ++i) table.add(made.batch.row(i));
  }
  EXPECT_LT(table.bytes() / table.rows(), 100U);
}

TEST(Memtable, is_read_while_it_grows) {
  Memtable table;
  std::atomic<size_t> told = 0;
  std::thread reader([&] {
    for (size_t rows = 0; rows < 20'000; rows = told) {
      for (size_t row = rows; row-- > (rows > 500 ? rows - 500 : 0);) {
        ASSERT_EQ(table.text_table().text(table.text_number(row, Field::process_name)), "p" + std::to_string(row + 1));
        ASSERT_EQ(table.number(row, Field::process_pid), static_cast<int64_t>(1001 + row));
      }
    }
  });
  for (uint64_t first = 1; first < 20'000; first += 100) {
    const auto made = test_events::make_frame("host", first, first + 99);
    table.begin("host", "boot", made.batch);
    for (size_t i = 0; i < made.batch.size(); ++i) table.add(made.batch.row(i));
    told = table.rows();
  }
  reader.join();
}

}  // namespace
}  // namespace redoubt::store::embedded
