#include "store/events/embedded/duck.h"

#include <duckdb.h>
#include <chrono>
#include <functional>
#include <thread>

namespace redoubt::store::embedded {

namespace {

constexpr size_t kResultRowsMax = 1'000'000;
constexpr auto kTaskWait = std::chrono::microseconds(100);
// What sorts and hunts may write to the temporary directory, in memory limits.
constexpr uint64_t kSpillFactor = 8;

struct Closer {
  void operator()(_duckdb_database* handle) const { duckdb_close(&handle); }
  void operator()(_duckdb_connection* handle) const { duckdb_disconnect(&handle); }
  void operator()(_duckdb_prepared_statement* handle) const { duckdb_destroy_prepare(&handle); }
  void operator()(_duckdb_pending_result* handle) const { duckdb_destroy_pending(&handle); }
  void operator()(_duckdb_data_chunk* handle) const { duckdb_destroy_data_chunk(&handle); }
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

std::vector<duckdb_type> types_of(duckdb_result& result) {
  std::vector<duckdb_type> types;
  for (idx_t column = 0; column < duckdb_column_count(&result); ++column) {
    types.push_back(duckdb_column_type(&result, column));
  }
  return types;
}

Status fetch_all(duckdb_result& result, Rows& rows) {
  const std::vector<duckdb_type> types = types_of(result);
  for (idx_t column = 0; column < types.size(); ++column) {
    rows.columns.emplace_back(duckdb_column_name(&result, column));
  }
  while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result)) {
    const DuckHandle<_duckdb_data_chunk> owned(chunk);
    TRY_STATUS(append_chunk(chunk, types, rows));
  }
  return {};
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
    return execute({.text = sql, .parameters = {}}, [](auto&) { return Status{}; });
  }

  Result<Rows> select(const query::sql::Statement& statement) override {
    Rows rows;
    TRY_STATUS(execute(statement, [&](duckdb_result& result) { return fetch_all(result, rows); }));
    return rows;
  }

  Status each_row(const query::sql::Statement& statement,
                  const std::function<void(const std::vector<Cell>&)>& each) override {
    return execute(statement, [&](duckdb_result& result) -> Status {
      const std::vector<duckdb_type> types = types_of(result);
      while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result)) {
        const DuckHandle<_duckdb_data_chunk> owned(chunk);
        Rows rows;
        TRY_STATUS(append_chunk(chunk, types, rows));
        for (const auto& row : rows.rows) each(row);
      }
      return {};
    });
  }

  void interrupt() override { duckdb_interrupt(connection_.get()); }

 private:
  Status execute(const query::sql::Statement& statement, const std::function<Status(duckdb_result&)>& take) {
    duckdb_prepared_statement raw = nullptr;
    const duckdb_state prepared = duckdb_prepare(connection_.get(), statement.text.c_str(), &raw);
    const DuckHandle<_duckdb_prepared_statement> owned(raw);
    if (prepared != DuckDBSuccess) return fail(Errc::internal, first_line(duckdb_prepare_error(raw)));
    TRY_STATUS(bind(raw, statement.parameters));
    duckdb_pending_result begun = nullptr;
    const duckdb_state pending = duckdb_pending_prepared(raw, &begun);
    const DuckHandle<_duckdb_pending_result> owned_begun(begun);
    if (pending == DuckDBSuccess) work_off(begun);
    DuckResult result;
    if (duckdb_execute_pending(begun, &result.result) != DuckDBSuccess) {
      return duckdb_result_error(&result.result) != nullptr
                 ? result.error()
                 : fail(Errc::internal, first_line(duckdb_pending_error(begun)));
    }
    return take(result.result);
  }

  // While other threads have the rest of the work, this one sleeps: DuckDB itself would ask for more all the time.
  static void work_off(duckdb_pending_result begun) {
    while (true) {
      const duckdb_pending_state state = duckdb_pending_execute_task(begun);
      if (state == DUCKDB_PENDING_ERROR || duckdb_pending_execution_is_finished(state)) return;
      if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE) std::this_thread::sleep_for(kTaskWait);
    }
  }

  DuckHandle<_duckdb_connection> connection_;
};

template <class Thing>
class ShownHandle final : public ShownThing {
 public:
  ShownHandle(Shown<Thing>& shown, Thing thing, const std::string& before, const std::string& behind)
      : shown_(shown), number_(shown.add(std::move(thing))), name_(before + std::to_string(number_) + behind) {}
  ShownHandle(const ShownHandle&) = delete;
  ShownHandle& operator=(const ShownHandle&) = delete;
  ~ShownHandle() override { shown_.remove(number_); }
  const std::string& name() const override { return name_; }

 private:
  Shown<Thing>& shown_;
  const uint64_t number_;
  const std::string name_;
};

class MemoryDuck final : public Duck {
 public:
  explicit MemoryDuck(duckdb_database database) : database_(database) {}

  Status prepare(const DuckOptions& options) {
    TRY(auto connection, open_connection());
    TRY_STATUS(register_functions(connection.get()));
    TRY_STATUS(register_row_function(connection.get(), rows_));
    TRY_STATUS(register_mark_function(connection.get(), marks_));
    Session session(connection.release());
    const std::string segments = sql_quoted(options.segment_directory);
    const std::string temporary = sql_quoted(options.temporary_directory);
    const std::string memory = std::to_string(options.memory_bytes_max >> 10) + "KiB";
    const std::string spill = std::to_string((options.memory_bytes_max >> 10) * kSpillFactor) + "KiB";
    // The last two lines are the lock: nothing else may be read or written, and nobody may change that.
    for (const std::string& sql :
         {"SET threads=" + std::to_string(options.threads), "SET memory_limit=" + sql_quoted(memory),
          "SET temp_directory=" + temporary, std::string("SET GLOBAL parquet_metadata_cache=true"),
          std::string("SET autoinstall_known_extensions=false"), std::string("SET autoload_known_extensions=false"),
          "SET max_temp_directory_size=" + sql_quoted(spill),
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

  std::shared_ptr<const ShownThing> show(ShownRows rows) override {
    return std::make_shared<ShownHandle<ShownRows>>(rows_, std::move(rows), "redoubt_rows(", ")");
  }
  std::shared_ptr<const ShownThing> show(Marks marks) override {
    return std::make_shared<ShownHandle<Marks>>(marks_, std::move(marks), "", "");
  }

 private:
  Result<DuckHandle<_duckdb_connection>> open_connection() {
    duckdb_connection connection = nullptr;
    if (duckdb_connect(database_.get(), &connection) != DuckDBSuccess) {
      return fail(Errc::internal, "duckdb: no connection");
    }
    return DuckHandle<_duckdb_connection>(connection);
  }

  Shown<ShownRows> rows_;
  Shown<Marks> marks_;
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
