// DuckDB as a database of its own, and as a writer of plain Parquet files.
#include <duckdb.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "bench/store_peers.h"
#include "event/json.h"

extern "C" void duckdb_unsafe_vector_assign_string_element_len(duckdb_vector vector, idx_t index, const char* text,
                                                               idx_t size);

namespace redoubt::bench {

namespace {

constexpr size_t kCommitRows = 10'000;
constexpr size_t kFileRows = 250'000;

class DuckPeer : public StorePeer {
 public:
  DuckPeer(const std::string& directory, std::vector<event::Field> columns)
      : directory_(directory), columns_(std::move(columns)) {
    std::filesystem::create_directories(directory_);
    require(duckdb_open((directory_ + "/events.duckdb").c_str(), &database_), "open");
    require(duckdb_connect(database_, &connection_), "connect");
    run("SET threads=2");
    run("SET memory_limit='4GB'");
    run("SET checkpoint_threshold='1GB'");
    std::vector<duckdb_logical_type> types;
    for (const event::Field field : columns_) {
      const bool textual = event::is_textual(event::info(field).type);
      types.push_back(duckdb_create_logical_type(textual ? DUCKDB_TYPE_VARCHAR : DUCKDB_TYPE_BIGINT));
    }
    chunk_ = duckdb_create_data_chunk(types.data(), types.size());
    for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
  }
  ~DuckPeer() override {
    close_appender();
    duckdb_destroy_data_chunk(&chunk_);
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }

  void take(const std::vector<Generated>& frames) override {
    for (const Generated& made : frames) {
      for (size_t i = 0; i < made.batch.size(); ++i) put(made.batch.row(i));
      if (rows_ >= rows_at_once()) settle();
    }
  }

  uint64_t query(const std::string& sql) override {
    duckdb_result result;
    if (duckdb_query(connection_, sql.c_str(), &result) != DuckDBSuccess) fail_with(duckdb_result_error(&result));
    uint64_t rows = 0;
    while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result)) {
      rows += duckdb_data_chunk_get_size(chunk);
      duckdb_destroy_data_chunk(&chunk);
    }
    duckdb_destroy_result(&result);
    return rows;
  }

 protected:
  [[noreturn]] static void fail_with(const char* what) {
    std::fprintf(stderr, "bench: duckdb: %s\n", what);
    std::exit(1);
  }
  static void require(duckdb_state state, const char* what) {
    if (state != DuckDBSuccess) fail_with(what);
  }
  void run(const std::string& sql) { (void)query(sql); }

  void create_table(const std::string& kind) {
    std::string list;
    for (const event::Field field : columns_) {
      list += (list.empty() ? "" : ", ") + std::string(event::info(field).column) +
              (event::is_textual(event::info(field).type) ? " VARCHAR" : " BIGINT");
    }
    run("CREATE " + kind + " events (" + list + ")");
    require(duckdb_appender_create(connection_, nullptr, "events", &appender_), "appender");
  }

  // What was put is in the table; as a transaction, that is a commit.
  void flush() {
    append_chunk();
    require(duckdb_appender_flush(appender_), "flush");
    rows_ = 0;
  }
  void close_appender() {
    if (appender_ != nullptr) duckdb_appender_destroy(&appender_);
  }

  virtual size_t rows_at_once() const = 0;
  virtual void settle() = 0;

  std::string directory_;
  std::vector<event::Field> columns_;
  size_t rows_ = 0;

 private:
  void put(const event::Row& row) {
    for (size_t column = 0; column < columns_.size(); ++column) {
      duckdb_vector vector = duckdb_data_chunk_get_vector(chunk_, column);
      const event::Value value = row.get(columns_[column]);
      if (!value.present()) {
        duckdb_vector_ensure_validity_writable(vector);
        duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), chunk_rows_);
      } else if (value.is_text()) {
        duckdb_unsafe_vector_assign_string_element_len(vector, chunk_rows_, value.text().data(), value.text().size());
      } else {
        static_cast<int64_t*>(duckdb_vector_get_data(vector))[chunk_rows_] = value.integer();
      }
    }
    ++rows_;
    if (++chunk_rows_ == duckdb_vector_size()) append_chunk();
  }

  void append_chunk() {
    if (chunk_rows_ == 0) return;
    duckdb_data_chunk_set_size(chunk_, chunk_rows_);
    require(duckdb_append_data_chunk(appender_, chunk_), "append");
    duckdb_data_chunk_reset(chunk_);
    chunk_rows_ = 0;
  }

  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
  duckdb_appender appender_ = nullptr;
  duckdb_data_chunk chunk_ = nullptr;
  idx_t chunk_rows_ = 0;
};

class NativePeer final : public DuckPeer {
 public:
  NativePeer(const std::string& directory, std::vector<event::Field> columns)
      : DuckPeer(directory, std::move(columns)) {
    create_table("TABLE");
  }
  std::string name() const override { return "DuckDB tables"; }
  void finish() override {
    flush();
    run("CHECKPOINT");
  }
  uint64_t bytes() const override { return std::filesystem::file_size(directory_ + "/events.duckdb"); }

 private:
  size_t rows_at_once() const override { return kCommitRows; }
  void settle() override { flush(); }
};

class ParquetPeer final : public DuckPeer {
 public:
  ParquetPeer(const std::string& directory, std::vector<event::Field> columns)
      : DuckPeer(directory, std::move(columns)) {
    create_table("TEMP TABLE");
  }
  std::string name() const override { return "plain Parquet"; }
  void finish() override {
    settle();
    close_appender();
    run("DROP TABLE events");
    run("CREATE VIEW events AS SELECT * FROM read_parquet('" + directory_ + "/*.parquet')");
  }
  uint64_t bytes() const override {
    uint64_t total = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      if (entry.path().extension() == ".parquet") total += entry.file_size();
    }
    return total;
  }

 private:
  size_t rows_at_once() const override { return kFileRows; }
  void settle() override {
    if (rows_ == 0) return;
    flush();
    close_appender();
    run("COPY events TO '" + directory_ + "/" + std::to_string(++files_) +
        ".parquet' (FORMAT parquet, COMPRESSION zstd)");
    run("DROP TABLE events");
    create_table("TEMP TABLE");
  }
  size_t files_ = 0;
};

}  // namespace

std::unique_ptr<StorePeer> make_duckdb_native(const std::string& directory, std::vector<event::Field> columns) {
  return std::make_unique<NativePeer>(directory, std::move(columns));
}

std::unique_ptr<StorePeer> make_naive_parquet(const std::string& directory, std::vector<event::Field> columns) {
  return std::make_unique<ParquetPeer>(directory, std::move(columns));
}

}  // namespace redoubt::bench
