// One suite for every engine of the state: SQLite, and a PostgreSQL server that the test starts.
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <thread>

#include "store/state/test_postgres.h"

namespace redoubt::store {
namespace {

constexpr Migration kNotes{1, "notes",
                           "CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL UNIQUE);"
                           "CREATE TABLE mark (note BIGINT REFERENCES note(id)); -- ':' is no parameter"};
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

enum class Engine { sqlite, postgres };

class StateEngineTest : public testing::TestWithParam<Engine> {
 protected:
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    if (GetParam() == Engine::sqlite) return;
    if (!server_) server_ = TestPostgres::start();
    if (!server_) GTEST_SKIP() << "no PostgreSQL server here (Debian: postgresql)";
    database_ = server_->make_database();
  }

  Result<std::unique_ptr<StateDb>> try_open(std::span<const Migration> migrations) {
    return GetParam() == Engine::sqlite ? open_sqlite_state(dir_ / "state.db", migrations)
                                        : open_postgres_state(database_, migrations);
  }
  std::unique_ptr<StateDb> open(std::span<const Migration> migrations) {
    auto db = try_open(migrations);
    EXPECT_TRUE(db) << db.error().message;
    return db ? *std::move(db) : nullptr;
  }

  static std::unique_ptr<TestPostgres> server_;
  PostgresOptions database_;
  base::TempDir dir_;
};

std::unique_ptr<TestPostgres> StateEngineTest::server_;

TEST_P(StateEngineTest, keeps_what_was_written) {
  const Migration migrations[] = {kNotes};
  ASSERT_TRUE(add_note(*open(migrations), "one"));
  EXPECT_EQ(count_notes(*open(migrations)), 1);
  EXPECT_TRUE(open(migrations)->verify());
}

TEST_P(StateEngineTest, what_can_wait_for_the_disk_is_seen_at_once_and_kept) {
  const Migration migrations[] = {kNotes};
  auto db = open(migrations);
  const auto add_soon = [&](const std::string& text) {
    return db->write_soon([&](soci::session& session) -> Status {
      session << "INSERT INTO note (text) VALUES (:t)", soci::use(text);
      return {};
    });
  };
  ASSERT_TRUE(add_soon("one"));
  EXPECT_EQ(count_notes(*db), 1);
  EXPECT_FALSE(add_soon("one"));
  ASSERT_TRUE(add_note(*db, "two"));
  ASSERT_TRUE(add_soon("three"));
  db.reset();
  EXPECT_EQ(count_notes(*open(migrations)), 3);
}

TEST_P(StateEngineTest, applies_only_the_migrations_it_lacks) {
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

TEST_P(StateEngineTest, refuses_a_newer_and_a_changed_schema) {
  const Migration both[] = {kNotes, kAuthors};
  const Migration first[] = {kNotes};
  const Migration changed[] = {kNotes, {2, "authors", "ALTER TABLE note ADD COLUMN author TEXT"}};
  open(both);
  EXPECT_EQ(try_open(first).error().code, Errc::unsupported);
  EXPECT_EQ(try_open(changed).error().code, Errc::corrupt);
}

TEST_P(StateEngineTest, leaves_nothing_of_a_failed_migration) {
  const Migration broken[] = {kNotes, {2, "broken", "CREATE TABLE half (x TEXT); CREATE TABL whole (y TEXT)"}};
  const auto failed = try_open(broken);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("migration 2 'broken'"), std::string::npos) << failed.error().message;
  const Migration mended[] = {kNotes, {2, "mended", "CREATE TABLE half (x TEXT)"}};
  EXPECT_TRUE(try_open(mended));
}

TEST_P(StateEngineTest, rolls_back_on_errors_and_exceptions) {
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
  EXPECT_FALSE(db->write([](soci::session& session) -> Status {
    session << "INSERT INTO mark (note) VALUES (99)";
    return {};
  }));
  // Whoever goes on after a statement that failed must not be told that it is written.
  EXPECT_FALSE(db->write([](soci::session& session) -> Status {
    try {
      session << "INSERT INTO note (text) VALUES ('kept')";
    } catch (const soci::soci_error&) {
      return fail(Errc::already_exists, "there is one");
    }
    return {};
  }));
  EXPECT_EQ(count_notes(*db), 1);
}

TEST_P(StateEngineTest, tells_the_number_of_a_new_row) {
  const Migration migrations[] = {kNotes};
  auto db = open(migrations);
  for (long long expected = 1; expected <= 3; ++expected) {
    long long id = 0;
    ASSERT_TRUE(db->write([&](soci::session& session) -> Status {
      session << "INSERT INTO note (text) VALUES (:t)", soci::use(std::to_string(expected));
      session << "SELECT last_insert_rowid()", soci::into(id);
      return {};
    }));
    EXPECT_EQ(id, expected);
  }
}

TEST_P(StateEngineTest, refuses_writes_of_readers) {
  const Migration migrations[] = {kNotes};
  auto db = open(migrations);
  EXPECT_FALSE(db->read([](soci::session& session) -> Status {
    session << "INSERT INTO note (text) VALUES ('x')";
    return {};
  }));
  EXPECT_EQ(count_notes(*db), 0);
}

TEST_P(StateEngineTest, readers_go_on_while_one_writes) {
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

TEST_P(StateEngineTest, a_read_sees_one_state) {
  const Migration migrations[] = {kNotes};
  auto db = open(migrations);
  ASSERT_TRUE(add_note(*db, "one"));
  ASSERT_TRUE(db->read([&](soci::session& session) -> Status {
    int before = 0, after = 0;
    session << "SELECT count(*) FROM note", soci::into(before);
    EXPECT_TRUE(add_note(*db, "two"));
    session << "SELECT count(*) FROM note", soci::into(after);
    EXPECT_EQ(before, after);
    return {};
  }));
  EXPECT_EQ(count_notes(*db), 2);
}

INSTANTIATE_TEST_SUITE_P(, StateEngineTest, testing::Values(Engine::sqlite, Engine::postgres),
                         [](const auto& info) { return info.param == Engine::sqlite ? "sqlite" : "postgres"; });

class PostgresStateTest : public testing::Test {
 protected:
  void SetUp() override {
    server_ = TestPostgres::start();
    if (!server_) GTEST_SKIP() << "no PostgreSQL server here (Debian: postgresql)";
  }
  std::unique_ptr<TestPostgres> server_;
};

TEST_F(PostgresStateTest, a_server_that_comes_back_is_found_and_nothing_is_lost) {
  const Migration migrations[] = {kNotes};
  const PostgresOptions database = server_->make_database();
  const auto db = open_postgres_state(database, migrations);
  ASSERT_TRUE(db) << db.error().message;
  ASSERT_TRUE(add_note(**db, "before"));
  server_->stop();
  const Status gone = add_note(**db, "meanwhile");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::unavailable) << gone.error().message;
  EXPECT_EQ(open_postgres_state(database, migrations).error().code, Errc::unavailable);
  ASSERT_TRUE(server_->run());
  const Status back = add_note(**db, "after");
  EXPECT_TRUE(back) << back.error().message;
  EXPECT_EQ(count_notes(**db), 2);
}

TEST_F(PostgresStateTest, passwords_come_from_files) {
  PostgresOptions database = server_->make_database();
  const base::TempDir dir;
  ASSERT_TRUE(base::write_file_atomic(dir / "wrong", "wrong\n", base::kPrivateFile));
  PostgresOptions wrong = database;
  wrong.password_file = dir / "wrong";
  const auto refused = open_postgres_state(wrong, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("password authentication failed"), std::string::npos)
      << refused.error().message;
  wrong.password_file = dir / "absent";
  EXPECT_FALSE(open_postgres_state(wrong, {}));
  PostgresOptions spoken = database;
  spoken.connection += " password=secret";
  const auto told = open_postgres_state(spoken, {});
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, Errc::invalid_argument);
  EXPECT_EQ(told.error().message.find("secret"), std::string::npos);
  EXPECT_EQ(open_postgres_state({.connection = "hst=x"}, {}).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace redoubt::store
