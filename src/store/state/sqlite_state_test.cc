#include <gtest/gtest.h>
#include <soci/soci.h>
#include <sys/stat.h>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "store/state/state_db.h"

namespace redoubt::store {
namespace {

constexpr Migration kNotes{1, "notes",
                           "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
                           "CREATE TABLE mark (note INTEGER REFERENCES note(id)); -- ':' is no parameter"};
constexpr Migration kAuthors{2, "authors", "ALTER TABLE note ADD COLUMN author TEXT NOT NULL DEFAULT 'none:given'"};

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

TEST_F(StateDbTest, applies_only_the_migrations_it_lacks) {
  const Migration first[] = {kNotes};
  const Migration both[] = {kNotes, kAuthors};
  ASSERT_TRUE(add_note(*open(first), "one"));
  auto db = open(both);
  std::string author;
  ASSERT_TRUE(db->read([&](soci::session& session) -> Status {
    session << "SELECT author FROM note", soci::into(author);
    return {};
  }));
  EXPECT_EQ(author, "none:given");
  db.reset();
  EXPECT_EQ(count_notes(*open(both)), 1);
}

TEST_F(StateDbTest, refuses_a_newer_and_a_changed_schema) {
  const Migration both[] = {kNotes, kAuthors};
  const Migration first[] = {kNotes};
  const Migration changed[] = {kNotes, {2, "authors", "ALTER TABLE note ADD COLUMN author TEXT"}};
  open(both);
  EXPECT_EQ(open_sqlite_state(path_, first).error().code, Errc::unsupported);
  EXPECT_EQ(open_sqlite_state(path_, changed).error().code, Errc::corrupt);
}

TEST_F(StateDbTest, leaves_nothing_of_a_failed_migration) {
  const Migration broken[] = {kNotes, {2, "broken", "CREATE TABLE half (x); CREATE TABL whole (y)"}};
  const auto failed = open_sqlite_state(path_, broken);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("migration 2 'broken'"), std::string::npos) << failed.error().message;
  const Migration mended[] = {kNotes, {2, "mended", "CREATE TABLE half (x)"}};
  EXPECT_TRUE(open_sqlite_state(path_, mended));
}

TEST_F(StateDbTest, rolls_back_on_errors_and_exceptions) {
  const Migration migrations[] = {kNotes};
  auto db = open(migrations);
  ASSERT_TRUE(add_note(*db, "kept"));
  const Status refused = db->write([](soci::session& session) -> Status {
    session << "INSERT INTO note (text) VALUES ('lost')";
    return fail(Errc::permission_denied, "no");
  });
  EXPECT_EQ(refused.error().code, Errc::permission_denied);
  const Status thrown = db->write([](soci::session& session) -> Status {
    session << "INSERT INTO note (text) VALUES ('lost too')";
    session << "INSERT INTO note (text) VALUES ('kept')";
    return {};
  });
  EXPECT_EQ(thrown.error().code, Errc::already_exists);
  const Status dangling = db->write([](soci::session& session) -> Status {
    session << "INSERT INTO mark (note) VALUES (99)";
    return {};
  });
  EXPECT_FALSE(dangling);
  EXPECT_EQ(count_notes(*db), 1);
}

TEST_F(StateDbTest, refuses_writes_of_readers) {
  const Migration migrations[] = {kNotes};
  auto db = open(migrations);
  EXPECT_FALSE(db->read([](soci::session& session) -> Status {
    session << "INSERT INTO note (text) VALUES ('x')";
    return {};
  }));
}

TEST_F(StateDbTest, readers_go_on_while_one_writes) {
  const Migration migrations[] = {kNotes};
  auto db = open(migrations);
  constexpr int kWrites = 50;
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 6; ++reader) {
    threads.emplace_back([&] {
      for (int64_t seen = 0; seen < kWrites * 2;) {
        const int64_t now = count_notes(*db);
        ASSERT_GE(now, seen);
        seen = now;
      }
    });
  }
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < kWrites; ++i) ASSERT_TRUE(add_note(*db, std::to_string(writer) + "/" + std::to_string(i)));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count_notes(*db), kWrites * 2);
}

TEST_F(StateDbTest, says_what_is_no_database) {
  std::ofstream(path_) << std::string(4096, 'x');
  const auto failed = open_sqlite_state(path_, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::corrupt) << failed.error().message;
}

}  // namespace
}  // namespace redoubt::store
