// Writes Thrift's compact protocol, in which Parquet has its footer and the heads of its pages. Fields of a struct come
// in the order of their ids. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/varint.h"

namespace redoubt::store::embedded {

class ThriftWriter {
 public:
  enum class Type : uint8_t { integer32 = 5, integer64 = 6, binary = 8, structure = 12 };

  explicit ThriftWriter(std::string& out) : out_(out) {}

  void integer32(int64_t id, int32_t value) { number(id, Type::integer32, value); }
  void integer64(int64_t id, int64_t value) { number(id, Type::integer64, value); }
  void text(int64_t id, std::string_view value) {
    head(id, static_cast<uint8_t>(Type::binary));
    text(value);
  }
  // A struct whose fields are written by `fields`.
  template <class Fields>
  void structure(int64_t id, Fields&& fields) {
    head(id, static_cast<uint8_t>(Type::structure));
    element(fields);
  }
  // The head of a list; its elements come next.
  void list(int64_t id, Type type, size_t elements) {
    constexpr uint8_t kList = 9;
    constexpr size_t kShortMax = 14;
    head(id, kList);
    const auto shown = static_cast<uint8_t>(elements > kShortMax ? kShortMax + 1 : elements);
    out_ += static_cast<char>(shown << 4 | static_cast<uint8_t>(type));
    if (elements > kShortMax) base::put_varint(out_, elements);
  }
  void element(int32_t value) { base::put_varint(out_, base::zigzag_of(value)); }
  void text(std::string_view value) {
    base::put_varint(out_, value.size());
    out_ += value;
  }
  template <class Fields>
    requires std::is_invocable_v<Fields>
  void element(Fields&& fields) {
    const int64_t outer = last_;
    last_ = 0;
    fields();
    end();
    last_ = outer;
  }
  // Ends the struct that was begun by making the writer.
  void end() { out_ += '\0'; }

 private:
  void number(int64_t id, Type type, int64_t value) {
    head(id, static_cast<uint8_t>(type));
    base::put_varint(out_, base::zigzag_of(value));
  }
  void head(int64_t id, uint8_t type) {
    constexpr int64_t kStepMax = 15;
    const int64_t step = id - last_;
    last_ = id;
    if (step > 0 && step <= kStepMax) {
      out_ += static_cast<char>(step << 4 | type);
      return;
    }
    out_ += static_cast<char>(type);
    base::put_varint(out_, base::zigzag_of(id));
  }

  std::string& out_;
  int64_t last_ = 0;  // id of the field before
};

}  // namespace redoubt::store::embedded
