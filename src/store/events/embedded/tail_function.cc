#include "store/events/embedded/tail_function.h"

#include <duckdb.h>
#include <algorithm>
#include <cstring>

namespace redoubt::store::embedded {

namespace {

static_assert(sizeof(TextRef) == sizeof(duckdb_string_t), "texts are copied into vectors as they are");

constexpr size_t kThreadsMax = 4;

struct Bound {
  std::shared_ptr<const ShownRows> rows;
};

// One scan: which fields are asked for, and how far it is.
struct Scan {
  std::vector<event::Field> fields;
  std::atomic<size_t> next_block = 0;
};

void bind_rows(duckdb_bind_info info) {
  auto& tables = *static_cast<ShownTables*>(duckdb_bind_get_extra_info(info));
  duckdb_value number = duckdb_bind_get_parameter(info, 0);
  auto rows = tables.find(static_cast<uint64_t>(duckdb_get_int64(number)));
  duckdb_destroy_value(&number);
  if (rows == nullptr) {
    duckdb_bind_set_error(info, "nothing is shown under that number");
    return;
  }
  duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_logical_type integer = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
  for (const event::FieldInfo& field : event::kFields) {
    duckdb_bind_add_result_column(info, std::string(field.column).c_str(),
                                  event::is_textual(field.type) ? text : integer);
  }
  duckdb_destroy_logical_type(&text);
  duckdb_destroy_logical_type(&integer);
  duckdb_bind_set_cardinality(info, rows->rows, true);
  duckdb_bind_set_bind_data(info, new Bound{std::move(rows)}, [](void* bound) { delete static_cast<Bound*>(bound); });
}

void begin_scan(duckdb_init_info info) {
  const auto& rows = *static_cast<Bound*>(duckdb_init_get_bind_data(info))->rows;
  auto scan = std::make_unique<Scan>();
  for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
    const idx_t column = duckdb_init_get_column_index(info, i);
    // Where nothing but the number of rows is asked for, DuckDB names a column that is none.
    scan->fields.push_back(event::kFields[column < event::kFieldCount ? column : 0].field);
  }
  // Rows in an order of their own stay in it.
  duckdb_init_set_max_threads(info, rows.order.empty() ? kThreadsMax : 1);
  duckdb_init_set_init_data(info, scan.release(), [](void* begun) { delete static_cast<Scan*>(begun); });
}

// A vector of the chunk while it is filled; every cell is absent until it is set.
struct Target {
  void* cells;
  uint64_t* validity;

  explicit Target(duckdb_vector vector) : cells(duckdb_vector_get_data(vector)) {
    duckdb_vector_ensure_validity_writable(vector);
    validity = duckdb_vector_get_validity(vector);
    std::memset(validity, 0, kBlockRows / 8);
  }
  void set(size_t at, const TextRef& text) {
    static_cast<TextRef*>(cells)[at] = text;
    validity[at / 64] |= uint64_t{1} << (at % 64);
  }
  void set(size_t at, int64_t number) {
    static_cast<int64_t*>(cells)[at] = number;
    validity[at / 64] |= uint64_t{1} << (at % 64);
  }
};

void fill_block(const Memtable& table, event::Field field, size_t block, size_t count, Target target) {
  if (event::is_textual(event::info(field).type)) {
    const TextColumn* column = table.texts(block, field);
    for (size_t i = 0; column != nullptr && i < count; ++i) {
      if (column->texts[i] != kNoText) target.set(i, table.text_table().ref(column->texts[i]));
    }
    return;
  }
  const NumberColumn* column = table.numbers(block, field);
  for (size_t i = 0; column != nullptr && i < count; ++i) {
    if (column->present[i]) target.set(i, column->numbers[i]);
  }
}

void fill_ordered(const Memtable& table, event::Field field, const uint32_t* rows, size_t count, Target target) {
  if (event::is_textual(event::info(field).type)) {
    for (size_t i = 0; i < count; ++i) {
      const uint32_t number = table.text_number(rows[i], field);
      if (number != kNoText) target.set(i, table.text_table().ref(number));
    }
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    const NumberColumn* column = table.numbers(rows[i] / kBlockRows, field);
    const size_t at = rows[i] % kBlockRows;
    if (column != nullptr && column->present[at]) target.set(i, column->numbers[at]);
  }
}

void next_rows(duckdb_function_info info, duckdb_data_chunk output) {
  const ShownRows& shown = *static_cast<Bound*>(duckdb_function_get_bind_data(info))->rows;
  auto& scan = *static_cast<Scan*>(duckdb_function_get_init_data(info));
  const size_t block = scan.next_block.fetch_add(1);
  const size_t rows = shown.order.empty() ? shown.rows : shown.order.size();
  const size_t first = std::min(block * kBlockRows, rows);
  const size_t count = std::min(kBlockRows, rows - first);
  for (size_t column = 0; count > 0 && column < scan.fields.size(); ++column) {
    const Target target(duckdb_data_chunk_get_vector(output, column));
    if (shown.order.empty()) {
      fill_block(*shown.table, scan.fields[column], block, count, target);
    } else {
      fill_ordered(*shown.table, scan.fields[column], shown.order.data() + first, count, target);
    }
  }
  duckdb_data_chunk_set_size(output, count);
}

}  // namespace

uint64_t ShownTables::add(ShownRows rows) {
  const std::lock_guard lock(mutex_);
  shown_[next_] = std::make_shared<const ShownRows>(std::move(rows));
  return next_++;
}

void ShownTables::remove(uint64_t number) {
  const std::lock_guard lock(mutex_);
  shown_.erase(number);
}

std::shared_ptr<const ShownRows> ShownTables::find(uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = shown_.find(number);
  return found != shown_.end() ? found->second : nullptr;
}

Status register_tail_function(void* connection, ShownTables& tables) {
  CHECK(duckdb_vector_size() == kBlockRows);
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_logical_type number = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
  duckdb_table_function_set_name(function, "redoubt_rows");
  duckdb_table_function_add_parameter(function, number);
  duckdb_table_function_set_extra_info(function, &tables, nullptr);
  duckdb_table_function_set_bind(function, bind_rows);
  duckdb_table_function_set_init(function, begin_scan);
  duckdb_table_function_set_function(function, next_rows);
  duckdb_table_function_supports_projection_pushdown(function, true);
  const auto done = duckdb_register_table_function(static_cast<duckdb_connection>(connection), function);
  duckdb_destroy_logical_type(&number);
  duckdb_destroy_table_function(&function);
  return done == DuckDBSuccess ? Status{} : fail(Errc::internal, "table function redoubt_rows cannot be registered");
}

}  // namespace redoubt::store::embedded
