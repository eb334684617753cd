// What is SQLite's own; what all engines do is in state_db_component_test.cc.
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <sys/stat.h>
#include <fstream>

#include "base/file.h"
#include "store/state/state_db.h"

namespace redoubt::store {
namespace {

constexpr Migration kNotes{1, "notes",
                           "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
                           "CREATE TABLE mark (note INTEGER REFERENCES note(id)); -- ':' is no parameter"};
int64_t count_notes(StateDb& db) {
  int64_t count = -1;
  const Status done = db.read([&](soci::session& session) -> Status {
    session << "SELECT count(*) FROM note", soci::into(count);
    return {};
  });
  EXPECT_TRUE(done) << done.error().message;
  return count;
}

Status add_note(StateDb& db, const std::string& text) {
  return db.write([&](soci::session& session) -> Status {
    session << "INSERT INTO note (text) VALUES (:t)", soci::use(text);
    return {};
  });
}

class StateDbTest : public testing::Test {
 protected:
  std::unique_ptr<StateDb> open(std::span<const Migration> migrations) {
    auto db = open_sqlite_state(path_, migrations);
    EXPECT_TRUE(db) << db.error().message;
    return db ? *std::move(db) : nullptr;
  }

  base::TempDir dir_;
  std::string path_ = dir_ / "state.db";
};

TEST_F(StateDbTest, is_private_and_keeps_what_was_written) {
  const Migration migrations[] = {kNotes};
  ASSERT_TRUE(add_note(*open(migrations), "one"));
  EXPECT_EQ(count_notes(*open(migrations)), 1);
  struct stat info{};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(StateDbTest, a_copy_is_of_one_moment_and_private) {
  const Migration migrations[] = {kNotes};
  auto db = open(migrations);
  ASSERT_TRUE(add_note(*db, "one"));
  ASSERT_TRUE(db->backup(dir_ / "copy.db"));
  ASSERT_TRUE(add_note(*db, "two"));
  EXPECT_EQ(count_notes(*open_sqlite_state(dir_ / "copy.db", migrations).value()), 1);
  struct stat info{};
  ASSERT_EQ(stat((dir_ / "copy.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(verify_sqlite_state(dir_ / "none.db").error().code, Errc::not_found);
}

// Statements stay prepared: whoever comes next gets one as good as new.
TEST_F(StateDbTest, a_statement_is_good_again_after_an_error_and_when_it_was_left_in_the_middle) {
  const Migration migrations[] = {kNotes};
  auto db = open(migrations);
  ASSERT_TRUE(add_note(*db, "one"));
  EXPECT_EQ(add_note(*db, "one").error().code, Errc::already_exists);
  ASSERT_TRUE(add_note(*db, "two"));
  const auto first_note = [](soci::session& session) {
    std::string text;
    soci::statement statement = (session.prepare << "SELECT text FROM note ORDER BY id", soci::into(text));
    statement.execute();
    EXPECT_TRUE(statement.fetch());
    std::string same_text_meanwhile;
    session << "SELECT text FROM note ORDER BY id", soci::into(same_text_meanwhile);
    EXPECT_EQ(text, same_text_meanwhile);
    return text;
  };
  for (int times = 0; times < 3; ++times) {
    ASSERT_TRUE(db->write([&](soci::session& session) -> Status {
      EXPECT_EQ(first_note(session), "one");
      return {};
    }));
  }
  EXPECT_EQ(count_notes(*db), 2);
}

TEST_F(StateDbTest, a_statement_outlives_a_change_of_the_schema) {
  const Migration migrations[] = {kNotes};
  auto db = open(migrations);
  ASSERT_TRUE(add_note(*db, "one"));
  ASSERT_TRUE(db->write([](soci::session& session) -> Status {
    session << "ALTER TABLE note ADD COLUMN author TEXT NOT NULL DEFAULT 'x'";
    return {};
  }));
  ASSERT_TRUE(add_note(*db, "two"));
  EXPECT_EQ(count_notes(*db), 2);
}

TEST_F(StateDbTest, says_what_is_no_database) {
  std::ofstream(path_) << std::string(4096, 'x');
  const auto failed = open_sqlite_state(path_, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::corrupt) << failed.error().message;
}

}  // namespace
}  // namespace redoubt::store
