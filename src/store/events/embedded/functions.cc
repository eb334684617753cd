#include <duckdb.h>

#include "base/address.h"
#include "base/text.h"
#include "query/sql/attribute_text.h"
#include "store/events/embedded/duck.h"

extern "C" void duckdb_unsafe_vector_assign_string_element_len(duckdb_vector vector, idx_t index, const char* text,
                                                               idx_t size);

namespace redoubt::store::embedded {

namespace {

// One VARCHAR argument of a call, row by row.
class TextArgument {
 public:
  TextArgument(duckdb_data_chunk input, idx_t position) {
    duckdb_vector vector = duckdb_data_chunk_get_vector(input, position);
    texts_ = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
    validity_ = duckdb_vector_get_validity(vector);
  }

  bool present(idx_t row) const { return validity_ == nullptr || duckdb_validity_row_is_valid(validity_, row); }
  std::string_view text(idx_t row) const {
    return {duckdb_string_t_data(&texts_[row]), duckdb_string_t_length(texts_[row])};
  }

 private:
  duckdb_string_t* texts_;
  uint64_t* validity_;
};

void set_null(duckdb_vector output, idx_t row) {
  duckdb_vector_ensure_validity_writable(output);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
}

void run_fold(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
  const TextArgument argument(input, 0);
  std::string folded;
  for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
    if (!argument.present(row)) {
      set_null(output, row);
      continue;
    }
    base::fold_case_into(argument.text(row), folded);
    duckdb_unsafe_vector_assign_string_element_len(output, row, folded.data(), folded.size());
  }
}

void run_in_cidr(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
  const TextArgument address(input, 0);
  const TextArgument prefix(input, 1);
  auto* results = static_cast<bool*>(duckdb_vector_get_data(output));
  for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
    if (!address.present(row) || !prefix.present(row)) {
      set_null(output, row);
      continue;
    }
    results[row] = base::in_cidr(address.text(row), prefix.text(row));
  }
}

void run_attribute(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
  const TextArgument attributes(input, 0);
  const TextArgument name(input, 1);
  for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
    const bool asked = attributes.present(row) && name.present(row);
    const auto found = asked ? query::sql::attribute_in(attributes.text(row), name.text(row)) : std::nullopt;
    if (found) {
      duckdb_unsafe_vector_assign_string_element_len(output, row, found->data(), found->size());
    } else {
      set_null(output, row);
    }
  }
}

void run_any_attribute(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
  const TextArgument attributes(input, 0);
  const TextArgument op(input, 1);
  const TextArgument form(input, 2);
  const TextArgument operand(input, 3);
  auto* results = static_cast<bool*>(duckdb_vector_get_data(output));
  for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
    // An operand that is another field may be absent.
    results[row] =
        attributes.present(row) && operand.present(row) &&
        query::sql::any_attribute_in(attributes.text(row),
                                     {.op = op.text(row), .form = form.text(row), .operand = operand.text(row)});
  }
}

struct FunctionRow {
  const char* name;
  idx_t arguments;  // all VARCHAR
  duckdb_type returned;
  duckdb_scalar_function_t run;
};

constexpr FunctionRow kFunctions[] = {
    {"redoubt_fold", 1, DUCKDB_TYPE_VARCHAR, run_fold},
    {"redoubt_in_cidr", 2, DUCKDB_TYPE_BOOLEAN, run_in_cidr},
    {"redoubt_attribute", 2, DUCKDB_TYPE_VARCHAR, run_attribute},
    {"redoubt_any_attribute", 4, DUCKDB_TYPE_BOOLEAN, run_any_attribute},
};

}  // namespace

Status register_functions(void* connection) {
  duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  Status done;
  for (const FunctionRow& row : kFunctions) {
    duckdb_scalar_function function = duckdb_create_scalar_function();
    duckdb_logical_type returned = duckdb_create_logical_type(row.returned);
    duckdb_scalar_function_set_name(function, row.name);
    for (idx_t i = 0; i < row.arguments; ++i) duckdb_scalar_function_add_parameter(function, text);
    duckdb_scalar_function_set_return_type(function, returned);
    duckdb_scalar_function_set_function(function, row.run);
    if (duckdb_register_scalar_function(static_cast<duckdb_connection>(connection), function) != DuckDBSuccess) {
      done = fail(Errc::internal, std::string("function ") + row.name + " cannot be registered");
    }
    duckdb_destroy_logical_type(&returned);
    duckdb_destroy_scalar_function(&function);
  }
  duckdb_destroy_logical_type(&text);
  return done;
}

}  // namespace redoubt::store::embedded
