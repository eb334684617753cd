// Records that other programs write, one JSON object each, as events: Windows event logs (Sysmon among them) in the
// shapes that common shippers give them, ECS documents, Falco's alerts, our own events as JSON. One Reader a thread.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/batch_builder.h"

namespace redoubt::event::dialect {

constexpr size_t kRecordBytesMax = size_t{4} << 20;
constexpr size_t kRecordMembersMax = 4096;  // after nested objects are written as name.name
constexpr size_t kRecordDepthMax = 16;

// What a record that is of no dialect is: one of a log under the names that Sigma gives logs. All empty: refused.
struct NamedLog {
  std::string product;
  std::string service;
  std::string category;

  bool named() const { return !product.empty() || !service.empty() || !category.empty(); }
};

struct DialectInfo {
  std::string_view name;
  std::string_view help;
};
std::span<const DialectInfo> dialects();

class Reader {
 public:
  explicit Reader(NamedLog otherwise = {});
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  // Adds the event of one record, which the first dialect that knows its shape reads. Every member of the record is in
  // the event, as a field or as an attribute. invalid_argument: no JSON object within the limits above, or of no
  // dialect.
  Status add(std::string_view record, BatchBuilder& batch);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace redoubt::event::dialect
