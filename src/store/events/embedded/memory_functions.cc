#include "store/events/embedded/memory_functions.h"

#include <duckdb.h>
#include <algorithm>
#include <cstring>

namespace redoubt::store::embedded {

namespace {

static_assert(sizeof(TextRef) == sizeof(duckdb_string_t), "texts are copied into vectors as they are");

constexpr size_t kThreadsMax = 4;

struct Bound {
  std::shared_ptr<const ShownRows> rows;
  std::vector<idx_t> columns;  // positions as below
};

constexpr idx_t kLinePosition = event::kFieldCount;
constexpr idx_t kRowPosition = event::kFieldCount + 1;
constexpr idx_t kPartPosition = event::kFieldCount + 2;

// One scan: which columns are asked for, and how far it is.
struct Scan {
  std::vector<idx_t> columns;
  std::atomic<size_t> next_block = 0;
};

void bind_rows(duckdb_bind_info info) {
  auto& shown = *static_cast<Shown<ShownRows>*>(duckdb_bind_get_extra_info(info));
  duckdb_value number = duckdb_bind_get_parameter(info, 0);
  auto rows = shown.find(static_cast<uint64_t>(duckdb_get_int64(number)));
  duckdb_destroy_value(&number);
  if (rows == nullptr) {
    duckdb_bind_set_error(info, "nothing is shown under that number");
    return;
  }
  duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_logical_type integer = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
  auto bound = std::make_unique<Bound>();
  for (const event::FieldInfo& field : event::kFields) {
    const auto position = static_cast<idx_t>(field.field);
    if (rows->fields && ((*rows->fields)[position / 64] >> (position % 64) & 1) == 0) continue;
    bound->columns.push_back(position);
    duckdb_bind_add_result_column(info, std::string(field.column).c_str(),
                                  event::is_textual(field.type) ? text : integer);
  }
  duckdb_bind_add_result_column(info, std::string(kLineColumn).c_str(), integer);
  duckdb_bind_add_result_column(info, std::string(kRowColumn).c_str(), integer);
  duckdb_bind_add_result_column(info, std::string(kPartColumn).c_str(), integer);
  bound->columns.insert(bound->columns.end(), {kLinePosition, kRowPosition, kPartPosition});
  duckdb_destroy_logical_type(&text);
  duckdb_destroy_logical_type(&integer);
  duckdb_bind_set_cardinality(info, rows->rows, true);
  bound->rows = std::move(rows);
  duckdb_bind_set_bind_data(info, bound.release(), [](void* bound) { delete static_cast<Bound*>(bound); });
}

void begin_scan(duckdb_init_info info) {
  const auto& bound = *static_cast<Bound*>(duckdb_init_get_bind_data(info));
  auto scan = std::make_unique<Scan>();
  for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
    // Where nothing but the number of rows is asked for, DuckDB names a column that is none.
    const idx_t column = duckdb_init_get_column_index(info, i);
    scan->columns.push_back(column < bound.columns.size() ? bound.columns[column] : kRowPosition);
  }
  duckdb_init_set_max_threads(info, kThreadsMax);
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

void fill_lines(const ShownRows& shown, size_t first, size_t count, Target target) {
  for (size_t i = 0; i < count; ++i) {
    const uint32_t text = shown.table->text_number(first + i, kLineField);
    if (text != kNoText) target.set(i, int64_t{text});
  }
}

void fill_column(const ShownRows& shown, idx_t column, size_t first, size_t count, Target target) {
  if (column >= kRowPosition && !shown.places.empty()) {
    for (size_t i = 0; i < count; ++i) {
      const RowPlace& place = shown.places[first + i];
      target.set(i, column == kRowPosition ? place.row : place.part);
    }
  } else if (column == kPartPosition) {
    for (size_t i = 0; i < count; ++i) target.set(i, int64_t{0});
  } else if (column == kRowPosition) {
    for (size_t i = 0; i < count; ++i) target.set(i, static_cast<int64_t>(first + i));
  } else if (column == kLinePosition) {
    fill_lines(shown, first, count, target);
  } else {
    fill_block(*shown.table, event::kFields[column].field, first / kBlockRows, count, target);
  }
}

void next_rows(duckdb_function_info info, duckdb_data_chunk output) {
  const ShownRows& shown = *static_cast<Bound*>(duckdb_function_get_bind_data(info))->rows;
  auto& scan = *static_cast<Scan*>(duckdb_function_get_init_data(info));
  const size_t block = scan.next_block.fetch_add(1);
  const size_t first = std::min(block * kBlockRows, shown.rows);
  const size_t count = std::min(kBlockRows, shown.rows - first);
  for (size_t i = 0; count > 0 && i < scan.columns.size(); ++i) {
    fill_column(shown, scan.columns[i], first, count, Target(duckdb_data_chunk_get_vector(output, i)));
  }
  duckdb_data_chunk_set_size(output, count);
}

void run_marked(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  auto& shown = *static_cast<Shown<Marks>*>(duckdb_scalar_function_get_extra_info(info));
  const auto* sets = static_cast<int64_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0)));
  duckdb_vector numbers = duckdb_data_chunk_get_vector(input, 1);
  const auto* values = static_cast<int64_t*>(duckdb_vector_get_data(numbers));
  uint64_t* validity = duckdb_vector_get_validity(numbers);
  auto* results = static_cast<bool*>(duckdb_vector_get_data(output));
  const idx_t count = duckdb_data_chunk_get_size(input);
  std::shared_ptr<const Marks> marks;
  for (idx_t row = 0; row < count; ++row) {
    if (row == 0 || sets[row] != sets[row - 1]) marks = shown.find(static_cast<uint64_t>(sets[row]));
    const bool present = validity == nullptr || duckdb_validity_row_is_valid(validity, row);
    const auto value = static_cast<uint64_t>(values[row]);
    results[row] = present && marks != nullptr && value < marks->size() && (*marks)[value];
  }
}

}  // namespace

Status register_mark_function(void* connection, Shown<Marks>& marks) {
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_logical_type number = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
  duckdb_logical_type truth = duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
  duckdb_scalar_function_set_name(function, "redoubt_marked");
  duckdb_scalar_function_add_parameter(function, number);
  duckdb_scalar_function_add_parameter(function, number);
  duckdb_scalar_function_set_return_type(function, truth);
  duckdb_scalar_function_set_special_handling(function);  // of an absent number
  duckdb_scalar_function_set_extra_info(function, &marks, nullptr);
  duckdb_scalar_function_set_function(function, run_marked);
  const auto done = duckdb_register_scalar_function(static_cast<duckdb_connection>(connection), function);
  duckdb_destroy_logical_type(&number);
  duckdb_destroy_logical_type(&truth);
  duckdb_destroy_scalar_function(&function);
  return done == DuckDBSuccess ? Status{} : fail(Errc::internal, "function redoubt_marked cannot be registered");
}

Status register_row_function(void* connection, Shown<ShownRows>& rows) {
  CHECK(duckdb_vector_size() == kBlockRows);
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_logical_type number = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
  duckdb_table_function_set_name(function, "redoubt_rows");
  duckdb_table_function_add_parameter(function, number);
  duckdb_table_function_set_extra_info(function, &rows, nullptr);
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
