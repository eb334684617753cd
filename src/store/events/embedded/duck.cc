#include "store/events/embedded/duck.h"
#include "event/json.h"

#include <duckdb.h>
#include <cstring>

// Since 1.5; older headers lack it. The text must be valid UTF-8.
extern "C" void duckdb_unsafe_vector_assign_string_element_len(duckdb_vector vector, idx_t index, const char* text,
                                                               idx_t size);

namespace redoubt::store::embedded {

namespace {

constexpr size_t kResultRowsMax = 1'000'000;
// Rows that a filler holds back before the table sees them.
constexpr size_t kFlushRows = 16'384;
// What sorts and hunts may write to the temporary directory, in memory limits.
constexpr uint64_t kSpillFactor = 8;

struct Closer {
  void operator()(_duckdb_database* handle) const { duckdb_close(&handle); }
  void operator()(_duckdb_connection* handle) const { duckdb_disconnect(&handle); }
  void operator()(_duckdb_prepared_statement* handle) const { duckdb_destroy_prepare(&handle); }
  void operator()(_duckdb_appender* handle) const { duckdb_appender_destroy(&handle); }
  void operator()(_duckdb_data_chunk* handle) const { duckdb_destroy_data_chunk(&handle); }
  void operator()(_duckdb_logical_type* handle) const { duckdb_destroy_logical_type(&handle); }
};
template <class T>
using DuckHandle = std::unique_ptr<T, Closer>;

// DuckDB's messages go on with advice and the place in the SQL; the first line says what happened.
std::string first_line(const char* message) {
  const std::string text = message != nullptr ? message : "unknown error";
  return text.substr(0, text.find('\n'));
}

// A result is a struct that must be destroyed in place.
struct DuckResult {
  duckdb_result result{};
  DuckResult() = default;
  DuckResult(const DuckResult&) = delete;
  DuckResult& operator=(const DuckResult&) = delete;
  ~DuckResult() { duckdb_destroy_result(&result); }

  tl::unexpected<Error> error() {
    const std::string message = first_line(duckdb_result_error(&result));
    switch (duckdb_result_error_type(&result)) {
      case DUCKDB_ERROR_INTERRUPT: return fail(Errc::timeout, message);
      case DUCKDB_ERROR_OUT_OF_MEMORY: return fail(Errc::exhausted, message);
      default: return fail(Errc::internal, message);
    }
  }
};

Result<Cell> cell_of(duckdb_vector vector, duckdb_type type, idx_t row) {
  uint64_t* validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) return Cell{};
  void* data = duckdb_vector_get_data(vector);
  switch (type) {
    case DUCKDB_TYPE_BIGINT: return Cell{static_cast<int64_t*>(data)[row]};
    case DUCKDB_TYPE_UBIGINT: return Cell{static_cast<int64_t>(static_cast<uint64_t*>(data)[row])};
    case DUCKDB_TYPE_INTEGER: return Cell{int64_t{static_cast<int32_t*>(data)[row]}};
    case DUCKDB_TYPE_HUGEINT: return Cell{static_cast<int64_t>(static_cast<duckdb_hugeint*>(data)[row].lower)};
    case DUCKDB_TYPE_VARCHAR: {
      duckdb_string_t& text = static_cast<duckdb_string_t*>(data)[row];
      return Cell{std::string(duckdb_string_t_data(&text), duckdb_string_t_length(text))};
    }
    default: return fail(Errc::internal, "result column of type " + std::to_string(type) + " is not read");
  }
}

Status append_chunk(duckdb_data_chunk chunk, const std::vector<duckdb_type>& types, Rows& rows) {
  const idx_t count = duckdb_data_chunk_get_size(chunk);
  if (rows.rows.size() + count > kResultRowsMax) {
    return fail(Errc::exhausted, "result has more than " + std::to_string(kResultRowsMax) + " rows");
  }
  const size_t first = rows.rows.size();
  rows.rows.resize(first + count, std::vector<Cell>(types.size()));
  for (size_t column = 0; column < types.size(); ++column) {
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, column);
    for (idx_t row = 0; row < count; ++row) {
      TRY(rows.rows[first + row][column], cell_of(vector, types[column], row));
    }
  }
  return {};
}

Result<Rows> fetch_all(duckdb_result& result) {
  Rows rows;
  std::vector<duckdb_type> types;
  for (idx_t column = 0; column < duckdb_column_count(&result); ++column) {
    rows.columns.emplace_back(duckdb_column_name(&result, column));
    types.push_back(duckdb_column_type(&result, column));
  }
  while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result)) {
    const DuckHandle<_duckdb_data_chunk> owned(chunk);
    TRY_STATUS(append_chunk(chunk, types, rows));
  }
  return rows;
}

Status bind(duckdb_prepared_statement prepared, const std::vector<query::sql::Parameter>& parameters) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto* text = std::get_if<std::string>(&parameters[i]);
    const duckdb_state state = text != nullptr ? duckdb_bind_varchar_length(prepared, i + 1, text->data(), text->size())
                                               : duckdb_bind_int64(prepared, i + 1, std::get<int64_t>(parameters[i]));
    if (state != DuckDBSuccess) return fail(Errc::internal, "parameter " + std::to_string(i + 1) + " is not taken");
  }
  return {};
}

class Session final : public DuckSession {
 public:
  explicit Session(duckdb_connection connection) : connection_(connection) {}

  Status run(const std::string& sql) override {
    DuckResult result;
    if (duckdb_query(connection_.get(), sql.c_str(), &result.result) != DuckDBSuccess) return result.error();
    return {};
  }

  Result<Rows> select(const query::sql::Statement& statement) override {
    duckdb_prepared_statement raw = nullptr;
    const duckdb_state prepared = duckdb_prepare(connection_.get(), statement.text.c_str(), &raw);
    const DuckHandle<_duckdb_prepared_statement> owned(raw);
    if (prepared != DuckDBSuccess) {
      return fail(Errc::internal, first_line(duckdb_prepare_error(raw)));
    }
    TRY_STATUS(bind(raw, statement.parameters));
    DuckResult result;
    if (duckdb_execute_prepared(raw, &result.result) != DuckDBSuccess) return result.error();
    return fetch_all(result.result);
  }

  void interrupt() override { duckdb_interrupt(connection_.get()); }

 private:
  DuckHandle<_duckdb_connection> connection_;
};

// Rows go to a data chunk of the library's vector size, chunks to the appender, the appender to the table.
class Filler final : public TableFiller {
 public:
  Filler(duckdb_connection connection, duckdb_appender appender) : connection_(connection), appender_(appender) {
    std::vector<DuckHandle<_duckdb_logical_type>> owned;
    std::vector<duckdb_logical_type> types;
    for (const event::FieldInfo& field : event::kFields) {
      owned.emplace_back(
          duckdb_create_logical_type(event::is_textual(field.type) ? DUCKDB_TYPE_VARCHAR : DUCKDB_TYPE_BIGINT));
      types.push_back(owned.back().get());
    }
    chunk_.reset(duckdb_create_data_chunk(types.data(), types.size()));
    begin_chunk();
  }

  Status add(const event::Row& row, std::string_view host_id, std::string_view boot_id) override {
    for (const event::FieldInfo& field : event::kFields) put(field.field, row.get(field.field));
    if (!row.attributes().empty()) {
      put(event::Field::attributes, event::Value::of_text(event::attributes_to_json(row)));
    }
    put(event::Field::host_id, event::Value::of_text(host_id));
    put(event::Field::host_boot_id, event::Value::of_text(boot_id));
    if (++chunk_rows_ == duckdb_vector_size()) TRY_STATUS(append_chunk_to_table());
    return unseen_rows_ >= kFlushRows ? flush() : Status{};
  }

  Status flush() override {
    TRY_STATUS(append_chunk_to_table());
    if (unseen_rows_ == 0) return {};
    if (duckdb_appender_flush(appender_.get()) != DuckDBSuccess) return error();
    unseen_rows_ = 0;
    return {};
  }

 private:
  struct ColumnSlots {
    duckdb_vector vector = nullptr;
    int64_t* numbers = nullptr;
    uint64_t* validity = nullptr;
  };

  // Every cell of the chunk is absent until put() gives it a value.
  void begin_chunk() {
    duckdb_data_chunk_reset(chunk_.get());
    for (size_t column = 0; column < event::kFieldCount; ++column) {
      ColumnSlots& slots = columns_[column];
      slots.vector = duckdb_data_chunk_get_vector(chunk_.get(), column);
      slots.numbers = static_cast<int64_t*>(duckdb_vector_get_data(slots.vector));
      duckdb_vector_ensure_validity_writable(slots.vector);
      slots.validity = duckdb_vector_get_validity(slots.vector);
      std::memset(slots.validity, 0, duckdb_vector_size() / 8);
    }
    chunk_rows_ = 0;
  }

  void put(event::Field field, event::Value value) {
    if (!value.present() || value.is_text() != event::is_textual(event::info(field).type)) return;
    ColumnSlots& slots = columns_[static_cast<size_t>(field)];
    slots.validity[chunk_rows_ / 64] |= uint64_t{1} << (chunk_rows_ % 64);
    if (value.is_text()) {
      duckdb_unsafe_vector_assign_string_element_len(slots.vector, chunk_rows_, value.text().data(),
                                                     value.text().size());
    } else {
      slots.numbers[chunk_rows_] = value.integer();
    }
  }

  Status append_chunk_to_table() {
    if (chunk_rows_ == 0) return {};
    duckdb_data_chunk_set_size(chunk_.get(), chunk_rows_);
    if (duckdb_append_data_chunk(appender_.get(), chunk_.get()) != DuckDBSuccess) return error();
    unseen_rows_ += chunk_rows_;
    begin_chunk();
    return {};
  }

  tl::unexpected<Error> error() { return fail(Errc::exhausted, first_line(duckdb_appender_error(appender_.get()))); }

  DuckHandle<_duckdb_connection> connection_;
  DuckHandle<_duckdb_appender> appender_;
  DuckHandle<_duckdb_data_chunk> chunk_;
  std::array<ColumnSlots, event::kFieldCount> columns_;
  idx_t chunk_rows_ = 0;
  size_t unseen_rows_ = 0;  // given to the appender since its last flush
};

class MemoryDuck final : public Duck {
 public:
  explicit MemoryDuck(duckdb_database database) : database_(database) {}

  Status prepare(const DuckOptions& options) {
    TRY(auto connection, open_connection());
    TRY_STATUS(register_functions(connection.get()));
    Session session(connection.release());
    const std::string segments = sql_quoted(options.segment_directory);
    const std::string temporary = sql_quoted(options.temporary_directory);
    const std::string memory = std::to_string(options.memory_bytes_max >> 10) + "KiB";
    const std::string spill = std::to_string((options.memory_bytes_max >> 10) * kSpillFactor) + "KiB";
    // The last two lines are the lock: nothing else may be read or written, and nobody may change that.
    for (const std::string& sql :
         {"SET threads=" + std::to_string(options.threads), "SET memory_limit=" + sql_quoted(memory),
          "SET temp_directory=" + temporary, std::string("SET autoinstall_known_extensions=false"),
          std::string("SET autoload_known_extensions=false"), "SET max_temp_directory_size=" + sql_quoted(spill),
          "SET allowed_directories=[" + segments + ", " + temporary + "]",
          std::string("SET enable_external_access=false"), std::string("SET lock_configuration=true")}) {
      TRY_STATUS(base::within(sql, session.run(sql)));
    }
    return {};
  }

  Result<std::unique_ptr<DuckSession>> connect() override {
    TRY(auto connection, open_connection());
    return std::make_unique<Session>(connection.release());
  }

  Result<std::unique_ptr<TableFiller>> fill(const std::string& table) override {
    TRY(auto connection, open_connection());
    duckdb_appender appender = nullptr;
    if (duckdb_appender_create(connection.get(), nullptr, table.c_str(), &appender) != DuckDBSuccess) {
      duckdb_appender_destroy(&appender);
      return fail(Errc::internal, "table " + table + " cannot be filled");
    }
    return std::make_unique<Filler>(connection.release(), appender);
  }

 private:
  Result<DuckHandle<_duckdb_connection>> open_connection() {
    duckdb_connection connection = nullptr;
    if (duckdb_connect(database_.get(), &connection) != DuckDBSuccess) {
      return fail(Errc::internal, "duckdb: no connection");
    }
    return DuckHandle<_duckdb_connection>(connection);
  }

  DuckHandle<_duckdb_database> database_;
};

}  // namespace

Result<std::unique_ptr<Duck>> Duck::open(const DuckOptions& options) {
  duckdb_database database = nullptr;
  char* message = nullptr;
  if (duckdb_open_ext(":memory:", &database, nullptr, &message) != DuckDBSuccess) {
    const std::string text = first_line(message);
    duckdb_free(message);
    return fail(Errc::internal, "open duckdb: " + text);
  }
  auto duck = std::make_unique<MemoryDuck>(database);
  TRY_STATUS(base::within("open duckdb", duck->prepare(options)));
  return duck;
}

std::string sql_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

}  // namespace redoubt::store::embedded
