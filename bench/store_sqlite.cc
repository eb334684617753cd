// SQLite as an event store: one table, nine indexes, FTS5 trigrams over command lines.
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "bench/store_peers.h"

namespace redoubt::bench {

namespace {

constexpr size_t kCommitEvents = 10'000;
constexpr const char* kIndexed[] = {"event_time",          "host_id",        "process_entity_id",
                                    "process_name",        "file_path",      "process_parent_entity_id",
                                    "process_hash_sha256", "destination_ip", "dns_question_name"};

class SqlitePeer final : public StorePeer {
 public:
  SqlitePeer(const std::string& directory, std::vector<event::Field> columns)
      : path_(directory + "/events.sqlite"), columns_(std::move(columns)) {
    std::filesystem::create_directories(directory);
    require(sqlite3_open(path_.c_str(), &db_), "open");
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    std::string list;
    std::string marks;
    for (const event::Field field : columns_) {
      list += (list.empty() ? "" : ", ") + std::string(event::info(field).column);
      marks += marks.empty() ? "?" : ", ?";
    }
    run("CREATE TABLE events (" + list + ")");
    for (const char* column : kIndexed) {
      run(std::string("CREATE INDEX by_") + column + " ON events (" + column + ")");
    }
    run("CREATE VIRTUAL TABLE words USING fts5(line, content='', detail=none, tokenize='trigram')");
    require(sqlite3_prepare_v2(db_, ("INSERT INTO events VALUES (" + marks + ")").c_str(), -1, &insert_, nullptr),
            "prepare");
    require(sqlite3_prepare_v2(db_, "INSERT INTO words (rowid, line) VALUES (?, ?)", -1, &index_, nullptr), "prepare");
    run("BEGIN");
  }
  ~SqlitePeer() override {
    sqlite3_finalize(insert_);
    sqlite3_finalize(index_);
    sqlite3_close(db_);
  }

  std::string name() const override { return "SQLite"; }

  void take(const std::vector<Generated>& frames) override {
    for (const Generated& made : frames) {
      for (size_t i = 0; i < made.batch.size(); ++i) put(made.batch.row(i));
      if (uncommitted_ < kCommitEvents) continue;
      run("COMMIT");
      run("BEGIN");
      uncommitted_ = 0;
    }
  }

  void finish() override {
    run("COMMIT");
    run("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  uint64_t bytes() const override { return std::filesystem::file_size(path_); }

  uint64_t query(const std::string& sql) override {
    sqlite3_stmt* statement = nullptr;
    require(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr), sql.c_str());
    uint64_t rows = 0;
    while (sqlite3_step(statement) == SQLITE_ROW) ++rows;
    require(sqlite3_finalize(statement), sql.c_str());
    return rows;
  }

 private:
  void require(int state, const char* what) {
    if (state == SQLITE_OK) return;
    std::fprintf(stderr, "bench: sqlite: %s: %s\n", what, sqlite3_errmsg(db_));
    std::exit(1);
  }
  void run(const std::string& sql) { (void)query(sql); }

  static void bind(sqlite3_stmt* statement, int position, event::Value value) {
    if (!value.present()) {
      sqlite3_bind_null(statement, position);
    } else if (value.is_text()) {
      sqlite3_bind_text(statement, position, value.text().data(), static_cast<int>(value.text().size()), SQLITE_STATIC);
    } else {
      sqlite3_bind_int64(statement, position, value.integer());
    }
  }

  void step(sqlite3_stmt* statement) {
    sqlite3_step(statement);
    require(sqlite3_reset(statement), "insert");
  }

  void put(const event::Row& row) {
    int position = 0;
    for (const event::Field field : columns_) bind(insert_, ++position, row.get(field));
    step(insert_);
    sqlite3_bind_int64(index_, 1, sqlite3_last_insert_rowid(db_));
    bind(index_, 2, row.get(event::Field::process_command_line));
    step(index_);
    ++uncommitted_;
  }

  std::string path_;
  std::vector<event::Field> columns_;
  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* index_ = nullptr;
  size_t uncommitted_ = 0;
};

}  // namespace

std::unique_ptr<StorePeer> make_sqlite(const std::string& directory, std::vector<event::Field> columns) {
  return std::make_unique<SqlitePeer>(directory, std::move(columns));
}

}  // namespace redoubt::bench
