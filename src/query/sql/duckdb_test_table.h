// For tests: a DuckDB in memory with one table `events` of all fields, and the scalar functions that the SQL back end
// expects. One thread.
#pragma once

#include <duckdb.h>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/text.h"
#include "event/batch.h"
#include "event/json.h"
#include "query/sql/attribute_text.h"
#include "query/sql/sql.h"

namespace redoubt::query::sql {

class DuckdbTestTable {
 public:
  using Rows = std::vector<std::vector<std::string>>;

  DuckdbTestTable() {
    CHECK(duckdb_open(nullptr, &database_) == DuckDBSuccess);
    CHECK(duckdb_connect(database_, &connection_) == DuckDBSuccess);
    add_function("redoubt_fold", 1, DUCKDB_TYPE_VARCHAR, fold);
    add_function("redoubt_in_cidr", 2, DUCKDB_TYPE_BOOLEAN, cidr);
    add_function("redoubt_attribute", 2, DUCKDB_TYPE_VARCHAR, attribute);
    add_function("redoubt_any_attribute", 4, DUCKDB_TYPE_BOOLEAN, any_attribute);
    std::string columns;
    for (const event::FieldInfo& row : event::kFields) {
      columns += (columns.empty() ? "" : ", ") + std::string(row.column);
      columns += event::is_textual(row.type) ? " VARCHAR" : " BIGINT";
    }
    run("CREATE TABLE events (" + columns + ")");
  }
  ~DuckdbTestTable() {
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }
  DuckdbTestTable(const DuckdbTestTable&) = delete;
  DuckdbTestTable& operator=(const DuckdbTestTable&) = delete;

  void clear() { run("DELETE FROM events"); }

  void append(const event::Batch& batch) {
    duckdb_appender appender = nullptr;
    CHECK(duckdb_appender_create(connection_, nullptr, "events", &appender) == DuckDBSuccess);
    for (size_t i = 0; i < batch.size(); ++i) {
      const std::string attributes = event::attributes_to_json(batch.row(i));
      for (const event::FieldInfo& row : event::kFields) {
        const bool texts = row.field == event::Field::attributes && !batch.row(i).attributes().empty();
        append_value(appender, texts ? event::Value::of_text(attributes) : batch.row(i).get(row.field));
      }
      CHECK(duckdb_appender_end_row(appender) == DuckDBSuccess);
    }
    CHECK(duckdb_appender_destroy(&appender) == DuckDBSuccess);
  }

  // Every value as text, NULL as "NULL".
  Result<Rows> query(const Statement& statement) {
    duckdb_prepared_statement prepared = nullptr;
    if (duckdb_prepare(connection_, statement.text.c_str(), &prepared) != DuckDBSuccess) {
      const std::string why = duckdb_prepare_error(prepared);
      duckdb_destroy_prepare(&prepared);
      return fail(Errc::internal, why + " in " + statement.text);
    }
    bind(prepared, statement);
    duckdb_result result;
    const auto state = duckdb_execute_prepared(prepared, &result);
    Result<Rows> rows = state == DuckDBSuccess
                            ? Result<Rows>(read(result))
                            : fail(Errc::internal, duckdb_result_error(&result) + (" in " + statement.text));
    duckdb_destroy_result(&result);
    duckdb_destroy_prepare(&prepared);
    return rows;
  }

 private:
  void run(const std::string& sql) { CHECK(query({.text = sql}).has_value()); }

  static void append_value(duckdb_appender appender, event::Value value) {
    duckdb_state state = DuckDBSuccess;
    if (!value.present()) {
      state = duckdb_append_null(appender);
    } else if (value.is_text()) {
      state = duckdb_append_varchar_length(appender, value.text().data(), value.text().size());
    } else {
      state = duckdb_append_int64(appender, value.integer());
    }
    CHECK(state == DuckDBSuccess);
  }

  static void bind(duckdb_prepared_statement prepared, const Statement& statement) {
    idx_t position = 0;
    for (const Parameter& parameter : statement.parameters) {
      ++position;
      const auto* text = std::get_if<std::string>(&parameter);
      const auto state = text != nullptr ? duckdb_bind_varchar_length(prepared, position, text->data(), text->size())
                                         : duckdb_bind_int64(prepared, position, std::get<int64_t>(parameter));
      CHECK(state == DuckDBSuccess);
    }
  }

  static Rows read(duckdb_result& result) {
    Rows rows;
    const idx_t columns = duckdb_column_count(&result);
    while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result)) {
      for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk); ++row) {
        rows.emplace_back();
        for (idx_t column = 0; column < columns; ++column) {
          rows.back().push_back(
              cell(duckdb_data_chunk_get_vector(chunk, column), duckdb_column_type(&result, column), row));
        }
      }
      duckdb_destroy_data_chunk(&chunk);
    }
    return rows;
  }

  static std::string cell(duckdb_vector vector, duckdb_type type, idx_t row) {
    if (!valid(vector, row)) return "NULL";
    if (type == DUCKDB_TYPE_VARCHAR) return std::string(text(vector, row));
    CHECK(type == DUCKDB_TYPE_BIGINT);
    return std::to_string(static_cast<int64_t*>(duckdb_vector_get_data(vector))[row]);
  }

  static bool valid(duckdb_vector vector, idx_t row) {
    uint64_t* validity = duckdb_vector_get_validity(vector);
    return validity == nullptr || duckdb_validity_row_is_valid(validity, row);
  }

  static std::string_view text(duckdb_vector vector, idx_t row) {
    duckdb_string_t& value = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector))[row];
    return {duckdb_string_t_data(&value), duckdb_string_t_length(value)};
  }

  static void fold(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
    duckdb_vector in = duckdb_data_chunk_get_vector(input, 0);
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
      if (!valid(in, row)) {
        // DuckDB does not carry NULL through by itself.
        duckdb_vector_ensure_validity_writable(output);
        duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
        continue;
      }
      const std::string folded = base::fold_case(text(in, row));
      duckdb_vector_assign_string_element_len(output, row, folded.data(), folded.size());
    }
  }

  static void cidr(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
    duckdb_vector address = duckdb_data_chunk_get_vector(input, 0);
    duckdb_vector prefix = duckdb_data_chunk_get_vector(input, 1);
    auto* found = static_cast<bool*>(duckdb_vector_get_data(output));
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
      found[row] = valid(address, row) && valid(prefix, row) && base::in_cidr(text(address, row), text(prefix, row));
    }
  }

  static void attribute(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
    duckdb_vector object = duckdb_data_chunk_get_vector(input, 0);
    duckdb_vector name = duckdb_data_chunk_get_vector(input, 1);
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
      const auto found = valid(object, row) ? attribute_in(text(object, row), text(name, row)) : std::nullopt;
      if (found) {
        duckdb_vector_assign_string_element_len(output, row, found->data(), found->size());
        continue;
      }
      duckdb_vector_ensure_validity_writable(output);
      duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
    }
  }

  static void any_attribute(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
    duckdb_vector object = duckdb_data_chunk_get_vector(input, 0);
    duckdb_vector op = duckdb_data_chunk_get_vector(input, 1);
    duckdb_vector form = duckdb_data_chunk_get_vector(input, 2);
    duckdb_vector operand = duckdb_data_chunk_get_vector(input, 3);
    auto* found = static_cast<bool*>(duckdb_vector_get_data(output));
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
      found[row] = valid(object, row) && valid(operand, row) &&
                   any_attribute_in(text(object, row), {text(op, row), text(form, row), text(operand, row)});
    }
  }

  void add_function(const char* name, int parameters, duckdb_type returns, duckdb_scalar_function_t body) {
    duckdb_scalar_function function = duckdb_create_scalar_function();
    duckdb_scalar_function_set_name(function, name);
    duckdb_logical_type varchar = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    for (int i = 0; i < parameters; ++i) duckdb_scalar_function_add_parameter(function, varchar);
    duckdb_logical_type type = duckdb_create_logical_type(returns);
    duckdb_scalar_function_set_return_type(function, type);
    duckdb_scalar_function_set_function(function, body);
    CHECK(duckdb_register_scalar_function(connection_, function) == DuckDBSuccess);
    duckdb_destroy_logical_type(&varchar);
    duckdb_destroy_logical_type(&type);
    duckdb_destroy_scalar_function(&function);
  }

  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

}  // namespace redoubt::query::sql
